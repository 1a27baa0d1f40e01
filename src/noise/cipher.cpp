#include "leither/noise/cipher.h"

#include <array>
#include <limits>

#include "leither/base/check.h"

namespace leither::noise {

namespace {

constexpr std::uint64_t kRekeyNonce = std::numeric_limits<std::uint64_t>::max();

}  // namespace

const char* to_string(CipherError error) {
    switch (error) {
        case CipherError::not_authentic: return "not_authentic";
        case CipherError::exhausted: return "exhausted";
    }
    UNREACHABLE();
}

Result<void, CipherError> Cipher::encrypt(ByteView associated, ByteView plain,
                                          std::span<std::uint8_t> out) {
    if (nonce_ == kRekeyNonce) return fail(CipherError::exhausted);
    crypto::aead_encrypt(key_, {crypto::aead_nonce(nonce_), associated}, plain, out);
    ++nonce_;
    return {};
}

Result<void, CipherError> Cipher::decrypt(ByteView associated, ByteView sealed,
                                          std::span<std::uint8_t> out) {
    if (nonce_ == kRekeyNonce) return fail(CipherError::exhausted);
    if (!crypto::aead_decrypt(key_, {crypto::aead_nonce(nonce_), associated}, sealed, out)) {
        return fail(CipherError::not_authentic);
    }
    ++nonce_;
    return {};
}

void Cipher::rekey() {
    static constexpr std::array<std::uint8_t, crypto::AeadKey::kSize> kZeros{};
    crypto::SecretBytes<crypto::AeadKey::kSize + kTagSize> sealed;
    crypto::aead_encrypt(key_, {crypto::aead_nonce(kRekeyNonce), {}}, kZeros, sealed.span());
    key_ = crypto::AeadKey::copy_of(sealed.view().first(crypto::AeadKey::kSize));
}

}  // namespace leither::noise
