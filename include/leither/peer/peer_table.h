// Where nodes may be reached: addresses with their source, what came of dialing them, when to try
// again.
//
// Specification
//   * Bounded, and so are the addresses of one block (/24, /56) and those that are not global. An
//     address that has once led to a node is never displaced by one that has not; among the untried
//     the block group (/16, /32) that holds most of them gives way. So whoever tells us of
//     thousands of addresses displaces only their own.
//   * After n failures in a row an address rests 1 s, 2 s, 4 s .. 30 min, with jitter.
//   * Configured addresses are kept for ever, others given up after many failures.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/prng.h"
#include "leither/base/time.h"
#include "leither/peer/session.h"

namespace leither::peer {

enum class Source : std::uint8_t { told, incoming, dht, manifest, configured };
const char* to_string(Source source);

struct PeerAddress {
    Endpoint endpoint;
    Context context;
    std::optional<Id> node;
    std::optional<StaticKey> static_key;
    Source source = Source::told;
};

inline constexpr std::size_t kContextsPerAddress = 4;

struct KnownAddress {
    Endpoint endpoint;
    std::vector<Context> contexts;  // 1..kContextsPerAddress
    std::optional<Id> node;
    std::optional<StaticKey> static_key;
    Source source = Source::told;
    std::optional<Instant> last_success;
    bool is_proven = false;      // the last dial led to `node`
    std::uint32_t failures = 0;  // since a connection lasted
    Instant next_attempt;
    Instant learned;
};

class PeerTable {
 public:
    struct Options {
        std::size_t addresses_max = 2048;
        std::size_t per_block_max = 8;  // of global addresses
        std::size_t local_max = 256;    // loopback and private ones together
        Duration rest_min = std::chrono::seconds(1);
        Duration rest_max = std::chrono::minutes(30);
        std::uint32_t failures_max = 12;  // then an address that is not configured is given up
    };
    PeerTable(Options options, std::uint64_t seed) : options_(options), prng_(seed) {}

    // False if there is no room for it, or it cannot be dialed (port 0, multicast, unspecified).
    bool learn(const PeerAddress& address, Instant now);
    void forget(const Endpoint& endpoint);

    // A dial to `endpoint` led to `remote`, or to nothing. What is not known (any more) is ignored.
    void succeeded(const Endpoint& endpoint, const Authenticated& remote, Instant now);
    void failed(const Endpoint& endpoint, Instant now);
    // The connection was worth dialing: only now the failures before it are forgotten, or a node
    // that greets us to say it is full would be dialed again every second.
    void lasted(const Endpoint& endpoint);
    // Whoever answers at `endpoint` is not who was thought to be: the next dial is a first contact,
    // unless who is there was said by a signed record; to a first contact we show who we are.
    void mistaken(const Endpoint& endpoint);
    // Whatever has failed may be tried at once.
    void retry_all(Instant now);
    // Not before `at`, whatever the failures say.
    void rest_until(const Endpoint& endpoint, Instant at);

    using Wanted = std::function<bool(const KnownAddress&)>;
    // One that is due and wanted: configured first, then once reached, then the rest; by lot
    // within.
    const KnownAddress* choose(const Wanted& wanted, Instant now);
    // When the next wanted one is due.
    std::optional<Instant> next_due(const Wanted& wanted) const;

    const KnownAddress* find(const Endpoint& endpoint) const;
    const std::map<Endpoint, KnownAddress>& all() const { return known_; }
    void check_invariants() const;

 private:
    bool make_room(const Endpoint& endpoint);
    bool make_room_in_block(const IpAddress& block);
    bool make_room_in_table();

    Options options_;
    Prng prng_;
    std::map<Endpoint, KnownAddress> known_;
};

}  // namespace leither::peer
