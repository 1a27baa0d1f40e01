// What passes between the ledger and the network of one node.
#pragma once

#include <limits>
#include <variant>

#include "leither/node/network.h"
#include "leither/protocol/peer_message.h"

namespace leither::node {

// A connected node that may hear of the ledger: a member's, or a bookkeeper's.
struct NeighbourUp {
    Id node;
    std::uint64_t features = 0;  // Hello::features
};
struct NeighbourDown {
    Id node;
};
// From a neighbour.
struct LedgerMessage {
    Id from;
    protocol::PeerMessage message;
};
// A TransactionPost to it was not sent: too much waits for it already.
struct PostLost {
    Id node;
};
// What was to be kept in the network's store is durable.
struct WrittenAside {};
using LedgerInput = std::variant<NeighbourUp, NeighbourDown, LedgerMessage, PostLost, WrittenAside>;

struct ToNeighbour {
    Id to;
    protocol::PeerMessage message;
};
// One of the families of messages as what passes a connection.
template <class Variant>
protocol::PeerMessage peer_message(Variant&& message) {
    return std::visit(
        [](auto&& held) -> protocol::PeerMessage { return std::forward<decltype(held)>(held); },
        std::forward<Variant>(message));
}
// A neighbour has shown that the ledger is there already.
struct Behind {
    Id node;
    Sequence height;
};

// Of what no caller waits for.
inline constexpr Token kNobody = std::numeric_limits<Token>::max();

}  // namespace leither::node
