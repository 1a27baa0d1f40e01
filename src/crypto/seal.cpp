#include "leither/crypto/seal.h"

#include <sodium.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::crypto {

static_assert(SealKey::kSize == crypto_box_PUBLICKEYBYTES);
static_assert(SealKeyPair::kSecretSize == crypto_box_SECRETKEYBYTES);
static_assert(kSealOverhead == crypto_box_SEALBYTES);

namespace {

constexpr std::string_view kAlikeTag = "leither/seal-alike/1";

using Nonce = std::array<std::uint8_t, crypto_box_NONCEBYTES>;

Nonce nonce_of(const SealKey& ephemeral, const SealKey& to) {
    Nonce nonce{};
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, nonce.size());
    crypto_generichash_update(&state, ephemeral.data(), SealKey::kSize);
    crypto_generichash_update(&state, to.data(), SealKey::kSize);
    crypto_generichash_final(&state, nonce.data(), nonce.size());
    return nonce;
}

std::optional<Bytes> seal_by(const SealKeyPair& ephemeral, const SealKey& to, ByteView plain) {
    Bytes sealed(kSealOverhead + plain.size());
    std::ranges::copy(ephemeral.public_key().view(), sealed.begin());
    const Nonce nonce = nonce_of(ephemeral.public_key(), to);
    const int failed = crypto_box_easy(sealed.data() + SealKey::kSize, plain.data(), plain.size(),
                                       nonce.data(), to.data(), ephemeral.secret().data());
    if (failed != 0) return std::nullopt;
    return sealed;
}

}  // namespace

SealKeyPair SealKeyPair::from_secret(const Secret& secret) {
    SealKeyPair pair;
    pair.secret_ = secret;
    const int failed = crypto_scalarmult_base(pair.public_key_.data(), secret.data());
    CHECK(failed == 0);
    return pair;
}

SealKeyPair SealKeyPair::derive(const KeyPair::Seed& seed, std::string_view tag) {
    Bytes message = tagged_message(tag, ChainId{}, seed);
    Hash digest = blake2b_256(message);
    Secret secret{};
    std::ranges::copy(digest.view(), secret.begin());
    SealKeyPair pair = from_secret(secret);
    sodium_memzero(message.data(), message.size());
    sodium_memzero(digest.data(), digest.size());
    sodium_memzero(secret.data(), secret.size());
    return pair;
}

SealKeyPair SealKeyPair::of(const KeyPair& account) {
    // The first half of SHA-512 of the seed, as Ed25519 itself makes its scalar (RFC 8032 5.1.5).
    // X25519 clamps it alike.
    KeyPair::Seed seed = account.seed();
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> expanded{};
    crypto_hash_sha512(expanded.data(), seed.data(), seed.size());
    Secret secret{};
    std::copy_n(expanded.begin(), secret.size(), secret.begin());
    SealKeyPair pair = from_secret(secret);
    sodium_memzero(seed.data(), seed.size());
    sodium_memzero(expanded.data(), expanded.size());
    sodium_memzero(secret.data(), secret.size());
    return pair;
}

SealKeyPair::~SealKeyPair() {
    sodium_memzero(secret_.data(), secret_.size());
}

std::optional<SealKey> seal_key_of(const PublicKey& key) {
    SealKey converted;
    const int failed = crypto_sign_ed25519_pk_to_curve25519(converted.data(), key.data());
    if (failed != 0) return std::nullopt;
    return converted;
}

std::optional<Bytes> seal(const SealKey& to, ByteView plain, Entropy& entropy) {
    SealKeyPair::Secret secret{};
    entropy.fill(secret);
    const SealKeyPair ephemeral = SealKeyPair::from_secret(secret);
    sodium_memzero(secret.data(), secret.size());
    return seal_by(ephemeral, to, plain);
}

std::optional<Bytes> seal_alike(const SealKey& to, ByteView plain) {
    Bytes seed_of(to.view().begin(), to.view().end());
    seed_of.insert(seed_of.end(), plain.begin(), plain.end());
    const Hash digest = blake2b_256(seed_of);
    KeyPair::Seed seed{};
    std::ranges::copy(digest.view(), seed.begin());
    return seal_by(SealKeyPair::derive(seed, kAlikeTag), to, plain);
}

std::optional<Bytes> open(const SealKeyPair& key, ByteView sealed) {
    if (sealed.size() < kSealOverhead) return std::nullopt;
    const SealKey ephemeral = SealKey::copy_of(sealed.first(SealKey::kSize));
    const ByteView box = sealed.subspan(SealKey::kSize);
    const Nonce nonce = nonce_of(ephemeral, key.public_key());
    Bytes plain(sealed.size() - kSealOverhead);
    const int failed = crypto_box_open_easy(plain.data(), box.data(), box.size(), nonce.data(),
                                            ephemeral.data(), key.secret().data());
    if (failed != 0) return std::nullopt;
    return plain;
}

}  // namespace leither::crypto
