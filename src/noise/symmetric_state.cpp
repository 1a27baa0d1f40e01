#include "leither/noise/symmetric_state.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::noise {

namespace {

crypto::WideHash initial_hash(ByteView protocol_name) {
    if (protocol_name.size() > crypto::WideHash::kSize) return crypto::blake2b_512(protocol_name);
    crypto::WideHash hash;
    std::ranges::copy(protocol_name, hash.data());
    return hash;
}

crypto::AeadKey key_from(const crypto::HmacKey& output) {
    return crypto::AeadKey::copy_of(output.view().first(crypto::AeadKey::kSize));
}

}  // namespace

SymmetricState::SymmetricState(ByteView protocol_name) : hash_(initial_hash(protocol_name)) {
    chaining_key_ = crypto::HmacKey::copy_of(hash_.view());
}

void SymmetricState::mix_key(ByteView input) {
    const auto outputs = crypto::hkdf2(chaining_key_, input);
    chaining_key_ = outputs[0];
    cipher_.emplace(key_from(outputs[1]));
}

void SymmetricState::mix_hash(ByteView data) {
    hash_ = crypto::blake2b_512(hash_.view(), data);
}

void SymmetricState::mix_key_and_hash(ByteView input) {
    const auto outputs = crypto::hkdf3(chaining_key_, input);
    chaining_key_ = outputs[0];
    mix_hash(outputs[1].view());
    cipher_.emplace(key_from(outputs[2]));
}

void SymmetricState::encrypt_and_hash(ByteView plain, Bytes& message) {
    const std::size_t begin = message.size();
    message.resize(begin + plain.size() + overhead());
    const auto out = std::span(message).subspan(begin);
    if (cipher_) {
        const auto done = cipher_->encrypt(hash_.view(), plain, out);
        CHECK(done.has_value());  // a handshake has a handful of messages
    } else {
        std::ranges::copy(plain, out.begin());
    }
    mix_hash(out);
}

std::optional<Bytes> SymmetricState::decrypt_and_hash(ByteView sealed) {
    Bytes plain(sealed.size() - overhead());
    if (!cipher_) {
        std::ranges::copy(sealed, plain.begin());
    } else if (!cipher_->decrypt(hash_.view(), sealed, plain)) {
        return std::nullopt;
    }
    mix_hash(sealed);
    return plain;
}

Ciphers SymmetricState::split(Role role) const {
    const auto outputs = crypto::hkdf2(chaining_key_, {});
    Cipher of_initiator(key_from(outputs[0]));
    Cipher of_responder(key_from(outputs[1]));
    if (role == Role::initiator) return {std::move(of_initiator), std::move(of_responder)};
    return {std::move(of_responder), std::move(of_initiator)};
}

}  // namespace leither::noise
