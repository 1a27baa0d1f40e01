#include "leither/crypto/hash.h"

#include <sodium.h>

#include "leither/base/check.h"

namespace leither::crypto {

namespace {

template <class Digest>
Digest blake2b(ByteView data) {
    Digest digest;
    const int failed = crypto_generichash_blake2b(digest.data(), Digest::kSize, data.data(),
                                                  data.size(), nullptr, 0);
    CHECK(failed == 0);
    return digest;
}

void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

Hash blake2b_256(ByteView data) {
    return blake2b<Hash>(data);
}
Salt blake2b_128(ByteView data) {
    return blake2b<Salt>(data);
}
WideHash blake2b_512(ByteView first, ByteView second) {
    WideHash digest;
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, WideHash::kSize);
    crypto_generichash_blake2b_update(&state, first.data(), first.size());
    crypto_generichash_blake2b_update(&state, second.data(), second.size());
    crypto_generichash_blake2b_final(&state, digest.data(), WideHash::kSize);
    return digest;
}
Id id_of(const PublicKey& key) {
    return blake2b<Id>(key.view());
}

Bytes tagged_message(std::string_view tag, const ChainId& chain, ByteView body) {
    // A length below 128 is one byte in BCS, so the room needs no codec.
    CHECK(tag.size() <= kTagSizeMax);
    Bytes message;
    message.reserve(1 + tag.size() + ChainId::kSize + body.size());
    message.push_back(static_cast<std::uint8_t>(tag.size()));
    append(message, as_bytes(tag));
    append(message, chain.view());
    append(message, body);
    return message;
}

Hash tagged_hash(std::string_view tag, const ChainId& chain, ByteView body) {
    return blake2b_256(tagged_message(tag, chain, body));
}

}  // namespace leither::crypto
