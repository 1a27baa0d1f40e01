// The bytes that are hashed for leaves and inner nodes; private to the room, so that one and many
// nodes are hashed from the same layout.
#pragma once

#include "leither/tree/synopsis.h"

#include "hash_batch.h"

namespace leither::tree {

// First byte of every preimage in the tree. Part of the protocol; never change these values.
enum class Domain : std::uint8_t { leaf = 0x00, inner = 0x01, record = 0x02, empty = 0x03 };

inline constexpr std::size_t kLeafPreimageBytes = 1 + Id::kSize + Hash::kSize;
inline constexpr std::size_t kInnerPreimageBytes = 1 + 1 + Id::kSize + 2 * (Hash::kSize + 8);
static_assert(kInnerPreimageBytes == 102, "an inner node must fill one BLAKE2b block, not two");
static_assert(kInnerPreimageBytes <= kBlockBytes);

inline std::uint8_t* put_bytes(std::uint8_t* out, ByteView bytes) {
    return std::copy(bytes.begin(), bytes.end(), out);
}

inline std::uint8_t* put_synopsis(std::uint8_t* out, const Synopsis& synopsis) {
    out = put_bytes(out, synopsis.hash.view());
    const std::uint64_t units = synopsis.sum.units();
    for (unsigned i = 0; i < 8; ++i) *out++ = static_cast<std::uint8_t>(units >> (8 * i));
    return out;
}

inline void put_leaf_preimage(std::uint8_t* out, const Id& id, const Hash& record_hash) {
    *out++ = static_cast<std::uint8_t>(Domain::leaf);
    put_bytes(put_bytes(out, id.view()), record_hash.view());
}

inline void put_inner_preimage(std::uint8_t* out, unsigned depth, const Id& prefix,
                               const Synopsis& left, const Synopsis& right) {
    *out++ = static_cast<std::uint8_t>(Domain::inner);
    *out++ = static_cast<std::uint8_t>(depth);
    put_synopsis(put_synopsis(put_bytes(out, prefix.view()), left), right);
}

}  // namespace leither::tree
