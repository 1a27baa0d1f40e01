// The hub's parts, split over hub.cpp (inputs, questions), connections.cpp (a connection's life),
// conversation.cpp (messages), dial_plan.cpp (whom to dial) and reachability.cpp.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/peer/hub.h"

#include "dial_back.h"
#include "link.h"

namespace leither::peer {

// Points of conduct.
inline constexpr std::int32_t kProtocolViolation = -25;
inline constexpr std::int32_t kOverRate = -10;
inline constexpr std::int32_t kFarOverRate = -50;  // by more than a whole burst
// After the first peer: by then a few are up to be asked.
inline constexpr Duration kFirstDialBackAfter = std::chrono::seconds(10);

struct Hub::Impl {
    Impl(HubOptions opts, const crypto::KeyPair& node_key, Entropy& randomness, Log sink);

    // ---- Inputs
    void on(const Tick&, Instant, Effects&) {}
    void on(const Accepted&, Instant now, Effects&);
    void on(const Opened&, Instant now, Effects&);
    void on(const Received&, Instant now, Effects&);
    void on(const Sent&, Instant now, Effects&);
    void on(const Closed&, Instant now, Effects&);
    void on(const Learn&, Instant now, Effects&);
    void on(SendMessage&, Instant now, Effects&);
    void on(const Forget&, Instant now, Effects&);
    void on(const Ban&, Instant now, Effects&);
    void on(const Pardon&, Instant now, Effects&);
    void on(const Judge&, Instant now, Effects&);
    void on(Serve&, Instant now, Effects&);
    void on(const Reserve&, Instant now, Effects&);
    void on(const Introduce&, Instant now, Effects&);
    void on(const NetworkChanged&, Instant now, Effects&);
    void on(const CheckReachability&, Instant now, Effects&);
    void on(const Stop&, Instant now, Effects&);

    // ---- Time
    void work(Instant now, Effects&);
    void expire(Link&, Instant now, Effects&);
    std::optional<Instant> earliest() const;

    // ---- A connection's life
    Link* find(ConnectionId id);
    Link* find(const Id& node);
    void crowd_out(const Endpoint& from, Instant now, Effects&);
    // The session has just been established. False if the link is gone.
    bool admit(Link&, Instant now, Effects&);
    std::optional<CloseReason> objection(const Link&, Instant now) const;
    bool settle_duplicate(Link&, Instant now, Effects&);
    bool make_slot(const Link&, Instant now, Effects&);
    // The established connections, as one who wants a slot must know them.
    struct Census {
        bool is_privileged = false;  // the newcomer
        std::size_t common = 0;      // of nodes that are not
        std::size_t inbound = 0;     // of these
        std::size_t inbound_of_block = 0;
        std::optional<ConnectionId> worst_inbound;
        std::int32_t worst_score = 0;
    };
    Census count(const Link& newcomer, Instant now) const;
    void greet(Link&, Instant now, Effects&);
    // Ends a link and tells whoever must know. `link` is gone afterwards.
    void drop(Link& link, CloseReason reason, Instant now, Effects&);
    void count_end(const Link&, CloseReason reason);
    void say_goodbye(Link&, CloseReason reason, Effects&);
    void note_end_of_dial(const Link&, CloseReason reason, Instant now);

    // ---- Messages
    void write(Link&, Bytes bytes, Instant now, Effects&);
    void flush(Link&, Instant now, Effects&);
    Outbox::Put send(Link&, const protocol::PeerMessage&, Instant now, Effects&);
    void ping(Link&, Instant now, Effects&);
    // False if the link is gone.
    bool hear(Link&, protocol::PeerMessage&&, Instant now, Effects&);
    void charge(Link&, std::size_t bytes, std::size_t messages, Instant now, Effects&);
    // The hub's own messages; all others are for those above. A reason closes the connection.
    using Objection = std::optional<CloseReason>;
    Objection hear(Link&, const protocol::Hello&, Instant now, Effects&);
    Objection hear(Link&, const protocol::Ping&, Instant now, Effects&);
    Objection hear(Link&, const protocol::Pong&, Instant now, Effects&);
    Objection hear(Link&, const protocol::Goodbye&, Instant now, Effects&);
    Objection hear(Link&, const protocol::AskDialBack&, Instant now, Effects&);
    Objection hear(Link&, const protocol::DialBackResult&, Instant now, Effects&);

    // ---- Whom to dial (dial_plan.cpp)
    void plan_soon(Instant now);
    void plan(Instant now, Effects&);
    Link& dial(const Endpoint&, Target target, Instant now, Effects&);
    // Nodes with slots of their own: reserved ones and those at configured addresses.
    std::set<Id> privileged() const;

    // ---- Reachability (reachability.cpp)
    void check_reachability(Instant now, Effects&);
    void conclude_if_complete(Instant now, Effects&);
    void answer_probe(const Probe&, protocol::DialBackOutcome outcome, Instant now, Effects&);
    // A dial made for a peer has ended, one way or another.
    void end_probe(const Link&, CloseReason reason, Instant now, Effects&);

    // ---- Counts
    std::size_t established() const;
    std::size_t half_open() const;
    bool has_peers() const;  // that are up

    HubOptions options;
    Identity identity;
    Entropy& entropy;
    Log log;
    Prng prng;  // seeded from entropy: jitter and lots only

    Conduct conduct;
    PeerTable table;
    std::map<ConnectionId, Link> links;
    std::map<Id, ConnectionId> by_node;  // authenticated
    std::vector<Context> contexts;
    std::set<Id> reserved;
    ConnectionId last_dialed;
    std::uint64_t crowded_out = 0;
    HubTotals ended;  // of connections that are gone
    bool is_stopped = false;

    std::optional<Instant> plan_at;
    Instant planned;

    DialBackRound round;
    std::optional<Instant> round_at;  // the next one
    Reachability reachability;
};

}  // namespace leither::peer
