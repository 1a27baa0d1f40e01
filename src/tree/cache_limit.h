// Keeps the head's nodes in memory below a number of bytes: the top of the tree stays, down to a
// depth that is lowered, a group of levels at a time, when the limit is passed.
#pragma once

#include <span>

#include "head.h"

namespace leither::tree {

class CacheLimit {
 public:
    explicit CacheLimit(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // May a node of this depth stay in memory?
    bool admits(int depth) const { return depth < depth_limit_; }
    // Drops what lies below the depth limit: first beneath `fresh`, the nodes of the version just
    // committed; if that is not enough, everywhere, lowering the limit.
    void enforce(Head& head, std::span<const std::uint32_t> fresh);

 private:
    void drop_below(Head& head, std::uint32_t index) const;
    void lower(Head& head);

    std::size_t bytes_max_;
    int depth_limit_ = static_cast<int>(kIdBits) + kGroupLevels;
};

}  // namespace leither::tree
