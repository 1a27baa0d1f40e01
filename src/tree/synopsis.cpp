#include "leither/tree/synopsis.h"

#include <array>
#include <bit>
#include <vector>

#include "leither/crypto/hash.h"

namespace leither::tree {
namespace {

// First byte of every preimage in the tree. Part of the protocol; never change these values.
enum class Domain : std::uint8_t { leaf = 0x00, inner = 0x01, record = 0x02, empty = 0x03 };

constexpr std::size_t kLeafPreimageBytes = 1 + Id::kSize + Hash::kSize;
constexpr std::size_t kInnerPreimageBytes = 1 + 1 + Id::kSize + 2 * (Hash::kSize + 8);
static_assert(kInnerPreimageBytes == 102, "an inner node must fill one BLAKE2b block, not two");

std::uint8_t* put_bytes(std::uint8_t* out, ByteView bytes) {
    return std::copy(bytes.begin(), bytes.end(), out);
}

std::uint8_t* put_synopsis(std::uint8_t* out, const Synopsis& synopsis) {
    out = put_bytes(out, synopsis.hash.view());
    const std::uint64_t units = synopsis.sum.units();
    for (unsigned i = 0; i < 8; ++i) *out++ = static_cast<std::uint8_t>(units >> (8 * i));
    return out;
}

void put_leaf_preimage(std::uint8_t* out, const Id& id, const Hash& record_hash) {
    *out++ = static_cast<std::uint8_t>(Domain::leaf);
    put_bytes(put_bytes(out, id.view()), record_hash.view());
}

void put_inner_preimage(std::uint8_t* out, unsigned depth, const Id& prefix, const Synopsis& left,
                        const Synopsis& right) {
    *out++ = static_cast<std::uint8_t>(Domain::inner);
    *out++ = static_cast<std::uint8_t>(depth);
    put_synopsis(put_synopsis(put_bytes(out, prefix.view()), left), right);
}

// The `depth`-bit prefix whose value is `index`.
Id row_prefix(std::size_t index, unsigned depth) {
    Id prefix;
    if (depth == 0) return prefix;
    const std::uint64_t aligned = static_cast<std::uint64_t>(index) << (64 - depth);
    for (unsigned i = 0; i < 8; ++i) prefix[i] = static_cast<std::uint8_t>(aligned >> (56 - 8 * i));
    return prefix;
}

// The parent at (`depth`, `prefix`) of two subtrees of which either may be empty. Nothing if the
// sum overflows.
std::optional<Synopsis> merge(unsigned depth, const Id& prefix, const Synopsis& left,
                              const Synopsis& right) {
    const Hash& empty = empty_synopsis().hash;
    if (left.hash == empty) return right;
    if (right.hash == empty) return left;
    const auto sum = left.sum.plus(right.sum);
    if (!sum) return std::nullopt;
    return Synopsis{inner_hash(depth, prefix, left, right), *sum};
}

}  // namespace

const Synopsis& empty_synopsis() {
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

std::optional<Synopsis> merge_branches(std::span<const Synopsis> branches) {
    constexpr unsigned kDepthMax = 24;
    CHECK(std::has_single_bit(branches.size()) && branches.size() <= std::size_t{1} << kDepthMax);
    std::vector<Synopsis> row(branches.begin(), branches.end());
    for (auto depth = static_cast<unsigned>(std::countr_zero(branches.size())); depth-- > 0;) {
        for (std::size_t i = 0; i < std::size_t{1} << depth; ++i) {
            const auto merged = merge(depth, row_prefix(i, depth), row[2 * i], row[2 * i + 1]);
            if (!merged) return std::nullopt;
            row[i] = *merged;  // places 2i and 2i + 1 were read, nothing behind them is touched
        }
    }
    return row[0];
}

}  // namespace leither::tree
