// What the canonical forms of lists share.
#pragma once

#include <algorithm>
#include <functional>

namespace leither::protocol {

// Whether each key is greater than the one before.
bool strictly_rising(const auto& items, auto key) {
    return std::ranges::adjacent_find(items, std::ranges::greater_equal{}, key) == items.end();
}

}  // namespace leither::protocol
