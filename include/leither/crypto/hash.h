// BLAKE2b (RFC 7693) through libsodium.
//
// Inside the ledger tree, nodes are hashed by their own one-byte domains (docs/protocol/tree.md).
// Everything else that is hashed or signed starts with the BCS of its domain tag, then the chain
// id, so nothing can be replayed across organizations, forks or roles: use `tagged_hash`.
#pragma once

#include <string_view>

#include "leither/base/fixed_bytes.h"

namespace leither::crypto {

Hash blake2b_256(ByteView data);
Salt blake2b_128(ByteView data);
// Of the concatenation of both parts.
using WideHash = FixedBytes<struct WideHashTag, 64>;
WideHash blake2b_512(ByteView first, ByteView second = {});
// The account number of a key: BLAKE2b-160 of its 32 bytes.
Id id_of(const PublicKey& key);

// Tags are our own constants; a longer one is a bug.
inline constexpr std::size_t kTagSizeMax = 127;

// The bytes that are hashed or signed: BCS(tag) | chain | body. The tag's length comes first and
// the chain id has a fixed length, so two different triples never give the same bytes. REQUIRES:
// tag.size() <= kTagSizeMax
Bytes tagged_message(std::string_view tag, const ChainId& chain, ByteView body);
Hash tagged_hash(std::string_view tag, const ChainId& chain, ByteView body);

}  // namespace leither::crypto
