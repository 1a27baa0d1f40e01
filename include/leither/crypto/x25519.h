// X25519 key agreement (RFC 7748) through libsodium.
#pragma once

#include <optional>
#include <string_view>

#include "leither/crypto/secret.h"
#include "leither/crypto/sign.h"

namespace leither::crypto {

using X25519PublicKey = FixedBytes<struct X25519PublicKeyTag, 32>;

class X25519KeyPair {
 public:
    using Secret = SecretBytes<32>;

    // Any 32 bytes are a secret; the curve ignores the bits that RFC 7748 fixes.
    static X25519KeyPair from_secret(const Secret& secret);
    static X25519KeyPair generate(Entropy& entropy);
    // Secret = BLAKE2b-256 of the tagged message (hash.h) of `tag`, 32 zero bytes and the seed: one
    // seed gives a key for each tag, and none of them tells of another or of the signing key.
    static X25519KeyPair derive(const KeyPair::Seed& seed, std::string_view tag);

    const X25519PublicKey& public_key() const { return public_key_; }
    const Secret& secret() const { return secret_; }

    // Nothing if `other` has small order: the secret would be zero whatever ours is.
    std::optional<SecretBytes<32>> shared_secret(const X25519PublicKey& other) const;

 private:
    X25519KeyPair() = default;
    X25519PublicKey public_key_;
    Secret secret_;
};

}  // namespace leither::crypto
