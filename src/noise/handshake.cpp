#include "leither/noise/handshake.h"

#include <string>

#include "leither/base/check.h"

namespace leither::noise {

namespace {

Bytes protocol_name(const Pattern& pattern) {
    const std::string name = "Noise_" + std::string(pattern.name) + "_25519_ChaChaPoly_BLAKE2b";
    return Bytes(name.begin(), name.end());
}

// The private key of ours and public key of the other that a Diffie-Hellman token combines.
struct DhKeys {
    Token ours;
    Token others;
};

DhKeys dh_keys(Token token, Role role) {
    const bool initiator = role == Role::initiator;
    switch (token) {
        case Token::ee: return {Token::e, Token::e};
        case Token::es: return initiator ? DhKeys{Token::e, Token::s} : DhKeys{Token::s, Token::e};
        case Token::se: return initiator ? DhKeys{Token::s, Token::e} : DhKeys{Token::e, Token::s};
        case Token::ss: return {Token::s, Token::s};
        case Token::e:
        case Token::s:
        case Token::psk: break;
    }
    UNREACHABLE();
}

}  // namespace

// The front of a message, piece by piece.
class Handshake::Reader {
 public:
    explicit Reader(ByteView message) : rest_(message) {}

    std::optional<ByteView> take(std::size_t size) {
        if (rest_.size() < size) return std::nullopt;
        const ByteView piece = rest_.first(size);
        rest_ = rest_.subspan(size);
        return piece;
    }
    ByteView rest() const { return rest_; }

 private:
    ByteView rest_;
};

const char* to_string(HandshakeError error) {
    switch (error) {
        case HandshakeError::too_long: return "too_long";
        case HandshakeError::too_short: return "too_short";
        case HandshakeError::bad_key: return "bad_key";
        case HandshakeError::not_authentic: return "not_authentic";
    }
    UNREACHABLE();
}

Handshake::Handshake(HandshakeSetup setup, Entropy& entropy)
    : pattern_(&setup.pattern),
      role_(setup.role),
      entropy_(&entropy),
      symmetric_(protocol_name(setup.pattern)),
      static_key_(std::move(setup.static_key)),
      remote_static_(std::move(setup.remote_static)),
      psks_(std::move(setup.psks)) {
    symmetric_.mix_hash(setup.prologue);
    mix_known_keys();
}

void Handshake::mix_known_keys() {
    const auto mix = [this](const TokenList& known, Role owner) {
        for (const Token token : known) {
            CHECK(token == Token::s);
            const bool ours = owner == role_;
            CHECK(ours ? static_key_.has_value() : remote_static_.has_value());
            symmetric_.mix_hash((ours ? static_key_->public_key() : *remote_static_).view());
        }
    };
    mix(pattern_->known_of_initiator, Role::initiator);
    mix(pattern_->known_of_responder, Role::responder);
}

Handshake::Turn Handshake::turn() const {
    if (messages_done_ == pattern_->message_count()) return Turn::done;
    const Role writer = messages_done_ % 2 == 0 ? Role::initiator : Role::responder;
    return writer == role_ ? Turn::write : Turn::read;
}

Result<Bytes, HandshakeError> Handshake::write(ByteView payload) {
    CHECK(turn() == Turn::write && !refused_);
    refused_ = true;  // until the end is reached
    Bytes message;
    for (const Token token : pattern_->messages[messages_done_]) {
        TRY(write_token(token, message));
    }
    symmetric_.encrypt_and_hash(payload, message);
    CHECK(message.size() <= kMessageMax);
    ++messages_done_;
    refused_ = false;
    return message;
}

Result<Bytes, HandshakeError> Handshake::read(ByteView message) {
    CHECK(turn() == Turn::read && !refused_);
    refused_ = true;  // until the end is reached
    if (message.size() > kMessageMax) return fail(HandshakeError::too_long);
    Reader reader(message);
    for (const Token token : pattern_->messages[messages_done_]) TRY(read_token(token, reader));
    if (reader.rest().size() < symmetric_.overhead()) return fail(HandshakeError::too_short);
    auto payload = symmetric_.decrypt_and_hash(reader.rest());
    if (!payload) return fail(HandshakeError::not_authentic);
    ++messages_done_;
    refused_ = false;
    return std::move(*payload);
}

Handshake::Done Handshake::write_token(Token token, Bytes& message) {
    switch (token) {
        case Token::e: {
            ephemeral_ = X25519KeyPair::generate(*entropy_);
            const X25519PublicKey& key = ephemeral_->public_key();
            message.insert(message.end(), key.view().begin(), key.view().end());
            mix_ephemeral(key);
            return {};
        }
        case Token::s:
            CHECK(static_key_.has_value());
            symmetric_.encrypt_and_hash(static_key_->public_key().view(), message);
            return {};
        case Token::psk: mix_psk(); return {};
        case Token::ee:
        case Token::es:
        case Token::se:
        case Token::ss: return mix_dh(token);
    }
    UNREACHABLE();
}

Handshake::Done Handshake::read_token(Token token, Reader& message) {
    switch (token) {
        case Token::e: {
            const auto key = message.take(X25519PublicKey::kSize);
            if (!key) return fail(HandshakeError::too_short);
            remote_ephemeral_ = X25519PublicKey::copy_of(*key);
            mix_ephemeral(*remote_ephemeral_);
            return {};
        }
        case Token::s: return read_static(message);
        case Token::psk: mix_psk(); return {};
        case Token::ee:
        case Token::es:
        case Token::se:
        case Token::ss: return mix_dh(token);
    }
    UNREACHABLE();
}

Handshake::Done Handshake::read_static(Reader& message) {
    const auto sealed = message.take(X25519PublicKey::kSize + symmetric_.overhead());
    if (!sealed) return fail(HandshakeError::too_short);
    const auto key = symmetric_.decrypt_and_hash(*sealed);
    if (!key) return fail(HandshakeError::not_authentic);
    remote_static_ = X25519PublicKey::copy_of(*key);
    return {};
}

Handshake::Done Handshake::mix_dh(Token token) {
    const DhKeys keys = dh_keys(token, role_);
    const auto& ours = keys.ours == Token::e ? ephemeral_ : static_key_;
    const auto& others = keys.others == Token::e ? remote_ephemeral_ : remote_static_;
    CHECK(ours.has_value() && others.has_value());
    const auto shared = ours->shared_secret(*others);
    if (!shared) return fail(HandshakeError::bad_key);
    symmetric_.mix_key(shared->view());
    return {};
}

void Handshake::mix_psk() {
    CHECK(psks_used_ < psks_.size());
    symmetric_.mix_key_and_hash(psks_[psks_used_++].view());
}

// With pre-shared secrets the ephemeral key also keys: rev 34, 9.2.
void Handshake::mix_ephemeral(const X25519PublicKey& key) {
    symmetric_.mix_hash(key.view());
    if (pattern_->has_psk()) symmetric_.mix_key(key.view());
}

Ciphers Handshake::split() && {
    CHECK(is_complete() && !refused_);
    return symmetric_.split(role_);
}

}  // namespace leither::noise
