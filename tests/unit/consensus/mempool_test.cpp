#include "leither/consensus/mempool.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/consensus/ledger_application.h"
#include "leither/store/memory_store.h"

#include "support/node/community.h"

namespace leither::testing {
namespace {

using consensus::Mempool;
using protocol::Refusal;

// A founded ledger with a mempool on its head, and no node around it.
class MempoolTest : public ::testing::Test {
 protected:
    MempoolTest() {
        auto founded =
            ledger::execute_genesis(town_.organization(), tree_, town_.genesis()).value();
        CHECK(store_.write(founded.update.take_writes()).has_value());
        tree_.commit(std::move(founded.update));
        parent_ = {founded.header, Hash::copy_of(town_.chain().view())};
    }

    Mempool pool(consensus::MempoolOptions options = {}) {
        return Mempool(options, town_.organization(), tree_);
    }
    Mempool::Entry entry(const protocol::Transaction& transaction) const {
        return {protocol::transaction_id(town_.chain(), transaction.body), transaction,
                bcs::encode(transaction).size()};
    }
    // The n-th payment of member 0 to member 1.
    Mempool::Entry payment(std::uint64_t n, std::uint64_t amount = 1,
                           Pulse expiry = Pulse(100)) const {
        return entry(town_.pay(town_.member(0), town_.member(1), amount, {n, expiry}));
    }
    // Seals a block of the pool's first `count` entries at `pulse`, as ledger and tree see it.
    std::vector<Hash> commit(const Mempool& pool, std::size_t count, Pulse pulse) {
        std::vector<const protocol::Transaction*> candidates;
        std::vector<Hash> ids;
        for (std::size_t i = 0; i < count; ++i) {
            candidates.push_back(&pool.entries()[i].transaction);
            ids.push_back(pool.entries()[i].id);
        }
        auto built =
            ledger::build(town_.organization(), tree_, parent_, {pulse, 0}, candidates).value();
        CHECK(built.transactions.size() == count);
        CHECK(store_.write(built.executed.update.take_writes()).has_value());
        tree_.commit(std::move(built.executed.update));
        parent_ = {built.executed.header,
                   protocol::block_hash(town_.chain(), built.executed.header)};
        return ids;
    }

