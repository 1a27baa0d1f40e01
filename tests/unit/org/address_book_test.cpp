#include "leither/org/address_book.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::RecordError;
using protocol::SignedRoutingRecord;
using testing::key_named;
using testing::kSampleNow;
using News = AddressBook::News;

class AddressBookTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    static AddressBook::Options small() {
        AddressBook::Options options;
        options.nodes_max = 3;
        return options;
    }
    SignedRoutingRecord record(const crypto::KeyPair& of, Instant issued,
                               std::vector<crypto::KeyPair> accounts = {}) const {
        protocol::RoutingRecord body;
        body.node = of.public_key();
        body.validity = protocol::Validity::from(issued, std::chrono::hours(4));
        for (const auto& account : accounts) {
            body.accounts.push_back(served_account(sample.delegation(account, of)));
        }
        return sign(sample.chain, body, of);
    }
    SignedRoutingRecord stranger(int n) const {
        return record(key_named("stranger " + std::to_string(n)), kSampleNow);
    }
    SignedRoutingRecord members_node(int n) {
        const auto account = key_named("member " + std::to_string(n));
        ledger.accounts.insert(account.id());
        return record(key_named("node " + std::to_string(n)), kSampleNow, {account});
    }
    void TearDown() override { book.check_invariants(); }

    testing::OrgSample sample;
    testing::ListedMembers ledger;
    Members members{{}, sample.chain, ledger, testing::shelf(ShelfKind::pass)};
    AddressBook book{small(), sample.chain, members, as_bytes("test")};
    crypto::KeyPair node = key_named("node");
};

TEST_F(AddressBookTest, TheLaterRecordHoldsWhicheverComesFirst) {
    const auto early = record(node, kSampleNow);
    const auto late = record(node, kSampleNow + std::chrono::seconds(1));
    EXPECT_EQ(book.accept(late, kSampleNow), News::newer);
    EXPECT_EQ(book.accept(early, kSampleNow), News::older);
    EXPECT_EQ(book.accept(late, kSampleNow), News::none);
    EXPECT_EQ(*book.record(node.id(), kSampleNow), late);
}

TEST_F(AddressBookTest, AnExpiredRecordIsAsGoodAsNone) {
    ASSERT_EQ(book.accept(record(node, kSampleNow), kSampleNow), News::newer);
    const Instant end = kSampleNow + std::chrono::hours(4);
    EXPECT_NE(book.record(node.id(), end - std::chrono::milliseconds(1)), nullptr);
    EXPECT_EQ(book.record(node.id(), end), nullptr);
    EXPECT_EQ(book.size(), 1U);
    book.expire(end);
    EXPECT_EQ(book.size(), 0U);
    EXPECT_EQ(book.accept(record(node, kSampleNow), end).error(), RecordError::expired);
}

TEST_F(AddressBookTest, ANodeServesWhomHasDelegatedToIt) {
    ASSERT_TRUE(book.accept(record(node, kSampleNow, {sample.alice}), kSampleNow));
    EXPECT_EQ(book.nodes_of(sample.alice.id(), kSampleNow), std::vector{node.id()});
    EXPECT_EQ(book.account_key(sample.alice.id()), sample.alice.public_key());
    EXPECT_TRUE(book.nodes_of(sample.bob.id(), kSampleNow).empty());
    EXPECT_FALSE(book.is_members_node(node.id(), kSampleNow));
    ledger.accounts.insert(sample.alice.id());
    EXPECT_TRUE(book.is_members_node(node.id(), kSampleNow));
    EXPECT_EQ(book.members_nodes(kSampleNow), std::vector{node.id()});
}

TEST_F(AddressBookTest, ADelegationToAnotherNodeCountsForNothing) {
    const auto other = key_named("other");
    protocol::Delegations delegations{sample.delegation(sample.alice, other)};
    EXPECT_EQ(book.introduce(node.public_key(), delegations, kSampleNow), 0U);
    delegations.front().delegation.node = node.public_key();
    EXPECT_EQ(book.introduce(node.public_key(), delegations, kSampleNow), 0U);
    EXPECT_EQ(
        book.introduce(node.public_key(), {sample.delegation(sample.alice, node)}, kSampleNow), 1U);
}

TEST_F(AddressBookTest, TheLatestDelegatedNodeComesFirst) {
    const auto later = key_named("later");
    ASSERT_EQ(
        book.introduce(node.public_key(), {sample.delegation(sample.alice, node)}, kSampleNow), 1U);
    protocol::Delegation second{
        sample.alice.public_key(), later.public_key(),
        protocol::Validity::from(kSampleNow + std::chrono::seconds(1), std::chrono::hours(1))};
    ASSERT_EQ(
        book.introduce(later.public_key(), {sign(sample.chain, second, sample.alice)}, kSampleNow),
        1U);
    EXPECT_EQ(book.nodes_of(sample.alice.id(), kSampleNow), (std::vector{later.id(), node.id()}));
    const Instant end = kSampleNow + std::chrono::hours(2);
    EXPECT_EQ(book.nodes_of(sample.alice.id(), end), std::vector{node.id()});
}

