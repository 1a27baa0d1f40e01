// Sealed boxes: bytes that only the holder of one X25519 secret can read, from a writer who stays
// anonymous. The format is libsodium's crypto_box_seal: ephemeral key (32) | crypto_box of the
// plain bytes under the nonce BLAKE2b-192(ephemeral key | recipient's key). It is composed here
// because libsodium draws the ephemeral key itself, and a run could not be replayed.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "leither/crypto/sign.h"

namespace leither::crypto {

// An X25519 public key to which something can be sealed.
using SealKey = FixedBytes<struct SealKeyTag, 32>;

// The secret is zeroised on destruction and never printed.
class SealKeyPair {
 public:
    static constexpr std::size_t kSecretSize = 32;
    using Secret = std::array<std::uint8_t, kSecretSize>;

    // The secret is BLAKE2b-256 of tag and seed: one seed gives a key for each tag, and none of
    // them tells of another or of the signing key.
    static SealKeyPair derive(const KeyPair::Seed& seed, std::string_view tag);
    static SealKeyPair from_secret(const Secret& secret);
    // The one that belongs to `seal_key_of(account.public_key())`.
    static SealKeyPair of(const KeyPair& account);

    SealKeyPair(const SealKeyPair&) = default;
    SealKeyPair& operator=(const SealKeyPair&) = default;
    ~SealKeyPair();

    const SealKey& public_key() const { return public_key_; }
    const Secret& secret() const { return secret_; }

 private:
    SealKeyPair() = default;
    SealKey public_key_;
    Secret secret_{};
};

// The same point of the curve as the signing key, in its other form: whoever can sign as `key` can
// open what is sealed to it. Nothing for bytes that are no key of large order.
std::optional<SealKey> seal_key_of(const PublicKey& key);

inline constexpr std::size_t kSealOverhead = 48;

// Nothing if `to` is a key of small order, which everybody could open.
std::optional<Bytes> seal(const SealKey& to, ByteView plain, Entropy& entropy);
// The same bytes whoever seals them, so that several can keep one copy. Hides `plain` only if
// nobody can guess it; a signature inside sees to that.
std::optional<Bytes> seal_alike(const SealKey& to, ByteView plain);

// Nothing if it was not sealed to this key or has been altered.
std::optional<Bytes> open(const SealKeyPair& key, ByteView sealed);

}  // namespace leither::crypto
