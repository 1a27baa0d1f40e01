#include "prover.h"

namespace leither::tree {

Result<std::optional<Prover::View>, store::Fault> Prover::view(Position& position) {
    Slot& slot = position.slot;
    if (slot.node == kNotLoaded) {
        auto group = std::make_shared<Group>(TRY(
            pages_.group({slot.location, position.parent_depth, position.above}, slot.synopsis)));
        slot.node = group->top.node;
        position.group = std::move(group);
    }
    if (slot.node == kLeafNode) return std::nullopt;
    if (position.group) {
        const GroupNode& node = position.group->nodes[slot.node];
        return View{node.depth, node.prefix, node.child, position.group};
    }
    const Node& node = (*slab_)[slot.node];
    return View{node.depth(),
                slab_->prefix(slot.node),
                {node.slot(Side::left), node.slot(Side::right)},
                nullptr};
}

Prover::Position Prover::below(const View& view, Side side) {
    return {view.child[index_of(side)], view.depth,
            with_bit(view.prefix, static_cast<unsigned>(view.depth), side), view.group};
}

OtherNode Prover::closed(const View& view) {
    return {static_cast<std::uint8_t>(view.depth), view.prefix, view.child[0].synopsis,
            view.child[1].synopsis};
}

Step Prover::step(const View& view, Side side) {
    return {static_cast<std::uint8_t>(view.depth), view.child[index_of(other(side))].synopsis};
}

Result<OtherLeaf, store::Fault> Prover::closed_leaf(Location location) {
    const HeldNode held = TRY(pages_.node(location));
    if (!held.node.is_leaf()) return fail(corrupt(location, "not a leaf"));
    return OtherLeaf{held.node.leaf.id, record_hash(held.node.leaf.record)};
}

Result<AccountProof, store::Fault> Prover::prove(const Id& id) {
    AccountProof proof{id, {}, EmptyTree{}};
    if (root_.is_empty()) return proof;
    Position at{root_, kAboveRoot, Id{}, nullptr};
    while (const auto inner = TRY(view(at))) {
        const auto depth = static_cast<unsigned>(inner->depth);
        if (common_bits(inner->prefix, id) < depth) {
            proof.end = closed(*inner);
            return proof;
        }
        const Side side = side_of(id, depth);
        proof.path.push_back(step(*inner, side));
        at = below(*inner, side);
    }
    const HeldNode held = TRY(pages_.node(at.slot.location));
    if (held.node.leaf.id == id) {
        Presence presence;
        presence.record.assign(held.node.leaf.record.begin(), held.node.leaf.record.end());
        proof.end = std::move(presence);
    } else {
        proof.end = TRY(closed_leaf(at.slot.location));
    }
    return proof;
}

Result<PrefixProof, store::Fault> Prover::prove(const Prefix& prefix) {
    CHECK(prefix.is_canonical());
    PrefixProof proof{prefix, {}, EmptyTree{}};
    if (root_.is_empty()) return proof;
    Position at{root_, kAboveRoot, Id{}, nullptr};
    while (const auto inner = TRY(view(at))) {
        const auto depth = static_cast<unsigned>(inner->depth);
        if (depth >= prefix.bits || common_bits(inner->prefix, prefix.id) < depth) {
            proof.end = closed(*inner);
            return proof;
        }
        const Side side = side_of(prefix.id, depth);
        proof.path.push_back(step(*inner, side));
        at = below(*inner, side);
    }
    proof.end = TRY(closed_leaf(at.slot.location));
    return proof;
}

}  // namespace leither::tree
