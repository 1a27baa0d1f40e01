// The synopsis of a tree node: hash and sum of everything below it (docs/protocol/tree.md).
//
// Each hash is one BLAKE2b-256 over one domain byte and fixed fields:
//   empty  H(0x03)
//   record H(0x02, record bytes)
//   leaf   H(0x00, id, record hash)
//   inner  H(0x01, depth, prefix, left hash, left sum, right hash, right sum)
// depth is a byte; prefix is the first `depth` bits of every id below, zero-padded to 20 bytes;
// sums are 8 bytes little-endian. The inner preimage is 102 bytes, one BLAKE2b block. Both child
// sums stay separate fields, so a wrong split cannot hide behind a right total (Maxwell's
// summation-tree flaw).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "leither/base/prefix.h"
#include "leither/base/synopsis.h"

namespace leither::tree {

using leither::kIdBits;
using leither::Prefix;
using leither::Synopsis;

const Synopsis& empty_synopsis();
Hash record_hash(ByteView record);
Hash leaf_hash(const Id& id, const Hash& record_hash);
// REQUIRES: `prefix` has no bit set at or behind `depth`; depth < kIdBits.
Hash inner_hash(unsigned depth, const Id& prefix, const Synopsis& left, const Synopsis& right);

// The root over a complete row of branch synopses: branches[i] is the synopsis below the
// log2(size)-bit prefix i. An upper branch re-adds sums and hashes; it sees no account (protocol
// §6). A branch with no account is empty_synopsis(); a node with one non-empty child is replaced by
// it, as in the tree itself. Nothing if a sum overflows. REQUIRES: size is a power of two, <= 2^24.
std::optional<Synopsis> merge_branches(std::span<const Synopsis> branches);

}  // namespace leither::tree
