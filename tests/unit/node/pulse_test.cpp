// When a node seals and when it keeps still.
#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/crypto/hash_chain.h"
#include "leither/protocol/domain_tags.h"

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

using protocol::Refusal;

TEST(NodePulse, APaymentIsCommittedWithinTwoPulses) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.pass_pulses(5);
    host.advance(std::chrono::milliseconds(999));
    const Instant submitted = host.now();
    ASSERT_TRUE(host.pay(0, 1, 100));
    host.pass_pulses(2);
    ASSERT_EQ(host.sealed().size(), 1u);
    EXPECT_LE(host.now() - submitted, std::chrono::seconds(2));
    EXPECT_EQ(host.balance(0), 900u);
    EXPECT_EQ(host.balance(1), 1'100u);
}

TEST(NodePulse, WhatArrivesDuringAPulseIsSealedTogetherAtTheNext) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.pass_pulses(3);
    for (std::size_t n = 0; n < 3; ++n) {
        ASSERT_TRUE(host.pay(n, 3, 10));
        host.advance(std::chrono::milliseconds(300));
    }
    EXPECT_TRUE(host.sealed().empty());
    host.pass_pulses(1);
    ASSERT_EQ(host.sealed().size(), 1u);
    EXPECT_EQ(host.sealed().front().transactions.size(), 3u);
    EXPECT_EQ(host.sealed().front().seal.header.pulse, Pulse(4));
}

// All that an idle organization waits for.
Instant cycle_end(const NodeHost& host, std::uint64_t cycle = 0) {
    const auto cycle_pulses = host.community().organization().charter.params.cycle_pulses;
    return host.community().start_of(Pulse((cycle + 1) * cycle_pulses));
}

TEST(NodePulse, IdlePulsesAskForNothingAndWriteNothing) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(2);
    const auto operations = host.store().operations();
    const auto ticks = host.ticks();
    host.pass_pulses(600);
    EXPECT_EQ(host.store().operations(), operations);
    EXPECT_EQ(host.ticks(), ticks);
    EXPECT_EQ(host.node().next_deadline(), cycle_end(host));
}

TEST(NodePulse, AnIdleCycleEndsWithOneBlock) {
    CommunityOptions community;
    community.params.cycle_pulses = 60;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    host.pass_pulses(3 * 60 - 1);
    ASSERT_EQ(host.sealed().size(), 2u);
    for (const auto& sealed : host.sealed()) EXPECT_TRUE(sealed.transactions.empty());
    EXPECT_EQ(host.sealed()[1].seal.header.pulse, Pulse(120));
    EXPECT_EQ(host.sealed()[1].seal.certificate.slot.cycle, 1u);
    EXPECT_EQ(host.node().next_deadline(), cycle_end(host, 2));
}

// Somebody else is elected: this node's seat is gone, and with it everything it waits for.
TEST(NodePulse, AfterItsTermTheNodeSealsNoMore) {
    CommunityOptions community;
    community.params.cycle_pulses = 60;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const Community& town = host.community();
    const auto member = town.member(0);
    const auto other = town.member(70);  // its node key
    const crypto::HashChain links(protocol::tags::kRevealLink, town.chain(),
                                  crypto::blake2b_256(as_bytes("links")), 9);
    const auto draft = [&](std::uint8_t lane, std::uint64_t counter) {
        return wallet::Draft{town.chain(), {lane, counter}, Pulse(host.pulse().value() + 50)};
    };
    const protocol::Pledge pledge{Amount::of(100), {other.public_key(), links.head()}};
    ASSERT_TRUE(host.submit_one(wallet::sign(draft(0, 0), pledge, member, nullptr)));
    host.pass_pulses(45);
    const protocol::Reveal reveal{links.link(1), town.member(71).public_key()};
    ASSERT_TRUE(host.submit_one(
        wallet::act_as_node(draft(protocol::kNodeLane, 0), reveal, member.id(), other)));
    host.pass_pulses(105);
    ASSERT_TRUE(host.submit_one(wallet::act_as_node(draft(protocol::kNodeLane, 1),
                                                    protocol::Ready{3}, member.id(), other)));
    host.pass_pulses(40);
    const auto sealed = host.sealed().size();
    EXPECT_EQ(host.sealed().back().seal.header.pulse, Pulse(180));
    ASSERT_TRUE(host.pay(1, 2, 5));
    host.pass_pulses(100);
    EXPECT_EQ(host.sealed().size(), sealed);
    EXPECT_EQ(host.node().next_deadline(), std::nullopt);
    ASSERT_TRUE(host.crash());
    host.pass_pulses(2);
    EXPECT_EQ(host.node().next_deadline(), std::nullopt);
}

