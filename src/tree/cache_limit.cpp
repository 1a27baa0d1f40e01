#include "cache_limit.h"

#include <array>

namespace leither::tree {
namespace {

constexpr int kGroups = static_cast<int>(kIdBits) / kGroupLevels + 1;

std::array<std::size_t, kGroups> nodes_by_group(const Head& head) {
    std::array<std::size_t, kGroups> counts{};
    std::vector<std::uint32_t> pending{head.root.node};
    while (!pending.empty()) {
        const std::uint32_t index = pending.back();
        pending.pop_back();
        if (!is_resident(index)) continue;
        const Node& node = head.slab[index];
        ++counts[static_cast<std::size_t>(node.depth() / kGroupLevels)];
        pending.insert(pending.end(), node.child.begin(), node.child.end());
    }
    return counts;
}

}  // namespace

void CacheLimit::drop_below(Head& head, std::uint32_t index) const {
    for (std::uint32_t& child : head.slab[index].child) {
        if (!is_resident(child) || admits(head.slab[child].depth())) continue;
        head.slab.free_subtree(child);
        child = kNotLoaded;
    }
}

void CacheLimit::enforce(Head& head, std::span<const std::uint32_t> fresh) {
    const bool limited = depth_limit_ <= static_cast<int>(kIdBits);
    if (limited && is_resident(head.root.node) && !admits(head.slab[head.root.node].depth())) {
        head.slab.free_subtree(head.root.node);
        head.root.node = kNotLoaded;
    } else if (limited) {
        // Only nodes above the limit are looked at: those below are freed with their subtree, and a
        // cell freed here is not used again before this loop ends.
        for (const std::uint32_t index : fresh) {
            if (admits(head.slab[index].depth())) drop_below(head, index);
        }
    }
    if (head.slab.bytes() > bytes_max_) lower(head);
}

void CacheLimit::lower(Head& head) {
    // Some room is left free, so that the whole tree is not walked again at the next commit.
    const std::size_t target = bytes_max_ - bytes_max_ / 10;
    const auto counts = nodes_by_group(head);
    std::size_t bytes = 0;
    int groups = 0;
    while (groups < kGroups && groups * kGroupLevels < depth_limit_) {
        bytes += counts[static_cast<std::size_t>(groups)] * sizeof(Node);
        if (bytes > target) break;
        ++groups;
    }
    depth_limit_ = groups * kGroupLevels;
    if (is_resident(head.root.node) && !admits(head.slab[head.root.node].depth())) {
        head.slab.free_subtree(head.root.node);
        head.root.node = kNotLoaded;
        return;
    }
    std::vector<std::uint32_t> pending{head.root.node};
    while (!pending.empty()) {
        const std::uint32_t index = pending.back();
        pending.pop_back();
        if (!is_resident(index)) continue;
        drop_below(head, index);
        const Node& node = head.slab[index];
        pending.insert(pending.end(), node.child.begin(), node.child.end());
    }
}

}  // namespace leither::tree
