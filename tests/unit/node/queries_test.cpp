#include <algorithm>

#include <gtest/gtest.h>

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

using node::QueryError;

std::uint64_t balance_at(const NodeHost& host, std::size_t member, std::uint64_t sequence) {
    const auto answer =
        host.queries().account(host.community().member(member).id(), Sequence(sequence));
    CHECK(answer.has_value());
    return answer->record ? protocol::sum_of(*answer->record)->units() : 0;
}

TEST(NodeQueries, WithoutAnOrganizationEachSaysSo) {
    NodeHost host;
    EXPECT_EQ(host.queries().status().error(), QueryError::no_organization);
    EXPECT_EQ(host.queries().account(Id{}, std::nullopt).error(), QueryError::no_organization);
    EXPECT_EQ(host.queries().pulse(host.now()), Pulse(0));
}

TEST(NodeQueries, StatusNamesHeadSupplyAndMembers) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    ASSERT_TRUE(host.pay(0, 1, 5));
    EXPECT_EQ(host.queries().status()->mempool_transactions, 1u);
    host.pass_pulses(2);
    const auto status = host.queries().status();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->head.sequence, Sequence(1));
    EXPECT_EQ(status->head.root.sum, Amount::of(1'000'000));
    EXPECT_EQ(status->bookkeeping.members, 5u);
    EXPECT_EQ(status->mempool_transactions, 0u);
    EXPECT_EQ(status->organization.chain, host.community().chain());
}

TEST(NodeQueries, AnyRetainedSequenceIsReadAndProven) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(host.pay(0, 1, 10));
        host.pass_pulses(1);
    }
    const Id payee = host.community().member(1).id();
    const Id organization = host.community().organization().treasury;
    for (std::uint64_t at = 0; at <= 6; ++at) {
        EXPECT_EQ(balance_at(host, 1, at), 1'000 + 10 * at);
        const auto receipt = host.queries().receipt(payee, Sequence(at));
        ASSERT_TRUE(receipt);
        const auto proven = ledger::verify(*receipt, organization);
        ASSERT_TRUE(proven) << ledger::to_string(proven.error());
        EXPECT_EQ(proven->sequence, Sequence(at));
        EXPECT_EQ(protocol::sum_of(*proven->record)->units(), 1'000 + 10 * at);
        const auto child = host.queries().child(Prefix{prefix_of(payee, 3), 3}, Sequence(at));
        ASSERT_TRUE(child);
        EXPECT_TRUE(ledger::verify(*child, organization));
    }
    EXPECT_EQ(host.queries().account(payee, Sequence(7)).error(), QueryError::unknown_sequence);
    EXPECT_EQ(host.queries().block(Sequence(7)).error(), QueryError::unknown_sequence);
}

TEST(NodeQueries, AnAbsentAccountIsProvenAbsent) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto receipt = host.queries().receipt(host.community().member(50).id(), std::nullopt);
    ASSERT_TRUE(receipt);
    const auto proven = ledger::verify(*receipt, std::nullopt);
    ASSERT_TRUE(proven);
    EXPECT_FALSE(proven->record);
}

TEST(NodeQueries, TheNextCounterCountsWhatWaits) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const Id payer = host.community().member(0).id();
    EXPECT_EQ(*host.queries().next_counter(payer, 0), std::optional<std::uint64_t>(0));
    ASSERT_TRUE(host.pay(0, 1, 10));
    EXPECT_EQ(*host.queries().next_counter(payer, 0), std::optional<std::uint64_t>(1));
    EXPECT_EQ(*host.queries().next_counter(payer, 1), std::optional<std::uint64_t>(0));
    EXPECT_EQ(*host.queries().next_counter(Id{}, 0), std::nullopt);
}

TEST(NodeQueries, HistoryIsNewestFirstAndPaged) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (std::uint64_t i = 1; i <= 9; ++i) {
        ASSERT_TRUE(host.pay(i % 2, 2, i));
        if (i % 3 != 0) continue;
        host.pass_pulses(1);
        ASSERT_TRUE(host.pay(3, 1, 1));  // concerns member 2 not at all
    }
    host.pass_pulses(2);
    const Id payee = host.community().member(2).id();
    std::vector<std::uint64_t> amounts;
    std::optional<Sequence> before;
    do {
        const auto page = host.queries().history(payee, before, 2);
        ASSERT_TRUE(page);
        EXPECT_FALSE(page->pruned);
        for (const auto& item : page->items) {
            amounts.push_back(
                std::get<protocol::Transfer>(item.body.action).request.amount.units());
        }
        before = page->next;
    } while (before);
    EXPECT_EQ(amounts, (std::vector<std::uint64_t>{9, 8, 7, 6, 5, 4, 3, 2, 1}));
    EXPECT_TRUE(host.queries().history(host.community().member(60).id(), {}, 10)->items.empty());
}

