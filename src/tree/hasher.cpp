#include "hasher.h"

#include "leither/tree/synopsis.h"

namespace leither::tree {

Hasher::Hasher(Slab& slab, const NewNodes& nodes) : slab_(slab), nodes_(nodes) {}

void Hasher::catch_up() {
    hash_leaves();
    hash_inner();
}

const Hash& Hasher::hash_of(const Slot& slot) const {
    CHECK(slot.is_new());
    return (slot.node == kLeafNode ? leaf_hashes_ : inner_hashes_)[slot.location.tag()];
}

void Hasher::hash_leaves() {
    while (leaf_hashes_.size() < nodes_.leaves.size()) {
        const StoredLeaf& leaf = nodes_.leaves[leaf_hashes_.size()];
        leaf_hashes_.push_back(leaf_hash(leaf.id, record_hash(leaf.record)));
    }
}

void Hasher::hash_inner() {
    while (inner_hashes_.size() < nodes_.inner.size()) {
        inner_hashes_.push_back(hash_inner_at(nodes_.inner[inner_hashes_.size()]));
    }
}

Hash Hasher::hash_inner_at(std::uint32_t cell) {
    Node& node = slab_[cell];
    for (const Side side : {Side::left, Side::right}) {
        const std::size_t i = index_of(side);
        if (!node.location[i].is_placed()) node.synopsis[i].hash = hash_of(node.slot(side));
    }
    return inner_hash(node.depth_byte, slab_.prefix(cell), node.synopsis[0], node.synopsis[1]);
}

}  // namespace leither::tree
