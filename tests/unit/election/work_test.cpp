#include "leither/election/work.h"

#include <gtest/gtest.h>

namespace leither::election {
namespace {

using protocol::CycleWork;
using protocol::TallyRecord;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

protocol::Seats seats_of(std::size_t count) {
    protocol::Seats seats;
    for (std::size_t i = 0; i < count; ++i) {
        Id member;
        member[0] = static_cast<std::uint8_t>(i + 1);
        seats.push_back({member, {}, {}});
    }
    return seats;
}

TEST(Signers, OnlyAQuorumOfSeatsThatExistIsPossible) {
    EXPECT_TRUE(is_possible(0b1, 1));
    EXPECT_FALSE(is_possible(0b0, 1));
    EXPECT_FALSE(is_possible(0b10, 1));
    EXPECT_TRUE(is_possible(0b0111, 4));
    EXPECT_FALSE(is_possible(0b0011, 4));
    EXPECT_FALSE(is_possible(0b10111, 4));
    EXPECT_TRUE(is_possible(0x7fffffff, 31));
    EXPECT_FALSE(is_possible(0xffffffff, 31));
}

TEST(Tally, CountsBlocksAndWhoSignedThem) {
    TallyRecord tally;
    EXPECT_EQ(work_of(tally, 5, 0), (CycleWork{5, 0, 0}));
    count(tally, 0b0111, 4);
    count(tally, 0b1110, 4);
    EXPECT_EQ(work_of(tally, 5, 0), (CycleWork{5, 2, 1}));
    EXPECT_EQ(work_of(tally, 5, 1), (CycleWork{5, 2, 2}));
    EXPECT_EQ(work_of(tally, 5, 3), (CycleWork{5, 2, 1}));
}

TEST(History, KeepsFortyEightCyclesAndNeverMore) {
    protocol::WorkHistory history;
    for (std::uint64_t cycle = 0; cycle < 100; ++cycle) {
        remember(history, {cycle, 1, 1});
        EXPECT_EQ(history.back().cycle, cycle);
        EXPECT_EQ(history.size(), std::min<std::size_t>(cycle + 1, protocol::kHistoryCyclesMax));
    }
    remember(history, {1000, 1, 1});
    EXPECT_EQ(history.size(), 1u);
}

TEST(Rewards, AreSharedByWorkAndNeverPassTheTotal) {
    TallyRecord tally;
    count(tally, 0b0111, 4);
    count(tally, 0b0111, 4);
    count(tally, 0b1111, 4);
    const auto lines = reward_lines(seats_of(4), tally, 1000);
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].amount, Amount::of(250));
    EXPECT_EQ(lines[3].amount, Amount::of(83));  // one of three blocks, rounded down
    EXPECT_EQ(reward_lines(seats_of(4), TallyRecord{}, 1000)[0].amount, Amount{});
}

TEST(Rewards, EachLineIsProvenAndNothingElse) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{5}, protocol::kSeatsMax}) {
        std::vector<RewardLine> lines;
        for (const auto& seat : seats_of(count)) {
            lines.push_back({seat.member, Amount::of(100 + lines.size())});
        }
        const protocol::RewardRoot root{9, reward_root(kChain, 9, lines), 0};
        for (std::size_t i = 0; i < count; ++i) {
            const auto proof = prove_reward(kChain, 9, lines, i);
            EXPECT_TRUE(is_reward(kChain, root, lines[i], proof));
            EXPECT_FALSE(is_reward(kChain, root, {lines[i].member, Amount::of(1)}, proof));
            EXPECT_FALSE(is_reward(ChainId{}, root, lines[i], proof));
            auto other = root;
            other.cycle = 8;
            EXPECT_FALSE(is_reward(kChain, other, lines[i], proof));
            auto bad = proof;
            bad.line ^= 1;
            EXPECT_FALSE(is_reward(kChain, root, lines[i], bad));
            bad = proof;
            bad.path[4][0] ^= 1;
            EXPECT_FALSE(is_reward(kChain, root, lines[i], bad));
            bad = proof;
            bad.path.pop_back();
            EXPECT_FALSE(is_reward(kChain, root, lines[i], bad));
            bad = proof;
            bad.line = 32;
            EXPECT_FALSE(is_reward(kChain, root, lines[i], bad));
        }
    }
}

}  // namespace
}  // namespace leither::election
