// Assembles proofs from the nodes of one version, in memory or in the store.
#pragma once

#include <memory>

#include "pages.h"
#include "slab.h"

namespace leither::tree {

class Prover {
 public:
    using Fault = store::Fault;

    // `slab` holds the resident nodes of the head; null for a version of the past.
    Prover(Pages& pages, const Slab* slab, const Slot& root)
        : pages_(pages), slab_(slab), root_(root) {}

    Result<AccountProof, Fault> prove(const Id& id);
    Result<PrefixProof, Fault> prove(const Prefix& prefix);

 private:
    // Where a walk down stands: a slot, and the loaded group that its index belongs to, if any.
    struct Position {
        Slot slot;
        int parent_depth = kAboveRoot;
        Id above;
        std::shared_ptr<const Group> group;
    };
    // An inner node at a position.
    struct View {
        int depth = 0;
        Id prefix;
        std::array<Slot, 2> child;
        std::shared_ptr<const Group> group;
    };

    // The inner node at `position`, or nothing if a leaf is there.
    Result<std::optional<View>, Fault> view(Position& position);
    static Position below(const View& view, Side side);
    static OtherNode closed(const View& view);
    Result<OtherLeaf, Fault> closed_leaf(Location location);
    static Step step(const View& view, Side side);

    Pages& pages_;
    const Slab* slab_;
    Slot root_;
};

}  // namespace leither::tree
