// A number with a meaning. Two kinds never mix; arithmetic goes through value().
#pragma once

#include <compare>
#include <cstdint>

namespace leither {

template <class Tag, class Rep = std::uint64_t>
class Number {
 public:
    using rep = Rep;
    constexpr Number() = default;
    explicit constexpr Number(Rep value) : value_(value) {}
    constexpr Rep value() const { return value_; }
    constexpr Number next() const { return Number(static_cast<Rep>(value_ + 1)); }
    friend constexpr auto operator<=>(Number, Number) = default;

 private:
    Rep value_ = 0;
};

// Tick of the network clock since genesis.
using Pulse = Number<struct PulseTag>;
// Version of the ledger: 0 at genesis, +1 per decided block.
using Sequence = Number<struct SequenceTag>;

}  // namespace leither
