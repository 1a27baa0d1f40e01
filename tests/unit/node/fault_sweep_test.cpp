// Every store operation of a scenario fails once, in every way; then the machine is switched off
// and on again. What was told committed must be there, nothing may be half there, and life goes on.
#include <set>

#include <gtest/gtest.h>

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

using Failure = store::MemoryStore::Failure;

constexpr std::size_t kBlocks = 20;
// More pulses than the scenario needs, so that a failure cannot leave it waiting for ever.
constexpr std::size_t kPulsesMax = 4 * kBlocks;

std::set<Hash> told_committed(const NodeHost& host) {
    std::set<Hash> ids;
    for (const auto& sealed : host.sealed()) {
        ids.insert(sealed.transactions.begin(), sealed.transactions.end());
    }
    return ids;
}

std::set<Hash> stored(const NodeHost& host) {
    std::set<Hash> ids;
    const Sequence head = host.queries().status()->head.sequence;
    for (Sequence at(1); at <= head; at = at.next()) {
        for (const auto& transaction : host.block(at)) {
            ids.insert(protocol::transaction_id(host.community().chain(), transaction.body));
        }
    }
    return ids;
}

bool is_founded(const NodeHost& host) {
    return host.queries().status().has_value();
}

std::uint64_t sealed_blocks(const NodeHost& host) {
    return is_founded(host) ? host.queries().status()->head.sequence.value() : 0;
}

// One payment from each member to the next, so that accounts depend on each other.
void pay_around(NodeHost& host) {
    const Community& town = host.community();
    std::vector<protocol::Transaction> row;
    for (std::size_t n = 0; n < town.options().members; ++n) {
        const auto payer = town.member(n);
        const auto payee = town.member((n + 1) % town.options().members);
        row.push_back(town.pay(payer, payee, n + 1, host.signing(payer)));
    }
    host.submit(row);
}

// Founds if need be and seals blocks until there are kBlocks or the store fails.
void run(NodeHost& host) {
    if (!is_founded(host) && !host.found()) return;
    for (std::size_t i = 0; i < kPulsesMax && !host.fatal(); ++i) {
        if (sealed_blocks(host) >= kBlocks) return;
        pay_around(host);
        host.pass_pulses(1);
    }
}

void expect_sound(const NodeHost& host, const store::Reader& store) {
    const auto verified = node::verify_store(store, [](Sequence) {});
    ASSERT_TRUE(verified) << verified.error().detail;
    if (!is_founded(host)) return;
    const auto status = *host.queries().status();
    EXPECT_EQ(verified->sequence, status.head.sequence);
    EXPECT_EQ(verified->root, status.head.root);
    EXPECT_EQ(status.head.root.sum, Amount::of(host.community().options().supply));
}

// Fails operation `number` in the scenario. Whether the scenario still met the failure.
bool fails_and_recovers(std::uint64_t number, Failure failure) {
    NodeHost host({.seed = number});
    host.store().fail_at(number, failure);
    run(host);
    const bool was_met = host.store().operations() > number;
    EXPECT_EQ(host.fatal().has_value(), was_met && failure != Failure::lose);
    const auto told = told_committed(host);

    EXPECT_TRUE(host.crash()) << host.open_error()->detail;
    const auto kept = is_founded(host) ? stored(host) : std::set<Hash>{};
    // A device that acknowledges what it loses can take back the end of the story, nothing else.
    if (failure != Failure::lose) {
        EXPECT_TRUE(std::ranges::includes(kept, told));
    }
    expect_sound(host, host.store());

    run(host);
    EXPECT_EQ(sealed_blocks(host), kBlocks);
    expect_sound(host, host.store());
    return was_met;
}

void sweep(Failure failure) {
    for (std::uint64_t number = 0;; ++number) {
        SCOPED_TRACE("store operation " + std::to_string(number));
        if (!fails_and_recovers(number, failure) || ::testing::Test::HasFailure()) break;
        ASSERT_LT(number, 10 * kBlocks);
    }
}

TEST(NodeFaultSweep, ARefusedWriteStopsTheNodeAndLosesNothingTold) {
    sweep(Failure::refuse);
}

