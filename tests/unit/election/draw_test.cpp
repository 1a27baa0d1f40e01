#include "leither/election/draw.h"

#include <map>

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

#include "support/worked_bytes.h"

namespace leither::election {
namespace {

using protocol::CycleWork;
using protocol::WorkHistory;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

Id id(std::uint8_t first) {
    Id out;
    out[0] = first;
    return out;
}

// The worked example of docs/protocol/election.md.
std::vector<Contender> worked_contenders() {
    return {{id(0x11), 1000}, {id(0x22), 500}, {id(0x33), 250}, {id(0x44), 1}, {id(0x55), 2000}};
}
Lottery worked_lottery() {
    return {kChain, Hash::copy_of(Bytes(32, 0x5e)), 7};
}

Bytes as_list(const std::vector<std::size_t>& drawn) {
    Bytes bytes;
    for (const std::size_t index : drawn) bytes.push_back(static_cast<std::uint8_t>(index));
    return bytes;
}

TEST(Draw, TheWorkedExampleIsAsShown) {
    const char* page = "protocol/election.md";
    EXPECT_EQ(as_list(draw(worked_lottery(), worked_contenders(), 5)),
              testing::worked_bytes(page, "draw"));
    const std::vector<Hash> links = {Hash::copy_of(Bytes(32, 0x01)),
                                     Hash::copy_of(Bytes(32, 0x02))};
    const Hash seed = next_seed(kChain, Hash::copy_of(Bytes(32, 0x5e)), links);
    EXPECT_EQ(Bytes(seed.view().begin(), seed.view().end()),
              testing::worked_bytes(page, "next seed"));
}

// What tests/system/test_draw.py computes on its own from docs/protocol/election.md, over
// the same thousand cases.
TEST(Draw, AThousandDrawsAreThoseOfTheOtherImplementation) {
    Bytes all;
    for (std::uint32_t n = 0; n < 1000; ++n) {
        std::vector<Contender> contenders;
        const std::size_t count = 1 + n % 37;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t weight = 1 + (n * 7919 + i * i * 104'729) % 100'003;
            contenders.push_back(
                {id(static_cast<std::uint8_t>(i)), n % 5 == 0 ? weight << 40 : weight});
        }
        const Hash seed = crypto::blake2b_256(as_bytes(std::to_string(n)));
        for (const std::size_t index : draw({kChain, seed, n}, contenders, n % 41)) {
            all.push_back(static_cast<std::uint8_t>(index));
        }
        all.push_back(0xff);
    }
    const Hash digest = crypto::blake2b_256(all);
    EXPECT_EQ(Bytes(digest.view().begin(), digest.view().end()),
              testing::worked_bytes("protocol/election.md", "thousand draws"));
}

TEST(Draw, NobodyIsDrawnTwiceAndNobodyIsLeftOut) {
    const auto contenders = worked_contenders();
    for (std::size_t count = 0; count <= 8; ++count) {
        auto drawn = draw(worked_lottery(), contenders, count);
        EXPECT_EQ(drawn.size(), std::min<std::size_t>(count, contenders.size()));
        std::ranges::sort(drawn);
        EXPECT_EQ(std::ranges::adjacent_find(drawn), drawn.end());
    }
    EXPECT_TRUE(draw(worked_lottery(), {}, 3).empty());
}

TEST(Draw, ShorterDrawsAreTheBeginningsOfLongerOnes) {
    const auto all = draw(worked_lottery(), worked_contenders(), 5);
    for (std::size_t count = 0; count < 5; ++count) {
        const auto some = draw(worked_lottery(), worked_contenders(), count);
        EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
    }
}

TEST(Draw, TheLargestWeightsAreDrawnWithoutOverflow) {
    const std::uint64_t most = ~std::uint64_t{0};
    const std::vector<Contender> contenders = {{id(1), most - 1}, {id(2), 1}};
    EXPECT_EQ(draw(worked_lottery(), contenders, 1), std::vector<std::size_t>{0});
}

// Chi-square of the first seat over 4,000 seeds, 4 degrees of freedom: 18.5 is passed once in a
// thousand fair lotteries, and the seeds are fixed.
TEST(Draw, TheFirstSeatGoesByWeight) {
    constexpr std::uint32_t kDraws = 4'000;
    const std::vector<Contender> contenders = {
        {id(1), 10}, {id(2), 20}, {id(3), 30}, {id(4), 15}, {id(5), 25}};
    std::map<std::size_t, std::int64_t> seen;
    for (std::uint32_t n = 0; n < kDraws; ++n) {
        const Hash seed = crypto::blake2b_256(as_bytes("seed " + std::to_string(n)));
        ++seen[draw({kChain, seed, 0}, contenders, 1).front()];
    }
    // In integers: sum of (seen - expected)^2 / expected, times a thousand.
    std::int64_t chi_square = 0;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
        const auto expected = static_cast<std::int64_t>(kDraws * contenders[i].weight / 100);
        const std::int64_t off = seen[i] - expected;
        chi_square += 1000 * off * off / expected;
    }
    EXPECT_LT(chi_square, 18'500);
}

TEST(Weight, ReliabilityLiesBetweenAHalfAndOne) {
    const Amount pledge = Amount::of(1001);
    EXPECT_EQ(weight_of(pledge, {}, 10), 1001u);                            // a half: never served
    EXPECT_EQ(weight_of(pledge, {CycleWork{9, 30, 0}}, 10), 1001u);         // a half: never there
    EXPECT_EQ(weight_of(pledge, {CycleWork{9, 30, 30}}, 10), 2002u);        // one
    EXPECT_EQ(weight_of(pledge, {CycleWork{9, 3, 1}}, 10), 1001u * 4 / 3);  // rounded down
    EXPECT_EQ(weight_of(pledge, {CycleWork{7, 10, 10}, CycleWork{9, 30, 0}}, 10), 1251u);
    EXPECT_EQ(weight_of(pledge, {CycleWork{9, 0, 0}}, 10), 1001u);
}

TEST(Weight, OnlyTheLastFortyEightCyclesCount) {
    const WorkHistory history = {CycleWork{1, 10, 10}};
    EXPECT_EQ(weight_of(Amount::of(100), history, 49), 200u);
    EXPECT_EQ(weight_of(Amount::of(100), history, 50), 100u);
    EXPECT_EQ(weight_of(Amount::of(100), history, 1), 100u);  // not over yet
}

TEST(Weight, TheWholeSupplyFitsIntoALottery) {
    EXPECT_EQ(weight_of(Amount::of(Amount::kMax), {CycleWork{9, 1, 1}}, 10), ~std::uint64_t{1});
}

}  // namespace
}  // namespace leither::election
