#include "pages.h"

#include <algorithm>

namespace leither::tree {
namespace {

Hash hash_of(const StoredLeaf& leaf) {
    return leaf_hash(leaf.id, record_hash(leaf.record));
}

ByteView view_of(const PageBytes& page) {
    return as_bytes(*page);
}

}  // namespace

Result<PageBytes, store::Fault> Pages::page(Location location) {
    const std::uint64_t key = location.packed() >> Location::kOffsetBits;
    if (const auto found = cached_.find(key); found != cached_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second);
        return found->second->bytes;
    }
    ++reads_;
    auto value = TRY(
        store_.get(store::version_key(location.sequence(), store::KeyKind::page, location.page())));
    if (!value) return fail(corrupt(location, "no such page"));
    auto bytes = std::make_shared<const std::string>(std::move(*value));
    cached_bytes_ += bytes->size();
    recent_.push_front({key, bytes});
    cached_[key] = recent_.begin();
    while (cached_bytes_ > cache_bytes_ && recent_.size() > 1) {
        cached_bytes_ -= recent_.back().bytes->size();
        cached_.erase(recent_.back().key);
        recent_.pop_back();
    }
    return bytes;
}

Result<HeldNode, store::Fault> Pages::node(Location location) {
    HeldNode held{TRY(page(location)), {}};
    held.node = TRY(parse_node(view_of(held.page), location));
    return held;
}

Result<Group, store::Fault> Pages::group(const Entrance& entrance, const Synopsis& expected) {
    Group group;
    const HeldNode held = TRY(node(entrance.location));
    if (held.node.is_leaf()) {
        group.top = TRY(resolve(entrance, group.nodes));
    } else {
        const Place place = TRY(place_of(held.node, entrance.parent_depth, entrance.above));
        group.top = TRY(expand(held.node, place, group.nodes));
    }
    if (group.top.synopsis != expected) return fail(corrupt(entrance.location, "wrong synopsis"));
    return group;
}

// The synopsis of a child and, if it lies in its parent's group, the nodes below it. The recursion
// is at most kGroupLevels deep.
Result<Slot, store::Fault> Pages::resolve(const Entrance& entrance, std::vector<GroupNode>& nodes) {
    const HeldNode held = TRY(node(entrance.location));
    const StoredNode& stored = held.node;
    if (stored.is_leaf()) {
        const auto shared = static_cast<unsigned>(entrance.parent_depth + 1);
        if (prefix_of(stored.leaf.id, shared) != entrance.above) {
            return fail(corrupt(entrance.location, "a leaf of another subtree"));
        }
        return Slot{{hash_of(stored.leaf), stored.leaf.sum}, entrance.location, kLeafNode};
    }
    const Place place = TRY(place_of(stored, entrance.parent_depth, entrance.above));
    if (in_one_group(entrance.parent_depth, place.depth)) return expand(stored, place, nodes);
    if (!stored.own) return fail(corrupt(entrance.location, "a group without a synopsis"));
    return Slot{*stored.own, entrance.location, kNotLoaded};
}

Result<Slot, store::Fault> Pages::expand(const StoredNode& stored, const Place& place,
                                         std::vector<GroupNode>& nodes) {
    const auto index = static_cast<std::uint32_t>(nodes.size());
    nodes.push_back({place.depth, place.prefix, {}});
    for (const Side side : {Side::left, Side::right}) {
        const auto depth = static_cast<unsigned>(place.depth);
        const Slot child = TRY(resolve(
            {stored.child[index_of(side)], place.depth, with_bit(place.prefix, depth, side)},
            nodes));
        nodes[index].child[index_of(side)] = child;
    }
    const auto& [left, right] = nodes[index].child;
    const auto sum = left.synopsis.sum.plus(right.synopsis.sum);
    if (!sum) return fail(corrupt(stored.location, "the sum overflows"));
    const Hash hash =
        inner_hash(static_cast<unsigned>(place.depth), place.prefix, left.synopsis, right.synopsis);
    return Slot{{hash, *sum}, stored.location, index};
}

Result<HeldNode, store::Fault> Pages::leaf_towards(Location location, int parent_depth,
                                                   const Id& id) {
    for (;;) {
        HeldNode held = TRY(node(location));
        if (held.node.is_leaf()) return held;
        const int depth = parent_depth + 1 + static_cast<int>(held.node.skip);
        if (depth >= static_cast<int>(kIdBits)) return fail(corrupt(location, "deeper than an id"));
        location = held.node.child[index_of(side_of(id, static_cast<unsigned>(depth)))];
        parent_depth = depth;
    }
}

Result<HeldNode, store::Fault> Pages::any_leaf(Location location) {
    return leaf_towards(location, kAboveRoot, Id{});
}

Result<void, store::Fault> Pages::walk(const Entrance& entrance, const Id& from,
                                       const LeafVisitor& visit) {
    std::vector<Entrance> pending{entrance};
    while (!pending.empty()) {
        const Entrance next = pending.back();
        pending.pop_back();
        // Everything below lies in front of `from` if already its prefix does.
        const auto shared = static_cast<unsigned>(next.parent_depth + 1);
        if (next.above < prefix_of(from, shared)) continue;
        const HeldNode held = TRY(node(next.location));
        if (held.node.is_leaf()) {
            const StoredLeaf& leaf = held.node.leaf;
            if (leaf.id < from) continue;
            if (visit(leaf.id, leaf.record, leaf.sum) == Visit::stop) return {};
            continue;
        }
        const Place place = TRY(place_of(held.node, next.parent_depth, next.above));
        for (const Side side : {Side::right, Side::left}) {
            pending.push_back({held.node.child[index_of(side)], place.depth,
                               with_bit(place.prefix, static_cast<unsigned>(place.depth), side)});
        }
    }
    return {};
}

Leaf to_leaf(const StoredLeaf& stored, Sequence retained_from) {
    Leaf leaf;
    leaf.record.assign(stored.record.begin(), stored.record.end());
    leaf.hash = hash_of(stored);
    leaf.written = Sequence(stored.written);
    if (stored.previous && *stored.previous >= retained_from.value()) {
        leaf.previous = Sequence(*stored.previous);
    }
    return leaf;
}

}  // namespace leither::tree
