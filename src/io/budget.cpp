#include "leither/io/budget.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"

namespace leither::io {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

Duration steady_time() {
    return std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

RateCap::RateCap(std::uint64_t bytes_per_second, Clock clock)
    : rate_(static_cast<std::int64_t>(bytes_per_second)),
      burst_(std::max(kBurstMin, rate_ / 4)),
      level_(burst_),
      clock_(std::move(clock)),
      refilled_at_(clock_()) {
    CHECK(bytes_per_second > 0 && bytes_per_second <= kRateMax);
}

RateCap::RateCap(std::uint64_t bytes_per_second) : RateCap(bytes_per_second, steady_time) {}

void RateCap::refill() {
    const Duration now = clock_();
    const Duration passed = now - refilled_at_;
    refilled_at_ = now;
    if (passed >= time_for(burst_ - level_)) {
        level_ = burst_;
        fraction_ = 0;
        return;
    }
    const std::int64_t millionths = passed.count() * rate_ + fraction_;
    level_ += millionths / kMicrosecondsPerSecond;
    fraction_ = millionths % kMicrosecondsPerSecond;
}

// Rounded up. At most 2 * burst: within range for every rate up to kRateMax.
Duration RateCap::time_for(std::int64_t bytes) const {
    return Duration((bytes * kMicrosecondsPerSecond + rate_ - 1) / rate_);
}

std::size_t RateCap::take(std::size_t wanted) {
    refill();
    const auto most = static_cast<std::int64_t>(std::min(wanted, static_cast<std::size_t>(burst_)));
    if (level_ < std::min(most, kQuantum)) return 0;
    const std::int64_t given = std::min(most, level_);
    level_ -= given;
    return static_cast<std::size_t>(given);
}

void RateCap::give_back(std::size_t bytes) {
    level_ = std::min(burst_, level_ + static_cast<std::int64_t>(bytes));
}

void RateCap::charge(std::size_t bytes) {
    refill();
    const auto most = std::min(bytes, static_cast<std::size_t>(2 * burst_));
    level_ = std::max(-burst_, level_ - static_cast<std::int64_t>(most));
}

Duration RateCap::refill_in() {
    refill();
    return std::max(Duration(1), time_for(std::max<std::int64_t>(0, kQuantum - level_)));
}

}  // namespace leither::io
