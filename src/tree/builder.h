// Applies sorted operations to the head, copying every node on the way: the structure and the
// hashes of a new version. Its nodes have no place in the store yet; the emitter gives them one.
//
// A node whose stored form depends on something that changed is made anew: its children, or its
// parent's depth (the skipped bits and the own synopsis are stored relative to the parent). So a
// node that moves up after a removal, or down under a new node, is copied too.
//
// The recursion follows the tree, whose depth is at most 160 whatever the ids are.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "leither/tree/tree.h"

#include "candidate.h"
#include "emitter.h"
#include "hasher.h"
#include "head.h"
#include "page.h"

namespace leither::tree {

// A change of the caller, or the move of a node out of a dying page.
struct Operation {
    enum class Kind : std::uint8_t { set, remove, move };
    Id id;
    Kind kind = Kind::set;
    std::uint8_t depth = 0;   // move: of the deepest node to move; kIdBits for the leaf itself
    std::uint32_t index = 0;  // into the changes, or the relocations
};

class Builder {
 public:
    using Fault = store::Fault;

    Builder(Head& head, Candidate& out, std::span<const Change> changes,
            std::span<const Relocation> relocations, Sequence sequence);

    // The root of the new version, hashed and placed. REQUIRES: operations sorted by id, no id
    // twice.
    Result<Slot, Fault> apply(std::span<const Operation> operations);
    store::WriteBatch finish() { return emitter_.finish(); }

 private:
    using Operations = std::span<const Operation>;
    // An existing subtree to be planted among new leaves.
    struct Graft {
        Id id;  // any id below
        Slot slot;
    };

    Result<Slot, Fault> apply_at(const Slot& slot, int parent_depth, Operations operations);
    Result<Slot, Fault> replace_leaf(const Slot& slot, const Operation& operation);
    Result<Slot, Fault> apply_to_block(const Slot& slot, int parent_depth, Operations operations);
    Result<Slot, Fault> apply_at_leaf(const Slot& slot, Operations operations);
    Result<Slot, Fault> apply_at_inner(const Slot& slot, int parent_depth, Operations operations);
    Result<Slot, Fault> apply_to_children(std::uint32_t index, Operations operations);
    Result<Slot, Fault> apply_to_child(std::uint32_t index, Side side, Operations operations,
                                       std::size_t operations_above);
    Result<Slot, Fault> promote(std::uint32_t index, Side side, const Slot& survivor);

    Slot plant(Operations inserts, const std::optional<Graft>& graft);
    Slot own_leaf(const Slot& slot, const Operation& operation);
    Slot new_leaf(const Operation& insert);
    Slot put_leaf(const StoredLeaf& leaf);
    Slot fitted(const Slot& before, const Slot& after);
    Slot renewed(const Slot& slot);
    std::uint32_t twin_of(std::uint32_t index);
    Slot join(std::uint32_t cell, const Slot& left, const Slot& right);
    Slot new_inner(std::uint32_t cell, Amount sum);
    bool only_moves_above(Operations operations, int depth) const;
    bool owns_leaf(const Operation& operation) const;

    Head& head_;
    Slab& slab_;
    Candidate& out_;
    std::span<const Change> changes_;
    std::span<const Relocation> relocations_;
    Sequence sequence_;
    NewNodes nodes_;
    Hasher hasher_;
    Emitter emitter_;
    std::vector<std::uint32_t> path_;  // of replace_leaf, kept to spare allocations
};

}  // namespace leither::tree
