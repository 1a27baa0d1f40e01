// Moves live nodes out of versions that fell behind the window, so that whole ranges of versions
// can be erased.
//
// Specification
//   * Pages are scanned in order, oldest first, once. A node found there is live if the head still
//     refers to that very place; the path from the root to it is then rewritten by the version
//     being prepared.
//   * When all pages below sequence p have been scanned and version v has moved the last of them,
//     no version >= v refers to anything below p. So p becomes erasable when v is the oldest
//     retained version, not earlier: versions between p and v may still refer there.
// The cursor lives in memory only: after a restart the scan begins again at the oldest page.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "head.h"

namespace leither::tree {

// How far the scan has come: everything below `sequence`, and the pages of it below `page`.
struct PruneProgress {
    std::uint64_t sequence = 0;
    std::uint32_t page = 0;
};

// A live node in a dying page: the deepest one of its run, found by any id below it.
struct Relocation {
    Id id;
    std::uint8_t depth = 0;  // kIdBits for a leaf
    // The leaf's content, if it is one.
    Amount sum;
    std::uint64_t written = 0;
    std::optional<std::uint64_t> previous;
    Bytes record;

    StoredLeaf leaf() const { return {id, sum, written, previous, record}; }
};

class Pruner {
 public:
    using Fault = store::Fault;

    void retain_from(Sequence oldest);
    Sequence retained_from() const { return retained_from_; }

    struct Step {
        std::vector<Relocation> relocations;  // by id, rising, no id twice
        PruneProgress progress;
    };
    // Scans about `nodes_max` more nodes (at least one page) if pruning is behind.
    Result<Step, Fault> scan(Head& head, std::size_t nodes_max) const;
    // `version` was committed; it carries the nodes that the scan up to `progress` found.
    void committed(Sequence version, const PruneProgress& progress);
    Sequence erasable_below();

 private:
    // Once every retained version is >= `version`, everything below `below` is dead.
    struct Milestone {
        std::uint64_t below = 0;
        std::uint64_t version = 0;
    };

    Sequence retained_from_;
    PruneProgress progress_;
    std::deque<Milestone> milestones_;
    std::uint64_t erasable_below_ = 0;
};

}  // namespace leither::tree
