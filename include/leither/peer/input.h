// What a hub is told.
#pragma once

#include <variant>
#include <vector>

#include "leither/base/number.h"
#include "leither/peer/peer_table.h"
#include "leither/protocol/peer_message.h"

namespace leither::peer {

// The hub numbers what it dials from 1 upward; the host numbers what it accepts from kAccepted
// upward. A number is never used twice.
using ConnectionId = Number<struct ConnectionIdTag>;
inline constexpr ConnectionId kAccepted = ConnectionId(std::uint64_t{1} << 63);

// ---- From the host
struct Tick {};
struct Accepted {
    ConnectionId id;
    Endpoint from;
};
// What Effects::dials asked for has come to be.
struct Opened {
    ConnectionId id;
};
struct Received {
    ConnectionId id;
    ByteView bytes;  // read during the step only
};
// The transport has taken bytes; so many wait in it still.
struct Sent {
    ConnectionId id;
    std::size_t queued = 0;
};
// The transport is gone, a dial has failed. Not told of what the hub closed itself (harmless if).
struct Closed {
    ConnectionId id;
};

// ---- From above
struct Learn {
    PeerAddress address;
};
// To a connected node; else it comes back as Undelivered.
struct SendMessage {
    Id node;
    protocol::PeerMessage message;
};
// Ends the connection and forgets the node's addresses.
struct Forget {
    Id node;
};
struct Ban {
    Id node;
    Duration duration;
};
struct Pardon {
    Id node;
};
// What upper rooms think of a node's messages: positive for useful ones.
struct Judge {
    Id node;
    std::int32_t points = 0;
};
// The organizations this node takes part in; replaces what was said before.
struct Serve {
    std::vector<Context> contexts;
};
// Nodes for whom slots are kept (committees); replaces what was said before.
struct Reserve {
    std::vector<Id> nodes;
};
// What the next Hello says.
struct Introduce {
    std::uint16_t listen_port = 0;
    std::uint64_t features = 0;
};
// The host has other addresses than before: connections may be dead, and what was out of reach may
// be in reach.
struct NetworkChanged {};
// Asks peers whether they can dial us, now; nothing if there are none yet.
struct CheckReachability {};
// Says goodbye to all and takes nothing more.
struct Stop {};

using Input =
    std::variant<Tick, Accepted, Opened, Received, Sent, Closed, Learn, SendMessage, Forget, Ban,
                 Pardon, Judge, Serve, Reserve, Introduce, NetworkChanged, CheckReachability, Stop>;

}  // namespace leither::peer
