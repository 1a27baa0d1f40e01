// What a mesh of connections must do with its messages: whatever one connection carries comes out
// of it once, in order and unaltered. Each message says in its first bytes what it must be.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "leither/protocol/peer_message.h"
#include "leither/sim/report.h"

namespace leither::sim {

class Deliveries {
 public:
    using Member = std::uint32_t;

    // ---- The sender's side
    // It has a new connection to `to`.
    void connected(Member from, Member to);
    // What it sends next; counts only with `sent`.
    protocol::EnvelopePost next(Member from, Member to, Duration now) const;
    void sent(Member from, Member to);

    // ---- The receiver's side
    // `sender`: who the connection says it comes from.
    void received(Member receiver, Member sender, const protocol::PeerMessage& message,
                  Duration now);

    // ---- What came of it
    std::uint64_t sent() const { return sent_; }
    std::uint64_t delivered() const { return delivered_; }
    std::uint64_t altered() const { return altered_; }    // or somebody else's
    std::uint64_t repeated() const { return repeated_; }  // or out of order
    // Some before it in the same connection did not come.
    std::uint64_t skipped() const { return skipped_; }
    const Sample& took() const { return took_; }
    void report(Report& report) const;

 private:
    // The rest of a message follows from these.
    struct Mark {
        Member from = 0;
        Member to = 0;
        std::uint32_t connection = 0;  // the sender's count of connections to this receiver
        std::uint32_t number = 0;      // within it, from 1
        std::uint64_t sent_us = 0;     // since the start
        static void fields(auto& self, auto&& visit) {
            visit(self.from, self.to, self.connection, self.number, self.sent_us);
        }
    };
    static constexpr std::size_t kMarkBytes = 24;
    // What one member sends to another, and what the other has got of it.
    struct Way {
        std::uint32_t connection = 0;
        std::uint32_t sent = 0;  // in this connection
        std::uint32_t got_connection = 0;
        std::uint32_t got = 0;
    };

    static protocol::EnvelopePost message_of(const Mark& mark);
    // Nothing if it is not what its mark says.
    static std::optional<Mark> mark_of(const protocol::PeerMessage& message);

    std::map<std::pair<Member, Member>, Way> ways_;
    std::uint64_t sent_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t altered_ = 0;
    std::uint64_t repeated_ = 0;
    std::uint64_t skipped_ = 0;
    Sample took_;
};

}  // namespace leither::sim
