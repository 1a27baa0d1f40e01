#include "leither/peer/outbox.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"

namespace leither::peer {

using protocol::Urgency;

Outbox::Put Outbox::put(const protocol::PeerMessage& message) {
    const Urgency urgency = protocol::kind_of(message).urgency;
    Bytes framed = protocol::encode_peer_message(message);
    Put put;
    const std::size_t cost = Outbox::cost(framed);
    if (cost > bytes_max_) return put;
    const std::size_t room = bytes_max_ - bytes_;
    if (cost > room) {
        const std::size_t missing = cost - room;
        if (droppable(urgency) < missing) return put;
        put.dropped = drop(missing, urgency);
    }
    bytes_ += cost;
    bytes_of_[static_cast<std::size_t>(urgency)] += cost;
    waiting_.push_back({urgency, std::move(framed)});
    put.taken = true;
    return put;
}

Bytes Outbox::take(std::size_t bytes_max) {
    Bytes out;
    while (!waiting_.empty()) {
        const Waiting& next = waiting_.front();
        if (!out.empty() && out.size() + next.framed.size() > bytes_max) break;
        out.insert(out.end(), next.framed.begin(), next.framed.end());
        bytes_ -= cost(next.framed);
        bytes_of_[static_cast<std::size_t>(next.urgency)] -= cost(next.framed);
        waiting_.pop_front();
    }
    return out;
}

std::size_t Outbox::droppable(Urgency urgency) const {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(urgency); ++i) bytes += bytes_of_[i];
    return bytes;
}

// At least `bytes` of messages below `below`, the least urgent and of these the oldest first.
std::size_t Outbox::drop(std::size_t bytes, Urgency below) {
    std::size_t dropped = 0;
    std::size_t freed = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(below) && freed < bytes; ++i) {
        std::erase_if(waiting_, [&](const Waiting& waiting) {
            if (freed >= bytes || static_cast<std::size_t>(waiting.urgency) != i) return false;
            freed += cost(waiting.framed);
            bytes_of_[i] -= cost(waiting.framed);
            ++dropped;
            return true;
        });
    }
    CHECK(freed >= bytes);
    bytes_ -= freed;
    return dropped;
}

void Outbox::check_invariants() const {
    std::size_t bytes = 0;
    for (const Waiting& waiting : waiting_) bytes += cost(waiting.framed);
    CHECK(bytes == bytes_);
    CHECK(bytes_ <= bytes_max_);
    std::size_t by_urgency = 0;
    for (const std::size_t of : bytes_of_) by_urgency += of;
    CHECK(by_urgency == bytes_);
}

}  // namespace leither::peer
