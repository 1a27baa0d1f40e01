#include "leither/crypto/aead.h"

#include <sodium.h>

#include "leither/base/check.h"

namespace leither::crypto {

static_assert(kAeadTagSize == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(AeadKey::kSize == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
static_assert(sizeof(AeadNonce) == crypto_aead_chacha20poly1305_ietf_NPUBBYTES);

AeadNonce aead_nonce(std::uint64_t n) {
    AeadNonce nonce{};
    for (std::size_t i = 0; i < sizeof n; ++i) {
        nonce[4 + i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return nonce;
}

void aead_encrypt(const AeadKey& key, const AeadContext& context, ByteView plain,
                  std::span<std::uint8_t> out) {
    CHECK(out.size() == plain.size() + kAeadTagSize);
    crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, plain.data(), plain.size(),
                                              context.associated.data(), context.associated.size(),
                                              nullptr, context.nonce.data(), key.data());
}

bool aead_decrypt(const AeadKey& key, const AeadContext& context, ByteView sealed,
                  std::span<std::uint8_t> out) {
    CHECK(sealed.size() == out.size() + kAeadTagSize);
    return crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(),
                                                     sealed.size(), context.associated.data(),
                                                     context.associated.size(),
                                                     context.nonce.data(), key.data()) == 0;
}

}  // namespace leither::crypto
