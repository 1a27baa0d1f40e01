// The newest version: its root, its inner nodes as far as they are in memory, and the way to the
// rest.
#pragma once

#include <array>
#include <span>

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

    // As many as there are paths in the caches nearest to the core, some ten nodes each.
    static constexpr std::size_t kPathsMax = 48;
    // Follows the paths from the node `from` to a few ids in lockstep, so that their cache misses
    // overlap; the walk proper comes next. `id_of` names the id of an item. REQUIRES: at most
    // kPathsMax items.
    template <class Item, class IdOf>
    void prefetch_paths(std::uint32_t from, std::span<const Item> items, IdOf id_of) const {
        std::array<std::uint32_t, kPathsMax> at;
        CHECK(items.size() <= at.size());
        at.fill(from);
        for (bool any = true; any;) {
            any = false;
            for (std::size_t i = 0; i < items.size(); ++i) {
                if (!is_resident(at[i])) continue;
                const Node& node = slab[at[i]];
                const auto depth = static_cast<unsigned>(node.depth());
                at[i] = node.child[index_of(side_of(id_of(items[i]), depth))];
                if (!is_resident(at[i])) continue;
                slab.prefetch(at[i]);
                any = true;
            }
        }
    }

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
