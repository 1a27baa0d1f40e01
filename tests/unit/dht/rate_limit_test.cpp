#include "leither/dht/rate_limit.h"

#include <gtest/gtest.h>

namespace leither::dht {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);

IpAddress v4(std::uint32_t n) {
    return IpAddress::v4({11, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                          static_cast<std::uint8_t>(n)});
}
IpAddress address(const char* text) {
    return IpAddress::parse(text).value();
}

int admitted_of(RateLimiter& limiter, const IpAddress& from, int count, Instant now) {
    int admitted = 0;
    for (int i = 0; i < count; ++i) admitted += limiter.admits(from, now) ? 1 : 0;
    limiter.check_invariants();
    return admitted;
}

TEST(RateLimiter, ASourceMayBurstAndThenHasItsRate) {
    RateLimiter limiter({}, kStart);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart), 60);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart + milliseconds(99)), 0);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart + milliseconds(100)), 1);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart + milliseconds(1100)), 10);
    EXPECT_EQ(admitted_of(limiter, v4(2), 100, kStart + milliseconds(1100)), 60) << "another";
}

TEST(RateLimiter, IsForgivingWithinSeconds) {
    RateLimiter limiter({}, kStart);
    for (int second = 0; second < 60; ++second) {
        admitted_of(limiter, v4(1), 1000, kStart + seconds(second));
    }
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart + seconds(59 + 6)), 60);
}

TEST(RateLimiter, ANeighbourOfTheSame64IsTheSameSource) {
    RateLimiter limiter({}, kStart);
    EXPECT_EQ(admitted_of(limiter, address("2001:db8::1"), 100, kStart), 60);
    EXPECT_EQ(admitted_of(limiter, address("2001:db8::ffff:1"), 100, kStart), 0);
    EXPECT_EQ(admitted_of(limiter, address("2001:db8:0:1::1"), 100, kStart), 60);
    EXPECT_EQ(limiter.sources(), 2u);
}

TEST(RateLimiter, AllTogetherHaveALimitThatRefusedOnesDoNotSpend) {
    RateLimiter::Options options;
    options.total_burst = 100;
    options.total_per_second = 50;
    RateLimiter limiter(options, kStart);
    EXPECT_EQ(admitted_of(limiter, v4(1), 10000, kStart), 60);
    EXPECT_EQ(admitted_of(limiter, v4(2), 60, kStart), 40);
    EXPECT_EQ(admitted_of(limiter, v4(3), 60, kStart + seconds(1)), 50);
}

TEST(RateLimiter, RemembersSoManySourcesAndForgetsTheQuietest) {
    RateLimiter::Options options;
    options.sources_max = 3;
    RateLimiter limiter(options, kStart);
    for (std::uint32_t n = 1; n <= 3; ++n) admitted_of(limiter, v4(n), 60, kStart);
    EXPECT_EQ(limiter.sources(), 3u);
    admitted_of(limiter, v4(1), 1, kStart);
    EXPECT_TRUE(limiter.admits(v4(4), kStart));
    EXPECT_EQ(limiter.sources(), 3u);
    EXPECT_FALSE(limiter.admits(v4(1), kStart)) << "was heard after 2";
    EXPECT_TRUE(limiter.admits(v4(2), kStart)) << "was forgotten";
    limiter.check_invariants();
}

TEST(RateLimiter, AnIdleOneIsEmpty) {
    RateLimiter limiter({}, kStart);
    for (std::uint32_t n = 0; n < 1000; ++n) limiter.admits(v4(n), kStart);
    EXPECT_EQ(limiter.sources(), 1000u);
    limiter.admits(v4(5000), kStart + seconds(6));
    EXPECT_EQ(limiter.sources(), 1u);
}

TEST(RateLimiter, LocalSourcesAreExemptOnlyIfSaid) {
    RateLimiter strict({}, kStart);
    EXPECT_EQ(admitted_of(strict, address("127.0.0.1"), 100, kStart), 60);
    RateLimiter::Options options;
    options.local = LocalSources::exempt;
    RateLimiter lenient(options, kStart);
    EXPECT_EQ(admitted_of(lenient, address("127.0.0.1"), 1000, kStart), 1000);
    EXPECT_EQ(admitted_of(lenient, address("192.168.1.1"), 1000, kStart), 1000);
    EXPECT_EQ(admitted_of(lenient, v4(1), 1000, kStart), 60);
}

TEST(RateLimiter, AClockThatStepsBackGivesNothing) {
    RateLimiter limiter({}, kStart);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart), 60);
    EXPECT_EQ(admitted_of(limiter, v4(1), 100, kStart - minutes(1)), 0);
}

TEST(ProvenSources, AProofLastsItsTimeAndForOneAddress) {
    ProvenSources sources({});
    EXPECT_FALSE(sources.proven(v4(1), kStart));
    sources.prove(v4(1), kStart);
    EXPECT_TRUE(sources.proven(v4(1), kStart + minutes(10) - seconds(1)));
    EXPECT_FALSE(sources.proven(v4(1), kStart + minutes(10)));
    EXPECT_FALSE(sources.proven(v4(2), kStart));
    sources.prove(v4(1), kStart + minutes(9));
    EXPECT_TRUE(sources.proven(v4(1), kStart + minutes(18)));
    EXPECT_FALSE(sources.proven(address("127.0.0.1"), kStart));
    EXPECT_TRUE(ProvenSources({.local = LocalSources::exempt}).proven(address("::1"), kStart));
}

TEST(ProvenSources, AreBoundedAndForgetTheOldest) {
    ProvenSources::Options options;
    options.sources_max = 3;
    ProvenSources sources(options);
    for (std::uint32_t n = 1; n <= 3; ++n) sources.prove(v4(n), kStart);
    sources.prove(v4(1), kStart + seconds(1));
    sources.prove(v4(4), kStart + seconds(2));
    sources.check_invariants();
    EXPECT_EQ(sources.sources(), 3u);
    EXPECT_FALSE(sources.proven(v4(2), kStart + seconds(2)));
    EXPECT_TRUE(sources.proven(v4(1), kStart + seconds(2)));
    sources.prove(v4(5), kStart + minutes(11));
    EXPECT_EQ(sources.sources(), 1u) << "the lapsed are dropped";
}

TEST(Amplification, AnUnprovenSourceGetsThreeTimesWhatItSent) {
    EXPECT_EQ(reply_bytes_max(SourceTrust::unproven, 100), 300u);
    EXPECT_EQ(reply_bytes_max(SourceTrust::unproven, 2000), kReplyBytesMax);
    EXPECT_EQ(reply_bytes_max(SourceTrust::proven, 100), kReplyBytesMax);
}

}  // namespace
}  // namespace leither::dht
