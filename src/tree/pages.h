// Reading nodes back: pages through a small cache, leaves by id, groups of nodes with their hashes.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "leither/store/kv.h"
#include "leither/tree/tree.h"

#include "bits.h"
#include "page.h"
#include "slab.h"

namespace leither::tree {

using PageBytes = std::shared_ptr<const std::string>;

// A parsed node together with the page it points into.
struct HeldNode {
    PageBytes page;
    StoredNode node;
};

// An inner node of a loaded group. A child within the group is named by its index in
// `Group::nodes`.
struct GroupNode {
    int depth = 0;
    Id prefix;
    std::array<Slot, 2> child;
};
// The nodes below (and with) `top` that lie in its group; their hashes are recomputed and match.
struct Group {
    Slot top;  // `node` is an index into nodes, or kLeafNode if the top is a leaf
    std::vector<GroupNode> nodes;
};

// What is known of a subtree from above: where it is stored, and the bits that lead to it.
struct Entrance {
    Location location;
    int parent_depth = kAboveRoot;
    Id above;  // the first parent_depth + 1 bits of all ids below, the rest zero
};

class Pages {
 public:
    using Fault = store::Fault;

    Pages(const store::Reader& store, std::size_t cache_bytes)
        : store_(store), cache_bytes_(cache_bytes) {}

    const store::Reader& store() const { return store_; }
    Result<HeldNode, Fault> node(Location location);
    // The group at `entrance`; its top must have the synopsis `expected`, or the store is corrupt.
    Result<Group, Fault> group(const Entrance& entrance, const Synopsis& expected);
    // The leaf to which the bits of `id` lead from the node at `location`: perhaps another id's.
    Result<HeldNode, Fault> leaf_towards(Location location, int parent_depth, const Id& id);
    // Any leaf below the node at `location`.
    Result<HeldNode, Fault> any_leaf(Location location);
    // Every leaf below `entrance` with id >= `from`, rising, until the visitor stops.
    Result<void, Fault> walk(const Entrance& entrance, const Id& from, const LeafVisitor& visit);

    std::uint64_t reads() const { return reads_; }

 private:
    struct CachedPage {
        std::uint64_t key = 0;
        PageBytes bytes;
    };

    Result<PageBytes, Fault> page(Location location);
    Result<Slot, Fault> resolve(const Entrance& entrance, std::vector<GroupNode>& nodes);
    Result<Slot, Fault> expand(const StoredNode& stored, const Place& place,
                               std::vector<GroupNode>& nodes);

    const store::Reader& store_;
    std::size_t cache_bytes_;
    std::size_t cached_bytes_ = 0;
    std::list<CachedPage> recent_;  // most recently used first
    std::unordered_map<std::uint64_t, std::list<CachedPage>::iterator> cached_;
    std::uint64_t reads_ = 0;
};

// The leaf as the tree's readers see it.
Leaf to_leaf(const StoredLeaf& stored, Sequence retained_from);

}  // namespace leither::tree
