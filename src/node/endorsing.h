// Endorsements of what accounts hold: gathers those that an owner asks this node for, gives this
// node's own, and passes on what others ask (docs/protocol/receipts.md, "Endorsed form").
//
// Specification
//   * Answered is an owner's signature over account, term and sequence, nothing else: of the term
//     in office, and of a sequence from the block it stands on first to the head.
//   * A gathering asks the bookkeepers among the neighbours, or if there is none up to
//     kGuidesMax others, and again every kAskAgain: who has signed may know those who have not.
//     It ends with a quorum, with the term, or after kPatience with a failure that says what came
//     of each seat.
//   * What comes from outside the committee is passed on to the bookkeepers among the neighbours,
//     and their answers back; what comes from a bookkeeper is answered only. So no question goes
//     further than member, member, bookkeeper, bookkeeper.
//   * Per neighbour kAsksPerSecond questions are looked at, a few saved up; others are passed over.
//     Whoever hands on a question that its owner has not signed is blamed.
// Rationale
//   * Everybody who gathers keeps the ledger, so a signature is all that travels: whoever passes it
//     on learns nothing but that somebody asks.
//   * An endorsement is no vote: it says what is decided already, so two of them cannot contradict
//     each other, and no log needs to stand behind it.
// Bounded by kGatheringsMax, kRelaysMax and, for each neighbour, one bucket. Sans-I/O.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/consensus/application.h"
#include "leither/ledger/endorsement.h"
#include "leither/node/network.h"
#include "leither/peer/rate_limit.h"

namespace leither::node {

class Endorsing {
 public:
    static constexpr std::size_t kGatheringsMax = 16;
    static constexpr std::size_t kAskersMax = 16;  // of one gathering, or one relay
    static constexpr std::size_t kRelaysMax = 64;
    static constexpr std::size_t kAnswersMax = 64;  // remembered
    static constexpr std::size_t kGuidesMax = 4;
    static constexpr std::uint32_t kAsksPerSecond = 4;
    static constexpr std::uint32_t kSavedUp = 32;
    static constexpr Duration kPatience = std::chrono::seconds(10);
    static constexpr Duration kAskAgain = std::chrono::seconds(1);

    struct Prepared {
        ledger::Seal seal;
        ledger::Endorsable made;
    };
    // What the ledger says while a step lasts.
    struct Ground {
        const consensus::Term& term;
        Sequence head;
        // The claim of the term's committee; nothing if no certified block of it is kept.
        std::function<Result<std::optional<Prepared>, store::Fault>(const Id&, Sequence)> prepare;
    };

    struct Tick {};
    struct NodeUp {
        Id node;
        bool understands = false;  // has kFeatureEndorsements
    };
    struct NodeDown {
        Id node;
    };
    // An owner wants it of this node.
    struct Wanted {
        Token token = 0;
        protocol::AskEndorsement ask;
    };
    // From a neighbour.
    struct Asked {
        Id from;
        protocol::AskEndorsement ask;
    };
    struct Answered {
        Id from;
        protocol::EndorsementReply reply;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, Wanted, Asked, Answered>;

    struct Send {
        Id to;
        std::variant<protocol::AskEndorsement, protocol::EndorsementReply> message;
    };
    struct Gathered {
        Prepared prepared;
        protocol::SeatSignatures signatures;  // a quorum
    };
    struct Done {
        std::vector<Token> tokens;
        Result<Gathered, NetworkFailure> outcome;
    };
    struct Effects {
        std::vector<Send> sends;
        std::vector<Id> blamed;
        std::vector<Done> done;
    };

    explicit Endorsing(const ChainId& chain) : chain_(chain) {}

    Result<Effects, store::Fault> step(Input&& input, const Ground& ground, Instant now);
    // The ledger goes: every gathering fails so.
    Effects abandon(const NetworkFailure& why);
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    // The oldest sequence that the committee in office endorses.
    static Sequence first_of(const consensus::Term& term);

 private:
    using Key = std::tuple<Id, std::uint64_t, Sequence>;  // account, term, sequence
    struct Neighbour {
        bool understands = false;
        peer::TokenBucket questions;
    };
    struct Gathering {
        protocol::AskEndorsement ask;
        Prepared prepared;
        std::vector<Token> tokens;
        std::map<std::uint16_t, Signature> signatures;      // by seat
        std::map<std::uint16_t, std::string_view> refused;  // why, as far as is known
        Instant deadline;
        Instant again;
    };
    struct Relay {
        std::set<Id> askers;
        std::set<std::uint16_t> passed;  // seats whose signature has gone back
        Instant until;
    };
    using Outcome = Result<void, store::Fault>;

    Outcome on(const Tick&, const Ground& ground, Instant now, Effects& fx);
    Outcome on(const NodeUp& up, const Ground& ground, Instant now, Effects& fx);
    Outcome on(const NodeDown& down, const Ground& ground, Instant now, Effects& fx);
    Outcome on(Wanted&& wanted, const Ground& ground, Instant now, Effects& fx);
    Outcome on(const Asked& asked, const Ground& ground, Instant now, Effects& fx);
    Outcome on(const Answered& answered, const Ground& ground, Instant now, Effects& fx);

    static Key key_of(const protocol::AskEndorsement& ask);
    std::optional<NetworkFailure> why_not(const protocol::AskEndorsement& ask,
                                          const Ground& ground) const;
    // Bookkeepers that can be asked.
    std::vector<Id> fellows(const Ground& ground) const;
    Outcome answer(const Asked& asked, const Ground& ground, Effects& fx);
    void pass_on(const Asked& asked, const Ground& ground, Instant now, Effects& fx);
    void pass_back(const Answered& answered, const Ground& ground, Effects& fx);
    void take(Gathering& gathering, const protocol::EndorsementReply& reply, const Ground& ground);
    void ask(const Gathering& gathering, const Ground& ground, Effects& fx) const;
    void review(const Ground& ground, Instant now, Effects& fx);
    NetworkFailure too_few(const Gathering& gathering, const Ground& ground) const;

    ChainId chain_;
    std::map<Id, Neighbour> neighbours_;
    std::map<Key, Gathering> gatherings_;
    std::map<Key, Relay> relays_;
    std::map<Key, Signature> answers_;  // of ours
};

}  // namespace leither::node
