// What a hub asks of its host and tells those above.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "leither/peer/input.h"

namespace leither::peer {

// A connected node.
struct Peer {
    Id node;
    PublicKey node_key;
    StaticKey static_key;
    Endpoint endpoint;  // of this connection
    Direction direction = Direction::inbound;
    Pattern pattern = Pattern::xx;
    Context context;
    Instant since;
    protocol::Hello hello;
};

struct PeerUp {
    Peer peer;
};
// What was handed over last may not have arrived; `unsent` messages certainly have not.
struct PeerDown {
    Id node;
    CloseReason reason = CloseReason::lost;
    std::size_t unsent = 0;
};
struct MessageReceived {
    Id node;
    protocol::PeerMessage message;  // none of the hub's own
};
// A SendMessage that will not be sent.
struct Undelivered {
    enum class Why : std::uint8_t { not_connected, outbox_full };
    Id node;
    Why why = Why::not_connected;
    protocol::PeerMessage message;
};

// Whether others can dial this node.
struct Reachability {
    enum class Verdict : std::uint8_t { unknown, reachable, not_reachable };
    struct Evidence {
        Id node;            // who tried
        Endpoint endpoint;  // what it tried: our address as it sees it, our port
        protocol::DialBackOutcome outcome = protocol::DialBackOutcome::declined;
    };
    Verdict verdict = Verdict::unknown;
    std::vector<Evidence> evidence;
    std::size_t unanswered = 0;
    std::optional<Instant> as_of;

    // "2 of 3 nodes could connect to 203.0.113.5:7400", with what to do about it.
    std::string text() const;
};
const char* to_string(Reachability::Verdict verdict);
struct DialBackVerdict {
    Reachability reachability;
};

using Event = std::variant<PeerUp, PeerDown, MessageReceived, Undelivered, DialBackVerdict>;

struct Dial {
    ConnectionId id;
    Endpoint endpoint;
};
struct Write {
    ConnectionId id;
    Bytes bytes;
};
struct Close {
    // after_flush: what is queued is still sent, for a few seconds at most; abort: at once.
    enum class How : std::uint8_t { after_flush, abort };
    ConnectionId id;
    How how = How::abort;
};
// Whether the host goes on reading.
struct SetReading {
    enum class To : std::uint8_t { paused, resumed };
    ConnectionId id;
    To to = To::paused;
};

// To be carried out list by list, in this order.
struct Effects {
    std::vector<Dial> dials;
    std::vector<Write> writes;
    std::vector<SetReading> reading;
    std::vector<Close> closes;
    std::vector<Event> events;
};

}  // namespace leither::peer
