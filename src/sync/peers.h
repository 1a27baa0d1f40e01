// Whom to ask: the nodes that are connected, what they say they have, what they were asked and how
// they behaved. Private to the room.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "leither/base/prng.h"
#include "leither/base/time.h"
#include "leither/election/cycle_chain.h"
#include "leither/protocol/sync_messages.h"

namespace leither::sync {

// How far one peer has led, and from what.
struct Way {
    election::Trusted origin;  // believed before
    Pulse since;               // when that was so
    // The term the links begin behind, if not where the ledger's own knowledge ends.
    std::optional<std::uint64_t> from_term;
    election::Trusted tip;  // the newest committee it has led to
};

struct Peer {
    std::optional<Sequence> claim;        // its head, as it says
    Sequence oldest;                      // whose state it keeps, with the blocks behind it
    std::optional<Sequence> lacks_state;  // a version it has said it does not keep
    // In this round of asking for chains: whether it is done, and what it has shown.
    bool has_told_chain = false;
    std::optional<Way> way;
    bool has_other_block = false;  // where the anchor should be: asked without it
    unsigned failures = 0;         // since its last useful answer
    unsigned late = 0;             // answers since the last that was quick
    Instant not_before{};
    Instant asked_at{};
    std::size_t asked = 0;    // unanswered, not late
    bool is_liar = false;     // asked nothing any more
    bool has_spoken = false;  // of its head, by itself

    // Whether it may have what lies behind `sequence`; who has said nothing may.
    bool may_exceed(Sequence sequence) const { return !claim || *claim > sequence; }
    bool may_have(Sequence sequence) const { return !claim || *claim >= sequence; }
};

class Peers {
 public:
    struct Options {
        std::size_t peers_max = 0;
        Duration answer_timeout{};
        Duration retry_min{};
        Duration retry_max{};
    };
    using Fits = std::function<bool(const Peer&)>;
    struct Asked {
        Id node;
        protocol::SyncAsk question;
    };
    using Unanswered = std::vector<Asked>;

    Peers(Options options, std::uint64_t seed) : options_(options), prng_(seed) {}

    // More than peers_max are passed over.
    void up(const Id& node);
    // What it was asked and will not answer.
    Unanswered down(const Id& node);
    // Null if it is not connected.
    Peer* find(const Id& node);
    bool any(const Fits& fits) const;
    void for_each(const std::function<void(Peer&)>& each);

    // One that fits, may be asked now and is asked less than `asked_max`: the one with the fewest
    // questions and failures, asked longest ago.
    std::optional<Id> pick(const Fits& fits, std::size_t asked_max, Instant now);
    // When the first that fits and rests may be asked; nothing if none rests.
    std::optional<Instant> rested(const Fits& fits, Instant now) const;

    void ask(const Id& node, protocol::SyncAsk question, Instant now);
    // Whether it was asked that, in time or late; then it is not any more.
    bool answered(const Id& node, const protocol::SyncAsk& question, Instant now);
    // Questions of this kind that are not answered, nor late.
    template <class Ask>
    std::size_t asked() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(questions_, [](const Question& question) {
                return !question.is_late && std::holds_alternative<Ask>(question.ask);
            }));
    }
    // Questions that have become late just now; their peers have failed.
    Unanswered expire(Instant now);
    // When the next becomes late.
    std::optional<Instant> deadline() const;

    // It rests no more, and what it was asked is to be asked again: whatever it was asked before
    // it let us in was lost.
    Unanswered begin_anew(const Id& node);
    void did_well(const Id& node);
    // It rests, longer each time.
    void failed(const Id& node, Instant now);
    // What it was asked and is not expected to answer any more.
    Unanswered drop_liar(const Id& node);
    void check_invariants() const;

 private:
    struct Question {
        Id to;
        protocol::SyncAsk ask;
        Instant since;
        Instant until;
        bool is_late = false;
    };
    static constexpr std::size_t kLatePerPeerMax = 4;

    bool may_ask(const Peer& peer, Instant now) const {
        return !peer.is_liar && peer.not_before <= now;
    }
    Unanswered take_questions_of(const Id& node);
    void forget_oldest_late(const Id& node);

    Options options_;
    Prng prng_;
    std::map<Id, Peer> peers_;
    std::vector<Question> questions_;
};

}  // namespace leither::sync