TEST(NodePulse, AClockThatStepsBackSealsNothingUntilItHasCaughtUp) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.pass_pulses(10);
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(1);
    ASSERT_EQ(host.sealed().size(), 1u);

    host.step_clock_back(std::chrono::seconds(5));
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(5);
    EXPECT_EQ(host.sealed().size(), 1u);
    host.pass_pulses(2);
    ASSERT_EQ(host.sealed().size(), 2u);
    EXPECT_GT(host.sealed()[1].seal.header.pulse, host.sealed()[0].seal.header.pulse);
}

TEST(NodePulse, ARestartWithTheClockBehindTheHeadWaitsForIt) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.pass_pulses(10);
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(1);
    host.step_clock_back(std::chrono::seconds(8));
    ASSERT_TRUE(host.reopen());
    ASSERT_TRUE(host.pay(0, 1, 1));
    host.pass_pulses(7);
    EXPECT_EQ(host.sealed().size(), 1u);
    host.pass_pulses(2);
    EXPECT_EQ(host.sealed().size(), 2u);
}

TEST(NodePulse, NothingIsToldBeforeItIsDurable) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.set_writing(Writing::held);
    ASSERT_TRUE(host.pay(0, 1, 100));
    host.pass_pulses(1);
    ASSERT_TRUE(host.is_writing());
    EXPECT_TRUE(host.sealed().empty());
    EXPECT_EQ(host.balance(1), 1'000u);
    EXPECT_EQ(host.node().next_deadline(), std::nullopt);
    host.write();
    ASSERT_EQ(host.sealed().size(), 1u);
    EXPECT_EQ(host.balance(1), 1'100u);
}

TEST(NodePulse, WhatArrivesWhileABatchIsOutGoesIntoTheNextBlock) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.set_writing(Writing::held);
    ASSERT_TRUE(host.pay(0, 1, 100));
    host.pass_pulses(1);
    ASSERT_TRUE(host.pay(0, 1, 50));
    ASSERT_TRUE(host.pay(1, 2, 1'150));  // spends what is not yet durable
    host.write();
    EXPECT_EQ(host.sealed().size(), 1u);
    host.set_writing(Writing::at_once);
    host.pass_pulses(1);
    ASSERT_EQ(host.sealed().size(), 2u);
    EXPECT_EQ(host.sealed()[1].transactions.size(), 2u);
    EXPECT_EQ(host.balance(2), 2'150u);
}

TEST(NodePulse, ADueRewardOpensAHeightOfItsOwn) {
    CommunityOptions community;
    community.params.publicity_pulses = 30;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const Community& town = host.community();
    const Id member = town.member(0).id();
    ASSERT_TRUE(host.submit_one(town.reward(member, 500, host.signing(town.founder()))));
    host.pass_pulses(2);
    ASSERT_EQ(host.sealed().size(), 1u);
    EXPECT_EQ(host.balance(0), 1'000u);

    host.pass_pulses(40);
    ASSERT_EQ(host.sealed().size(), 2u);
    EXPECT_TRUE(host.sealed()[1].transactions.empty());
    EXPECT_EQ(host.sealed()[1].accounts.size(), 2u);  // member and treasury
    EXPECT_EQ(host.balance(0), 1'500u);
    EXPECT_EQ(host.node().next_deadline(), cycle_end(host));
}

TEST(NodePulse, TheLimitPerPulseCarriesOverToTheNext) {
    CommunityOptions community;
    community.params.member_transactions_per_pulse = 4;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    std::vector<protocol::Transaction> row;
    Signing signing = host.signing(payer);
    for (int i = 0; i < 10; ++i, ++signing.counter) {
        row.push_back(host.community().pay(payer, host.community().member(1), 1, signing));
    }
    host.submit(row);
    for (const auto& verdict : host.submit_replies().back().verdicts) EXPECT_TRUE(verdict);
    host.pass_pulses(4);
    ASSERT_EQ(host.sealed().size(), 3u);
    EXPECT_EQ(host.sealed()[0].transactions.size(), 4u);
    EXPECT_EQ(host.sealed()[1].transactions.size(), 4u);
    EXPECT_EQ(host.sealed()[2].transactions.size(), 2u);
    EXPECT_TRUE(host.dropped().empty());
}

TEST(NodePulse, ABlockThatIsFullLeavesTheRestInOrder) {
    CommunityOptions community;
    community.params.block_bytes_max = 16 << 10;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    std::vector<protocol::Transaction> row;
    Signing signing = host.signing(payer);
    for (int i = 0; i < 150; ++i, ++signing.counter) {
        row.push_back(host.community().pay(payer, host.community().member(1), 1, signing));
    }
    host.submit(row);
    host.pass_pulses(6);
    ASSERT_GE(host.sealed().size(), 2u);
    EXPECT_TRUE(host.dropped().empty());
    EXPECT_EQ(host.balance(0), 850u);
}

TEST(NodePulse, WhatExpiresBeforeABlockTakesItIsDropped) {
    CommunityOptions community;
    community.params.member_transactions_per_pulse = 1;
    NodeHost host({.community = community});
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    Signing signing = host.signing(payer);
    const auto first = host.community().pay(payer, host.community().member(1), 1, signing);
    ++signing.counter;
    signing.expiry = Pulse(host.pulse().value() + 1);
    const auto second = host.community().pay(payer, host.community().member(1), 2, signing);
    host.submit({first, second});
    host.pass_pulses(3);
    ASSERT_EQ(host.dropped().size(), 1u);
    EXPECT_EQ(host.dropped()[0].refused.code, Refusal::expired);
    EXPECT_EQ(host.dropped()[0].id,
              protocol::transaction_id(host.community().chain(), second.body));
    EXPECT_EQ(host.balance(1), 1'001u);
    EXPECT_EQ(host.node().next_deadline(), cycle_end(host));
}

TEST(NodePulse, APoolInWhichEverythingHasExpiredIsEmptiedWithoutABlock) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    Signing signing = host.signing(payer);
    signing.expiry = Pulse(host.pulse().value() + 1);
    host.submit({host.community().pay(payer, host.community().member(1), 1, signing)});
    // The machine slept over the pulse that could have taken it.
    const auto operations = host.store().operations();
    host.step_clock_back(-std::chrono::seconds(10));
    host.pass_pulses(1);
    ASSERT_EQ(host.dropped().size(), 1u);
    EXPECT_EQ(host.dropped()[0].refused.code, Refusal::expired);
    EXPECT_EQ(host.store().operations(), operations);
    EXPECT_EQ(host.node().next_deadline(), cycle_end(host));
}

TEST(NodePulse, ACancelTakesTheNonceOfAnotherTransaction) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto payer = host.community().member(0);
    const Signing signing = host.signing(payer);
    ASSERT_TRUE(host.submit_one(host.community().cancel(payer, signing)));
    const auto late = host.community().pay(payer, host.community().member(1), 1, signing);
    const auto verdict = host.submit_one(late);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, Refusal::bad_nonce);
    host.pass_pulses(2);
    EXPECT_EQ(host.balance(0), 1'000u);
}

}  // namespace
}  // namespace leither::testing
