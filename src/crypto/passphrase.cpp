#include "leither/crypto/passphrase.h"

#include <sodium.h>

#include "leither/base/check.h"

namespace leither::crypto {

static_assert(Salt::kSize == crypto_pwhash_SALTBYTES);
static_assert(GuardedSecret::kSize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(PassphraseKey::kNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(PassphraseKey::kOverhead ==
              PassphraseKey::kNonceSize + crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(std::size_t{PassphraseCost::kMemoryKibMin} << 10 >= crypto_pwhash_MEMLIMIT_MIN);

bool PassphraseCost::is_valid() const {
    return passes >= 1 && passes <= kPassesMax && memory_kib >= kMemoryKibMin &&
           memory_kib <= kMemoryKibMax;
}

Protection new_protection(Entropy& entropy, const PassphraseCost& cost) {
    CHECK(cost.is_valid());
    Protection protection{{}, cost};
    entropy.fill(protection.salt.span());
    return protection;
}

std::optional<PassphraseKey> PassphraseKey::derive(const Protection& protection,
                                                   std::string_view passphrase) {
    CHECK(protection.cost.is_valid() && passphrase.size() <= kPassphraseBytesMax);
    SecretBytes<32> key;
    const int failed =
        crypto_pwhash(key.data(), SecretBytes<32>::kSize, passphrase.data(), passphrase.size(),
                      protection.salt.data(), protection.cost.passes,
                      std::size_t{protection.cost.memory_kib} << 10, crypto_pwhash_ALG_ARGON2ID13);
    if (failed != 0) return std::nullopt;
    return PassphraseKey(protection, key);
}

Bytes PassphraseKey::seal(ByteView plain, ByteView associated, Entropy& entropy) const {
    Bytes sealed(plain.size() + kOverhead);
    const std::span<std::uint8_t> nonce = std::span(sealed).first(kNonceSize);
    entropy.fill(nonce);
    const auto key = key_.reveal();
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonceSize, nullptr, plain.data(),
                                               plain.size(), associated.data(), associated.size(),
                                               nullptr, nonce.data(), key.data());
    return sealed;
}

bool PassphraseKey::open(ByteView sealed, ByteView associated, std::span<std::uint8_t> out) const {
    CHECK(sealed.size() == out.size() + kOverhead);
    const auto key = key_.reveal();
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               out.data(), nullptr, nullptr, sealed.data() + kNonceSize, sealed.size() - kNonceSize,
               associated.data(), associated.size(), sealed.data(), key.data()) == 0;
}

}  // namespace leither::crypto
