// The newest version: its root, its inner nodes as far as they are in memory, and the way to the
// rest.
#pragma once

#include "pages.h"
#include "slab.h"

namespace leither::tree {

class Head {
 public:
    using Fault = store::Fault;

    Head(const store::Reader& store, std::size_t page_cache_bytes)
        : pages(store, page_cache_bytes) {}

    // Bring the root, or a child of a resident node, into memory with its whole group. A leaf stays
    // in the store; its slot then says so.
    Result<void, Fault> load_root();
    Result<void, Fault> load_child(std::uint32_t node, Side side);

    // Follows the bits of `id` through the nodes in memory, to the slot where they end: a leaf or a
    // subtree in the store. `parent_depth` is that of the last node passed.
    struct Edge {
        Slot slot;
        int parent_depth = kAboveRoot;
    };
    Edge resident_edge(const Id& id) const;

    // How often nodes were brought into memory.
    std::uint64_t loads() const { return loads_; }

    Pages pages;
    Slab slab;
    Slot root;

 private:
    Result<Slot, Fault> load(const Slot& slot, int parent_depth, const Id& above);

    std::uint64_t loads_ = 0;
};

}  // namespace leither::tree
