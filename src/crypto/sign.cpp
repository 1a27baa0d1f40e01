#include "leither/crypto/sign.h"

#include <sodium.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::crypto {

static_assert(PublicKey::kSize == crypto_sign_PUBLICKEYBYTES);
static_assert(Signature::kSize == crypto_sign_BYTES);
static_assert(KeyPair::kSeedSize == crypto_sign_SEEDBYTES);

void initialise() {
    CHECK(sodium_init() >= 0);
}

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
    return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       key.data()) == 0;
}

KeyPair KeyPair::from_seed(const Seed& seed) {
    KeyPair pair;
    static_assert(sizeof(pair.secret_) == crypto_sign_SECRETKEYBYTES);
    const int failed =
        crypto_sign_seed_keypair(pair.public_key_.data(), pair.secret_.data(), seed.data());
    CHECK(failed == 0);
    pair.id_ = id_of(pair.public_key_);
    return pair;
}

KeyPair KeyPair::generate(Entropy& entropy) {
    Seed seed{};
    entropy.fill(seed);
    KeyPair pair = from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return pair;
}

KeyPair::~KeyPair() {
    sodium_memzero(secret_.data(), secret_.size());
}

KeyPair::Seed KeyPair::seed() const {
    Seed seed{};
    crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.data());
    return seed;
}

Signature KeyPair::sign(ByteView message) const {
    Signature signature;
    crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
    return signature;
}

KeyPair derive_key(const KeyPair::Seed& family, std::uint64_t n) {
    std::array<std::uint8_t, KeyPair::kSeedSize + sizeof(n)> input{};
    std::copy(family.begin(), family.end(), input.begin());
    for (std::size_t i = 0; i < sizeof(n); ++i) {
        input[KeyPair::kSeedSize + i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    Hash digest = blake2b_256(input);
    KeyPair::Seed seed{};
    std::copy(digest.view().begin(), digest.view().end(), seed.begin());
    KeyPair pair = KeyPair::from_seed(seed);
    sodium_memzero(input.data(), input.size());
    sodium_memzero(digest.data(), digest.size());
    sodium_memzero(seed.data(), seed.size());
    return pair;
}

}  // namespace leither::crypto
