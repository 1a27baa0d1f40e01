// One node of the DHT: answers others, keeps its routing table, looks up and publishes for its
// host.
//
// Specification
//   * Answers ping, find_node, get_peers, announce_peer, get and put (BEP 5, 32, 43, 44) within the
//     limits of rate_limit.h; every refusal has its code. A read-only node answers pings alone.
//   * A node enters the routing table only when it has answered a query of ours and the wall counts
//     it; read-only senders never do, and one that becomes read-only is dropped as soon as it is
//     found to answer no lookups.
//   * A get ends at a quorum: the highest valid sequence seen from kQuorum holders in different
//     blocks, or when the k closest have answered. An immutable item needs one holder.
//   * A put looks before it writes: it takes tokens and sequences from the k closest, refuses to
//     write below what it found, and tells how many copies were stored.
//   * Requests wait until the first lookup of our own id has ended. Each ends in exactly one Done.
//   * What is kept is published again every 50 to 58 minutes; once skipped if k holders have it.
//     What we hold for others is copied to close nodes that lack it, every 10 to 15 minutes.
//   * Same inputs and entropy, same effects.
// Rationale: dead contacts make the tail, so a query is given up softly after an adaptive time of
//   at most 1 s (another is asked in its place) and for good after 4 s (docs/protocol/dht.md).
// Deviations
//   * A copy between holders carries the age of what is copied, in a field of our own, so that it
//     prolongs no life; foreign holders count two hours anew.
//   * The first buckets hold more than k: a node of a community of some hundred knows nearly all.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/dht/dht_request.h"
#include "leither/dht/item_store.h"
#include "leither/dht/lookup.h"
#include "leither/dht/rate_limit.h"
#include "leither/dht/routing_table.h"
#include "leither/dht/wall.h"

namespace leither::dht {

// Whether others may ask us (BEP 43). A node that nobody can reach is a reader.
enum class Role : std::uint8_t { member, reader };
const char* to_string(Role role);
enum class Families : std::uint8_t { v4, v6, both };

// ---- Inputs

struct Tick {};
// `bytes` is only read during the step.
struct Datagram {
    Endpoint from;
    ByteView bytes;
};
// Begins: bootstrap addresses from the operator's list, contacts saved by an earlier run.
struct Start {
    std::vector<Endpoint> bootstrap;
    std::vector<Contact> saved;
};
struct Ask {
    RequestId id;
    Request request;
};
struct Cancel {
    RequestId id;
};
// Publishes now and again every hour until forgotten; a newer item of the same target replaces the
// older. Tells nothing; ask with Put to know how it went.
struct Keep {
    std::variant<Put, Announce> what;
};
struct Forget {
    Id target;  // of an item, or an info hash
};
// Bootstrap addresses found since the start, besides those it named: at most kBootstrapMax, the
// latest. Asked at once if no node is known.
struct Bootstrap {
    std::vector<Endpoint> endpoints;
};
inline constexpr std::size_t kBootstrapMax = 64;
// Whether others can reach us, as it has turned out.
struct RoleIs {
    Role role = Role::member;
};
// The host has other addresses than before: what we announced is published anew within a minute.
struct NetworkChanged {};
using Input = std::variant<Tick, Datagram, Start, Bootstrap, RoleIs, Ask, Cancel, Keep, Forget,
                           NetworkChanged>;

// ---- Effects

struct Outgoing {
    Endpoint to;
    Bytes bytes;
};
struct Done {
    RequestId id;
    Outcome outcome;
};
struct Effects {
    std::vector<Outgoing> sends;
    std::vector<Done> done;
};

// ---- The node

struct Counters {
    std::uint64_t queries_received = 0;  // well-formed and read
    std::uint64_t replies_sent = 0;      // errors included
    std::uint64_t errors_sent = 0;
    std::uint64_t malformed = 0;   // datagrams that are no KRPC
    std::uint64_t limited = 0;     // dropped by rate limits
    std::uint64_t walled = 0;      // dropped by the wall
    std::uint64_t unexpected = 0;  // replies to nothing we asked, or from elsewhere
    std::uint64_t queries_sent = 0;
    std::uint64_t queries_answered = 0;
    std::uint64_t queries_failed = 0;
    std::uint64_t datagrams_received = 0;  // dropped ones included
    std::uint64_t datagrams_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t lookups_begun = 0;  // for callers and our own upkeep
};

struct Status {
    bool started = false;
    bool ready = false;  // the first lookup of our own id has ended
    Role role = Role::member;
    Id id_v4;
    Id id_v6;
    std::size_t nodes_v4 = 0;  // in the routing table
    std::size_t nodes_v6 = 0;
    std::vector<RoutingTable::Fill> buckets_v4;  // by bits shared with our own id, none first
    std::vector<RoutingTable::Fill> buckets_v6;
    Network network = Network::separate;
    Admission admission = Admission::guests;
    std::size_t allowed_ranges = 0;  // 0: every address
    // What several nodes of different blocks say our address is.
    std::optional<IpAddress> external_v4;
    std::optional<IpAddress> external_v6;
    std::size_t requests = 0;  // open
    std::size_t lookups = 0;   // at work, for callers and our own upkeep
    std::size_t queries = 0;   // in flight
    std::size_t kept = 0;
    std::size_t items = 0;  // held for others and ourselves
    std::size_t items_max = 0;
    std::size_t item_bytes = 0;
    std::size_t item_bytes_max = 0;
    std::size_t peers = 0;
    std::size_t peers_max = 0;
    Counters counters;
};

struct Options {
    // The node key's id. In Mainline's network only until our address is known (BEP 42).
    Id own_id;
    Role role = Role::member;
    Families families = Families::both;
    Wall::Options wall;
    // Loopback and private addresses: exempt from limits per address and block. For tests, and for
    // communities that live in one local network.
    LocalSources local = LocalSources::limited;

    std::size_t k = 8;      // nodes in an answer, holders of an item
    std::size_t alpha = 3;  // queries of a lookup in flight at first
    std::size_t nodes_per_address_max = 1;
    std::size_t nodes_per_block_and_bucket_max = 2;
    std::size_t nodes_per_block_max = 8;
    std::size_t requests_max = 256;  // open
    std::size_t lookups_max = 32;    // at work at the same time; others wait
    std::size_t queries_max = 1024;  // in flight
    std::size_t kept_max = 1024;
    Duration soft_timeout_min = std::chrono::milliseconds(50);
    Duration soft_timeout_max = std::chrono::seconds(1);
    Duration hard_timeout = std::chrono::seconds(4);
    ItemStore::Options store;  // `local` here and below is overridden by ours
    RateLimiter::Options rates;
    ProvenSources::Options proofs;
};

class DhtNode {
 public:
    // `entropy` outlives the node.
    DhtNode(const Options& options, Entropy& entropy, const Log& log, Instant now);
    DhtNode(DhtNode&&) noexcept;
    DhtNode& operator=(DhtNode&&) noexcept;
    ~DhtNode();

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    Status status() const;
    // How many are in the routing tables.
    std::size_t nodes() const;
    // Those that answered last, at most `max`: to be saved at stop and every few hours.
    std::vector<Contact> good_nodes(std::size_t max) const;
    // Closest first, from the routing table alone.
    std::vector<Contact> closest(const Id& target, std::size_t max) const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::dht