TEST_F(AddressBookTest, AStrangerNeverTakesAMembersPlace) {
    for (int n = 0; n < 3; ++n) ASSERT_EQ(book.accept(members_node(n), kSampleNow), News::newer);
    EXPECT_EQ(book.accept(stranger(0), kSampleNow), News::none);
    EXPECT_EQ(book.size(), 3U);
    EXPECT_EQ(book.accept(members_node(3), kSampleNow), News::newer);
    EXPECT_EQ(book.size(), 3U);
}

TEST_F(AddressBookTest, AForgedDelegationOfAMemberTakesNoMembersPlace) {
    for (int n = 0; n < 3; ++n) ASSERT_EQ(book.accept(members_node(n), kSampleNow), News::newer);
    const auto liar = key_named("liar");
    auto forged = record(liar, kSampleNow, {key_named("member 0")}).record;
    forged.accounts.front().signature = Signature{};
    EXPECT_EQ(book.accept(sign(sample.chain, forged, liar), kSampleNow), News::none);
    EXPECT_EQ(book.members_nodes(kSampleNow).size(), 3U);
}

TEST_F(AddressBookTest, StrangersMakeRoomOldestFirst) {
    for (int n = 0; n < 3; ++n) {
        ASSERT_EQ(book.accept(stranger(n), kSampleNow + std::chrono::seconds(n)), News::newer);
    }
    EXPECT_EQ(book.accept(stranger(3), kSampleNow), News::newer);
    EXPECT_EQ(book.record(key_named("stranger 0").id(), kSampleNow), nullptr);
    EXPECT_NE(book.record(key_named("stranger 1").id(), kSampleNow), nullptr);
}

TEST_F(AddressBookTest, NoticesGoOnWhereTheLastEnded) {
    for (int n = 0; n < 3; ++n) ASSERT_TRUE(book.accept(stranger(n), kSampleNow));
    const auto first = book.notices(Id{}, 2, kSampleNow);
    ASSERT_EQ(first.size(), 2U);
    const auto rest = book.notices(first.back().node, 32, kSampleNow);
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest.front(), first.back());
}

TEST_F(AddressBookTest, ComesBackFromItsStore) {
    store::MemoryStore disk;
    ledger.accounts.insert(sample.alice.id());
    ASSERT_TRUE(book.accept(record(node, kSampleNow, {sample.alice}), kSampleNow));
    ASSERT_EQ(book.introduce(node.public_key(), {sample.delegation(sample.bob, node)}, kSampleNow),
              1U);
    testing::write(disk, book.take_writes());
    AddressBook again(small(), sample.chain, members, as_bytes("test"));
    ASSERT_TRUE(again.load(disk, kSampleNow).has_value());
    again.check_invariants();
    EXPECT_TRUE(again.take_writes().empty());
    EXPECT_EQ(*again.record(node.id(), kSampleNow), *book.record(node.id(), kSampleNow));
    EXPECT_EQ(again.nodes_of(sample.bob.id(), kSampleNow), std::vector{node.id()});
    AddressBook elsewhere(small(), sample.chain, members, as_bytes("other"));
    ASSERT_TRUE(elsewhere.load(disk, kSampleNow).has_value());
    EXPECT_EQ(elsewhere.size(), 0U);
}

TEST_F(AddressBookTest, WhatGoesLeavesTheStoreEmpty) {
    store::MemoryStore disk;
    for (int n = 0; n < 8; ++n) {
        ASSERT_TRUE(book.accept(members_node(n), kSampleNow + std::chrono::seconds(n)));
        testing::write(disk, book.take_writes());
    }
    book.expire(kSampleNow + std::chrono::hours(24 * 31));
    testing::write(disk, book.take_writes());
    const auto cursor = disk.cursor();
    cursor->seek(Bytes{});
    EXPECT_FALSE(cursor->valid());
}

TEST_F(AddressBookTest, WhatHasExpiredMeanwhileLeavesTheStore) {
    store::MemoryStore disk;
    ASSERT_TRUE(book.accept(members_node(1), kSampleNow));
    testing::write(disk, book.take_writes());
    AddressBook again(small(), sample.chain, members, as_bytes("test"));
    ASSERT_TRUE(again.load(disk, kSampleNow + std::chrono::hours(24 * 401)).has_value());
    EXPECT_EQ(again.size(), 0U);
    testing::write(disk, again.take_writes());
    const auto cursor = disk.cursor();
    cursor->seek(Bytes{});
    EXPECT_FALSE(cursor->valid());
}

