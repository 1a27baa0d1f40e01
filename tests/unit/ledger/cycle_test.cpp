// Whole cycles: candidates stand, committees change, receipts go on to prove what was.
#include "leither/ledger/cycle.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash_chain.h"
#include "leither/election/work.h"
#include "leither/ledger/committees.h"
#include "leither/ledger/mining.h"
#include "leither/ledger/receipt.h"
#include "leither/protocol/domain_tags.h"

#include "support/candidates.h"

namespace leither::ledger {
namespace {

using protocol::Transaction;
using testing::Candidates;
using testing::founding_for;
using testing::id_of;
using testing::kCycle;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;
using testing::Names;
using testing::numbered;

TEST(Cycles, TheFirstBlockAtTheEndIsSealedEvenWhenIdleAndCountsOnByOne) {
    LedgerWorld world(founding_for({}));
    State state(world.organization, world.tree);
    must(state.load_system());
    EXPECT_FALSE(must_seal(state, Pulse(kCycle - 1)));
    EXPECT_TRUE(must_seal(state, Pulse(kCycle)));
    EXPECT_EQ(node_acts(state).close, Pulse(kCycle - 2));
    EXPECT_EQ(node_acts(state).due, Pulse(kCycle - 5));

    world.seal({}, Pulse(5 * kCycle + 7));  // long overdue
    EXPECT_EQ(world.election().cycle, 1u);
    EXPECT_EQ(world.election().first_pulse, Pulse(5 * kCycle + 7));
    EXPECT_EQ(world.election().end_pulse, Pulse(6 * kCycle));
    EXPECT_EQ(world.election().first_sequence, Sequence(1));
    EXPECT_EQ(world.seals.back().certificate.slot.cycle, 0u);
    world.seal({}, Pulse(5 * kCycle + 8));
    EXPECT_EQ(world.seals.back().certificate.slot.cycle, 1u);
    EXPECT_EQ(world.election().cycle, 1u);
}

TEST(Cycles, TheHeadIsVerifiedByWhoeverStoodForIt) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    for (int i = 0; i < 4; ++i) {
        all.pass_cycle(i == 1 ? Names{"c0"} : Names{}, {});
        const Seal& head = all.world.seals.back();
        const auto verdict = must(
            verify_head(all.world.organization, all.world.tree, head.header, head.certificate));
        EXPECT_TRUE(verdict.has_value());
        auto other_term = head.certificate;
        ++other_term.slot.cycle;
        EXPECT_FALSE(
            must(verify_head(all.world.organization, all.world.tree, head.header, other_term)));
    }
    EXPECT_EQ(all.seats(), Names{"c0"});
}

TEST(Cycles, WorkIsCountedFromWhatTheNextHeadersName) {
    Candidates all(numbered(4));
    all.pass_cycle({}, numbered(4));
    all.pass_cycle({}, {});
    all.pass_cycle(numbered(4), {});
    ASSERT_EQ(all.seats(), numbered(4));
    // c3's node is silent for the whole term; three of four are a quorum.
    std::erase_if(all.world.voters, [](const crypto::KeyPair& key) {
        return key.public_key() == key_of("c3's vote 3").public_key();
    });
    all.pass_cycle({}, {});
    // Blocks F, F+1, F+2, C: F is the former committee's, C's signers are named too late.
    const std::vector<std::uint32_t> done = {2, 2, 2, 0};
    for (std::size_t i = 0; i < 4; ++i) {
        const auto history = all.world.member("c" + std::to_string(i))->candidacy->history;
        ASSERT_EQ(history.size(), 1u);
        EXPECT_EQ(history[0], (protocol::CycleWork{3, 2, done[i]}));
    }
}

TEST(Cycles, RewardsAreClaimedOnceFromWhatTheCycleBlockCommitted) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    all.pass_cycle({}, {});
    all.pass_cycle({"c0"}, {});
    const auto office = all.world.election();
    all.pass_cycle({}, {});

