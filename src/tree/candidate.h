// A version beside the head: what it adds to the slab, what it will replace, what it must write.
#pragma once

#include <cstdint>
#include <vector>

#include "leither/tree/tree.h"

#include "pruner.h"
#include "slab.h"

namespace leither::tree {

// A head node that the candidate does not use any more, and the new node in its place, if any.
struct Replaced {
    std::uint32_t node = kNoNode;
    std::uint32_t twin = kNoNode;
};

struct Candidate {
    explicit Candidate(Slab& home) : slab(home) {}
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;
    ~Candidate() {
        for (const std::uint32_t cell : fresh) slab.free(cell);
    }

    Slab& slab;
    std::uint64_t base = 0;   // the count of commits it was prepared at
    std::uint64_t loads = 0;  // Head::loads when it was complete
    Version version;
    Slot root;
    std::vector<std::uint32_t> fresh;  // owned until committed
    std::vector<Replaced> replaced;
    store::WriteBatch writes;
    std::size_t hashed = 0;
    PruneProgress prune;
};

}  // namespace leither::tree
