// Stands between the ledger and the network of a node that does not keep to the protocol: what it
// says of the ledger and what it hears passes here. For the simulator's liars, which so reuse the
// honest machines and change one act; a node of the daemon has none.
#pragma once

#include <vector>

#include "leither/base/fixed_bytes.h"
#include "leither/protocol/peer_message.h"

namespace leither::node {

class Meddler {
 public:
    virtual ~Meddler() = default;
    // What goes to `to` instead of this message, in order; nothing: it is kept back.
    virtual std::vector<protocol::PeerMessage> says(const Id& to,
                                                    protocol::PeerMessage&& message) = 0;
    // Whether the node is to hear it.
    virtual bool hears(const Id& from, const protocol::PeerMessage& message) = 0;
};

}  // namespace leither::node
