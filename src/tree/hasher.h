// Hashes the new nodes of a version: leaves first, then inner nodes in the order in which they were
// made, children before their parents.
#pragma once

#include <span>
#include <vector>

#include "page.h"
#include "slab.h"

namespace leither::tree {

// The new inner nodes (cells of the slab) and leaves of a version. A slot names them by their place
// in these lists: the tag of its location. Children come before their parents.
struct NewNodes {
    std::vector<std::uint32_t> inner;
    std::vector<StoredLeaf> leaves;
};

class Hasher {
 public:
    // Reads `nodes` as they grow.
    Hasher(Slab& slab, const NewNodes& nodes);

    // Hashes what was added to the nodes since the last call, and fills in the hashes that new
    // inner nodes hold of new children. Called while the nodes are still in the processor's cache.
    void catch_up();
    // REQUIRES: `slot` is new and was caught up with.
    const Hash& hash_of(const Slot& slot) const;

 private:
    void hash_leaves();
    void hash_inner();
    Hash hash_inner_at(std::uint32_t cell);

    Slab& slab_;
    const NewNodes& nodes_;
    std::vector<Hash> leaf_hashes_;   // by tag
    std::vector<Hash> inner_hashes_;  // by tag
};

}  // namespace leither::tree
