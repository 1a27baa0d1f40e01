// Lays the new nodes of a version out in pages, children before the node that refers to them.
#pragma once

#include <vector>

#include "hasher.h"
#include "page.h"
#include "slab.h"

namespace leither::tree {

class Emitter {
 public:
    Emitter(Slab& slab, const NewNodes& nodes, Sequence sequence)
        : slab_(slab), nodes_(nodes), writer_(sequence) {}

    // Writes the new node `slot` and everything new below; answers its place. Recursion happens at
    // nodes with two new children only and is at most 160 deep.
    Location emit(const Slot& slot, int parent_depth);
    // Writes what can be written before the nodes above `slot` are known: everything below the
    // first node with two new children. `emit` will find it placed.
    void emit_below(const Slot& slot);
    store::WriteBatch finish() { return writer_.finish(); }

 private:
    void gather(const Slot& slot);
    void write_inner(std::uint32_t index, int parent_depth, const Synopsis& synopsis);

    Slab& slab_;
    const NewNodes& nodes_;
    PageWriter writer_;
    std::vector<std::uint32_t> run_;  // a stack: the runs under way, the innermost last
};

}  // namespace leither::tree
