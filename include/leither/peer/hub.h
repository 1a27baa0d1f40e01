// All connections of a node as one machine: whom to dial, whom to admit, what to send when, whom to
// drop.
//
// Specification
//   * One connection a node. Of two, the newer stays; of two made within Options::simultaneous the
//     one with the smaller handshake hash, which both sides compute alike.
//   * For each organization served the hub keeps outbound_target dialed connections, and always one
//     to each configured address and reserved node it knows an address of; those may use slots that
//     nobody else can fill.
//   * A node is up when both have said Hello, within handshake_timeout; before, it costs one
//     half-open place. These are bounded, in all and by block; a newcomer takes the place of the
//     oldest in the most crowded block, so a flood pushes out itself and not the next honest
//     dialer.
//   * Who exceeds its rate is not read until the debt is paid, and loses points; without points it
//     is banned. Who does not read is closed when its outbox is full or nothing has moved for
//     stall_timeout; less urgent messages are dropped first.
//   * Silence is broken by a Ping after ping_after: an idle connection costs less than 20 B/s.
//   * A node that cannot be dialed is a full member: all it needs is to dial.
// Rationale
//   * The points are given to nodes, not to addresses: behind one address may live a whole village.
//   * Nothing a stranger sends before it is authenticated can lower anybody's score.
//
// Not thread-safe. Same inputs and entropy, same effects.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/peer/effects.h"
#include "leither/peer/input.h"
#include "leither/peer/options.h"

namespace leither::peer {

// A line of `leither peers`.
struct PeerStatus {
    Peer peer;
    std::uint64_t bytes_in = 0;  // on the wire, handshake included
    std::uint64_t bytes_out = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::size_t outbox_bytes = 0;
    std::int32_t score = 0;
    bool reserved = false;
};

// A node no connection is made with, and until when.
struct BanStatus {
    Id node;
    Instant until;
};

struct HubStatus {
    std::size_t established = 0;
    std::size_t half_open = 0;
    std::size_t dialing = 0;
    std::size_t addresses = 0;
    std::size_t bans = 0;
    std::uint64_t crowded_out = 0;  // half-open connections that gave way so far
    Reachability reachability;
};

class Hub {
 public:
    // `entropy` and the log's sink outlive the hub.
    Hub(HubOptions options, const crypto::KeyPair& node_key, Entropy& entropy, Log log);
    Hub(Hub&&) noexcept;
    ~Hub();

    // REQUIRES: now >= every earlier now.
    Effects step(Input&& input, Instant now);
    // When to step Tick next; nothing while there is nothing to wait for.
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    const Id& node() const;
    const StaticKey& static_key() const;
    bool is_connected(const Id& node) const;
    // In order of node id.
    std::vector<PeerStatus> peers(Instant now) const;
    // In order of node id.
    std::vector<BanStatus> bans(Instant now) const;
    HubStatus status() const;
    // Worth keeping over a restart, best first: addresses that have led to a node. To be told to
    // the next hub by Learn.
    std::vector<PeerAddress> addresses(std::size_t max) const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::peer
