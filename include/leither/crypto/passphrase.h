// What seals key files: a key derived from a passphrase by Argon2id (RFC 9106), and texts sealed
// with it by XChaCha20-Poly1305, both through libsodium.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "leither/base/entropy.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/result.h"
#include "leither/crypto/guarded.h"

namespace leither::crypto {

// How dear one guess is. A file tells its own, so both are bounded before anything is allocated.
struct PassphraseCost {
    static constexpr std::uint32_t kPassesMax = 16;
    static constexpr std::uint32_t kMemoryKibMin = 8;
    static constexpr std::uint32_t kMemoryKibMax = 1 << 20;

    std::uint32_t passes = 3;
    std::uint32_t memory_kib = 64 << 10;
    bool is_valid() const;
    friend bool operator==(const PassphraseCost&, const PassphraseCost&) = default;
};

// Tells apart what one passphrase gives in two wallets.
struct Protection {
    Salt salt;
    PassphraseCost cost;
    friend bool operator==(const Protection&, const Protection&) = default;
};
Protection new_protection(Entropy& entropy, const PassphraseCost& cost = {});

inline constexpr std::size_t kPassphraseBytesMax = 1024;

class PassphraseKey {
 public:
    static constexpr std::size_t kNonceSize = 24;
    static constexpr std::size_t kOverhead = kNonceSize + 16;

    // Takes a fraction of a second and the memory that the cost names; nothing if there is not so
    // much. REQUIRES: protection.cost.is_valid(), passphrase.size() <= kPassphraseBytesMax.
    static std::optional<PassphraseKey> derive(const Protection& protection,
                                               std::string_view passphrase);

    const Protection& protection() const { return protection_; }

    // Nonce, ciphertext and tag. `associated` is authenticated only.
    Bytes seal(ByteView plain, ByteView associated, Entropy& entropy) const;
    // Into `out`; false if it was not sealed with this key and `associated`, or has been altered.
    // REQUIRES: sealed.size() == out.size() + kOverhead.
    [[nodiscard]] bool open(ByteView sealed, ByteView associated,
                            std::span<std::uint8_t> out) const;

 private:
    PassphraseKey(const Protection& protection, const SecretBytes<32>& key)
        : protection_(protection), key_(key) {}

    Protection protection_;
    GuardedSecret key_;
};

}  // namespace leither::crypto
