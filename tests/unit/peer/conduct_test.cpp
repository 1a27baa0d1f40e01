#include "leither/peer/conduct.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::peer {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'750'000'000'000);

Id node(std::uint8_t n) {
    Id id;
    id[19] = n;
    return id;
}

TEST(Conduct, ScoresAddUpWithinTheirBoundsAndFade) {
    Conduct conduct({});
    conduct.judge(node(1), 30, kStart);
    conduct.judge(node(1), 90, kStart);
    EXPECT_EQ(conduct.score(node(1), kStart), 100);
    EXPECT_EQ(conduct.score(node(1), kStart + seconds(59)), 100);
    EXPECT_EQ(conduct.score(node(1), kStart + minutes(40)), 60);
    EXPECT_EQ(conduct.score(node(1), kStart + hours(9)), 0);
    conduct.judge(node(2), -30, kStart);
    EXPECT_EQ(conduct.score(node(2), kStart + minutes(10)), -20);
    EXPECT_EQ(conduct.score(node(2), kStart + hours(9)), 0);
    EXPECT_EQ(conduct.score(node(3), kStart), 0);
}

TEST(Conduct, TheLastPointBringsABanThatExpires) {
    Conduct conduct({});
    EXPECT_EQ(conduct.judge(node(1), -99, kStart), Conduct::Verdict::tolerated);
    EXPECT_FALSE(conduct.banned_until(node(1), kStart));
    EXPECT_EQ(conduct.judge(node(1), -1, kStart), Conduct::Verdict::banned);
    EXPECT_EQ(conduct.banned_until(node(1), kStart), kStart + hours(1));
    EXPECT_EQ(conduct.next_pardon(kStart), kStart + hours(1));
    EXPECT_FALSE(conduct.banned_until(node(1), kStart + hours(1)));
    EXPECT_EQ(conduct.score(node(1), kStart + hours(1)), 0);
    EXPECT_FALSE(conduct.next_pardon(kStart + hours(1)));
}

TEST(Conduct, ALongerBanIsNotShortened) {
    Conduct conduct({});
    conduct.ban(node(1), hours(5), kStart);
    conduct.ban(node(1), hours(1), kStart);
    EXPECT_EQ(conduct.banned_until(node(1), kStart), kStart + hours(5));
    conduct.pardon(node(1));
    EXPECT_FALSE(conduct.banned_until(node(1), kStart));
}

TEST(Conduct, AtItsMaximumItForgetsWhoeverMattersLeast) {
    Conduct conduct({.nodes_max = 3, .bans_max = 2});
    conduct.judge(node(1), -50, kStart);
    conduct.judge(node(2), 5, kStart);
    conduct.judge(node(3), 70, kStart);
    EXPECT_EQ(conduct.nodes(), 3u);
    conduct.judge(node(4), -10, kStart);
    EXPECT_EQ(conduct.nodes(), 3u);
    EXPECT_EQ(conduct.score(node(1), kStart), -50);
    EXPECT_EQ(conduct.score(node(2), kStart), 0);
    conduct.ban(node(1), hours(3), kStart);
    conduct.ban(node(2), hours(1), kStart);
    EXPECT_EQ(conduct.bans(), 2u);
    conduct.ban(node(3), hours(2), kStart);
    EXPECT_EQ(conduct.bans(), 2u);
    EXPECT_TRUE(conduct.banned_until(node(1), kStart));
    EXPECT_FALSE(conduct.banned_until(node(2), kStart));
    conduct.check_invariants();
}

TEST(Conduct, ManyFreshNamesDoNotWashOffABadOne) {
    Conduct conduct({.nodes_max = 8});
    conduct.judge(node(0), -90, kStart);
    for (int n = 1; n < 200; ++n) conduct.judge(node(static_cast<std::uint8_t>(n)), -25, kStart);
    EXPECT_EQ(conduct.score(node(0), kStart), -90);
}

}  // namespace
}  // namespace leither::peer