TEST(NodeQueries, AFounderWithoutMovementsHasAnEmptyHistory) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto page = host.queries().history(host.community().founder().id(), {}, 10);
    ASSERT_TRUE(page);
    EXPECT_TRUE(page->items.empty());
    EXPECT_FALSE(page->next);
    EXPECT_FALSE(page->pruned);
}

TEST(NodeQueries, APaidRewardShowsInTheMembersHistoryWithItsReason) {
    CommunityOptions community;
    community.params.publicity_pulses = 10;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const Community& town = host.community();
    ASSERT_TRUE(
        host.submit_one(town.reward(town.member(0).id(), 500, host.signing(town.founder()))));
    host.pass_pulses(2);
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(20);
    const auto page = host.queries().history(town.member(0).id(), {}, 10);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 2u);
    EXPECT_EQ(std::get<protocol::Reward>(page->items[0].body.action).reason, "kept the garden");
    EXPECT_EQ(page->items[0].sequence, Sequence(3));
    EXPECT_TRUE(std::holds_alternative<protocol::Transfer>(page->items[1].body.action));
    const auto treasury = host.queries().history(town.organization().treasury, {}, 10);
    EXPECT_EQ(treasury->items.size(), 1u);
}

TEST(NodeQueries, MembersAreListedByIdWithoutTheOrganizationsOwnAccounts) {
    CommunityOptions community;
    community.members = 30;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    std::vector<Id> listed;
    Id from;
    for (;;) {
        const auto page = host.queries().members(from, 7);
        ASSERT_TRUE(page);
        if (page->empty()) break;
        for (const auto& item : *page) listed.push_back(item.id);
        from = listed.back();
        for (std::size_t i = Id::kSize; i-- > 0 && ++from[i] == 0;) {
        }
    }
    EXPECT_EQ(listed.size(), 31u);
    EXPECT_TRUE(std::ranges::is_sorted(listed));
}

TEST(NodeQueries, TheFateOfATransactionIsKnownAtEveryStage) {
    HostOptions options;
    options.node.recent_transactions = 1;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    const auto payment =
        host.community().pay(payer, host.community().member(1), 1, host.signing(payer));
    const Hash id = protocol::transaction_id(host.community().chain(), payment.body);
    const auto fate = [&] { return *host.queries().fate(id, payer.id()); };

    EXPECT_TRUE(std::holds_alternative<node::Unknown>(fate()));
    ASSERT_TRUE(host.submit_one(payment));
    EXPECT_TRUE(std::holds_alternative<node::Pending>(fate()));
    host.pass_pulses(2);
    ASSERT_TRUE(std::holds_alternative<node::Committed>(fate()));
    EXPECT_EQ(std::get<node::Committed>(fate()).sequence, Sequence(1));
    // Pushed out of memory by a later one, it is still found in the signer's history.
    ASSERT_TRUE(host.pay(0, 1, 2));
    host.pass_pulses(2);
    ASSERT_TRUE(std::holds_alternative<node::Committed>(fate()));
    EXPECT_TRUE(std::holds_alternative<node::Unknown>(*host.queries().fate(id, std::nullopt)));
}

TEST(NodeQueries, ABlockIsReadWithItsSeal) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    ASSERT_TRUE(host.pay(0, 1, 3));
    host.pass_pulses(2);
    const auto founding = host.queries().block(Sequence(0));
    ASSERT_TRUE(founding && *founding);
    EXPECT_TRUE((*founding)->transactions.empty());
    const auto block = host.queries().block(Sequence(1));
    ASSERT_TRUE(block && *block);
    EXPECT_EQ((*block)->transactions.size(), 1u);
    EXPECT_EQ((*block)->hash, (*block)->seal.certificate.block);
}

// ---- The history window ------------------------------------------------------------------------

