// Blocks on their way from a peer to the host: received, verified, handed out, applied. Private to
// the room.
#pragma once

#include <optional>
#include <vector>

#include "leither/sync/follow.h"

namespace leither::sync {

class Line {
 public:
    explicit Line(Head head) : end_(std::move(head)) {}

    // Behind all that is verified.
    const Head& end() const { return end_; }
    bool wants_run() const { return held_.empty() && ready_.empty(); }

    // REQUIRES: wants_run().
    void receive(const Id& from, std::vector<DecidedBlock>&& run);
    // Who sent what is not verified yet; nothing if there is none.
    std::optional<Id> sender() const;
    // Verifies what can be. Ok: something was, or nothing waits. `unknown_term`: the next waits for
    // its committee. An error: what waited is dropped.
    enum class Verdict : std::uint8_t { ok, unknown_term };
    Result<Verdict, FollowError> verify(const ChainContext& context,
                                        std::span<const election::Link> links);
    void drop_unverified() { held_.clear(); }
    // Whether nothing is on its way to the host that could tell the next block's committee.
    bool is_stuck() const { return ready_.empty() && !out_; }

    // What the host shall apply next; empty while it is busy, or none is ready.
    std::vector<DecidedBlock> hand_out();
    bool is_busy() const { return out_.has_value(); }
    // The ledger's head is there.
    void applied(const Head& head);

 private:
    Head end_;
    Id from_;
    std::vector<DecidedBlock> held_;   // behind end_, not verified
    std::vector<DecidedBlock> ready_;  // up to end_, not handed out
    std::optional<Sequence> out_;      // the last one handed out and not applied
};

}  // namespace leither::sync
