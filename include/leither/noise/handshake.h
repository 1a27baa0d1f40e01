// Noise_*_25519_ChaChaPoly_BLAKE2b (noiseprotocol.org, rev 34): two strangers agree on keys and
// prove to each other who they are.
//
// Specification
//   * Messages are written and read in turns as the pattern says, then `split` gives the ciphers.
//   * Equal prologues, or no agreement.
//   * A message that is refused ends the handshake; the caller closes the connection.
// Rationale
//   * Patterns are data (pattern.h): the nodes need XX and XK, and the published vectors of every
//     other pattern prove the same code.
// Deviations
//   * A Diffie-Hellman result of zero is an error, as rev 34, 9.1 permits: a key of small order is
//     nobody's identity.
//
// Sans-I/O. Not thread-safe. Order is the caller's duty: a turn out of order is a CHECK.
#pragma once

#include <vector>

#include "leither/crypto/x25519.h"
#include "leither/noise/symmetric_state.h"

namespace leither::noise {

// Equal on both sides after each message, different for each handshake.
using HandshakeHash = crypto::WideHash;
using crypto::X25519KeyPair;
using crypto::X25519PublicKey;
using Psk = crypto::SecretBytes<32>;

// Of the other side's bytes, in order of precedence.
enum class HandshakeError : std::uint8_t {
    too_long,       // above kMessageMax
    too_short,      // ends before its keys or tags
    bad_key,        // of small order
    not_authentic,  // another prologue or key, or altered
};
const char* to_string(HandshakeError error);

struct HandshakeSetup {
    const Pattern& pattern = kXX;  // outlives the handshake
    Role role = Role::initiator;
    ByteView prologue{};                             // read by the constructor alone
    std::optional<X25519KeyPair> static_key{};       // ours, if the pattern uses one
    std::optional<X25519PublicKey> remote_static{};  // if the pattern has it known beforehand
    std::vector<Psk> psks{};                         // as many as the pattern's psk tokens
};

class Handshake {
 public:
    // `entropy` gives the ephemeral secret, 32 bytes at our first message; it outlives us.
    Handshake(HandshakeSetup setup, Entropy& entropy);
    // A copy would use its ephemeral key twice.
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;
    Handshake(Handshake&&) = default;
    Handshake& operator=(Handshake&&) = default;

    enum class Turn : std::uint8_t { write, read, done };
    Turn turn() const;
    bool is_complete() const { return turn() == Turn::done; }

    // The next message, carrying `payload`; bad_key if a key learnt earlier is at fault. REQUIRES:
    // turn() is write, nothing was refused, the message has room for the payload (kMessageMax).
    Result<Bytes, HandshakeError> write(ByteView payload);
    // The payload of the next message. Early payloads are weakly protected: rev 34, 7.7. REQUIRES:
    // turn() is read, nothing was refused.
    Result<Bytes, HandshakeError> read(ByteView message);

    // Over all messages so far; at the end it names this connection.
    const HandshakeHash& hash() const { return symmetric_.hash(); }
    // Nothing until it is known.
    const std::optional<X25519PublicKey>& remote_static() const { return remote_static_; }
    // REQUIRES: is_complete(), nothing was refused.
    Ciphers split() &&;

 private:
    class Reader;
    using Done = Result<void, HandshakeError>;

    void mix_known_keys();
    Done write_token(Token token, Bytes& message);
    Done read_token(Token token, Reader& message);
    Done read_static(Reader& message);
    Done mix_dh(Token token);
    void mix_psk();
    void mix_ephemeral(const X25519PublicKey& key);

    const Pattern* pattern_;
    Role role_;
    Entropy* entropy_;
    SymmetricState symmetric_;
    std::optional<X25519KeyPair> static_key_;
    std::optional<X25519KeyPair> ephemeral_;
    std::optional<X25519PublicKey> remote_static_;
    std::optional<X25519PublicKey> remote_ephemeral_;
    std::vector<Psk> psks_;
    std::size_t psks_used_ = 0;
    std::size_t messages_done_ = 0;
    bool refused_ = false;
};

}  // namespace leither::noise
