#include "leither/io/budget.h"

#include <gtest/gtest.h>

namespace leither::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RateCapTest : public ::testing::Test {
 protected:
    RateCap cap(std::uint64_t rate) {
        return RateCap(rate, [this] { return time_; });
    }
    // What can be taken now.
    static std::size_t drain(RateCap& cap) {
        std::size_t taken = 0;
        while (const std::size_t size = cap.take(std::size_t{1} << 40)) taken += size;
        return taken;
    }
    Duration time_{};
};

TEST_F(RateCapTest, GivesABucketfulAtOnceAndThenTheRate) {
    RateCap cap = this->cap(1'000'000);
    EXPECT_EQ(drain(cap), 250'000U);
    EXPECT_EQ(cap.take(1), 0U);
    time_ += milliseconds(100);
    EXPECT_EQ(drain(cap), 100'000U);
    time_ += seconds(1000);
    EXPECT_EQ(drain(cap), 250'000U);
}

TEST_F(RateCapTest, LosesNoBytesToRounding) {
    RateCap cap = this->cap(3'000'001);
    drain(cap);
    std::size_t taken = 0;
    for (int i = 0; i < 1'000'000; ++i) {
        time_ += Duration(7);
        taken += cap.take(std::size_t{1} << 20);
    }
    taken += drain(cap);
    // What is left is less than a quantum.
    EXPECT_LE(taken, 21'000'007U);
    EXPECT_GE(taken, 21'000'007U - RateCap::kQuantum);
}

TEST_F(RateCapTest, GivesNoCrumbsWhileMoreIsWanted) {
    RateCap cap = this->cap(10'000);
    EXPECT_EQ(drain(cap), std::size_t{RateCap::kBurstMin});
    time_ += seconds(1);
    EXPECT_EQ(cap.take(20'000), 0U);
    EXPECT_EQ(cap.take(100), 100U);
    EXPECT_EQ(cap.refill_in(), Duration(648'400));
}

TEST_F(RateCapTest, GivesSomethingWhenItSaidItWould) {
    for (const std::uint64_t rate : {std::uint64_t{1}, std::uint64_t{1000}, RateCap::kRateMax}) {
        RateCap cap = this->cap(rate);
        drain(cap);
        const Duration wait = cap.refill_in();
        EXPECT_GT(wait, Duration(0));
        time_ += wait;
        EXPECT_GT(cap.take(1'000'000), 0U) << rate;
    }
}

TEST_F(RateCapTest, TakesBackWhatDidNotMove) {
    RateCap cap = this->cap(1'000'000);
    EXPECT_EQ(drain(cap), 250'000U);
    cap.give_back(50'000);
    EXPECT_EQ(drain(cap), 50'000U);
    cap.give_back(1'000'000);
    EXPECT_EQ(drain(cap), 250'000U);
}

TEST_F(RateCapTest, ADebtIsPaidFirstAndIsBounded) {
    RateCap cap = this->cap(1'000'000);
    cap.charge(300'000);
    EXPECT_EQ(cap.take(1), 0U);
    time_ += milliseconds(50);
    EXPECT_EQ(cap.take(1), 0U);
    time_ += milliseconds(1);
    EXPECT_EQ(drain(cap), 1'000U - 1'000U);
    time_ += milliseconds(20);
    EXPECT_GT(drain(cap), 0U);
    for (int i = 0; i < 1000; ++i) cap.charge(std::size_t{1} << 40);
    time_ += milliseconds(250);
    EXPECT_EQ(cap.take(1'000), 0U);
    time_ += milliseconds(20);
    EXPECT_EQ(cap.take(1'000), 1'000U);
}

}  // namespace
}  // namespace leither::io