TEST(NodeFaultSweep, AWriteThatReachedTheDiskAlthoughItFailedIsFoundWhole) {
    sweep(Failure::refuse_but_keep);
}

TEST(NodeFaultSweep, ADeviceThatLosesWritesLeavesAPrefixOfTheHistory) {
    sweep(Failure::lose);
}

TEST(NodeFaultSweep, AFullDiskStopsTheNodeAndSpaceBringsItBack) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    ASSERT_TRUE(host.pay(0, 1, 5));
    host.store().fill_up();
    host.pass_pulses(1);
    ASSERT_TRUE(host.fatal());
    EXPECT_EQ(host.fatal()->kind, store::Fault::Kind::full);

    ASSERT_TRUE(host.reopen());
    host.store().free_space();
    EXPECT_EQ(host.balance(1), 1'000u);
    ASSERT_TRUE(host.pay(0, 1, 5));
    host.pass_pulses(2);
    EXPECT_EQ(host.balance(1), 1'005u);
    expect_sound(host, host.store());
}

TEST(NodeOpen, AnotherNodeKeyIsRefused) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const Community strangers({.seed = 5});
    const auto opened = node::Node::open({}, host.store(), strangers.node_key(), Log());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, node::OpenError::Kind::wrong_key);
}

TEST(NodeOpen, ALedgerWithoutThePinnedBlockIsRefused) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (int n = 0; n < 3; ++n) {
        ASSERT_TRUE(host.pay(0, 1, 5));
        host.pass_pulses(1);
    }
    const auto block = host.queries().block(Sequence(2));
    ASSERT_TRUE(block && *block);
    const auto opened_with = [&](const protocol::BlockName& pin) {
        node::Options options;
        options.pin = pin;
        return node::Node::open(options, host.store(), host.community().node_key(), Log());
    };
    EXPECT_TRUE(opened_with({Sequence(2), (*block)->hash}));
    const auto refused = opened_with({Sequence(2), Hash{}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, node::OpenError::Kind::wrong_chain);
    EXPECT_NE(refused.error().detail.find("history.checkpoint"), std::string::npos);
    // Of what it has not come to yet it says nothing.
    EXPECT_TRUE(opened_with({Sequence(2'000), Hash{}}));
}

// Opens a copy of the store after `damage`.
node::OpenError error_after(const NodeHost& host, store::MemoryStore store,
                            const store::WriteBatch& damage) {
    CHECK(store.write(damage).has_value());
    const auto opened = node::Node::open({}, store, host.community().node_key(), Log());
    return opened ? node::OpenError{} : opened.error();
}

TEST(NodeOpen, ContradictionsAreNamedWithTheirSequence) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    ASSERT_TRUE(host.pay(0, 1, 5));
    host.pass_pulses(2);
    ASSERT_EQ(sealed_blocks(host), 1u);

    store::WriteBatch other_block;
    ledger::put_block(other_block, Sequence(1), {});
    const auto swapped = error_after(host, host.store(), other_block);
    EXPECT_EQ(swapped.kind, node::OpenError::Kind::inconsistent);
    EXPECT_NE(swapped.detail.find("sequence 1"), std::string::npos) << swapped.detail;

    auto seal = host.sealed()[0].seal;
    seal.header.pulse = seal.header.pulse.next();
    store::WriteBatch other_seal;
    ledger::put_seal(other_seal, seal);
    EXPECT_EQ(error_after(host, host.store(), other_seal).kind,
              node::OpenError::Kind::inconsistent);

    store::WriteBatch no_genesis;
    no_genesis.erase(store::version_key(0, store::KeyKind::genesis));
    EXPECT_EQ(error_after(host, host.store(), no_genesis).kind,
              node::OpenError::Kind::inconsistent);
}

TEST(NodeVerify, ABlockChangedBehindTheHeadIsFound) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(host.pay(0, 1, 5));
        host.pass_pulses(1);
    }
    store::WriteBatch damage;
    ledger::put_block(damage, Sequence(2), {});
    ASSERT_TRUE(host.store().write(damage));
    const auto verified = node::verify_store(host.store(), [](Sequence) {});
    ASSERT_FALSE(verified);
    EXPECT_NE(verified.error().detail.find("sequence 2"), std::string::npos);
}

}  // namespace
}  // namespace leither::testing
