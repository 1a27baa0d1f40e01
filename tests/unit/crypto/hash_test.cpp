#include "leither/crypto/hash.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "leither/crypto/sign.h"

#include "support/worked_bytes.h"

namespace leither::crypto {
namespace {

using leither::testing::worked_bytes;

ChainId chain_of(std::uint8_t fill) {
    ChainId chain;
    std::fill(chain.span().begin(), chain.span().end(), fill);
    return chain;
}

Bytes worked(const std::string& name) {
    return worked_bytes("protocol/names.md", name);
}

TEST(WorkedExampleOfNames, KeyAndId) {
    KeyPair::Seed seed{};
    std::iota(seed.begin(), seed.end(), std::uint8_t{0});
    EXPECT_EQ(to_hex(seed), to_hex(worked("seed")));
    const KeyPair pair = KeyPair::from_seed(seed);
    EXPECT_EQ(pair.public_key().hex(), to_hex(worked("public key")));
    EXPECT_EQ(pair.id().hex(), to_hex(worked("id")));
    EXPECT_EQ(derive_key(seed, 7).public_key().hex(), to_hex(worked("seventh key")));
}

TEST(WorkedExampleOfNames, MessageHashAndSignature) {
    const Bytes body = {0xca, 0xfe};
    const Bytes message = tagged_message("leither/example", chain_of(0x11), body);
    EXPECT_EQ(to_hex(message), to_hex(worked("message")));
    EXPECT_EQ(tagged_hash("leither/example", chain_of(0x11), body).hex(), to_hex(worked("hash")));
    KeyPair::Seed seed{};
    std::ranges::copy(worked("seed"), seed.begin());
    EXPECT_EQ(KeyPair::from_seed(seed).sign(message).hex(), to_hex(worked("signature")));
}

TEST(TaggedMessage, LongestTagKeepsAOneByteLength) {
    const std::string tag(kTagSizeMax, 't');
    EXPECT_EQ(tagged_message(tag, ChainId{}, {}).front(), 0x7f);
    EXPECT_DEATH(tagged_message(tag + 't', ChainId{}, {}), "kTagSizeMax");
}

TEST(TaggedMessage, NoTwoTriplesGiveTheSameBytes) {
    std::set<Bytes> messages;
    for (const char* tag : {"a", "ab", "abc", ""}) {
        for (const std::uint8_t chain : Bytes{0, 'a', 'b'}) {
            for (const char* body : {"", "a", "b", "ab"}) {
                messages.insert(tagged_message(tag, chain_of(chain), as_bytes(body)));
            }
        }
    }
    EXPECT_EQ(messages.size(), 4u * 3u * 4u);
}

TEST(TaggedMessage, SignatureForOneRoleOrOrganizationIsNoneForAnother) {
    const KeyPair pair = KeyPair::from_seed({7});
    const Bytes body = {1, 2, 3};
    const Signature signature = pair.sign(tagged_message("leither/vote", chain_of(1), body));
    const auto verifies = [&](std::string_view tag, const ChainId& chain) {
        return verify(pair.public_key(), tagged_message(tag, chain, body), signature);
    };
    EXPECT_TRUE(verifies("leither/vote", chain_of(1)));
    EXPECT_FALSE(verifies("leither/vote", chain_of(2)));
    EXPECT_FALSE(verifies("leither/transfer", chain_of(1)));
    EXPECT_FALSE(verify(pair.public_key(), body, signature));
}

TEST(Blake2b, LengthIsPartOfTheFunctionNotATruncation) {
    const Bytes data = {1, 2, 3};
    EXPECT_NE(blake2b_128(data).hex(), blake2b_256(data).hex().substr(0, 32));
}

TEST(Blake2b, EmptyInputHasAHash) {
    EXPECT_EQ(blake2b_256({}).hex(),
              "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

}  // namespace
}  // namespace leither::crypto
