// Whose questions about the ledger are answered next, and when.
//
// A question of 12 bytes may cost half a megabyte of reading and sending. So answers are charged to
// one budget of work, and the askers take turns: whoever asks more than it may is passed over, and
// whoever asks least waits least. Nothing here reads or sends.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "leither/base/time.h"
#include "leither/peer/rate_limit.h"
#include "leither/protocol/sync_messages.h"

namespace leither::node {

class Serving {
 public:
    struct Options {
        // In bytes of work (work_of); on a small machine about a third of one core.
        std::uint32_t work_per_second = 16U << 20;
        std::uint32_t work_saved_up = 4U << 20;
        // Whoever catches up has two pieces, a run of blocks and a chain under way with one node.
        std::size_t waiting_per_node_max = 8;
    };
    struct Question {
        Id from;
        protocol::SyncAsk ask;
    };
    explicit Serving(Options options);

    // Passed over if as many of this node's wait already.
    void add(const Id& from, protocol::SyncAsk ask, Instant now);
    void forget(const Id& node);
    // The next one, if the budget allows it now.
    std::optional<Question> next(Instant now);
    void charge(std::uint64_t work, Instant now);
    // When next() has one. Nothing: nobody asks.
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

 private:
    Options options_;
    peer::TokenBucket budget_;
    std::map<Id, std::deque<protocol::SyncAsk>> waiting_;
    Id served_;       // last: the one behind it is next
    Instant latest_;  // of the budget's times
};

// What an answer has cost to make, in bytes that were read, copied and encoded.
std::uint64_t work_of(const protocol::SyncReply& reply);

}  // namespace leither::node