// ---- Members

class MembersTest : public AddressBookTest {
 protected:
    void SetUp() override {
        ledger.has_ledger = false;
        members.set_keepers(sample.manifest());
    }
};

TEST_F(MembersTest, WithoutALedgerAKeepersPassTells) {
    EXPECT_FALSE(members.is_member(sample.alice.id(), kSampleNow));
    ASSERT_TRUE(members.accept(sample.pass(sample.alice.id()), kSampleNow).has_value());
    EXPECT_TRUE(members.is_member(sample.alice.id(), kSampleNow));
    const Instant end = kSampleNow + protocol::kMemberPassLifetimeMax;
    EXPECT_FALSE(members.is_member(sample.alice.id(), end));
    EXPECT_FALSE(members.pass_of(sample.alice.id(), end).has_value());
}

TEST_F(MembersTest, AKeeperIsAMembersNodeThoughItServesNobody) {
    EXPECT_TRUE(book.is_members_node(sample.node.id(), kSampleNow));
    members.set_keepers({});
    EXPECT_FALSE(book.is_members_node(sample.node.id(), kSampleNow));
}

TEST_F(MembersTest, TheLedgerKnowsBetterThanAPass) {
    ASSERT_TRUE(members.accept(sample.pass(sample.alice.id()), kSampleNow).has_value());
    ledger.has_ledger = true;
    EXPECT_FALSE(members.is_member(sample.alice.id(), kSampleNow));
}

TEST_F(MembersTest, APassOfOneWhoIsNoKeeperCountsForNothing) {
    const auto impostor = key_named("impostor");
    protocol::SignedPass pass = sample.pass(sample.alice.id());
    pass.pass.keeper = impostor.public_key();
    pass = sign(sample.chain, pass.pass, impostor);
    EXPECT_EQ(members.accept(pass, kSampleNow).error(), RecordError::wrong_key);
    ASSERT_TRUE(members.accept(sample.pass(sample.alice.id()), kSampleNow).has_value());
    members.set_keepers({});
    EXPECT_FALSE(members.is_member(sample.alice.id(), kSampleNow));
}

TEST_F(MembersTest, OfTooManyTheFirstToExpireGoes) {
    Members few({.passes_max = 2}, sample.chain, ledger, testing::shelf(ShelfKind::pass));
    few.set_keepers(sample.manifest());
    for (int n = 0; n < 3; ++n) {
        const Id account = key_named(std::to_string(n)).id();
        protocol::MemberPass pass{account, sample.node.public_key(),
                                  sample.valid(std::chrono::hours(10 - n))};
        ASSERT_TRUE(few.accept(sign(sample.chain, pass, sample.node), kSampleNow).has_value());
        few.check_invariants();
    }
    EXPECT_EQ(few.passes(), 2U);
    EXPECT_TRUE(few.is_member(key_named("0").id(), kSampleNow));
    EXPECT_FALSE(few.is_member(key_named("1").id(), kSampleNow));
    EXPECT_TRUE(few.is_member(key_named("2").id(), kSampleNow));
}

TEST_F(MembersTest, PassesComeBackFromTheStore) {
    store::MemoryStore disk;
    ASSERT_TRUE(members.accept(sample.pass(sample.alice.id()), kSampleNow).has_value());
    testing::write(disk, members.take_writes());
    Members again({}, sample.chain, ledger, testing::shelf(ShelfKind::pass));
    ASSERT_TRUE(again.load(disk, kSampleNow).has_value());
    EXPECT_FALSE(again.is_member(sample.alice.id(), kSampleNow));
    again.set_keepers(sample.manifest());
    EXPECT_TRUE(again.is_member(sample.alice.id(), kSampleNow));
}

TEST_F(MembersTest, APassThatHasExpiredMeanwhileLeavesTheStore) {
    store::MemoryStore disk;
    ASSERT_TRUE(members.accept(sample.pass(sample.alice.id()), kSampleNow).has_value());
    testing::write(disk, members.take_writes());
    Members again({}, sample.chain, ledger, testing::shelf(ShelfKind::pass));
    ASSERT_TRUE(again.load(disk, kSampleNow + protocol::kMemberPassLifetimeMax).has_value());
    testing::write(disk, again.take_writes());
    const auto cursor = disk.cursor();
    cursor->seek(Bytes{});
    EXPECT_FALSE(cursor->valid());
}

}  // namespace
}  // namespace leither::org
