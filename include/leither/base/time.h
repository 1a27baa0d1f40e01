// Time as the machines see it: always an argument, never read from a clock below level 8.
#pragma once

#include <chrono>
#include <cstdint>

#include "leither/base/number.h"

namespace leither {

// Resolution: 1 µs. An Instant counts from the Unix epoch.
using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::system_clock, Duration>;

constexpr Instant instant_from_unix_ms(std::uint64_t ms) {
    return Instant(std::chrono::milliseconds(ms));
}
constexpr std::uint64_t unix_ms(Instant instant) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(instant.time_since_epoch()).count());
}

}  // namespace leither