    protocol::TallyRecord tally;
    election::count(tally, 1, 1);
    const auto lines = election::reward_lines(office.present, tally, 3'000);
    const auto proof = election::prove_reward(all.world.organization.chain, 3, lines, 0);
    const auto before = all.world.member("c0")->balance.units();
    const protocol::Claim claim{3, Amount::of(3'000), proof};
    auto greedy = claim;
    greedy.amount = Amount::of(3'001);
    const auto refused = [&](const protocol::Claim& asked) {
        const auto skipped = all.world.seal({all.as_node("c0", asked)}, all.world.next_pulse());
        return skipped.empty() ? protocol::Refusal::stopping : skipped[0].refused.code;
    };
    EXPECT_EQ(refused(greedy), protocol::Refusal::wrong_proof);
    EXPECT_EQ(refused(claim), protocol::Refusal::stopping);
    EXPECT_EQ(all.world.member("c0")->balance.units(), before + 3'000);
    EXPECT_EQ(refused(claim), protocol::Refusal::already_claimed);
    for (int i = 0; i < 8; ++i) all.pass_cycle({}, {});
    EXPECT_EQ(refused(claim), protocol::Refusal::rewards_unknown);
}

TEST(Cycles, ABookkeeperFindsTheProofOfEachRewardInItsOwnHistory) {
    Candidates all(numbered(4));
    all.pass_cycle({}, numbered(4));
    all.pass_cycle({}, {});
    all.pass_cycle(numbered(4), {});
    ASSERT_EQ(all.seats(), numbered(4));
    std::erase_if(all.world.voters, [](const crypto::KeyPair& key) {
        return key.public_key() == key_of("c3's vote 3").public_key();
    });
    for (int i = 0; i < 3; ++i) all.pass_cycle({}, {});
    const auto rewards_of = [&](std::uint64_t cycle, Sequence oldest) {
        return must(mining_rewards(all.world.organization, all.world.store, all.world.tree,
                                   {cycle, all.world.seals.back(), oldest}));
    };
    const auto rewards = rewards_of(3, Sequence(0));
    ASSERT_TRUE(rewards.has_value());
    ASSERT_EQ(rewards->lines.size(), 4u);
    EXPECT_EQ(rewards->line_of(id_of("nobody")), std::nullopt);
    for (const auto& name : numbered(4)) {
        const std::size_t line = rewards->line_of(id_of(name)).value();
        EXPECT_FALSE(rewards->is_claimed(line));
        const auto claim = claim_of(all.world.organization.chain, *rewards, line);
        const auto before = all.world.member(name)->balance.units();
        const auto skipped = all.world.seal({all.as_node(name, claim)}, all.world.next_pulse());
        // c3 has signed nothing, so it has earned nothing.
        EXPECT_EQ(skipped.empty(), name != "c3");
        EXPECT_EQ(all.world.member(name)->balance.units(), before + (name == "c3" ? 0 : 750));
    }
    const auto later = rewards_of(3, Sequence(0));
    EXPECT_TRUE(later->is_claimed(later->line_of(id_of("c0")).value()));
    EXPECT_FALSE(later->is_claimed(later->line_of(id_of("c3")).value()));
    // Each term whose root stands can be worked out.
    for (const auto& root : all.world.election().rewards) {
        EXPECT_TRUE(rewards_of(root.cycle, Sequence(0)).has_value()) << root.cycle;
    }
}

TEST(Cycles, WhatIsBehindTheWindowOrNotSharedOutHasNoProof) {
    Candidates all({"c0"});
    for (int i = 0; i < 3; ++i) all.pass_cycle({}, {});
    const auto error_of = [&](std::uint64_t cycle, Sequence oldest) {
        const auto rewards =
            must(mining_rewards(all.world.organization, all.world.store, all.world.tree,
                                {cycle, all.world.seals.back(), oldest}));
        return rewards ? std::nullopt : std::optional(rewards.error());
    };
    const Sequence end_of_2 = all.world.election().first_sequence;
    EXPECT_EQ(error_of(2, Sequence(0)), std::nullopt);
    EXPECT_EQ(error_of(2, Sequence(end_of_2.value() - 1)), std::nullopt);
    EXPECT_EQ(error_of(2, end_of_2), MiningError::pruned);
    EXPECT_EQ(error_of(0, end_of_2), MiningError::pruned);
    EXPECT_EQ(error_of(3, Sequence(0)), MiningError::unknown);  // not over
    for (int i = 0; i < 9; ++i) all.pass_cycle({}, {});
    EXPECT_EQ(error_of(0, Sequence(0)), MiningError::unknown);  // too long ago
}

TEST(Cycles, ASpareStepsInForASeatThatIsNotReady) {
    const Names names = numbered(34);
    Candidates all(names);
    all.pass_cycle({}, names);
    all.pass_cycle({}, {});
    const auto next = all.world.election().next;
    ASSERT_EQ(next.seats.size(), protocol::kSeatsMax);
    ASSERT_EQ(next.spares.size(), 3u);
    // All but the seats 4 and 9 and the first spare.
    Names ready;
    for (const auto& name : names) {
        const Id id = id_of(name);
        if (id != next.seats[4].member && id != next.seats[9].member &&
            id != next.spares[0].member) {
            ready.push_back(name);
        }
    }
    all.pass_cycle(ready, {});
    auto expected = next.seats;
    expected[4] = next.spares[1];
    expected[9] = next.spares[2];
    EXPECT_EQ(all.world.election().present, expected);
}

TEST(Cycles, AThousandAndTwentyFourCandidatesStandAndNotOneMore) {
    const Names names = numbered(protocol::kCandidatesMax + 1);
    Candidates all(names);
    const auto refused = all.world.build({all.pledge(names.back())}, Pulse(2)).skipped;
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].refused,
              (protocol::Refused{protocol::Refusal::too_many_candidates, protocol::kCandidatesMax,
                                 protocol::kCandidatesMax}));
    const Names standing(names.begin(), names.end() - 1);
    all.pass_cycle({}, standing);
    EXPECT_EQ(all.world.election().after_next.seats.size(), protocol::kSeatsMax);
    EXPECT_EQ(all.world.election().after_next.spares.size(), protocol::kSeatsMax);
}

TEST(Cycles, OfAMempoolsStateTheSameBlockComesAsFromBuilding) {
    Candidates all(numbered(4));
    all.world.seal({}, Pulse(2));
    const Transaction payment = all.world.transfer("c0", "c1", 5);
    State executed(all.world.organization, all.world.tree);
    must(executed.load(payment));
    const Place place{Pulse(3), all.world.parent().header.sequence.next()};
    apply(executed, place, payment);
    const Transaction* candidates[] = {&payment};
    const auto on = must(build_on(executed, all.world.tree, all.world.parent(),
                                  all.world.stamp(Pulse(3)), candidates));
    ASSERT_TRUE(on.has_value());
    EXPECT_EQ(on->executed.header, all.world.build({payment}, Pulse(3)).executed.header);
    // Not when the protocol itself has to act.
    EXPECT_FALSE(must(build_on(executed, all.world.tree, all.world.parent(),
                               all.world.stamp(Pulse(kCycle)), candidates)));
}

TEST(Cycles, SignersThatCannotHaveCertifiedTheParentMakeABlockInvalid) {
    Candidates all(numbered(1));
    Built built = all.world.build({}, Pulse(9));
    BlockHeader header = built.executed.header;
    for (const std::uint32_t signers : {0b0U, 0b10U, 0b11U}) {
        header.signers = signers;
        const auto executed = execute(all.world.organization, all.world.tree, all.world.parent(),
                                      header, {}, testing::holds);
        ASSERT_FALSE(executed.has_value());
        EXPECT_EQ(std::get<InvalidBlock>(executed.error()).reason,
                  InvalidBlock::Reason::wrong_signers);
    }
}

TEST(Cycles, TheFoundingIsNobodysWork) {
    LedgerWorld world(founding_for({}));
    BlockHeader header = world.build({}, Pulse(9)).executed.header;
    EXPECT_EQ(header.signers, 0u);
    EXPECT_EQ(header.parent, Hash::copy_of(world.organization.chain.view()));
    header.signers = 1;
    const auto executed =
        execute(world.organization, world.tree, world.parent(), header, {}, testing::holds);
    ASSERT_FALSE(executed.has_value());
    EXPECT_EQ(std::get<InvalidBlock>(executed.error()).reason, InvalidBlock::Reason::wrong_signers);
}

TEST(Cycles, EveryBlockExecutesToItsHeader) {
    Candidates all(numbered(4));
    const Pulse end = all.world.election().end_pulse;
    std::vector<Transaction> acts;
    for (const auto& name : numbered(4)) acts.push_back(all.reveal(name));
    for (const auto& [pulse, transactions] :
         {std::pair(Pulse(end.value() - 10), acts), std::pair(end, std::vector<Transaction>{})}) {
        Built built = all.world.build(transactions, pulse);
        const auto executed = execute(all.world.organization, all.world.tree, all.world.parent(),
                                      built.executed.header, built.transactions, testing::holds);
        ASSERT_TRUE(executed.has_value());
        all.world.commit(std::move(built.executed), built.transactions);
    }
    EXPECT_EQ(all.world.election().after_next.seats.size(), 4u);
}

// ---- Chains of committees ----------------------------------------------------------------------

TEST(Committees, ReceiptsProveWhatWasUnderEveryCommittee) {
    Candidates all(numbered(4));
    const Names names = numbered(4);
    const Names three = {"c0", "c1", "c2"};
    all.pass_cycle({}, three);
    all.pass_cycle({}, names);
    all.pass_cycle(three, three);
    all.pass_cycle(names, {});
    all.pass_cycle(three, {});
    all.pass_cycle({}, {});
    const Id organization = all.world.organization.treasury;
    std::size_t longest = 0;
    for (std::size_t sequence = 0; sequence < all.world.seals.size(); ++sequence) {
        Receipt receipt = all.receipt(sequence, "c0");
        longest = std::max(longest, receipt.committees.size());
        ASSERT_TRUE(verify(receipt, organization).has_value()) << sequence;
        if (receipt.committees.empty()) continue;
        receipt.committees.pop_back();
        EXPECT_FALSE(verify(receipt, organization).has_value()) << sequence;
    }
    EXPECT_EQ(longest, 3u);
}

TEST(Committees, AVerifierMayStartFromACommitteeItTrusts) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    all.pass_cycle({}, {});
    all.pass_cycle({"c0"}, {});
    all.world.seal({}, all.world.next_pulse());
    Receipt receipt = all.receipt(all.world.seals.size() - 1, "c0");
    ASSERT_EQ(receipt.committees.size(), 1u);
    receipt.committees.clear();
    const auto record = all.world.election();
    Expectation expected;
    EXPECT_EQ(verify(receipt, expected).error(), ReceiptError::bad_certificate);
    expected.committee = election::Trusted{record.cycle, record.present, record.former};
    EXPECT_TRUE(verify(receipt, expected).has_value());
    expected.committee->cycle = record.cycle + 1;
    EXPECT_EQ(verify(receipt, expected).error(), ReceiptError::bad_certificate);
}

TEST(Committees, ALinkProvesOnlyWhatItsCommitteeDecided) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    all.pass_cycle({}, {});
    all.pass_cycle({"c0"}, {});
    all.world.seal({}, all.world.next_pulse());
    const auto chain = all.receipt(all.world.seals.size() - 1, "c0").committees;
    ASSERT_EQ(chain.size(), 1u);
    const election::ChainContext context{all.world.organization.chain,
                                         all.world.organization.charter.supply};
    const auto start = election::trusted_from(all.world.organization.charter);
    const auto error_of = [&](const auto& change) {
        auto links = chain;
        change(std::get<election::CycleLink>(links[0]));
        const auto led_to = election::follow(context, start, links);
        return std::string(led_to ? "none" : election::to_string(led_to.error()));
    };
    EXPECT_EQ(error_of([](auto&) {}), "none");
    EXPECT_EQ(error_of([](auto& link) { link.header.pulse = link.header.pulse.next(); }),
              "bad_certificate");
    EXPECT_EQ(error_of([](auto& link) { link.certificate.signatures[0].signature[0] ^= 1; }),
              "bad_certificate");
    EXPECT_EQ(error_of([](auto& link) { link.record.id = Id{}; }), "bad_record");
    EXPECT_EQ(
        error_of([](auto& link) { std::get<tree::Presence>(link.record.end).record.back() ^= 1; }),
        "bad_proof");
    auto twice = chain;
    twice.push_back(chain[0]);
    EXPECT_FALSE(election::follow(context, start, twice).has_value());
}

TEST(Committees, ACheckpointStartsAChain) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    all.pass_cycle({}, {});
    all.pass_cycle({"c0"}, {});
    const Seal& block = all.world.seals.back();
    const election::ChainContext context{all.world.organization.chain,
                                         all.world.organization.charter.supply};
    const auto table =
        std::get<protocol::CandidateTable>(*all.world.record(all.world.organization.candidates));
    election::Checkpoint checkpoint;
    checkpoint.block = {block.header, block.certificate,
                        must(all.world.tree.prove(all.world.organization.election))};
    const protocol::LastBlock named{all.world.election().cycle, block.header.sequence,
                                    block_hash(context.chain, block.header)};
    checkpoint.signatures.push_back(
        {Candidates::node("c0").public_key(),
         Candidates::node("c0").sign(election::checkpoint_message(context.chain, named))});
    const auto trusted = election::trusted_from(context, checkpoint, table);
    ASSERT_TRUE(trusted.has_value());
    EXPECT_EQ(*trusted,
              (election::Trusted{3, all.world.election().present, all.world.election().former}));
    checkpoint.signatures.clear();
    EXPECT_FALSE(election::trusted_from(context, checkpoint, table).has_value());
}

