#include "leither/ledger/execute.h"

#include <gtest/gtest.h>

#include "support/ledger_world.h"

namespace leither::ledger {
namespace {

using protocol::Refusal;
using protocol::Transaction;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;
using Reason = InvalidBlock::Reason;

testing::Founding two_members() {
    return {.params = {}, .supply = 10'000, .allocations = {{"alice", 100}, {"bob", 100}}};
}

Result<Executed, ExecuteError> execute_block(LedgerWorld& world, const BlockHeader& header,
                                             const Transactions& transactions) {
    return execute(world.organization, world.tree, world.parent(), header, transactions,
                   testing::holds);
}

InvalidBlock objection(LedgerWorld& world, const BlockHeader& header,
                       const Transactions& transactions) {
    const auto result = execute_block(world, header, transactions);
    CHECK(!result.has_value());
    return std::get<InvalidBlock>(result.error());
}

TEST(Execute, LeadsWhereBuildingLed) {
    LedgerWorld world(two_members());
    const Built built = world.build({world.transfer("alice", "bob", 30)}, Pulse(7));
    ASSERT_EQ(built.transactions.size(), 1U);
    const auto executed = execute_block(world, built.executed.header, built.transactions);
    ASSERT_TRUE(executed.has_value());
    EXPECT_EQ(executed->header, built.executed.header);
}

TEST(Execute, EachFaultOfABlockHasItsReason) {
    LedgerWorld world(two_members());
    world.seal({world.transfer("alice", "bob", 1)}, Pulse(3));
    Built built = world.build(
        {world.transfer("alice", "bob", 30), world.transfer("bob", "alice", 5)}, Pulse(7));
    const BlockHeader good = built.executed.header;
    const auto reason_of = [&](const BlockHeader& header) {
        return objection(world, header, built.transactions).reason;
    };
    BlockHeader bad = good;
    bad.sequence = Sequence(3);
    EXPECT_EQ(reason_of(bad), Reason::wrong_sequence);
    bad = good;
    bad.parent = Hash{};
    EXPECT_EQ(reason_of(bad), Reason::wrong_parent);
    bad = good;
    bad.pulse = Pulse(3);
    EXPECT_EQ(reason_of(bad), Reason::pulse_not_rising);
    bad = good;
    bad.transactions = Hash{};
    EXPECT_EQ(reason_of(bad), Reason::wrong_transactions);
    bad = good;
    bad.transaction_count = 1;
    EXPECT_EQ(reason_of(bad), Reason::wrong_transactions);
    bad = good;
    bad.root.hash[5] ^= 1;
    EXPECT_EQ(reason_of(bad), Reason::wrong_root);
    bad = good;
    bad.root.sum = Amount::of(9'999);
    EXPECT_EQ(reason_of(bad), Reason::wrong_root);
    // Judged at its own pulse, by which the transactions have expired.
    bad = good;
    bad.pulse = Pulse(1'000);
    EXPECT_EQ(reason_of(bad), Reason::bad_transaction);
}

TEST(Execute, RefusesWhatTheRulesRefuseAndNamesIt) {
    LedgerWorld world(two_members());
    const auto first = world.transfer("alice", "bob", 30);
    const auto reason_for = [&](Transactions transactions) {
        BlockHeader header = world.build({first}, Pulse(7)).executed.header;
        header.transactions = transactions_hash(world.organization.chain, transactions);
        header.transaction_count = static_cast<std::uint32_t>(transactions.size());
        return objection(world, header, transactions);
    };
    const InvalidBlock twice = reason_for({first, first});
    EXPECT_EQ(twice.reason, Reason::bad_transaction);
    EXPECT_EQ(twice.transaction, 1U);
    EXPECT_EQ(twice.refused.code, Refusal::bad_nonce);

    Transaction forged = first;
    forged.signatures[1][0] ^= 1;
    const InvalidBlock unsigned_by_payer = reason_for({forged});
    EXPECT_EQ(unsigned_by_payer.refused, (Refused{Refusal::bad_signature, 1, 0}));

    // Another order of the same transactions is another block, and here an impossible one.
    const InvalidBlock swapped = reason_for({world.transfer("alice", "bob", 5, 1), first});
    EXPECT_EQ(swapped.transaction, 0U);
    EXPECT_EQ(swapped.refused.code, Refusal::bad_nonce);
}

TEST(Build, SkipsWhatDoesNotHoldAndGoesOn) {
    LedgerWorld world(two_members());
    const Built built =
        world.build({world.transfer("alice", "bob", 101), world.transfer("alice", "bob", 60),
                     world.transfer("bob", "alice", 160)},
                    Pulse(1));
    ASSERT_EQ(built.skipped.size(), 1U);
    EXPECT_EQ(built.skipped[0].index, 0U);
    EXPECT_EQ(built.skipped[0].refused, (Refused{Refusal::insufficient_balance, 100, 101}));
    EXPECT_EQ(built.transactions.size(), 2U);
    EXPECT_EQ(built.considered, 3U);
}

TEST(Build, StopsWhereTheBlockIsFull) {
    auto founding = two_members();
    founding.params.block_bytes_max = 16 << 10;
    founding.params.member_transactions_per_pulse = 1'000;
    founding.params.member_transactions_per_cycle = 1'000;
    LedgerWorld world(founding);
    std::vector<Transaction> candidates;
    std::size_t bytes = 0;
    for (std::uint64_t n = 0; bytes <= (16 << 10); ++n) {
        candidates.push_back(world.transfer("alice", "bob", 1, n));
        bytes += protocol::EncodedTransaction(candidates.back()).size();
    }
    const Built built = world.build(candidates, Pulse(1));
    EXPECT_EQ(built.transactions.size(), candidates.size() - 1);
    EXPECT_EQ(built.considered, candidates.size() - 1);
    EXPECT_TRUE(built.skipped.empty());
    EXPECT_TRUE(execute_block(world, built.executed.header, built.transactions));

    // One more than fits is no block.
    Transactions all(candidates.begin(), candidates.end());
    BlockHeader header = built.executed.header;
    header.transactions = transactions_hash(world.organization.chain, all);
    header.transaction_count = static_cast<std::uint32_t>(all.size());
    const InvalidBlock verdict = objection(world, header, all);
    EXPECT_EQ(verdict.reason, Reason::too_large);
    EXPECT_EQ(verdict.transaction, all.size() - 1);
}

TEST(Build, AnEmptyBlockKeepsTheRoot) {
    LedgerWorld world(two_members());
    const Synopsis before = world.seals.back().header.root;
    EXPECT_EQ(world.build({}, Pulse(1)).executed.header.root, before);
}

// ---- Genesis -----------------------------------------------------------------------------------

TEST(Genesis, FoundsMembersTreasuryAndBookkeeping) {
    LedgerWorld world(two_members());
    const BlockHeader& header = world.seals[0].header;
    EXPECT_EQ(header.sequence, Sequence(0));
    EXPECT_TRUE(std::ranges::equal(header.parent.view(), world.organization.chain.view()));
    EXPECT_EQ(header.root.sum, Amount::of(10'000));
    EXPECT_EQ(world.treasury().balance, Amount::of(9'800));
    EXPECT_EQ(world.member("alice")->balance, Amount::of(100));
    EXPECT_EQ(world.member("fay")->role, protocol::Role::supervisor);
    EXPECT_NE(world.member("alice")->salt, world.member("bob")->salt);
    const auto book =
        std::get<protocol::BookkeepingRecord>(*world.record(world.organization.bookkeeping));
    EXPECT_EQ(book.members, 3U);
    EXPECT_EQ(book.supervisors, (std::vector<Id>{testing::id_of("fay")}));
}

TEST(Genesis, TheFounderMayHaveALineOfTheAllocations) {
    LedgerWorld world({.params = {}, .supply = 1'000, .allocations = {{"fay", 40}}});
    EXPECT_EQ(world.member("fay")->balance, Amount::of(40));
    EXPECT_EQ(world.member("fay")->role, protocol::Role::supervisor);
}

// Founds again after a change, signed by whoever holds the key named.
struct GenesisCase {
    GenesisError error;
    std::function<void(protocol::Charter&, protocol::Allocations&)> change;
};

TEST(Genesis, EachFaultHasItsError) {
    const GenesisCase cases[] = {
        {GenesisError::parameter_out_of_bounds, [](auto& c, auto&) { c.params.pulse_ms = 99; }},
        {GenesisError::bad_decimals, [](auto& c, auto&) { c.decimals = 19; }},
        {GenesisError::no_bookkeeper, [](auto& c, auto&) { c.bookkeepers.clear(); }},
        {GenesisError::duplicate_key,
         [](auto& c, auto&) { c.bookkeepers.push_back(c.bookkeepers[0]); }},
        {GenesisError::duplicate_key, [](auto&, auto& a) { a.push_back(a[0]); }},
        {GenesisError::allocations_exceed_supply,
         [](auto& c, auto&) { c.supply = Amount::of(199); }},
        {GenesisError::allocations_exceed_supply,
         [](auto&, auto& a) { a[0].amount = a[1].amount = Amount::of(Amount::kMax); }},
        {GenesisError::reserved_account,
         [](auto&, auto& a) { a[0].key = key_of("org").public_key(); }},
        {GenesisError::reserved_account,
         [](auto& c, auto&) { c.founder = key_of("org").public_key(); }},
        {GenesisError::missing_reason, [](auto&, auto& a) { a[1].reason.clear(); }},
    };
    const protocol::Genesis good = testing::genesis_of(two_members());
    ASSERT_TRUE(check(good));
    for (const GenesisCase& row : cases) {
        protocol::Genesis changed = good;
        row.change(changed.charter.charter, changed.allocations);
        const auto founded =
            wallet::found(changed.charter.charter, changed.allocations, key_of("org"));
        const auto verdict = check(founded);
        ASSERT_FALSE(verdict) << to_string(row.error);
        EXPECT_STREQ(to_string(verdict.error()), to_string(row.error));
    }
}

TEST(Genesis, NobodyElseSignsIt) {
    protocol::Genesis genesis = testing::genesis_of(two_members());
    genesis.charter.charter.supply = Amount::of(20'000);
    EXPECT_EQ(check(genesis).error(), GenesisError::bad_signature);
}

TEST(Genesis, AllocationsAreBoundToTheCharter) {
    protocol::Genesis genesis = testing::genesis_of(two_members());
    genesis.allocations[0].amount = Amount::of(99);
    EXPECT_EQ(check(genesis).error(), GenesisError::allocations_mismatch);
}

}  // namespace
}  // namespace leither::ledger
