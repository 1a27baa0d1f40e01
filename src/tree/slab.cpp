#include "slab.h"

#include <algorithm>

namespace leither::tree {

std::uint32_t Slab::take_cell() {
    if (free_.empty()) {
        const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunkNodes;
        CHECK(first < kNotLoaded - kChunkNodes);
        chunks_.push_back(std::make_unique<Node[]>(kChunkNodes));
        for (std::uint32_t i = kChunkNodes; i-- > 0;) free_.push_back(first + i);
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    if (free_.size() > kPrefetchAhead) prefetch(free_[free_.size() - kPrefetchAhead]);
    ++nodes_;
    return index;
}

std::uint32_t Slab::allocate(int depth, const Id& prefix) {
    const std::uint32_t index = take_cell();
    Node& node = (*this)[index];
    node = Node{};
    node.depth_byte = static_cast<std::uint8_t>(depth);
    std::copy_n(prefix.data(), node.prefix_head.size(), node.prefix_head.begin());
    if (depth > Node::kInlineBits) deep_prefixes_.emplace(index, prefix);
    return index;
}

std::uint32_t Slab::copy(std::uint32_t index) {
    const std::uint32_t twin = take_cell();
    (*this)[twin] = (*this)[index];
    if ((*this)[index].depth() > Node::kInlineBits) {
        deep_prefixes_.emplace(twin, Id(deep_prefixes_.at(index)));
    }
    return twin;
}

void Slab::free(std::uint32_t index) {
    DCHECK(is_resident(index));
    // Rarely is there any deep node; then the cell need not be looked at.
    if (!deep_prefixes_.empty()) deep_prefixes_.erase(index);
    free_.push_back(index);
    --nodes_;
}

void Slab::free_subtree(std::uint32_t index) {
    std::vector<std::uint32_t> pending{index};
    while (!pending.empty()) {
        const std::uint32_t next = pending.back();
        pending.pop_back();
        for (const std::uint32_t child : (*this)[next].child) {
            if (is_resident(child)) pending.push_back(child);
        }
        free(next);
    }
}

Id Slab::prefix(std::uint32_t index) const {
    const Node& node = (*this)[index];
    if (node.depth() > Node::kInlineBits) return deep_prefixes_.at(index);
    Id prefix;
    std::copy(node.prefix_head.begin(), node.prefix_head.end(), prefix.data());
    return prefix;
}

std::size_t Slab::bytes() const {
    constexpr std::size_t kDeepEntryBytes = sizeof(Id) + 5 * sizeof(void*);
    return nodes_ * sizeof(Node) + deep_prefixes_.size() * kDeepEntryBytes;
}

}  // namespace leither::tree