// ---- Takeovers in blocks -----------------------------------------------------------------------

class Takeover : public ::testing::Test {
 protected:
    Transaction hand_over_to(const std::string& name) {
        protocol::HandOver act;
        act.last = {world_.election().cycle, world_.parent().header.sequence, world_.parent().hash};
        const auto key = key_of(name + "'s node");
        act.seats.push_back({id_of(name), key.public_key(), key.public_key()});
        world_.voters.push_back(key);
        return wallet::sign(late_draft("fay"), act, key_of("fay"), nullptr);
    }
    Transaction cancel(const std::string& name) {
        return wallet::sign(late_draft(name), protocol::Cancel{}, key_of(name), nullptr);
    }
    wallet::Draft late_draft(const std::string& name) {
        wallet::Draft draft = world_.draft(name);
        draft.expiry = Pulse(80'000);
        return draft;
    }

    LedgerWorld world_{[] {
        auto founding = founding_for({"alice"});
        founding.params.cycle_pulses = 1'000;
        return founding;
    }()};
};

TEST_F(Takeover, TheBlockIsCertifiedByTheNewSeatsAndReceiptsGoOn) {
    world_.seal({}, Pulse(7));
    // Even when the cycle has ended meanwhile, the takeover is what begins the term.
    const auto skipped = world_.seal({hand_over_to("alice")}, Pulse(1'007));
    EXPECT_TRUE(skipped.empty());
    EXPECT_EQ(world_.election().cycle, 1u);
    EXPECT_EQ(world_.seals.back().certificate.slot.cycle, 1u);
    world_.seal({world_.transfer("alice", "fay", 5)}, Pulse(1'008));
    world_.seal({}, Pulse(2'000));
    EXPECT_EQ(world_.election().cycle, 2u);
    // The term that it ended shared out nothing, the one that it began does.
    const auto rewards_of = [this](std::uint64_t cycle) {
        return must(mining_rewards(world_.organization, world_.store, world_.tree,
                                   {cycle, world_.seals.back(), Sequence(0)}));
    };
    EXPECT_EQ(rewards_of(0).error(), MiningError::unknown);
    EXPECT_EQ(rewards_of(1)->line_of(id_of("alice")), 0u);
    EXPECT_EQ(rewards_of(1)->lines[0].amount, Amount::of(3'000));

    for (std::size_t sequence = 0; sequence < world_.seals.size(); ++sequence) {
        const Seal& seal = world_.seals[sequence];
        Receipt receipt{world_.genesis.charter,
                        must(committees_up_to(world_.organization, world_.store, world_.tree, seal,
                                              Sequence(0))),
                        seal.header, seal.certificate,
                        must(world_.tree.prove_at(version_of(seal), id_of("alice")))};
        EXPECT_EQ(receipt.committees.size(), sequence < 2 ? 0u : 1u);
        ASSERT_TRUE(verify(receipt, std::nullopt).has_value()) << sequence;
        if (receipt.committees.empty()) continue;
        auto& link = std::get<election::TakeoverLink>(receipt.committees[0]);
        link.act.signatures[0][0] ^= 1;
        EXPECT_EQ(verify(receipt, std::nullopt).error(), ReceiptError::bad_committees);
        link.act.signatures[0][0] ^= 1;
        link.supervisor = must(world_.tree.prove_at(version_of(world_.seals[1]), id_of("alice")));
        EXPECT_EQ(verify(receipt, std::nullopt).error(), ReceiptError::bad_committees);
    }
}

TEST_F(Takeover, OnlyTheFirstTransactionOfABlockTakesOver) {
    const Transaction other = cancel("alice");
    const auto skipped = world_.build({other, hand_over_to("alice")}, Pulse(400)).skipped;
    ASSERT_EQ(skipped.size(), 1u);
    EXPECT_EQ(skipped[0].refused.code, protocol::Refusal::takeover_not_first);
    EXPECT_TRUE(world_.build({hand_over_to("alice"), other}, Pulse(400)).skipped.empty());
}

TEST_F(Takeover, ARefusedOneLeavesTheCycleToEndInItsTime) {
    world_.seal({}, Pulse(900));
    const auto skipped = world_.seal({hand_over_to("alice")}, Pulse(1'000));  // not silent
    ASSERT_EQ(skipped.size(), 1u);
    EXPECT_EQ(skipped[0].refused.code, protocol::Refusal::not_silent);
    EXPECT_EQ(world_.election().cycle, 1u);
    EXPECT_EQ(world_.election().present, world_.election().former);
}

// One cycle block right behind the other: the first still proves the committee of the second.
TEST(Cycles, ACommitteeIsProvenAlsoByATermWithoutAnyOtherBlock) {
    Candidates all({"c0"});
    all.pass_cycle({}, {"c0"});
    all.pass_cycle({}, {});
    all.pass_cycle({"c0"}, {});
    ASSERT_EQ(all.seats(), Names{"c0"});
    LedgerWorld& world = all.world;
    world.seal({}, world.election().end_pulse);
    world.seal({}, world.election().end_pulse);
    for (std::size_t at = world.seals.size() - 3; at < world.seals.size(); ++at) {
        EXPECT_TRUE(verify(all.receipt(at, "c0"), world.organization.treasury)) << at;
    }
}

TEST(Cycles, ManyIdleTermsOfOneCommitteeNeedNoLinkAndEndAtTheFounding) {
    LedgerWorld world(founding_for({}));
    for (int i = 0; i < 3; ++i) world.seal({}, world.election().end_pulse);
    for (std::uint64_t cycle = 0; cycle < 3; ++cycle) {
        const auto links = must(committees_between(
            world.organization, world.store, world.tree,
            {.target = world.seals.back(), .oldest = Sequence(0), .after_cycle = cycle}));
        EXPECT_TRUE(links.empty());
    }
}

}  // namespace
}  // namespace leither::ledger
