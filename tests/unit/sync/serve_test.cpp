#include "leither/sync/serve.h"

#include <gtest/gtest.h>

#include "sync_world.h"

namespace leither::sync::testing {
namespace {

using protocol::PieceOutcome;

protocol::BlocksReply blocks(const Source& source, std::uint64_t from, std::uint32_t bytes_max) {
    return must(answer(source, protocol::AskBlocks{Sequence(from), bytes_max}));
}
Chain chain(const Source& source, std::uint64_t cycle) {
    return must(bcs::decode<Chain>(must(answer(source, protocol::AskChain{cycle})).chain));
}

TEST(Serve, BlocksAreAsManyAsFitAndOneInAnyCase) {
    History history(2);
    history.pay(30);
    const Source source = history.source();
    const auto all = blocks(source, 1, protocol::kSyncReplyBytes);
    EXPECT_EQ(all.blocks.size(), 30u);
    const auto size = [&](std::size_t count) {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) bytes += bcs::encode(all.blocks[i]).size();
        return static_cast<std::uint32_t>(bytes);
    };
    EXPECT_EQ(blocks(source, 1, size(7)).blocks.size(), 7u);
    EXPECT_EQ(blocks(source, 1, size(7) - 1).blocks.size(), 6u);
    EXPECT_EQ(blocks(source, 1, 0).blocks.size(), 1u);
    // No asker decides how much is read.
    EXPECT_EQ(blocks(source, 1, UINT32_MAX).blocks.size(), 30u);
}

TEST(Serve, WhatIsNotKeptIsSaidNotSent) {
    History history(2);
    history.pay(10);
    const Source pruned = history.source(6, 8);
    for (const std::uint64_t from : {0U, 3U, 6U, 9U, 100U}) {
        const auto reply = blocks(pruned, from, protocol::kSyncReplyBytes);
        EXPECT_TRUE(reply.blocks.empty());
        EXPECT_EQ(reply.oldest, Sequence(6));
        EXPECT_EQ(reply.head, Sequence(8));
    }
    EXPECT_EQ(blocks(pruned, 7, protocol::kSyncReplyBytes).blocks.size(), 2u);
    for (const std::uint64_t at : {0U, 5U, 9U}) {
        const auto reply = must(answer(pruned, protocol::AskPiece{Sequence(at), {}}));
        EXPECT_EQ(reply.outcome, PieceOutcome::not_kept);
    }
}

TEST(Serve, TheGenesisComesInParts) {
    History history(1500);
    const Source source = history.source();
    protocol::Allocations all;
    for (std::uint32_t from = 0; from < 1500; from = static_cast<std::uint32_t>(all.size())) {
        const auto reply = must(answer(source, protocol::AskGenesis{from}));
        EXPECT_EQ(reply.count, 1500u);
        EXPECT_EQ(reply.from, from);
        all.insert(all.end(), reply.allocations.begin(), reply.allocations.end());
    }
    EXPECT_EQ(all, history.world.genesis.allocations);
    EXPECT_TRUE(must(answer(source, protocol::AskGenesis{UINT32_MAX})).allocations.empty());
}

TEST(Serve, ARangeIsSplitExactlyWhenItDoesNotFit) {
    History history(2);
    history.crowd(6000);
    const Source source = history.source();
    std::vector<Prefix> waiting = {Prefix{}};
    std::size_t leaves = 0;
    while (!waiting.empty()) {
        const Prefix prefix = waiting.back();
        waiting.pop_back();
        const auto reply = must(answer(source, protocol::AskPiece{history.head(), prefix}));
        EXPECT_EQ(reply.prefix, prefix);
        std::vector<tree::PieceLeaf> below;
        must(history.world.tree.walk_at(
            history.world.tree.head(), prefix.id, [&](const Id& id, ByteView record, Amount) {
                if (!prefix.covers(id)) return tree::Visit::stop;
                below.push_back({id, {}});
                below.back().record.assign(record.begin(), record.end());
                return tree::Visit::go_on;
            }));
        const bool fits = weight_of(below).fits_one_piece();
        EXPECT_EQ(reply.outcome, fits ? PieceOutcome::piece : PieceOutcome::split);
        if (fits) {
            leaves += below.size();
            EXPECT_LE(bcs::encode(reply).size(), protocol::PieceReply::kBytesMax);
            EXPECT_EQ(
                bcs::encode(below.empty() ? PieceLeaves{} : PieceLeaves(below.begin(), below.end()))
                    .size(),
                weight_of(below).bytes + (below.size() < 128 ? 1 : 2));
            continue;
        }
        Prefix half{prefix.id, static_cast<std::uint8_t>(prefix.bits + 1)};
        waiting.push_back(half);
        half.id[prefix.bits / 8] |= static_cast<std::uint8_t>(0x80U >> (prefix.bits % 8));
        waiting.push_back(half);
    }
    EXPECT_GT(leaves, 6000u);
}

TEST(Serve, AChainLeadsOnlyWhereTheSenderIs) {
    History history(2);
    EXPECT_FALSE(chain(history.source(), 0).end);  // nobody but the charter vouches for a founding
    history.pay(2);
    EXPECT_EQ(chain(history.source(), 0).end->header.sequence, Sequence(2));
    EXPECT_FALSE(chain(history.source(), 1).end);  // of a committee that is not there yet
    history.hand_over_to("m0");
    EXPECT_EQ(chain(history.source(), 0).links.size(), 1u);
    EXPECT_TRUE(chain(history.source(), 1).links.empty());
    EXPECT_EQ(chain(history.source(1, 2), 0).end->header.sequence, Sequence(2));
}

TEST(Serve, ALongChainComesInPartsThatGoOn) {
    History history(2, 60);
    const auto context = context_of(history.world.genesis.charter.charter);
    for (int i = 0; i < 90; ++i) {
        if (i % 3 == 0) {
            history.hand_over_to(i % 2 == 0 ? "m0" : "m1");
        } else {
            history.end_cycle();
        }
    }
    Trusted trusted = founding_head(history.world.genesis.charter.charter).committee;
    std::size_t parts = 0;
    for (;; ++parts) {
        ASSERT_LT(parts, 10u);
        const Chain part = chain(history.source(), trusted.cycle);
        EXPECT_LE(part.links.size(), election::kLinksMax);
        const auto learned = learn(context, trusted, part, nullptr);
        ASSERT_TRUE(learned.has_value()) << to_string(learned.error());
        ASSERT_TRUE(learned->end.has_value());
        trusted = learned->committee;
        if (learned->end->header.sequence == history.head()) break;
    }
    EXPECT_GT(parts, 0u);
    EXPECT_EQ(trusted, history.head_known_at(history.head().value()).committee);
}

TEST(Serve, ACommitteeThatNeverChangedIsFollowedThroughAPrunedHistory) {
    History history(2, 60);
    for (int i = 0; i < 70; ++i) history.end_cycle();
    const auto context = context_of(history.world.genesis.charter.charter);
    const auto start = founding_head(history.world.genesis.charter.charter).committee;
    const auto learned = learn(context, start, chain(history.source(68, 70), 0), nullptr);
    ASSERT_TRUE(learned.has_value());
    EXPECT_EQ(learned->end->header.sequence, Sequence(68));
    EXPECT_EQ(learned->committee.seats, start.seats);
}

}  // namespace
}  // namespace leither::sync::testing
