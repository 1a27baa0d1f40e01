// BLAKE2b-256 of four short messages at once.
//
// The tree hashes tens of thousands of independent one-block messages a version. Four of them fit
// the lanes of a 256-bit register and take little longer than one. Where the processor has no such
// registers the four go through libsodium one by one; the hashes are the same.
#pragma once

#include <array>

#include "leither/base/fixed_bytes.h"

namespace leither::tree {

inline constexpr std::size_t kBlockBytes = 128;
inline constexpr std::size_t kBatchLanes = 4;

// A message of at most one block. Bytes at and behind `size` are zero.
struct ShortMessage {
    std::array<std::uint8_t, kBlockBytes> bytes{};
    std::size_t size = 0;
};

using ShortMessages = std::array<ShortMessage, kBatchLanes>;
using BatchHashes = std::array<Hash, kBatchLanes>;

// REQUIRES: each size <= kBlockBytes.
BatchHashes hash_batch(const ShortMessages& messages);

}  // namespace leither::tree
