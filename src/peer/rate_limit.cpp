#include "leither/peer/rate_limit.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "leither/base/check.h"

namespace leither::peer {

namespace {

constexpr std::int64_t kMillionths = 1'000'000;
// A debt is never so deep that sums overflow; a century pays it off either way.
constexpr std::int64_t kDebtMax = std::numeric_limits<std::int64_t>::max() / 4;
// The trickle saves up ten seconds' worth, so that a whole frame can pass.
constexpr std::uint32_t kTrickleSeconds = 10;

// A capped line may use a second's worth at once.
TokenBucket::Limit line(std::uint32_t bytes_per_second) {
    return {bytes_per_second, bytes_per_second};
}
TokenBucket::Limit trickle_of(const Budget::Options& options) {
    const std::uint32_t rate = std::max(options.trickle_bytes_per_second, std::uint32_t{1});
    const std::uint64_t burst = std::uint64_t{rate} * kTrickleSeconds;
    return {rate, static_cast<std::uint32_t>(
                      std::min<std::uint64_t>(burst, std::numeric_limits<std::uint32_t>::max()))};
}

}  // namespace

TokenBucket::TokenBucket(Limit limit, Instant now)
    : limit_(limit), level_(std::int64_t{limit.burst} * kMillionths), at_(now) {
    CHECK(limit.rate == 0 || limit.burst > 0);
}

std::int64_t TokenBucket::level_at(Instant now) const {
    const std::int64_t full = std::int64_t{limit_.burst} * kMillionths;
    if (now <= at_) return level_;
    // One microsecond at `rate` a second brings `rate` millionths.
    const std::int64_t elapsed = (now - at_).count();
    const std::int64_t until_full = (full - level_) / limit_.rate + 1;
    if (elapsed >= until_full) return full;
    return std::min(full, level_ + elapsed * std::int64_t{limit_.rate});
}

void TokenBucket::charge(std::uint64_t units, Instant now) {
    if (limit_.rate == 0) return;
    const auto capped = static_cast<std::int64_t>(
        std::min<std::uint64_t>(units, static_cast<std::uint64_t>(kDebtMax / kMillionths)));
    level_ = std::max(level_at(now) - capped * kMillionths, -kDebtMax);
    at_ = std::max(at_, now);
}

std::uint64_t TokenBucket::available(Instant now) const {
    if (limit_.rate == 0) return std::numeric_limits<std::uint64_t>::max();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(level_at(now), 0) / kMillionths);
}

std::uint64_t TokenBucket::debt(Instant now) const {
    if (limit_.rate == 0) return 0;
    const std::int64_t owed = std::max<std::int64_t>(-level_at(now), 0);
    return static_cast<std::uint64_t>((owed + kMillionths - 1) / kMillionths);
}

Instant TokenBucket::ready_at(std::uint64_t units, Instant now) const {
    if (limit_.rate == 0) return now;
    const std::uint64_t wanted = std::min<std::uint64_t>(units, limit_.burst);
    const std::int64_t missing = static_cast<std::int64_t>(wanted) * kMillionths - level_at(now);
    if (missing <= 0) return now;
    return now + Duration((missing + limit_.rate - 1) / limit_.rate);
}

std::uint32_t month_of(Instant now) {
    if (now.time_since_epoch().count() < 0) return 0;
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const int years = static_cast<int>(date.year()) - 1970;
    return static_cast<std::uint32_t>(years) * 12 + static_cast<unsigned>(date.month()) - 1;
}

Budget::Budget(Options options, const Usage& saved, Instant now)
    : options_(options),
      usage_(saved),
      up_(line(options.up_bytes_per_second), now),
      down_(line(options.down_bytes_per_second), now),
      trickle_(trickle_of(options), now) {}

void Budget::turn_month(Instant now) {
    // A clock that steps back does not give the month anew.
    const std::uint32_t month = month_of(now);
    if (month > usage_.month) usage_ = {month, 0, 0};
}

TokenBucket& Budget::bucket(Way way) {
    switch (way) {
        case Way::up: return up_;
        case Way::down: return down_;
    }
    UNREACHABLE();
}

bool Budget::quota_is_spent(Instant now) {
    turn_month(now);
    if (options_.month_bytes_max == 0) return false;
    const std::uint64_t left_for_down = usage_.up_bytes >= options_.month_bytes_max
                                            ? 0
                                            : options_.month_bytes_max - usage_.up_bytes;
    return usage_.down_bytes >= left_for_down;
}

Budget::Allowance Budget::allow(Way way, Instant now) {
    const bool spent = quota_is_spent(now);
    std::uint64_t bytes = bucket(way).available(now);
    Instant again = bucket(way).ready_at(1, now);
    if (spent) {
        bytes = std::min(bytes, trickle_.available(now));
        again = std::max(again, trickle_.ready_at(1, now));
    } else if (options_.month_bytes_max > 0) {
        bytes = std::min(bytes, options_.month_bytes_max - usage_.up_bytes - usage_.down_bytes);
    }
    if (bytes > 0) return {bytes, std::nullopt};
    return {0, again};
}

void Budget::spend(Way way, std::uint64_t bytes, Instant now) {
    if (quota_is_spent(now)) trickle_.charge(bytes, now);
    bucket(way).charge(bytes, now);
    switch (way) {
        case Way::up: usage_.up_bytes += bytes; break;
        case Way::down: usage_.down_bytes += bytes; break;
    }
}

Budget::Usage Budget::usage(Instant now) {
    turn_month(now);
    return usage_;
}

}  // namespace leither::peer
