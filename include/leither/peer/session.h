// One connection: preamble and Noise handshake, then authenticated messages both ways.
//
// Specification
//   * The dialer names context and pattern in the clear (context.h), then both run Noise XK or XX.
//     Handshake messages travel behind their length, u16 big-endian, at most kHandshakeMessageMax.
//   * In its last handshake message each side shows its node key and signs, by the tag
//     `leither/noise-identity/1` and the context's chain: handshake hash so far | own static key |
//     role byte. So the holder of the node key holds that static key, in this handshake.
//   * The dialer is established when it has checked the responder's signature, the responder when
//     it has checked the dialer's. Nothing is delivered before.
//   * A session that has closed takes and gives nothing more.
// Rationale
//   * The signature covers the static key besides the hash, because the hash does not yet hold the
//     key that travels in the same message.
//   * A probe stops before the third message: it proves who listens without becoming a connection.
//
// Sans-I/O; time is the owner's. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/crypto/x25519.h"
#include "leither/peer/close_reason.h"
#include "leither/peer/context.h"

namespace leither::peer {

inline constexpr std::size_t kHandshakeMessageMax = 256;

// A node's keys. The static key of the transport is derived from the node key's seed.
struct Identity {
    crypto::KeyPair node;
    crypto::X25519KeyPair channel;
    static Identity of(const crypto::KeyPair& node);
};

using StaticKey = crypto::X25519PublicKey;

enum class Direction : std::uint8_t { inbound, outbound };
const char* to_string(Direction direction);

// Whom a dialer means.
struct Target {
    Context context;
    std::optional<StaticKey> static_key;  // known: XK; else XX
    std::optional<Id> node;               // anybody else is refused
    enum class Purpose : std::uint8_t { connection, probe };
    Purpose purpose = Purpose::connection;
};

// The other side, proven.
struct Authenticated {
    PublicKey node_key;
    Id node;
    StaticKey static_key;
    Context context;
    Pattern pattern = Pattern::xx;
    crypto::WideHash handshake;  // the same on both sides, of this connection only
};

class Session {
 public:
    // `identity` and `entropy` outlive the session.
    static Session dial(const Identity& identity, const Target& target, Entropy& entropy);
    // Whoever dials may choose among `served`.
    static Session accept(const Identity& identity, std::vector<Context> served, Entropy& entropy);
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    struct Step {
        Bytes write;
        std::vector<protocol::PeerMessage> messages;
        std::optional<CloseReason> close;  // after writing; the session is over
    };
    // A dialer's first bytes. REQUIRES: dialed, called once, first.
    Step start();
    Step receive(ByteView bytes);
    // Whole messages, framed (protocol::encode_peer_message), become bytes to write. REQUIRES:
    // is_established().
    Bytes seal(ByteView framed);

    bool is_established() const;
    // REQUIRES: is_established().
    const Authenticated& remote() const;
    void check_invariants() const;

 private:
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::peer
