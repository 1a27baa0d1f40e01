// ChaCha20-Poly1305 with 96-bit nonces (RFC 8439) through libsodium.
//
// A key must never encrypt two texts under one nonce. Input and output may be the same bytes.
#pragma once

#include <array>

#include "leither/crypto/secret.h"

namespace leither::crypto {

inline constexpr std::size_t kAeadTagSize = 16;
using AeadKey = SecretBytes<32>;
using AeadNonce = std::array<std::uint8_t, 12>;

// As the Noise framework counts: 32 zero bits, then `n` little-endian.
AeadNonce aead_nonce(std::uint64_t n);

// What is encrypted and sent besides the text: the nonce, and bytes that are authenticated only.
struct AeadContext {
    AeadNonce nonce{};
    ByteView associated;
};

// Ciphertext and tag. REQUIRES: out.size() == plain.size() + kAeadTagSize.
void aead_encrypt(const AeadKey& key, const AeadContext& context, ByteView plain,
                  std::span<std::uint8_t> out);

// False if `sealed` is not what the key's holder encrypted in this context; `out` then holds
// nothing of the text. REQUIRES: sealed.size() == out.size() + kAeadTagSize.
[[nodiscard]] bool aead_decrypt(const AeadKey& key, const AeadContext& context, ByteView sealed,
                                std::span<std::uint8_t> out);

}  // namespace leither::crypto
