// Ed25519 (RFC 8032) through libsodium.
//
// A signature is valid if S < L, A and R are canonical and neither has small order, and the
// cofactorless equation holds: libsodium's crypto_sign_verify_detached, nothing more or less
// (tests/unit/crypto proves it on the published edge cases). There is no batch verification.
#pragma once

#include <array>

#include "leither/base/entropy.h"
#include "leither/base/fixed_bytes.h"

namespace leither::crypto {

// Initialises libsodium; every program calls it first. CHECKs that it succeeds.
void initialise();

bool verify(const PublicKey& key, ByteView message, const Signature& signature);

// An Ed25519 key pair. The secret half is zeroised on destruction and never printed.
class KeyPair {
 public:
    static constexpr std::size_t kSeedSize = 32;
    using Seed = std::array<std::uint8_t, kSeedSize>;

    static KeyPair from_seed(const Seed& seed);
    static KeyPair generate(Entropy& entropy);

    KeyPair(const KeyPair&) = default;
    KeyPair& operator=(const KeyPair&) = default;
    ~KeyPair();

    const PublicKey& public_key() const { return public_key_; }
    const Id& id() const { return id_; }
    Seed seed() const;
    Signature sign(ByteView message) const;

 private:
    KeyPair() = default;
    PublicKey public_key_;
    Id id_;
    std::array<std::uint8_t, 64> secret_{};
};

// The n-th key of a family: seed = BLAKE2b-256(family seed | n as 8 bytes, little-endian).
KeyPair derive_key(const KeyPair::Seed& family, std::uint64_t n);

}  // namespace leither::crypto
