#include "leither/crypto/seal.h"

#include <sodium.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::crypto {

static_assert(X25519PublicKey::kSize == crypto_box_PUBLICKEYBYTES);
static_assert(X25519KeyPair::Secret::kSize == crypto_box_SECRETKEYBYTES);
static_assert(kSealOverhead == crypto_box_SEALBYTES);

namespace {

constexpr std::string_view kAlikeTag = "leither/seal-alike/1";

using Nonce = std::array<std::uint8_t, crypto_box_NONCEBYTES>;

Nonce nonce_of(const X25519PublicKey& ephemeral, const X25519PublicKey& to) {
    Nonce nonce{};
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, nonce.size());
    crypto_generichash_update(&state, ephemeral.data(), X25519PublicKey::kSize);
    crypto_generichash_update(&state, to.data(), X25519PublicKey::kSize);
    crypto_generichash_final(&state, nonce.data(), nonce.size());
    return nonce;
}

std::optional<Bytes> seal_by(const X25519KeyPair& ephemeral, const X25519PublicKey& to,
                             ByteView plain) {
    Bytes sealed(kSealOverhead + plain.size());
    std::ranges::copy(ephemeral.public_key().view(), sealed.begin());
    const Nonce nonce = nonce_of(ephemeral.public_key(), to);
    const int failed =
        crypto_box_easy(sealed.data() + X25519PublicKey::kSize, plain.data(), plain.size(),
                        nonce.data(), to.data(), ephemeral.secret().data());
    if (failed != 0) return std::nullopt;
    return sealed;
}

}  // namespace

std::optional<Bytes> seal(const X25519PublicKey& to, ByteView plain, Entropy& entropy) {
    return seal_by(X25519KeyPair::generate(entropy), to, plain);
}

std::optional<Bytes> seal_alike(const X25519PublicKey& to, ByteView plain) {
    Bytes bound(to.view().begin(), to.view().end());
    bound.insert(bound.end(), plain.begin(), plain.end());
    const Hash digest = blake2b_256(bound);
    KeyPair::Seed seed{};
    std::ranges::copy(digest.view(), seed.begin());
    return seal_by(X25519KeyPair::derive(seed, kAlikeTag), to, plain);
}

std::optional<Bytes> open(const X25519KeyPair& key, ByteView sealed) {
    if (sealed.size() < kSealOverhead) return std::nullopt;
    const auto ephemeral = X25519PublicKey::copy_of(sealed.first(X25519PublicKey::kSize));
    const ByteView box = sealed.subspan(X25519PublicKey::kSize);
    const Nonce nonce = nonce_of(ephemeral, key.public_key());
    Bytes plain(sealed.size() - kSealOverhead);
    const int failed = crypto_box_open_easy(plain.data(), box.data(), box.size(), nonce.data(),
                                            ephemeral.data(), key.secret().data());
    if (failed != 0) return std::nullopt;
    return plain;
}

std::optional<X25519PublicKey> seal_key_of(const PublicKey& key) {
    X25519PublicKey converted;
    const int failed = crypto_sign_ed25519_pk_to_curve25519(converted.data(), key.data());
    if (failed != 0) return std::nullopt;
    return converted;
}

X25519KeyPair seal_pair_of(const KeyPair& key) {
    // The first half of SHA-512 of the seed, as Ed25519 itself makes its scalar (RFC 8032 5.1.5);
    // X25519 fixes the same bits of it.
    KeyPair::Seed seed = key.seed();
    SecretBytes<crypto_hash_sha512_BYTES> expanded;
    crypto_hash_sha512(expanded.data(), seed.data(), seed.size());
    erase(seed);
    return X25519KeyPair::from_secret(
        X25519KeyPair::Secret::copy_of(expanded.view().first(X25519KeyPair::Secret::kSize)));
}

}  // namespace leither::crypto
