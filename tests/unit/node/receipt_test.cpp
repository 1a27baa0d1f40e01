// Receipts that a node keeps for its users: made by itself, bounded, there after crash and pruning.
#include <gtest/gtest.h>

#include "leither/ledger/receipt_store.h"

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

using node::KeepReceipts;
using node::QueryError;

constexpr node::Token kToken = 77;

void keep(NodeHost& host, std::size_t member, KeepReceipts::Wish wish = KeepReceipts::Wish::keep) {
    host.step(KeepReceipts{kToken, host.community().member(member).id(), wish});
}

node::KeptReceipts kept(const NodeHost& host, std::optional<std::size_t> member = std::nullopt,
                        std::size_t limit = 10'000) {
    std::optional<Id> account;
    if (member) account = host.community().member(*member).id();
    auto answer = host.queries().kept_receipts(account, std::nullopt, limit);
    CHECK(answer.has_value());
    return *std::move(answer);
}

// Each proves itself, offline, to whoever knows the organization.
void expect_proven(const NodeHost& host, const node::KeptReceipts& all) {
    const Id organization = host.community().organization().treasury;
    for (const auto& item : all.items) {
        const auto receipt = host.queries().receipt(item.account, item.sequence);
        ASSERT_TRUE(receipt) << node::to_string(receipt.error());
        const auto proven = ledger::verify(*receipt, organization);
        ASSERT_TRUE(proven) << ledger::to_string(proven.error());
        EXPECT_EQ(proven->account, item.account);
        EXPECT_EQ(proven->sequence, item.sequence);
        for (const auto& one : item.transactions) {
            const auto found = host.queries().receipt_for(one.id, item.account);
            ASSERT_TRUE(found && *found);
            EXPECT_EQ((*found)->header.sequence, item.sequence);
        }
    }
}

void pay_and_seal(NodeHost& host, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
        ASSERT_TRUE(host.pay(0, 1, 1));
        host.pass_pulses(1);
    }
}

TEST(ReceiptKeeper, EachPaymentLeavesPayerAndPayeeAReceipt) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    keep(host, 0);
    keep(host, 1);
    ASSERT_EQ(host.network_replies().size(), 2u);
    EXPECT_TRUE(host.network_replies()[0].answer);
    pay_and_seal(host, 3);
    ASSERT_TRUE(host.pay(2, 3, 5));  // nobody's here
    host.pass_pulses(1);
    for (const std::size_t member : {0U, 1U}) {
        const auto all = kept(host, member);
        ASSERT_EQ(all.items.size(), 3u);
        EXPECT_EQ(all.items.front().sequence, Sequence(3));
        EXPECT_EQ(all.items.front().transactions.size(), 1u);
        expect_proven(host, all);
    }
    EXPECT_EQ(kept(host).count, 6u);
    EXPECT_TRUE(kept(host, 2).items.empty());
}

TEST(ReceiptKeeper, JoiningRewardsAndLeavingLeaveReceiptsToo) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto& community = host.community();
    const crypto::KeyPair newcomer = community.member(20);
    keep(host, 20);
    ASSERT_TRUE(host.submit_one(community.join(newcomer, host.signing(community.founder()))));
    host.pass_pulses(1);
    ASSERT_TRUE(
        host.submit_one(community.reward(newcomer.id(), 3, host.signing(community.founder()))));
    host.pass_pulses(3);
    const auto balance = host.balance(newcomer.id());
    EXPECT_EQ(balance, 3u);
    auto all = kept(host, 20);
    ASSERT_GE(all.items.size(), 2u);
    EXPECT_EQ(all.items.back().transactions.size(), 1u) << "the join";
    expect_proven(host, all);
    // What it has it gives back, and leaves.
    ASSERT_TRUE(
        host.submit_one(community.pay(newcomer, community.member(0), 3, host.signing(newcomer))));
    host.pass_pulses(1);
    ASSERT_TRUE(host.submit_one(community.leave(newcomer, host.signing(community.founder()))));
    host.pass_pulses(2);
    const std::size_t before = all.items.size();
    all = kept(host, 20);
    ASSERT_EQ(all.items.size(), before + 2);
    const auto last = host.queries().receipt(newcomer.id(), all.items.front().sequence);
    ASSERT_TRUE(last);
    const auto proven = ledger::verify(*last, std::nullopt);
    ASSERT_TRUE(proven);
    EXPECT_FALSE(proven->record) << "proven to be gone";
}