    Community town_{CommunityOptions{}};
    store::MemoryStore store_;
    tree::Tree tree_{tree::Options{}, store_};
    ledger::Parent parent_;
    const ledger::Place place_{Pulse(1), Sequence(1)};
};

TEST_F(MempoolTest, AdmitsOnTopOfWhatItHolds) {
    Mempool pool = this->pool();
    EXPECT_TRUE(pool.add(payment(0), place_).value());
    EXPECT_EQ(pool.add(payment(2), place_).value().error(),
              (protocol::Refused{Refusal::bad_nonce, 2, 1}));
    EXPECT_TRUE(pool.add(payment(1, 999), place_).value());
    EXPECT_EQ(pool.add(payment(2, 1), place_).value().error().code, Refusal::insufficient_balance);
    const auto payee = town_.member(1);
    const auto onward = town_.pay(payee, town_.member(2), 2'000, {0, Pulse(100)});
    EXPECT_TRUE(pool.add(entry(onward), place_).value());
    EXPECT_EQ(pool.size(), 3u);
    pool.check_invariants();
}

TEST_F(MempoolTest, HoldsItsMaximumOfTransactionsAndNotOneMore) {
    Mempool pool = this->pool({.transactions_max = 3, .bytes_max = 1 << 20});
    for (std::uint64_t n = 0; n < 3; ++n) EXPECT_TRUE(pool.add(payment(n), place_).value());
    EXPECT_EQ(pool.add(payment(3), place_).value().error(),
              (protocol::Refused{Refusal::mempool_full, 3, 3}));
}

TEST_F(MempoolTest, HoldsItsMaximumOfBytesAndNotOneMore) {
    const std::size_t two = payment(0).bytes + payment(1).bytes;
    Mempool exact = this->pool({.transactions_max = 10, .bytes_max = two});
    EXPECT_TRUE(exact.add(payment(0), place_).value());
    EXPECT_TRUE(exact.add(payment(1), place_).value());
    EXPECT_EQ(exact.bytes(), two);
    Mempool short_by_one = this->pool({.transactions_max = 10, .bytes_max = two - 1});
    EXPECT_TRUE(short_by_one.add(payment(0), place_).value());
    EXPECT_EQ(short_by_one.add(payment(1), place_).value().error().code, Refusal::mempool_full);
}

TEST_F(MempoolTest, TheSameTransactionIsTakenOnce) {
    Mempool pool = this->pool();
    EXPECT_TRUE(pool.add(payment(0), place_).value());
    EXPECT_EQ(pool.add(payment(0), place_).value().error().code, Refusal::already_pending);
}

TEST_F(MempoolTest, AfterABlockTheRestIsJudgedOnTheNewHead) {
    Mempool pool = this->pool();
    ASSERT_TRUE(pool.add(payment(0), place_).value());
    ASSERT_TRUE(pool.add(payment(1, 1, Pulse(1)), place_).value());
    ASSERT_TRUE(pool.add(payment(2), place_).value());
    const auto committed = commit(pool, 1, Pulse(1));
    const auto dropped = pool.on_block(committed, {Pulse(2), Sequence(2)}).value();
    // The second has expired; the third stood on its nonce.
    ASSERT_EQ(dropped.size(), 2u);
    EXPECT_EQ(dropped[0].refused.code, Refusal::expired);
    EXPECT_EQ(dropped[1].refused.code, Refusal::bad_nonce);
    EXPECT_EQ(pool.size(), 0u);
    EXPECT_EQ(pool.bytes(), 0u);
    EXPECT_EQ(pool.member(town_.member(0).id()).value()->balance, Amount::of(999));
}

TEST_F(MempoolTest, WhatStillHoldsStaysInOrder) {
    Mempool pool = this->pool();
    for (std::uint64_t n = 0; n < 5; ++n) ASSERT_TRUE(pool.add(payment(n), place_).value());
    const auto committed = commit(pool, 2, Pulse(1));
    EXPECT_TRUE(pool.on_block(committed, {Pulse(2), Sequence(2)}).value().empty());
    ASSERT_EQ(pool.size(), 3u);
    EXPECT_EQ(pool.entries()[0].transaction.body.nonce.counter, 2u);
    EXPECT_FALSE(pool.contains(committed[0]));
    EXPECT_EQ(pool.member(town_.member(0).id()).value()->next_counter(0), 5u);
    pool.check_invariants();
}

TEST_F(MempoolTest, KeysComeFromWhatIsAdmitted) {
    Mempool pool = this->pool();
    const auto newcomer = town_.member(40);
    const auto welcome = town_.pay(town_.member(0), newcomer, 1, {0, Pulse(100)});
    EXPECT_EQ(pool.signature_checks(welcome).value().error().code, Refusal::payee_not_member);
    ASSERT_TRUE(pool.add(entry(town_.join(newcomer, {0, Pulse(100)})), place_).value());
    const auto checks = pool.signature_checks(welcome).value();
    ASSERT_TRUE(checks);
    ASSERT_EQ(checks->size(), 2u);
    EXPECT_EQ((*checks)[0].key, newcomer.public_key());
}

TEST(Certificate, OfTheFoundingIsAcceptedByTheCharter) {
    const Community town{CommunityOptions{}};
    protocol::BlockHeader header;
    const auto certificate =
        consensus::certify_founding(town.organization(), header, town.node_key());
    EXPECT_EQ(certificate.slot, protocol::Slot{});
    const auto& committee = town.organization().charter.bookkeepers;
    EXPECT_TRUE(protocol::verify(certificate, town.chain(), header, committee));
    header.pulse = Pulse(4001);
    EXPECT_FALSE(protocol::verify(certificate, town.chain(), header, committee));
}

}  // namespace
}  // namespace leither::testing
