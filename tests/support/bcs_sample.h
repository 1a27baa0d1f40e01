// A made-up type with every construct that BCS knows, for the codec's tests and its fuzz target.
#pragma once

#include <algorithm>
#include <optional>
#include <variant>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"

namespace leither::testing {

enum class Colour : std::uint8_t { red, green, blue };
constexpr Colour last_of(Colour) {
    return Colour::blue;
}

struct Point {
    std::uint16_t x = 0;
    std::uint64_t y = 0;
    static void fields(auto& self, auto&& visit) { visit(self.x, self.y); }
    bool operator==(const Point&) const = default;
};

struct Sample {
    bool flag = false;
    std::uint8_t small = 0;
    std::uint32_t large = 0;
    Colour colour = Colour::red;
    Amount amount;
    Sequence sequence;
    Id id;
    BoundedText<8> text;
    Bounded<std::uint8_t, 4> blob;
    Bounded<std::uint32_t, 3> rising;
    std::optional<Point> point;
    std::variant<Colour, Point, Bounded<Colour, 2>> choice;

    static void fields(auto& self, auto&& visit) {
        visit(self.flag, self.small, self.large, self.colour, self.amount, self.sequence, self.id,
              self.text, self.blob, self.rising, self.point, self.choice);
    }
    bool is_canonical() const {
        return std::adjacent_find(rising.begin(), rising.end(), std::greater_equal<>()) ==
               rising.end();
    }
    bool operator==(const Sample&) const = default;
};

Sample random_sample(Prng& prng);

}  // namespace leither::testing
