#include "leither/peer/rate_limit.h"

#include <limits>

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::peer {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'750'000'000'000);  // 15 June 2025
// The first instant of July 2025, UTC.
const Instant kJuly = instant_from_unix_ms(1'751'328'000'000);

TEST(TokenBucket, BeginsFullAndRefillsAtItsRateUpToTheBurst) {
    TokenBucket bucket({10, 30}, kStart);
    EXPECT_EQ(bucket.available(kStart), 30u);
    bucket.charge(30, kStart);
    EXPECT_EQ(bucket.available(kStart), 0u);
    EXPECT_EQ(bucket.available(kStart + milliseconds(99)), 0u);
    EXPECT_EQ(bucket.available(kStart + milliseconds(100)), 1u);
    EXPECT_EQ(bucket.available(kStart + seconds(3)), 30u);
    EXPECT_EQ(bucket.available(kStart + hours(1'000'000)), 30u);
}

TEST(TokenBucket, AHundredthOfATokenIsNotLostBetweenCharges) {
    TokenBucket bucket({1, 1}, kStart);
    bucket.charge(1, kStart);
    for (int i = 1; i < 1000; ++i) bucket.charge(0, kStart + milliseconds(i));
    EXPECT_EQ(bucket.available(kStart + milliseconds(999)), 0u);
    EXPECT_EQ(bucket.available(kStart + seconds(1)), 1u);
}

TEST(TokenBucket, ADebtIsPaidOffBeforeAnythingIsAllowed) {
    TokenBucket bucket({10, 10}, kStart);
    bucket.charge(30, kStart);
    EXPECT_EQ(bucket.debt(kStart), 20u);
    EXPECT_EQ(bucket.ready_at(0, kStart), kStart + seconds(2));
    EXPECT_EQ(bucket.ready_at(1, kStart), kStart + milliseconds(2100));
    EXPECT_EQ(bucket.debt(kStart + milliseconds(1999)), 1u);
    EXPECT_EQ(bucket.debt(kStart + seconds(2)), 0u);
}

TEST(TokenBucket, MoreThanTheBurstIsNeverWaitedFor) {
    TokenBucket bucket({10, 10}, kStart);
    EXPECT_EQ(bucket.ready_at(1'000, kStart), kStart);
}

TEST(TokenBucket, WithoutARateThereIsNoLimit) {
    TokenBucket bucket({0, 0}, kStart);
    bucket.charge(std::numeric_limits<std::uint64_t>::max(), kStart);
    EXPECT_EQ(bucket.available(kStart), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(bucket.debt(kStart), 0u);
}

TEST(TokenBucket, TheGreatestChargesDoNotOverflow) {
    TokenBucket bucket({~std::uint32_t{0}, ~std::uint32_t{0}}, kStart);
    for (int i = 0; i < 5; ++i) bucket.charge(std::numeric_limits<std::uint64_t>::max(), kStart);
    EXPECT_GT(bucket.debt(kStart), 0u);
    EXPECT_EQ(bucket.debt(kStart + hours(24 * 365 * 100)), 0u);
}

TEST(TokenBucket, NeverAllowsMoreThanRateTimesTimePlusBurst) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE(seed);
        Prng prng(seed);
        const TokenBucket::Limit limit{static_cast<std::uint32_t>(1 + prng.below(5000)),
                                       static_cast<std::uint32_t>(1 + prng.below(5000))};
        TokenBucket bucket(limit, kStart);
        Instant now = kStart;
        std::uint64_t spent = 0;
        for (int i = 0; i < 500; ++i) {
            now += Duration(static_cast<std::int64_t>(prng.below(200'000)));
            const std::uint64_t part = bucket.available(now) * prng.below(101) / 100;
            bucket.charge(part, now);
            spent += part;
            const auto elapsed = static_cast<std::uint64_t>((now - kStart).count());
            ASSERT_LE(spent, limit.burst + limit.rate * elapsed / 1'000'000);
        }
    }
}

TEST(Month, FollowsTheCalendar) {
    EXPECT_EQ(month_of(Instant{}), 0u);
    EXPECT_EQ(month_of(Instant{} - seconds(1)), 0u);
    EXPECT_EQ(month_of(instant_from_unix_ms(31ULL * 86'400'000)), 1u);
    EXPECT_EQ(month_of(kJuly - milliseconds(1)), 55u * 12 + 5);
    EXPECT_EQ(month_of(kJuly), 55u * 12 + 6);
}

TEST(Budget, WithoutCapsEverythingFlows) {
    Budget budget({}, {}, kStart);
    EXPECT_GT(budget.allow(Way::up, kStart).bytes, std::uint64_t{1} << 60);
    EXPECT_FALSE(budget.allow(Way::down, kStart).again.has_value());
}

TEST(Budget, ACapHoldsEachWayByItself) {
    Budget budget({.up_bytes_per_second = 1000, .down_bytes_per_second = 0}, {}, kStart);
    budget.spend(Way::up, 1000, kStart);
    const auto allowance = budget.allow(Way::up, kStart);
    EXPECT_EQ(allowance.bytes, 0u);
    EXPECT_EQ(allowance.again, kStart + milliseconds(1));
    EXPECT_EQ(budget.allow(Way::up, kStart + milliseconds(250)).bytes, 250u);
    EXPECT_GT(budget.allow(Way::down, kStart).bytes, 1'000'000u);
}

TEST(Budget, TheQuotaCountsBothWaysAndLeavesATrickle) {
    Budget budget({.month_bytes_max = 10'000, .trickle_bytes_per_second = 100}, {}, kStart);
    budget.spend(Way::up, 4'000, kStart);
    EXPECT_EQ(budget.allow(Way::down, kStart).bytes, 6'000u);
    budget.spend(Way::down, 5'999, kStart);
    EXPECT_FALSE(budget.quota_is_spent(kStart));
    budget.spend(Way::down, 1, kStart);
    EXPECT_TRUE(budget.quota_is_spent(kStart));
    const std::uint64_t saved_up = budget.allow(Way::up, kStart).bytes;
    EXPECT_EQ(saved_up, 1'000u);
    budget.spend(Way::up, saved_up, kStart);
    EXPECT_EQ(budget.allow(Way::down, kStart).bytes, 0u);
    EXPECT_EQ(budget.allow(Way::up, kStart).again, kStart + milliseconds(10));
    EXPECT_EQ(budget.allow(Way::up, kStart + seconds(1)).bytes, 100u);
}

TEST(Budget, ANewMonthBringsANewQuotaAndAClockSteppingBackDoesNot) {
    Budget budget({.month_bytes_max = 1'000}, {}, kJuly);
    budget.spend(Way::up, 1'000, kJuly);
    EXPECT_TRUE(budget.quota_is_spent(kStart));
    EXPECT_TRUE(budget.quota_is_spent(kJuly + hours(24 * 30)));
    EXPECT_FALSE(budget.quota_is_spent(kJuly + hours(24 * 31)));
    EXPECT_EQ(budget.usage(kJuly + hours(24 * 31)).up_bytes, 0u);
}

TEST(Budget, SavedUsageGoesOnCounting) {
    const Budget::Usage saved{month_of(kStart), 600, 300};
    Budget budget({.month_bytes_max = 1'000}, saved, kStart);
    EXPECT_EQ(budget.allow(Way::up, kStart).bytes, 100u);
    budget.spend(Way::up, 50, kStart);
    EXPECT_EQ(budget.usage(kStart), (Budget::Usage{month_of(kStart), 650, 300}));
}

}  // namespace
}  // namespace leither::peer