HostOptions short_window() {
    HostOptions options;
    options.community.params.cycle_pulses = 60;
    options.node.history_pulses = 1;  // raised to 1,200 + 2 cycles
    return options;
}

constexpr std::uint64_t kWindow = 1'200 + 2 * 60;

// One payment every ten pulses.
void live(NodeHost& host, std::uint64_t pulses) {
    for (std::uint64_t i = 0; i < pulses; i += 10) {
        ASSERT_TRUE(host.pay(i / 10 % 2, (i / 10 + 1) % 2, 1));
        host.pass_pulses(10);
    }
}

void expect_window(const NodeHost& host) {
    const auto status = *host.queries().status();
    const std::uint64_t oldest = status.oldest.value();
    ASSERT_GT(oldest, 0u);
    const auto at_oldest = host.queries().block(status.oldest);
    ASSERT_TRUE(at_oldest && *at_oldest);
    EXPECT_LE((*at_oldest)->seal.header.pulse.value() + kWindow, status.head.pulse.value());
    const Id member = host.community().member(0).id();
    EXPECT_EQ(host.queries().account(member, Sequence(oldest - 1)).error(), QueryError::pruned);
    EXPECT_EQ(host.queries().block(Sequence(oldest - 1)).error(), QueryError::pruned);
    std::size_t payments = 0;
    for (Sequence at = status.oldest; at <= status.head.sequence; at = at.next()) {
        const auto receipt = host.queries().receipt(member, at);
        ASSERT_TRUE(receipt) << at.value();
        EXPECT_TRUE(ledger::verify(*receipt, std::nullopt));
        // Cycle blocks come without.
        payments += receipt->header.transaction_count;
    }
    // A member who never moved is still there, carried forward with the tree.
    EXPECT_EQ(host.balance(3), 1'000u);
    const auto history = host.queries().history(member, std::nullopt, 1'000);
    ASSERT_TRUE(history);
    EXPECT_TRUE(history->pruned);
    EXPECT_FALSE(history->next);
    EXPECT_EQ(history->items.size(), payments);
}

TEST(NodeWindow, OldSequencesAreErasedAndTheRestStaysProvable) {
    NodeHost host(short_window());
    ASSERT_TRUE(host.found());
    // A version's pages die a window after they fell out of it: until then others refer to them.
    live(host, 4 * kWindow);
    EXPECT_GT(host.prunings(), 0u);
    expect_window(host);
    EXPECT_FALSE(ledger::read_block(host.store(), Sequence(1)).value());

    ASSERT_TRUE(host.reopen()) << host.open_error()->detail;
    live(host, 10);
    expect_window(host);
    EXPECT_FALSE(node::verify_store(host.store(), [](Sequence) {}));
}

TEST(NodeWindow, ALongerWindowSetLaterKeepsWhatIsLeft) {
    HostOptions options = short_window();
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    live(host, 4 * kWindow);
    auto everything = node::Node::open({}, host.store(), host.community().node_key(), Log());
    ASSERT_TRUE(everything);
    const auto status = *everything->queries().status();
    const Id member = host.community().member(0).id();
    for (Sequence at = status.oldest; at <= status.head.sequence; at = at.next()) {
        EXPECT_TRUE(everything->queries().receipt(member, at)) << at.value();
    }
}

// Lives until history is erased for the first time, or the store fails.
void live_until_pruned(NodeHost& host) {
    ASSERT_TRUE(host.found());
    while (host.prunings() == 0 && !host.fatal()) live(host, 10);
}

TEST(NodeWindow, ACrashAnywhereWhilePruningLosesNothingRetained) {
    NodeHost lucky(short_window());
    live_until_pruned(lucky);
    const std::uint64_t operations = lucky.store().operations();
    // The block's batch, the marker and the ranges that are erased.
    for (std::uint64_t back = 1; back <= 5; ++back) {
        SCOPED_TRACE("store operation " + std::to_string(operations - back));
        NodeHost host(short_window());
        host.store().fail_at(operations - back, store::MemoryStore::Failure::refuse);
        live_until_pruned(host);
        ASSERT_TRUE(host.fatal());
        ASSERT_TRUE(host.crash()) << host.open_error()->detail;
        live(host, 10);
        expect_window(host);
    }
}

}  // namespace
}  // namespace leither::testing
