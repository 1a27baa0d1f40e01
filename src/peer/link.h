// What a hub keeps for one connection.
#pragma once

#include <optional>

#include "leither/peer/hub.h"
#include "leither/peer/outbox.h"
#include "leither/peer/session.h"

namespace leither::peer {

// A dial on behalf of a peer that wants to know whether it can be reached.
struct Probe {
    ConnectionId asker;
    std::uint64_t nonce = 0;
};

struct Link {
    enum class Stage : std::uint8_t {
        dialing,      // the transport is not open yet
        handshaking,  // not authenticated: half-open
        greeting,     // authenticated; the other's Hello is awaited
        up,
    };

    Link(const HubOptions& options, ConnectionId number, const Endpoint& endpoint, Instant now)
        : id(number),
          remote(endpoint),
          began(now),
          last_received(now),
          progress(now),
          outbox(options.outbox_bytes_max),
          messages(options.messages, now),
          bytes(options.bytes, now) {}

    ConnectionId id;
    Endpoint remote;
    Direction direction = Direction::inbound;
    Stage stage = Stage::handshaking;
    Target target;  // outbound: whom we mean
    std::optional<Probe> probe;
    std::optional<Session> session;

    Instant began;  // the dial, then the open transport
    Instant authenticated_at;
    Instant up_since;
    Instant last_received;
    std::optional<Instant> pong_by;      // a ping is out and nothing was received since
    std::optional<std::uint64_t> ping;   // its nonce, until the Pong
    std::optional<Instant> resumes_at;   // not read until then
    std::optional<Instant> asked_us_at;  // its last AskDialBack that was tried
    std::size_t in_flight = 0;           // handed to the transport, not yet taken
    Instant progress;                    // when the transport last took something

    Outbox outbox;
    TokenBucket messages;
    TokenBucket bytes;
    protocol::Hello hello;

    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;

    bool is_outbound() const { return direction == Direction::outbound; }
    bool is_authenticated() const { return stage == Stage::greeting || stage == Stage::up; }
    bool is_half_open() const { return !is_outbound() && stage == Stage::handshaking; }
    // When something must be done about it.
    Instant deadline(const HubOptions& options) const;
    // What has run out at `now`, apart from the wish for a ping.
    std::optional<CloseReason> expired(const HubOptions& options, Instant now) const;
    bool wants_ping(const HubOptions& options, Instant now) const;
    Peer peer() const;
};

void add_traffic(const Link& link, HubTotals& totals);

}  // namespace leither::peer
