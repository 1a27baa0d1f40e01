// Bits of ids as the tree's code handles them.
#pragma once

#include "leither/base/fixed_bytes.h"
#include "leither/tree/synopsis.h"

namespace leither::tree {

enum class Side : std::uint8_t { left = 0, right = 1 };

constexpr std::size_t index_of(Side side) {
    return static_cast<std::size_t>(side);
}
constexpr Side other(Side side) {
    return side == Side::left ? Side::right : Side::left;
}
inline Side side_of(const Id& id, unsigned depth) {
    return bit_of(id, depth) ? Side::right : Side::left;
}

// `id` with bit `index` set to `side`.
inline Id with_bit(Id id, unsigned index, Side side) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (index % 8));
    id[index / 8] = static_cast<std::uint8_t>(side == Side::right ? id[index / 8] | mask
                                                                  : id[index / 8] & ~mask);
    return id;
}

// Depth of the parent of the root. Depths are ints where this may occur.
inline constexpr int kAboveRoot = -1;

// Nodes fall into groups of this many levels. Only a node whose parent lies in another group stores
// its own synopsis; the others are recomputed from below, at most 2^kGroupLevels - 1 of them. So
// a path costs a third of the hashes on disk, and a proof of the past a few more page reads
// (docs/decisions/0002). Part of the storage format.
inline constexpr int kGroupLevels = 3;

constexpr bool in_one_group(int parent_depth, int depth) {
    return parent_depth >= 0 && parent_depth / kGroupLevels == depth / kGroupLevels;
}

}  // namespace leither::tree
