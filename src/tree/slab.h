// The head's inner nodes in memory: fixed cells in chunks, named by 32-bit indices.
//
// Indices stay valid until freed, references until the cell is freed: chunks never move. Memory
// grows by a chunk at a time, so a small ledger costs next to nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "leither/tree/synopsis.h"

#include "bits.h"
#include "location.h"

namespace leither::tree {

// What a child is, if not the index of a cell.
inline constexpr std::uint32_t kNoNode = 0xffffffff;     // nothing: only the root of an empty tree
inline constexpr std::uint32_t kLeafNode = 0xfffffffe;   // a leaf, never in memory
inline constexpr std::uint32_t kNotLoaded = 0xfffffffd;  // in the store only
constexpr bool is_resident(std::uint32_t node) {
    return node < kNotLoaded;
}

// A subtree as its parent knows it.
struct Slot {
    Synopsis synopsis;
    Location location;
    std::uint32_t node = kNoNode;

    bool is_empty() const { return node == kNoNode; }
    bool is_new() const { return !is_empty() && !location.is_placed(); }
};

// An inner node. A million of them must fit the default cache, so no byte is spare.
struct Node {
    // The first bits of the prefix; nodes deeper than this keep theirs in a side table.
    static constexpr int kInlineBits = 56;

    std::array<Synopsis, 2> synopsis;
    std::array<Location, 2> location;
    std::array<std::uint32_t, 2> child{kNoNode, kNoNode};
    std::array<std::uint8_t, kInlineBits / 8> prefix_head{};
    std::uint8_t depth_byte = 0;

    int depth() const { return depth_byte; }
    Slot slot(Side side) const {
        const std::size_t i = index_of(side);
        return {synopsis[i], location[i], child[i]};
    }
    void set(Side side, const Slot& slot) {
        const std::size_t i = index_of(side);
        synopsis[i] = slot.synopsis;
        location[i] = slot.location;
        child[i] = slot.node;
    }
};
static_assert(sizeof(Node) == 112);

class Slab {
 public:
    Node& operator[](std::uint32_t index) {
        return chunks_[index / kChunkNodes][index % kChunkNodes];
    }
    const Node& operator[](std::uint32_t index) const {
        return chunks_[index / kChunkNodes][index % kChunkNodes];
    }

    std::uint32_t allocate(int depth, const Id& prefix);
    std::uint32_t copy(std::uint32_t index);
    void free(std::uint32_t index);
    // Frees a node and every resident node below it.
    void free_subtree(std::uint32_t index);

    Id prefix(std::uint32_t index) const;
    // Nodes of a large tree lie all over memory: say early which ones will be needed.
    void prefetch(std::uint32_t index) const {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&(*this)[index]);
        __builtin_prefetch(bytes);
        __builtin_prefetch(bytes + sizeof(Node) - 1);
    }
    std::size_t nodes() const { return nodes_; }
    std::size_t bytes() const;

 private:
    static constexpr std::uint32_t kChunkNodes = 1024;
    static constexpr std::size_t kPrefetchAhead = 16;

    std::uint32_t take_cell();

    std::vector<std::unique_ptr<Node[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::uint32_t, Id> deep_prefixes_;  // looked up only, never iterated
    std::size_t nodes_ = 0;
};

}  // namespace leither::tree
