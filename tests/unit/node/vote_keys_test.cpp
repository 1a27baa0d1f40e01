// The file of the vote keys and the store that it belongs to, through copies and crashes.
#include "leither/node/vote_keys.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/node/office.h"
#include "leither/store/memory_store.h"

namespace leither::node {
namespace {

using Found = VoteKeysFound;

class VoteKeysTest : public ::testing::Test {
 protected:
    VoteKeysTest() {
        store::WriteBatch batch;
        file = vote_keys::begin(crypto::SecretBytes<32>::copy_of(Bytes(32, 7)), batch);
        EXPECT_TRUE(store.write(batch));
    }
    Found found(const std::optional<SecretFile>& as) const {
        const auto opened = vote_keys::open(store, as);
        EXPECT_TRUE(opened.has_value());
        return opened->found;
    }
    // As a start opens it, and its next stamp.
    Office::Stamping stamp(std::uint8_t life) const {
        auto opened = vote_keys::open(store, file);
        Office office({ChainId{}, crypto::derive_key({}, 1),
                       Office::Secret::copy_of(Bytes(32, life)), std::move(opened->keys)});
        return office.stamp();
    }

    store::MemoryStore store;
    std::optional<SecretFile> file;
};

TEST_F(VoteKeysTest, FileAndStoreThatBeginTogetherFit) {
    EXPECT_EQ(found(file), Found::fitting);
}

TEST_F(VoteKeysTest, WhateverACrashLeavesOfANewStampFits) {
    for (std::uint8_t life = 1; life < 4; ++life) {
        const Office::Stamping stamping = stamp(life);
        EXPECT_EQ(found(stamping.offered), Found::fitting) << "the store is still to come";
        const store::MemoryStore before = store;
        ASSERT_TRUE(store.write(stamping.store));
        EXPECT_EQ(found(stamping.offered), Found::fitting) << "the file is still to be settled";
        EXPECT_EQ(found(stamping.settled), Found::fitting);
        EXPECT_EQ(found(file), Found::foreign) << "a file of before";

        const store::MemoryStore after = store;
        store = before;
        EXPECT_EQ(found(stamping.settled), Found::foreign) << "a store of before";
        store = after;
        file = stamping.settled;
    }
}

TEST_F(VoteKeysTest, ChangesThatAreCutOffBetweenFileAndStoreOneAfterTheOtherFit) {
    for (std::uint8_t life = 1; life < 6; ++life) {
        file = stamp(life).offered;
        EXPECT_EQ(found(file), Found::fitting) << int{life};
    }
    const Office::Stamping stamping = stamp(6);
    ASSERT_TRUE(store.write(stamping.store));
    EXPECT_EQ(found(stamping.offered), Found::fitting);
    EXPECT_EQ(found(stamping.settled), Found::fitting);
    EXPECT_EQ(found(file), Found::foreign);
}

TEST_F(VoteKeysTest, WhatIsNoFileOfThisStoreIsNamed) {
    EXPECT_EQ(found(std::nullopt), Found::missing);
    EXPECT_EQ(found(SecretFile({})), Found::unreadable);
    EXPECT_EQ(found(SecretFile(Bytes(VoteKeys::kFileBytesMax + 1, 1))), Found::unreadable);
    const ByteView view = file->view();
    for (std::size_t at = 0; at < view.size(); ++at) {
        Bytes spoilt(view.begin(), view.end());
        spoilt[at] ^= 0x40;
        EXPECT_NE(found(SecretFile(std::move(spoilt))), Found::fitting) << at;
    }
    store = {};
    EXPECT_EQ(found(file), Found::foreign);
}

TEST_F(VoteKeysTest, AForeignFileGivesNoKeys) {
    auto opened = vote_keys::open(store, file);
    opened->keys.keys.push_back({3, Hash{}});
    const SecretFile with_key = vote_keys::encode(opened->keys);
    EXPECT_EQ(vote_keys::open(store, with_key)->keys.keys.size(), 1u);
    store = {};
    EXPECT_TRUE(vote_keys::open(store, with_key)->keys.keys.empty());
}

TEST_F(VoteKeysTest, TheLongestFileIsWithinItsBound) {
    VoteKeys most;
    most.former = Hash{};
    for (std::uint64_t cycle = 0; cycle < VoteKeys::kKeysMax; ++cycle) {
        most.keys.push_back({cycle, Hash{}});
    }
    const SecretFile longest = vote_keys::encode(most);
    EXPECT_LE(longest.view().size(), VoteKeys::kFileBytesMax);
}

}  // namespace
}  // namespace leither::node
