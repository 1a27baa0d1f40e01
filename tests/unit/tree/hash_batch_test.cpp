#include "../../../src/tree/hash_batch.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

namespace leither::tree {
namespace {

void expect_the_hashes_of_libsodium(const ShortMessages& messages) {
    const BatchHashes hashes = hash_batch(messages);
    for (std::size_t lane = 0; lane < kBatchLanes; ++lane) {
        const auto message = ByteView(messages[lane].bytes).first(messages[lane].size);
        EXPECT_EQ(hashes[lane], crypto::blake2b_256(message)) << "size " << message.size();
    }
}

TEST(HashBatch, GivesTheHashesOfLibsodiumForEverySize) {
    Prng prng(1);
    for (std::size_t size = 0; size <= kBlockBytes; ++size) {
        ShortMessages messages;
        for (std::size_t lane = 0; lane < kBatchLanes; ++lane) {
            messages[lane].size = (size + 37 * lane) % (kBlockBytes + 1);
            prng.fill(std::span(messages[lane].bytes).first(messages[lane].size));
        }
        expect_the_hashes_of_libsodium(messages);
    }
}

TEST(HashBatch, GivesTheHashesOfLibsodiumForRandomMessages) {
    Prng prng(2);
    for (int i = 0; i < 2000; ++i) {
        ShortMessages messages;
        for (ShortMessage& message : messages) {
            message.size = prng.below(kBlockBytes + 1);
            prng.fill(std::span(message.bytes).first(message.size));
        }
        expect_the_hashes_of_libsodium(messages);
    }
}

}  // namespace
}  // namespace leither::tree
