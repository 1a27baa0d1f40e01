#include "hasher.h"

#include <algorithm>
#include <array>

#include "preimage.h"

namespace leither::tree {
namespace {

// Records of members fit one block; a longer one is hashed alone.
constexpr std::size_t kRecordInBlock = kBlockBytes - 1;

void put_record(ShortMessage& message, ByteView record) {
    if (record.size() > kRecordInBlock) return;
    message.bytes[0] = static_cast<std::uint8_t>(Domain::record);
    std::uint8_t* end = put_bytes(message.bytes.data() + 1, record);
    std::fill(end, message.bytes.data() + message.bytes.size(), std::uint8_t{0});
    message.size = record.size() + 1;
}

}  // namespace

Hasher::Hasher(Slab& slab, const NewNodes& nodes) : slab_(slab), nodes_(nodes) {
    for (auto& opening : openings_) opening.size = kLeafPreimageBytes;
    for (auto& message : messages_) message.size = kInnerPreimageBytes;
}

void Hasher::catch_up() {
    hash_leaves();
    hash_inner();
}

const Hash& Hasher::hash_of(const Slot& slot) const {
    CHECK(slot.is_new());
    return (slot.node == kLeafNode ? leaf_hashes_ : inner_hashes_)[slot.location.tag()];
}

void Hasher::hash_leaves() {
    std::size_t first = leaf_hashes_.size();
    leaf_hashes_.resize(nodes_.leaves.size());
    for (; first < nodes_.leaves.size(); first += kBatchLanes) {
        const std::size_t count = std::min(kBatchLanes, nodes_.leaves.size() - first);
        for (std::size_t i = 0; i < count; ++i) {
            put_record(records_[i], nodes_.leaves[first + i].record);
        }
        const BatchHashes record_hashes = hash_batch(records_);
        for (std::size_t i = 0; i < count; ++i) {
            const StoredLeaf& leaf = nodes_.leaves[first + i];
            const bool in_block = leaf.record.size() <= kRecordInBlock;
            put_leaf_preimage(openings_[i].bytes.data(), leaf.id,
                              in_block ? record_hashes[i] : record_hash(leaf.record));
        }
        const BatchHashes hashes = hash_batch(openings_);
        for (std::size_t i = 0; i < count; ++i) leaf_hashes_[first + i] = hashes[i];
    }
}

void Hasher::hash_inner() {
    sort_deepest_first();
    inner_hashes_.resize(nodes_.inner.size());
    for (std::size_t at = 0; at < order_.size();) at = hash_some(at);
}

// The places of the inner nodes not hashed yet, deepest first: a counting sort.
void Hasher::sort_deepest_first() {
    const std::size_t first = inner_hashes_.size();
    std::array<std::uint32_t, kIdBits + 1> begin{};
    const auto bucket = [this](std::size_t place) {
        return kIdBits - slab_[nodes_.inner[place]].depth_byte;
    };
    for (std::size_t i = first; i < nodes_.inner.size(); ++i) ++begin[bucket(i)];
    std::uint32_t total = 0;
    for (std::uint32_t& count : begin) total += std::exchange(count, total);
    order_.resize(total);
    for (std::size_t i = first; i < nodes_.inner.size(); ++i) {
        order_[begin[bucket(i)]++] = static_cast<std::uint32_t>(i);
    }
}

// Hashes up to four nodes of one depth from place `at` of the order on; answers where the next
// begin.
std::size_t Hasher::hash_some(std::size_t at) {
    const std::uint8_t depth = slab_[nodes_.inner[order_[at]]].depth_byte;
    std::size_t count = 0;
    while (count < kBatchLanes && at + count < order_.size()) {
        const std::uint32_t cell = nodes_.inner[order_[at + count]];
        if (slab_[cell].depth_byte != depth) break;
        put(cell, messages_[count++]);
    }
    const BatchHashes hashes = hash_batch(messages_);
    for (std::size_t i = 0; i < count; ++i) inner_hashes_[order_[at + i]] = hashes[i];
    return at + count;
}

void Hasher::put(std::uint32_t cell, ShortMessage& message) {
    Node& node = slab_[cell];
    for (const Side side : {Side::left, Side::right}) {
        const std::size_t i = index_of(side);
        if (node.location[i].is_placed()) continue;
        node.synopsis[i].hash = hash_of(node.slot(side));
    }
    put_inner_preimage(message.bytes.data(), node.depth_byte, slab_.prefix(cell), node.synopsis[0],
                       node.synopsis[1]);
}

}  // namespace leither::tree
