// Asking others whether they can dial us, and what their answers amount to.
#pragma once

#include <vector>

#include "leither/peer/effects.h"

namespace leither::peer {

inline constexpr std::size_t kDialBackAskedMax = 3;

// One round of questions.
class DialBackRound {
 public:
    struct Question {
        Id node;
        std::uint64_t nonce = 0;
        Endpoint endpoint;  // ours, as that node sees it
        std::optional<protocol::DialBackOutcome> outcome;
    };

    void begin(std::vector<Question> questions, Instant until);
    bool is_open() const { return until_.has_value(); }
    std::optional<Instant> until() const { return until_; }

    // False if nobody asked this, or it has been answered.
    bool answer(const Id& node, const protocol::DialBackResult& result);
    // The node is gone and will not answer.
    void give_up(const Id& node);
    bool is_complete() const;
    // Ends the round.
    Reachability conclude(Instant now);

 private:
    std::vector<Question> questions_;
    std::optional<Instant> until_;
};

}  // namespace leither::peer
