#include "leither/crypto/x25519.h"

#include <sodium.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::crypto {

static_assert(X25519PublicKey::kSize == crypto_scalarmult_BYTES);
static_assert(X25519KeyPair::Secret::kSize == crypto_scalarmult_SCALARBYTES);

X25519KeyPair X25519KeyPair::from_secret(const Secret& secret) {
    X25519KeyPair pair;
    pair.secret_ = secret;
    const int failed = crypto_scalarmult_base(pair.public_key_.data(), secret.data());
    CHECK(failed == 0);
    return pair;
}

X25519KeyPair X25519KeyPair::generate(Entropy& entropy) {
    Secret secret;
    entropy.fill(secret.span());
    return from_secret(secret);
}

X25519KeyPair X25519KeyPair::derive(const KeyPair::Seed& seed, std::string_view tag) {
    Bytes message = tagged_message(tag, ChainId{}, seed);
    Hash digest = blake2b_256(message);
    const X25519KeyPair pair = from_secret(Secret::copy_of(digest.view()));
    erase(message);
    erase(digest.span());
    return pair;
}

std::optional<SecretBytes<32>> X25519KeyPair::shared_secret(const X25519PublicKey& other) const {
    SecretBytes<32> shared;
    // Fails exactly when the result is zero.
    if (crypto_scalarmult(shared.data(), secret_.data(), other.data()) != 0) return std::nullopt;
    return shared;
}

}  // namespace leither::crypto
