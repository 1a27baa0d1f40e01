#include "leither/tree/synopsis.h"

#include <array>
#include <bit>
#include <vector>

#include "leither/crypto/hash.h"

#include "hash_batch.h"
#include "preimage.h"

namespace leither::tree {
namespace {

// The `depth`-bit prefix whose value is `index`.
Id row_prefix(std::size_t index, unsigned depth) {
    Id prefix;
    if (depth == 0) return prefix;
    const std::uint64_t aligned = static_cast<std::uint64_t>(index) << (64 - depth);
    for (unsigned i = 0; i < 8; ++i) prefix[i] = static_cast<std::uint8_t>(aligned >> (56 - 8 * i));
    return prefix;
}

// Halves a row of synopses in place, to the nodes of `depth`. Place i is written after places 2i
// and 2i + 1 were read, and nothing behind them is touched, so a batch may be written late.
class RowMerger {
 public:
    RowMerger(std::vector<Synopsis>& row, unsigned depth) : row_(row), depth_(depth) {
        for (ShortMessage& message : messages_) message.size = kInnerPreimageBytes;
    }

    // False if a sum overflows.
    bool run() {
        const Hash empty = empty_synopsis().hash;
        for (std::size_t i = 0; i < std::size_t{1} << depth_; ++i) {
            const Synopsis left = row_[2 * i];
            const Synopsis right = row_[2 * i + 1];
            if (left.hash == empty || right.hash == empty) {
                row_[i] = left.hash == empty ? right : left;
                continue;
            }
            const auto sum = left.sum.plus(right.sum);
            if (!sum) return false;
            row_[i].sum = *sum;
            put_inner_preimage(messages_[pending_].bytes.data(), depth_, row_prefix(i, depth_),
                               left, right);
            places_[pending_++] = i;
            if (pending_ == kBatchLanes) flush();
        }
        flush();
        return true;
    }

 private:
    void flush() {
        if (pending_ == 0) return;
        const BatchHashes hashes = hash_batch(messages_);
        for (std::size_t i = 0; i < pending_; ++i) row_[places_[i]].hash = hashes[i];
        pending_ = 0;
    }

    std::vector<Synopsis>& row_;
    unsigned depth_;
    ShortMessages messages_;
    std::array<std::size_t, kBatchLanes> places_{};
    std::size_t pending_ = 0;
};

}  // namespace

Synopsis empty_synopsis() {
    static const Synopsis kEmpty = [] {
        const std::array preimage{static_cast<std::uint8_t>(Domain::empty)};
        return Synopsis{crypto::blake2b_256(preimage), Amount{}};
    }();
    return kEmpty;
}

Hash record_hash(ByteView record) {
    // Records of members are small: the preimage of nearly all of them fits on the stack.
    constexpr std::size_t kOnStack = 512;
    if (record.size() < kOnStack) {
        std::array<std::uint8_t, kOnStack> preimage;
        preimage[0] = static_cast<std::uint8_t>(Domain::record);
        put_bytes(preimage.data() + 1, record);
        return crypto::blake2b_256(ByteView(preimage).first(record.size() + 1));
    }
    Bytes preimage{static_cast<std::uint8_t>(Domain::record)};
    preimage.insert(preimage.end(), record.begin(), record.end());
    return crypto::blake2b_256(preimage);
}

Hash leaf_hash(const Id& id, const Hash& record_hash) {
    std::array<std::uint8_t, kLeafPreimageBytes> preimage;
    put_leaf_preimage(preimage.data(), id, record_hash);
    return crypto::blake2b_256(preimage);
}

Hash inner_hash(unsigned depth, const Id& prefix, const Synopsis& left, const Synopsis& right) {
    DCHECK(depth < kIdBits && prefix_of(prefix, depth) == prefix);
    std::array<std::uint8_t, kInnerPreimageBytes> preimage;
    put_inner_preimage(preimage.data(), depth, prefix, left, right);
    return crypto::blake2b_256(preimage);
}

Id prefix_of(const Id& id, unsigned depth) {
    DCHECK(depth <= kIdBits);
    Id prefix;
    const unsigned whole = depth / 8;
    std::copy_n(id.data(), whole, prefix.data());
    if (depth % 8 != 0) {
        prefix[whole] = static_cast<std::uint8_t>(id[whole] & (0xff00U >> (depth % 8)));
    }
    return prefix;
}

unsigned common_bits(const Id& a, const Id& b) {
    for (unsigned i = 0; i < Id::kSize; ++i) {
        const auto difference = static_cast<std::uint8_t>(a[i] ^ b[i]);
        if (difference != 0) return 8 * i + static_cast<unsigned>(std::countl_zero(difference));
    }
    return kIdBits;
}

std::optional<Synopsis> merge_branches(std::span<const Synopsis> branches) {
    constexpr unsigned kDepthMax = 24;
    CHECK(std::has_single_bit(branches.size()) && branches.size() <= std::size_t{1} << kDepthMax);
    std::vector<Synopsis> row(branches.begin(), branches.end());
    for (auto depth = static_cast<unsigned>(std::countr_zero(branches.size())); depth-- > 0;) {
        if (!RowMerger(row, depth).run()) return std::nullopt;
    }
    return row[0];
}

}  // namespace leither::tree
