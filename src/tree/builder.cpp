#include "builder.h"

#include <algorithm>

namespace leither::tree {
namespace {

constexpr std::size_t kBlockMax = Head::kPathsMax;
constexpr std::size_t kBlockMin = 6;

}  // namespace

Builder::Builder(Head& head, Candidate& out, std::span<const Change> changes,
                 std::span<const Relocation> relocations, Sequence sequence)
    : head_(head),
      slab_(head.slab),
      out_(out),
      changes_(changes),
      relocations_(relocations),
      sequence_(sequence),
      hasher_(head.slab, nodes_),
      emitter_(head.slab, nodes_, sequence) {
    nodes_.leaves.reserve(changes.size() + relocations.size());
}

Result<Slot, store::Fault> Builder::apply(Operations operations) {
    if (operations.empty()) return head_.root;
    if (head_.root.node == kNotLoaded) TRY(head_.load_root());
    Slot root = fitted(head_.root, TRY(apply_at(head_.root, kAboveRoot, operations)));
    if (root.is_empty()) root.synopsis = empty_synopsis();
    if (!root.is_new()) return root;
    hasher_.catch_up();
    root.synopsis.hash = hasher_.hash_of(root);
    root.location = emitter_.emit(root, kAboveRoot);
    return root;
}

Result<Slot, store::Fault> Builder::apply_at(const Slot& slot, int parent_depth,
                                             Operations operations) {
    if (operations.empty()) return slot;
    if (slot.is_empty()) return plant(operations, std::nullopt);
    if (slot.node == kLeafNode) return apply_at_leaf(slot, operations);
    return apply_at_inner(slot, parent_depth, operations);
}

// ---- Leaves ------------------------------------------------------------------------------------

bool Builder::owns_leaf(const Operation& operation) const {
    return operation.kind == Operation::Kind::move ||
           changes_[operation.index].expected.has_value();
}

Result<Slot, store::Fault> Builder::apply_at_leaf(const Slot& slot, Operations operations) {
    const auto owner =
        std::find_if(operations.begin(), operations.end(),
                     [&](const Operation& operation) { return owns_leaf(operation); });
    if (owner != operations.end()) {
        const Slot leaf = own_leaf(slot, *owner);
        if (operations.size() == 1) return leaf;
        std::vector<Operation> inserts(operations.begin(), owner);
        inserts.insert(inserts.end(), owner + 1, operations.end());
        if (leaf.is_empty()) return plant(inserts, std::nullopt);
        return plant(inserts, Graft{owner->id, leaf});
    }
    const HeldNode held = TRY(head_.pages.node(slot.location));
    if (!held.node.is_leaf()) return fail(corrupt(slot.location, "not a leaf"));
    return plant(operations, Graft{held.node.leaf.id, slot});
}

// What becomes of the leaf of the operation's own id.
Slot Builder::own_leaf(const Slot& slot, const Operation& operation) {
    if (operation.kind == Operation::Kind::move) {
        if (operation.depth < kIdBits) return slot;
        return put_leaf(relocations_[operation.index].leaf());
    }
    const Change& change = changes_[operation.index];
    CHECK(*change.expected == slot.synopsis.hash, "a change names a leaf it did not read");
    if (!change.value) return Slot{};
    StoredLeaf leaf{change.id, change.value->sum, sequence_.value(), {}, change.value->record};
    leaf.previous = slot.location.sequence();
    return put_leaf(leaf);
}

Slot Builder::new_leaf(const Operation& insert) {
    const Change& change = changes_[insert.index];
    CHECK(insert.kind == Operation::Kind::set && !change.expected,
          "a change names a leaf that is not there");
    const StoredLeaf leaf{
        change.id, change.value->sum, sequence_.value(), {}, change.value->record};
    return put_leaf(leaf);
}

Slot Builder::put_leaf(const StoredLeaf& leaf) {
    const auto tag = static_cast<std::uint32_t>(nodes_.leaves.size());
    nodes_.leaves.push_back(leaf);
    ++out_.hashed;
    return {{Hash{}, leaf.sum}, Location::unplaced(tag), kLeafNode};
}

// ---- Inner nodes -------------------------------------------------------------------------------

bool Builder::only_moves_above(Operations operations, int depth) const {
    return std::all_of(operations.begin(), operations.end(), [depth](const Operation& operation) {
        return operation.kind == Operation::Kind::move && operation.depth < depth;
    });
}

// Most new nodes lie on a path to a single changed leaf: no other operation, no change of shape.
Result<Slot, store::Fault> Builder::replace_leaf(const Slot& slot, const Operation& operation) {
    path_.clear();
    Slot at = slot;
    while (at.node != kLeafNode) {
        path_.push_back(at.node);
        const auto side = side_of(operation.id, static_cast<unsigned>(slab_[at.node].depth()));
        if (slab_[at.node].child[index_of(side)] == kNotLoaded) {
            TRY(head_.load_child(at.node, side));
        }
        at = slab_[at.node].slot(side);
    }
    at = own_leaf(at, operation);
    for (auto index = path_.rbegin(); index != path_.rend(); ++index) {
        const std::uint32_t twin = twin_of(*index);
        Node& node = slab_[twin];
        node.set(side_of(operation.id, static_cast<unsigned>(node.depth())), at);
        const auto sum = node.synopsis[0].sum.plus(node.synopsis[1].sum);
        CHECK(sum.has_value(), "the ledger conserves the supply");
        at = new_inner(twin, *sum);
    }
    return at;
}

Result<Slot, store::Fault> Builder::apply_at_inner(const Slot& slot, int parent_depth,
                                                   Operations operations) {
    const bool replaces_one_leaf = operations.size() == 1 &&
                                   operations.front().kind == Operation::Kind::set &&
                                   owns_leaf(operations.front());
    if (replaces_one_leaf) return replace_leaf(slot, operations.front());
    const int depth = slab_[slot.node].depth();
    if (only_moves_above(operations, depth)) return slot;
    if (depth == parent_depth + 1) return apply_to_children(slot.node, operations);
    // The node skips levels: ids may depart from its prefix there, before or behind it in order.
    const Id prefix = slab_.prefix(slot.node);
    const auto bits = static_cast<unsigned>(depth);
    const auto inside = [&prefix, bits](const Operation& operation) {
        return common_bits(operation.id, prefix) >= bits;
    };
    if (inside(operations.front()) && inside(operations.back())) {
        return apply_to_children(slot.node, operations);
    }
    const auto first = std::find_if(operations.begin(), operations.end(), inside);
    const auto last = std::find_if_not(first, operations.end(), inside);
    Slot merged = slot;
    if (first != last) merged = TRY(apply_to_children(slot.node, Operations(first, last)));
    std::vector<Operation> inserts(operations.begin(), first);
    inserts.insert(inserts.end(), last, operations.end());
    if (merged.is_empty()) return plant(inserts, std::nullopt);
    // A survivor below the removed node lies deeper: any id under it serves to place it, and the
    // prefix of the node it replaces is its own first bits.
    return plant(inserts, Graft{prefix, merged});
}

Result<Slot, store::Fault> Builder::apply_to_child(std::uint32_t index, Side side,
                                                   Operations operations,
                                                   std::size_t operations_above) {
    if (!operations.empty() && slab_[index].child[index_of(side)] == kNotLoaded) {
        TRY(head_.load_child(index, side));
    }
    const Slot before = slab_[index].slot(side);
    const int depth = slab_[index].depth();
    // A handful of operations is left to the block above: it would not pay to begin one for them.
    const bool begins_block = operations_above > kBlockMax && operations.size() <= kBlockMax &&
                              operations.size() >= kBlockMin;
    const Slot after = begins_block ? TRY(apply_to_block(before, depth, operations))
                                    : TRY(apply_at(before, depth, operations));
    return fitted(before, after);
}

// A subtree with so few operations that all of it fits the cache: what is new in it is hashed and
// written at once.
Result<Slot, store::Fault> Builder::apply_to_block(const Slot& slot, int parent_depth,
                                                   Operations operations) {
    head_.prefetch_paths(slot.node, operations,
                         [](const Operation& operation) -> const Id& { return operation.id; });
    const Slot after = TRY(apply_at(slot, parent_depth, operations));
    hasher_.catch_up();
    if (after.is_new()) emitter_.emit_below(after);
    return after;
}

Result<Slot, store::Fault> Builder::apply_to_children(std::uint32_t index, Operations operations) {
    const auto depth = static_cast<unsigned>(slab_[index].depth());
    const auto split = std::partition_point(
        operations.begin(), operations.end(),
        [depth](const Operation& operation) { return side_of(operation.id, depth) == Side::left; });
    const Operations below[] = {{operations.begin(), split}, {split, operations.end()}};
    const Slot left = TRY(apply_to_child(index, Side::left, below[0], operations.size()));
    const Slot right = TRY(apply_to_child(index, Side::right, below[1], operations.size()));
    if (left.is_empty() || right.is_empty()) {
        const Side side = left.is_empty() ? Side::right : Side::left;
        return promote(index, side, side == Side::left ? left : right);
    }
    return join(twin_of(index), left, right);
}

// A node lost a child: the other one, perhaps nothing as well, takes its place.
Result<Slot, store::Fault> Builder::promote(std::uint32_t index, Side side, const Slot& survivor) {
    out_.replaced.push_back({index, kNoNode});
    if (survivor.node != kNotLoaded) return survivor;
    TRY(head_.load_child(index, side));
    return slab_[index].slot(side);
}

// `after` stands where `before` stood; a node that came from elsewhere must be stored anew.
Slot Builder::fitted(const Slot& before, const Slot& after) {
    const bool moved = is_resident(after.node) && after.node != before.node;
    return moved && after.location.is_placed() ? renewed(after) : after;
}

Slot Builder::renewed(const Slot& slot) {
    return new_inner(twin_of(slot.node), slot.synopsis.sum);
}

Slot Builder::plant(Operations inserts, const std::optional<Graft>& graft) {
    if (inserts.empty()) {
        const bool stored = is_resident(graft->slot.node) && graft->slot.location.is_placed();
        return stored ? renewed(graft->slot) : graft->slot;
    }
    if (inserts.size() == 1 && !graft) return new_leaf(inserts.front());
    Id first = inserts.front().id;
    Id last = inserts.back().id;
    if (graft) {
        first = std::min(first, graft->id);
        last = std::max(last, graft->id);
    }
    const unsigned depth = common_bits(first, last);
    CHECK(depth < kIdBits, "a new leaf is there already");
    const auto split = std::partition_point(
        inserts.begin(), inserts.end(),
        [depth](const Operation& insert) { return side_of(insert.id, depth) == Side::left; });
    const bool graft_on_left = graft && side_of(graft->id, depth) == Side::left;
    const auto none = std::optional<Graft>{};
    const Slot left = plant(Operations(inserts.begin(), split), graft_on_left ? graft : none);
    const Slot right = plant(Operations(split, inserts.end()), graft_on_left ? none : graft);
    return join(slab_.allocate(static_cast<int>(depth), prefix_of(first, depth)), left, right);
}

std::uint32_t Builder::twin_of(std::uint32_t index) {
    const std::uint32_t twin = slab_.copy(index);
    out_.replaced.push_back({index, twin});
    return twin;
}

Slot Builder::join(std::uint32_t cell, const Slot& left, const Slot& right) {
    slab_[cell].set(Side::left, left);
    slab_[cell].set(Side::right, right);
    const auto sum = left.synopsis.sum.plus(right.synopsis.sum);
    CHECK(sum.has_value(), "the ledger conserves the supply");
    return new_inner(cell, *sum);
}

Slot Builder::new_inner(std::uint32_t cell, Amount sum) {
    const auto tag = static_cast<std::uint32_t>(nodes_.inner.size());
    nodes_.inner.push_back(cell);
    out_.fresh.push_back(cell);
    ++out_.hashed;
    return {{Hash{}, sum}, Location::unplaced(tag), cell};
}

}  // namespace leither::tree
