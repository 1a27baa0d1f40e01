#include "leither/crypto/hkdf.h"

#include <sodium.h>

namespace leither::crypto {

namespace {

constexpr std::size_t kBlockSize = 128;
constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

// BLAKE2b-512 over the key, padded to a block, and then whatever is added.
class KeyedHash {
 public:
    KeyedHash(const HmacKey& key, std::uint8_t pad) {
        SecretBytes<kBlockSize> block;
        std::ranges::copy(key.view(), block.data());
        for (auto& byte : block.span()) byte = static_cast<std::uint8_t>(byte ^ pad);
        crypto_generichash_blake2b_init(&state_, nullptr, 0, HmacKey::kSize);
        add(block.view());
    }
    KeyedHash(const KeyedHash&) = delete;
    KeyedHash& operator=(const KeyedHash&) = delete;
    ~KeyedHash() { sodium_memzero(&state_, sizeof state_); }

    void add(ByteView data) {
        crypto_generichash_blake2b_update(&state_, data.data(), data.size());
    }
    HmacKey digest() {
        HmacKey digest;
        crypto_generichash_blake2b_final(&state_, digest.data(), HmacKey::kSize);
        return digest;
    }

 private:
    crypto_generichash_blake2b_state state_;
};

// HKDF-Expand's step: HMAC(key, previous | number).
HmacKey next_output(const HmacKey& key, ByteView previous, std::uint8_t number) {
    return hmac_blake2b_512(key, previous, {&number, 1});
}

}  // namespace

HmacKey hmac_blake2b_512(const HmacKey& key, ByteView first, ByteView second) {
    KeyedHash inner(key, kInnerPad);
    inner.add(first);
    inner.add(second);
    KeyedHash outer(key, kOuterPad);
    outer.add(inner.digest().view());
    return outer.digest();
}

std::array<HmacKey, 2> hkdf2(const HmacKey& chaining_key, ByteView input) {
    const HmacKey extracted = hmac_blake2b_512(chaining_key, input);
    const HmacKey first = next_output(extracted, {}, 1);
    return {first, next_output(extracted, first.view(), 2)};
}

std::array<HmacKey, 3> hkdf3(const HmacKey& chaining_key, ByteView input) {
    const HmacKey extracted = hmac_blake2b_512(chaining_key, input);
    const HmacKey first = next_output(extracted, {}, 1);
    const HmacKey second = next_output(extracted, first.view(), 2);
    return {first, second, next_output(extracted, second.view(), 3)};
}

}  // namespace leither::crypto
