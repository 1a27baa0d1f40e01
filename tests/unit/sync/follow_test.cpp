#include "leither/sync/follow.h"

#include <gtest/gtest.h>

#include "leither/ledger/committees.h"

#include "sync_world.h"

namespace leither::sync::testing {
namespace {

using Blocks = std::vector<DecidedBlock>;

ChainContext context_for(const History& history) {
    return context_of(history.world.genesis.charter.charter);
}
Head founding(const History& history) {
    return founding_head(history.world.genesis.charter.charter);
}
Chain chain_of(const History& history, std::uint64_t cycle) {
    const auto reply = must(answer(history.source(), protocol::AskChain{cycle}));
    return must(bcs::decode<Chain>(reply.chain));
}

TEST(Follow, ARunBehindTheFoundingIsTakenWhole) {
    History history(2);
    history.pay(5);
    const auto followed = follow(context_for(history), founding(history), history.blocks(1));
    ASSERT_TRUE(followed.has_value()) << to_string(followed.error());
    EXPECT_EQ(followed->blocks, 5u);
    EXPECT_EQ(followed->head.sequence, history.head());
    EXPECT_EQ(followed->head.hash, history.world.parent().hash);
    EXPECT_FALSE(followed->unknown_term);
}

TEST(Follow, WhatHasBeenAlteredIsRefusedByName) {
    History history(2);
    history.pay(4);
    const Blocks good = history.blocks(1);
    const auto error_of = [&](const Blocks& run) {
        const auto followed = follow(context_for(history), founding(history), run);
        return std::string(followed ? "none" : to_string(followed.error()));
    };
    EXPECT_EQ(error_of(good), "none");
    Blocks bad = good;
    bad.erase(bad.begin() + 1);
    EXPECT_EQ(error_of(bad), "not_next");
    bad = good;
    bad[2].header.parent[0] ^= 1;
    EXPECT_EQ(error_of(bad), "not_next");
    bad = good;
    bad[2].header.pulse = bad[1].header.pulse;
    EXPECT_EQ(error_of(bad), "not_next");
    bad = good;
    bad[2].header.root.hash[0] ^= 1;
    EXPECT_EQ(error_of(bad), "bad_certificate");
    bad = good;
    bad[3].certificate.signatures.clear();
    EXPECT_EQ(error_of(bad), "bad_certificate");
    bad = good;
    bad[1].transactions.clear();
    EXPECT_EQ(error_of(bad), "bad_transactions");
    bad = good;
    bad[1].transactions[0].signatures[0][3] ^= 1;
    EXPECT_EQ(error_of(bad), "bad_transactions");
}

TEST(Follow, ACommitteeThatGoesOnNeedsNoLink) {
    History history(2, 60);
    history.pay(2);
    history.end_cycle();
    history.pay(2);
    history.end_cycle();
    history.pay(1);
    const auto followed = follow(context_for(history), founding(history), history.blocks(1));
    ASSERT_TRUE(followed.has_value());
    EXPECT_EQ(followed->blocks, history.head().value());
}

TEST(Follow, AnotherCommitteeStopsTheRunUntilItIsProven) {
    History history(2);
    history.pay(3);
    history.hand_over_to("m0");
    history.pay(2);
    history.hand_over_to("m1");
    history.pay(2);
    const Blocks run = history.blocks(1);
    const auto stopped = follow(context_for(history), founding(history), run);
    ASSERT_TRUE(stopped.has_value());
    EXPECT_EQ(stopped->blocks, 3u);
    EXPECT_EQ(stopped->unknown_term, 1u);

    const Chain chain = chain_of(history, 0);
    ASSERT_EQ(chain.links.size(), 2u);
    const auto followed = follow(context_for(history), founding(history), run, chain.links);
    ASSERT_TRUE(followed.has_value()) << to_string(followed.error());
    EXPECT_EQ(followed->blocks, run.size());
    EXPECT_EQ(followed->head.committee, history.head_known_at(run.size()).committee);
    // From the middle, with a chain that begins earlier.
    const auto rest = std::span(run).subspan(5);
    const auto later = follow(context_for(history), history.head_known_at(5), rest, chain.links);
    ASSERT_TRUE(later.has_value());
    EXPECT_EQ(later->blocks, rest.size());
    // A block of a proven term must be decided by its committee.
    Blocks bad = run;
    bad[4].certificate.signatures[0].signature[0] ^= 1;
    EXPECT_EQ(follow(context_for(history), founding(history), bad, chain.links).error(),
              FollowError::bad_certificate);
}

TEST(Follow, AChainLeadsThroughElectionsToTheHead) {
    History history(4, 60);
    history.elect(numbered("m", 4));
    history.pay(3);
    ASSERT_EQ(history.world.election().present.size(), 4u);
    const Chain chain = chain_of(history, 0);
    const auto learned = learn(context_for(history), founding(history).committee, chain, nullptr);
    ASSERT_TRUE(learned.has_value()) << to_string(learned.error());
    ASSERT_TRUE(learned->end.has_value());
    EXPECT_EQ(learned->end->header.sequence, history.head());
    EXPECT_EQ(learned->committee, history.head_known_at(history.head().value()).committee);
    // The same from a committee on the way, and again from the last.
    const auto half = history.head_known_at(history.head().value() / 2).committee;
    EXPECT_EQ(learn(context_for(history), half, chain, nullptr)->committee, learned->committee);
    EXPECT_EQ(learn(context_for(history), learned->committee, chain, nullptr)->committee,
              learned->committee);
}

TEST(Follow, ACheckpointLeadsWhereNoLinkDoesIfItsTableIsTrusted) {
    History history(4, 60);
    const Names names = numbered("m", 4);
    history.elect(names);
    history.pay(1);
    auto& world = history.world;
    const auto table =
        std::get<protocol::CandidateTable>(*world.record(world.organization.candidates));
    const auto record = world.election();
    const auto link_at = [&](std::uint64_t sequence) {
        const ledger::Seal& seal = world.seals.at(sequence);
        return election::CycleLink{
            seal.header, seal.certificate,
            must(world.tree.prove_at(version_of(seal), world.organization.election))};
    };
    Chain chain;
    chain.end = link_at(history.head().value());
    chain.checkpoint = election::Checkpoint{link_at(record.first_sequence.value()), {}};
    const auto& header = chain.checkpoint->block.header;
    const Bytes message = election::checkpoint_message(
        history.chain(), {record.cycle, header.sequence, hash_as_parent(history.chain(), header)});
    for (const auto& name : names) {
        const auto key = key_of(name + "'s node");
        chain.checkpoint->signatures.push_back({key.public_key(), key.sign(message)});
    }
    std::ranges::sort(chain.checkpoint->signatures, {}, &election::CheckpointSignature::node_key);
    const auto context = context_for(history);
    Trusted gone = founding(history).committee;
    gone.seats[0].vote_key = key_of("long gone").public_key();
    EXPECT_FALSE(learn(context, gone, chain, nullptr).has_value());
    const auto learned = learn(context, gone, chain, &table);
    ASSERT_TRUE(learned.has_value()) << to_string(learned.error());
    EXPECT_EQ(learned->committee, history.head_known_at(history.head().value()).committee);
    EXPECT_EQ(learned->end->header.sequence, history.head());
    chain.checkpoint->signatures.resize(2);
    EXPECT_FALSE(learn(context, gone, chain, &table).has_value());
}

TEST(Follow, NoAlteredByteOfAChainLeadsToAnotherCommittee) {
    History history(4, 60);
    history.pay(1);
    history.hand_over_to("m0");
    history.pay(1);
    history.elect(numbered("m", 4));
    history.pay(1);
    const auto context = context_for(history);
    const auto start = founding(history).committee;
    const Bytes good = bcs::encode(chain_of(history, 0));
    const auto truth = learn(context, start, must(bcs::decode<Chain>(good)), nullptr);
    ASSERT_TRUE(truth.has_value());
    Prng prng(5);
    std::size_t refused = 0;
    for (int i = 0; i < 400; ++i) {
        Bytes bytes = good;
        bytes[prng.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + prng.below(255));
        const auto chain = bcs::decode<Chain>(bytes);
        const auto learned = chain ? learn(context, start, *chain, nullptr)
                                   : Result<Learned, ChainError>(fail(ChainError::bad_proof));
        refused += learned ? 0 : 1;
        if (!learned) continue;
        EXPECT_EQ(learned->committee.seats, truth->committee.seats);
        if (learned->end) {
            EXPECT_EQ(learned->end->header, truth->end->header);
        }
    }
    EXPECT_GT(refused, 350u);
}

}  // namespace
}  // namespace leither::sync::testing
