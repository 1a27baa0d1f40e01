// What waits to be sent to one peer, encoded but not yet encrypted.
//
// Bounded in bytes, each message counted with what it costs to keep it besides: a crowd of small
// ones takes no more memory than one large one. A message that does not fit pushes out less urgent
// ones, oldest first; if that is not enough it is refused, and its sender learns. Sent first in,
// first out: urgency decides who is dropped, not who goes first, so messages of one kind keep their
// order.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "leither/base/bytes.h"
#include "leither/protocol/peer_message.h"

namespace leither::peer {

class Outbox {
 public:
    static constexpr std::size_t kMessageCost = 64;

    explicit Outbox(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    struct Put {
        bool taken = false;
        std::size_t dropped = 0;  // less urgent messages that made room
    };
    Put put(const protocol::PeerMessage& message);

    // The next messages, one behind another: as many as fit into `bytes_max`, at least one.
    Bytes take(std::size_t bytes_max);

    bool is_empty() const { return waiting_.empty(); }
    // With kMessageCost for each message.
    std::size_t bytes() const { return bytes_; }
    std::size_t messages() const { return waiting_.size(); }
    void check_invariants() const;

 private:
    struct Waiting {
        protocol::Urgency urgency = protocol::Urgency::normal;
        Bytes framed;
    };
    static constexpr std::size_t kUrgencies = 3;

    static std::size_t cost(ByteView framed) { return framed.size() + kMessageCost; }
    // Bytes less urgent than `urgency`.
    std::size_t droppable(protocol::Urgency urgency) const;
    std::size_t drop(std::size_t bytes, protocol::Urgency below);

    std::size_t bytes_max_;
    std::deque<Waiting> waiting_;
    std::size_t bytes_ = 0;
    std::array<std::size_t, kUrgencies> bytes_of_{};  // by urgency
};

}  // namespace leither::peer
