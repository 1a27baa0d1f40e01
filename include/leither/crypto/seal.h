// Sealed boxes: bytes that only the holder of one X25519 secret can read, from a writer who stays
// anonymous. The format is libsodium's crypto_box_seal: ephemeral key (32) | crypto_box of the
// plain bytes under the nonce BLAKE2b-192(ephemeral key | recipient's key). It is composed here
// because libsodium draws the ephemeral key itself, and a run could not be replayed.
#pragma once

#include <optional>

#include "leither/crypto/x25519.h"

namespace leither::crypto {

inline constexpr std::size_t kSealOverhead = 48;

// Nothing if `to` is a key of small order, which everybody could open.
std::optional<Bytes> seal(const X25519PublicKey& to, ByteView plain, Entropy& entropy);
// The same bytes whoever seals them, so that several can keep one copy. Hides `plain` only if
// nobody can guess it; a signature inside sees to that.
std::optional<Bytes> seal_alike(const X25519PublicKey& to, ByteView plain);

// Nothing if it was not sealed to this key or has been altered.
std::optional<Bytes> open(const X25519KeyPair& key, ByteView sealed);

// A signing key in its other form, the same point of the curve: what is sealed to it can be opened
// by whoever can sign. Nothing for bytes that are no key of large order.
std::optional<X25519PublicKey> seal_key_of(const PublicKey& key);
// Its public half is seal_key_of(key.public_key()).
X25519KeyPair seal_pair_of(const KeyPair& key);

}  // namespace leither::crypto
