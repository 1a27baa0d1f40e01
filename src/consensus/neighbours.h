// What each neighbour is known to have, and how its clock stands to ours.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/consensus/tendermint.h"

namespace leither::consensus {

struct Neighbour {
    std::optional<protocol::Status> status;  // its last
    // Of the open height: what went to it or came from it, and when.
    std::map<Tendermint::Item, Instant> exchanged = {};
    std::map<std::uint32_t, Instant> answered = {};       // its asks for proposals, by round: when
    std::set<Hash> bodies = {};                           // blocks whose transactions it has
    std::optional<protocol::Status> told = std::nullopt;  // our last to it
    Instant told_at = {};
    std::optional<Instant> decision_at =
        std::nullopt;  // the head's, or the proof that it is behind

    bool wants_votes() const { return status && status->interest == protocol::Interest::votes; }
    bool is_connected(std::uint16_t seat) const {
        return status && (status->connected >> seat & 1) != 0;
    }
    // Whether its status shows the item, at the height it is for.
    bool shows(Sequence height, const Tendermint::Item& item) const;
    void start_height() {
        exchanged.clear();
        answered.clear();
        bodies.clear();
        decision_at.reset();
    }
};

// How far the clocks of others are from ours, in pulses.
class Clocks {
 public:
    void note(const Id& node, Pulse theirs, Pulse ours);
    void forget(const Id& node) { samples_.erase(node); }
    std::int64_t apart(const Id& node) const { return samples_.at(node).apart; }  // REQUIRES: noted
    // The median of all heard within `window`, ours counted as one; of two middle ones the smaller
    // distance.
    std::int64_t median(Pulse ours, std::uint64_t window) const;
    std::size_t size() const { return samples_.size(); }

 private:
    struct Sample {
        std::int64_t apart = 0;
        Pulse heard;
    };
    std::map<Id, Sample> samples_;
};

}  // namespace leither::consensus
