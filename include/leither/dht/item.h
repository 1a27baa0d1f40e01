// Items of the DHT (BEP 44): a bencoded value under the SHA-1 of its bytes (immutable), or under
// the SHA-1 of a public key and a salt (mutable), signed and numbered by its one writer.
//
// The raw bytes of a value are kept as they came: encoding them anew could break the signature.
// Whoever reads an item from the network checks it with `check`, whatever its sender said.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/fixed_bytes.h"
#include "leither/base/result.h"
#include "leither/crypto/sign.h"
#include "leither/dht/short_bytes.h"

namespace leither::dht {

// The longest value, bencoded.
inline constexpr std::size_t kValueBytesMax = 1000;
// What `value_of` takes: foreign clients count with or without the length prefix, so stay below.
inline constexpr std::size_t kContentBytesMax = 990;
// How deep lists and dictionaries may nest in a value: it lies two deep in a datagram of 16.
inline constexpr unsigned kValueDepthMax = 14;
inline constexpr std::size_t kSaltBytesMax = 64;
// The greatest sequence we write: a foreign node may count in JavaScript's numbers. Up to 2^63-1 is
// read.
inline constexpr std::int64_t kSequenceMax = (std::int64_t{1} << 53) - 1;

// Empty is the same as no salt.
using ItemSalt = ShortBytes<kSaltBytesMax>;

// What makes an item mutable.
struct Authorship {
    PublicKey key;
    ItemSalt salt;
    std::int64_t sequence = 0;
    Signature signature;
    friend bool operator==(const Authorship&, const Authorship&) = default;
};

struct Item {
    Bytes value;  // bencoded
    std::optional<Authorship> author;
    friend bool operator==(const Item&, const Item&) = default;
};

// Its author's; 0 of an immutable item.
inline std::int64_t sequence_of(const Item& item) {
    return item.author ? item.author->sequence : 0;
}
// Which of two items under one target all readers take: the newer. Two values under one sequence
// are their writer's fault; of these it is the greater.
inline bool outranks(const Item& a, const Item& b) {
    if (sequence_of(a) != sequence_of(b)) return sequence_of(a) > sequence_of(b);
    return a.value > b.value;
}

// In order of precedence.
enum class ItemError : std::uint8_t {
    value_too_big,          // more than kValueBytesMax
    value_not_canonical,    // not one bencoded value in its only encoding
    sequence_out_of_range,  // negative
    bad_signature,          // not signed by this key over this salt, sequence and value
    wrong_target,           // the item belongs under another target
};
const char* to_string(ItemError error);

Id immutable_target(ByteView value);
Id mutable_target(const PublicKey& key, const ItemSalt& salt);
Id target_of(const Item& item);

// The bytes a mutable item's signature is over, as BEP 44 spells them.
Bytes signed_bytes(const ItemSalt& salt, std::int64_t sequence, ByteView value);

// A mutable item under `key`. REQUIRES: value is canonical bencode of at most kValueBytesMax, and
// 0 <= sequence <= kSequenceMax.
Item sign_item(const crypto::KeyPair& key, const ItemSalt& salt, std::int64_t sequence,
               Bytes value);

// All that can be told of an item without knowing where it is stored.
Result<void, ItemError> check(const Item& item);
// And that it belongs under `target`.
Result<void, ItemError> check(const Item& item, const Id& target);

// Our own values are one byte string each. REQUIRES: content.size() <= kContentBytesMax.
Bytes value_of(ByteView content);
// The byte string that `value` is, nothing if it is another kind of value.
std::optional<ByteView> content_of(ByteView value);

}  // namespace leither::dht