TEST(ReceiptKeeper, ReceiptsOutliveTheHistoryTheyAreOf) {
    HostOptions options;
    options.community.params.cycle_pulses = 60;
    options.node.history_pulses = 1;  // raised to 1,200 + 2 cycles
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    keep(host, 1);
    pay_and_seal(host, 5);
    // What is erased goes in large chunks.
    for (int n = 0; n < 260 || (host.prunings() == 0 && n < 3'000); ++n) {
        ASSERT_TRUE(host.pay(2, 3, 1));
        host.pass_pulses(10);
    }
    const auto& community = host.community();
    ASSERT_GT(host.queries().status()->oldest, Sequence(5));
    ASSERT_GT(host.prunings(), 0u);
    EXPECT_EQ(host.queries().receipt(community.member(0).id(), Sequence(3)).error(),
              QueryError::pruned);
    expect_proven(host, kept(host, 1));
    ASSERT_EQ(kept(host, 1).items.size(), 5u);
    // So they do after a crash.
    ASSERT_TRUE(host.crash());
    ASSERT_EQ(kept(host, 1).items.size(), 5u);
    expect_proven(host, kept(host, 1));
    host.pass_pulses(1);  // it looks whether the crash has taken any
    EXPECT_FALSE(kept(host).accounts.front().gap);
}

TEST(ReceiptKeeper, WhatHappenedBeforeIsMadeUpFor) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    pay_and_seal(host, 50);  // more than one step's worth
    keep(host, 1);
    host.pass_pulses(1);
    const auto all = kept(host, 1);
    EXPECT_EQ(all.items.size(), 50u);
    EXPECT_FALSE(all.accounts.front().gap);
    expect_proven(host, all);
}

// Whatever was on its way to the disk when the power went.
TEST(ReceiptKeeper, ACrashLosesNone) {
    for (const bool is_block_written : {false, true}) {
        SCOPED_TRACE(is_block_written);
        NodeHost host;
        ASSERT_TRUE(host.found());
        keep(host, 1);
        pay_and_seal(host, 2);
        host.set_writing(Writing::held);
        ASSERT_TRUE(host.pay(0, 1, 1));
        host.pass_pulses(1);
        ASSERT_TRUE(host.is_writing());
        if (is_block_written) host.write();
        ASSERT_TRUE(host.is_writing()) << "the receipt comes behind the block";
        ASSERT_TRUE(host.crash());
        host.set_writing(Writing::at_once);
        host.pass_pulses(2);
        pay_and_seal(host, 1);
        const auto all = kept(host, 1);
        EXPECT_EQ(all.items.size(), is_block_written ? 4u : 3u);
        EXPECT_FALSE(all.accounts.front().gap);
        expect_proven(host, all);
    }
}

TEST(ReceiptKeeper, TheOldestGoFirst) {
    HostOptions options;
    options.node.receipts.receipts_max = 4;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    keep(host, 1);
    pay_and_seal(host, 9);
    const auto all = kept(host, 1);
    ASSERT_EQ(all.items.size(), 4u);
    EXPECT_EQ(all.items.back().sequence, Sequence(6));
    expect_proven(host, all);
}

TEST(ReceiptKeeper, NoMoreBytesAreKeptThanAllowed) {
    HostOptions options;
    options.node.receipts.bytes_max = 8'000;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    keep(host, 1);
    pay_and_seal(host, 40);
    const auto all = kept(host, 1);
    EXPECT_LE(all.bytes, 8'000u);
    EXPECT_GE(all.items.size(), 3u);
    EXPECT_EQ(all.items.front().sequence, Sequence(40));
    // As found again.
    ASSERT_TRUE(host.crash());
    EXPECT_EQ(kept(host, 1).bytes, all.bytes);
}

TEST(ReceiptKeeper, WhoStopsKeepsWhatThereIs) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    keep(host, 1);
    pay_and_seal(host, 2);
    keep(host, 1, KeepReceipts::Wish::stop);
    pay_and_seal(host, 2);
    EXPECT_EQ(kept(host, 1).items.size(), 2u);
    EXPECT_TRUE(kept(host).accounts.empty());
    // Begun again, what was missed is made up for.
    keep(host, 1);
    host.pass_pulses(1);
    EXPECT_EQ(kept(host, 1).items.size(), 4u);
}

TEST(ReceiptKeeper, AccountsAreBounded) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (std::size_t n = 0; n < ledger::kReceiptWatchesMax; ++n) keep(host, n);
    EXPECT_EQ(kept(host).accounts.size(), ledger::kReceiptWatchesMax);
    keep(host, ledger::kReceiptWatchesMax);
    const auto& last = host.network_replies().back();
    ASSERT_FALSE(last.answer);
    EXPECT_EQ(last.answer.error().error, node::NetworkError::full);
    EXPECT_EQ(kept(host).accounts.size(), ledger::kReceiptWatchesMax);
}

TEST(ReceiptKeeper, WithoutRoomNoneAreKept) {
    HostOptions options;
    options.node.receipts.receipts_max = 0;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    keep(host, 1);
    pay_and_seal(host, 2);
    EXPECT_TRUE(kept(host).items.empty());
}

TEST(ReceiptKeeper, PagesNeverPartWhatOneBlockLeft) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    keep(host, 0);
    keep(host, 1);
    pay_and_seal(host, 3);
    const auto page = kept(host, std::nullopt, 1);
    EXPECT_EQ(page.items.size(), 2u);
    ASSERT_EQ(page.next, Sequence(3));
    const auto rest = host.queries().kept_receipts(std::nullopt, page.next, 100);
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->items.size(), 4u);
    EXPECT_FALSE(rest->next);
}

}  // namespace
}  // namespace leither::testing
