// Credit. An Amount is a count of the organization's smallest unit, 0 .. 2^63 - 1; arithmetic is
// checked and never wraps. No floating point anywhere (docs/protocol/names.md).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leither/base/check.h"

namespace leither {

using Uint128 = unsigned __int128;

class Amount {
 public:
    static constexpr std::uint64_t kMax = (std::uint64_t{1} << 63) - 1;

    constexpr Amount() = default;
    // Nothing if `units` is above kMax.
    static constexpr std::optional<Amount> from(std::uint64_t units) {
        if (units > kMax) return std::nullopt;
        return Amount(units);
    }
    // REQUIRES: units <= kMax (a constant, or a value checked before).
    static constexpr Amount of(std::uint64_t units) {
        CHECK(units <= kMax);
        return Amount(units);
    }

    constexpr std::uint64_t units() const { return units_; }
    constexpr bool is_zero() const { return units_ == 0; }

    // Nothing on overflow above kMax.
    constexpr std::optional<Amount> plus(Amount other) const { return from(units_ + other.units_); }
    // Nothing if `other` is greater.
    constexpr std::optional<Amount> minus(Amount other) const {
        if (other.units_ > units_) return std::nullopt;
        return Amount(units_ - other.units_);
    }

    friend constexpr auto operator<=>(Amount, Amount) = default;

 private:
    explicit constexpr Amount(std::uint64_t units) : units_(units) {}
    std::uint64_t units_ = 0;
};

// "12.34" <-> 1234 units at 2 decimals. REQUIRES: decimals <= kDecimalsMax.
inline constexpr unsigned kDecimalsMax = 18;
std::string format_amount(Amount amount, unsigned decimals);
// Nothing unless `text` is digits, optionally with '.' and 1..decimals digits behind it, in range.
std::optional<Amount> parse_amount(std::string_view text, unsigned decimals);

}  // namespace leither
