// What stands behind Agreement: agreement.cpp opens and closes heights and takes messages in,
// gossip.cpp decides what neighbours are sent.
#pragma once

#include <deque>
#include <set>

#include "leither/consensus/agreement.h"
#include "leither/crypto/hash.h"

#include "neighbours.h"

namespace leither::consensus {

// Messages of the height after the open one, for each seat: votes beside one proposal.
inline constexpr std::size_t kAheadPerSeat = 4;
// Heights of which it is told that two blocks were decided.
inline constexpr std::size_t kForksToldMax = 64;
// For each neighbour, of the open height.
inline constexpr std::size_t kBodiesMax = 16;
inline constexpr std::size_t kExchangedMax = 4096;
// Followers that are given the head's block at most: at once, and again in each half pulse while
// some still ask for it.
inline constexpr std::size_t kFanoutMax = 8;
// Of one seat, that are passed on at once within a pulse. An honest seat votes twice a round.
inline constexpr std::size_t kPassedOnPerPulse = 8;

struct Agreement::Impl {
    Impl(AgreementOptions options_, Setup setup_, Law& law_)
        : options(options_),
          setup(std::move(setup_)),
          law(law_),
          vouch(setup.vouch),
          replay(std::move(setup.replay)),
          author_run(setup.author_run),
          has_yielded(setup.has_yielded) {}

    using Done = Result<void, store::Fault>;

    AgreementOptions options;
    Setup setup;
    Law& law;

    // ---- The height
    std::optional<Tendermint> machine = std::nullopt;
    std::optional<std::uint32_t> sealing = std::nullopt;  // the round that decided it
    bool heard = false;  // a signed message of the next height, so it opens
    Hash head_hash = {};
    std::vector<PublicKey> committee_of_head = {};  // that decided it
    // Heard in the round that decided the head: precommits for something else. Whoever stands in
    // its certificate all the same has voted twice.
    std::vector<protocol::Vote> dissent = {};

    std::set<Sequence> forks_told = {};
    std::set<Id> doubted = {};  // neighbours that were shown our block of a height, on this head

    // ---- What was signed
    std::optional<Vouch> vouch;
    Replay replay;                               // of the height after the head, until it opens
    std::set<std::uint32_t> logged_rounds = {};  // of the open height
    std::uint32_t author_run;
    Silence silence = Silence::no_seat;
    bool has_yielded;  // for the term of the head
    std::optional<Instant> listens_until = std::nullopt;
    std::uint64_t log_number = 0;
    struct Unlogged {
        std::uint64_t number = 0;
        Sequence height;
        std::uint64_t records = 0;
    };
    std::deque<Unlogged> unlogged = {};

    // ---- Neighbours
    std::map<Id, Neighbour> neighbours = {};
    Clocks clocks = {};
    struct Ahead {
        Id from;
        std::uint16_t seat = 0;
        Tendermint::Input message;
    };
    std::vector<Ahead> ahead = {};
    std::map<std::uint16_t, Pulse> heartbeats = {};  // the newest heard, by seat
    Pulse heartbeat_after;
    std::optional<Sequence> behind_told = std::nullopt;
    std::optional<Instant> status_due = std::nullopt;
    struct Ask {
        Instant at = {};
        std::size_t tries = 0;
    };
    // Of the head's block, to followers, within the half pulse that began at `since`.
    struct Handed {
        Instant since = {};
        std::size_t copies = 0;
    };
    Handed handed = {};
    // The next block, which neighbours have and this node, without a seat, has not.
    std::optional<Ask> fetch = std::nullopt;
    std::map<Tendermint::Item, Instant> arrivals = {};  // what came when, of the open height
    std::map<std::uint32_t, Ask> asks = {};             // proposals that neighbours have, by round
    struct PassedOn {
        Pulse pulse;
        std::size_t votes = 0;
    };
    std::map<std::uint16_t, PassedOn> passed_on = {};  // by seat

    // ---- agreement.cpp
    Instant start_of(Pulse pulse) const;
    Sequence next() const { return law.head().header.sequence.next(); }
    std::uint16_t first_leader() const;
    bool is_alone() const;
    bool may_be_replaced(Instant now) const;
    bool is_bookkeeper(const Id& node) const;  // in office
    Silence reason_for_silence(Instant now) const;
    Done judge_silence(Instant now, Effects& fx);
    void write_vouch(const Vouch& next_vouch, Effects& fx);
    void write_log(store::WriteBatch&& batch, std::uint64_t records, Effects& fx);
    std::uint64_t first_cycle_after(Instant now) const;

    Result<bool, store::Fault> is_time_to_open(Instant now);
    Done try_open(Instant now, Effects& fx);
    Done open(Instant now, Effects& fx);
    Done feed(const Id& from, Tendermint::Input&& input, Instant now, Effects& fx);
    Done absorb(Tendermint::Effects&& taken, const std::optional<Id>& from, Instant now,
                Effects& fx);
    Done heed(Tendermint::Alarm alarm, Instant now, Effects& fx);
    Done seal(Tendermint::Decided&& decided, Effects& fx);
    Done finish(Instant now, Effects& fx);

    Done on(const Tick& tick, Instant now, Effects& fx);
    Done on(const NodeUp& up, Instant now, Effects& fx);
    Done on(const NodeDown& down, Instant now, Effects& fx);
    Done on(Received&& received, Instant now, Effects& fx);
    Done on(Fetched&& fetched, Instant now, Effects& fx);
    Done on(const Logged& logged, Instant now, Effects& fx);
    Done on(const Persisted& persisted, Instant now, Effects& fx);
    Done on(const Yielded& yielded, Instant now, Effects& fx);
    Done take(const Id& from, protocol::Vote&& vote, Instant now, Effects& fx);
    Done take(const Id& from, protocol::Proposal&& proposal, Instant now, Effects& fx);
    Done take(const Id& from, protocol::Decision&& decision, Instant now, Effects& fx);
    Done take(const Id& from, protocol::Heartbeat&& heartbeat, Instant now, Effects& fx);
    Done take(const Id& from, protocol::Status&& status, Instant now, Effects& fx);
    std::optional<std::uint16_t> signer_of(const protocol::Vote& vote) const;
    std::optional<std::uint16_t> signer_of(const protocol::Proposal& proposal) const;
    bool is_signed(const protocol::Vote& vote) const;
    template <class Message>
    Done take_ahead(const Id& from, Message&& message, Instant now, Effects& fx);
    template <class Message>
    std::size_t count_ahead(std::uint16_t seat) const;
    void compare(const protocol::Certificate& certificate, Effects& fx);
    Done compare_decided(const Id& from, protocol::Decision&& decision, Effects& fx);
    Done doubt(const Id& from, Sequence height, const Hash& theirs, Effects& fx);
    Done note_behind(const Id& from, const protocol::Decision& decision, Effects& fx);
    bool is_idle_chief() const;
    Done beat(Instant now, Effects& fx);

    // ---- gossip.cpp
    Duration pulses(std::uint64_t tenths) const {
        return Duration(std::chrono::milliseconds(setup.pulse_ms)) * tenths / 10;
    }
    Pulse next_heartbeat() const {
        return Pulse(heartbeat_after.value() + options.heartbeat_pulses);
    }
    protocol::Status status(Instant now) const;
    bool speaks_to_anybody() const;
    Instant arrived(const Tendermint::Item& item) const;
    bool may_pass_on(std::uint16_t seat, Instant now);
    void note_exchanged(Neighbour& neighbour, const Tendermint::Item& item, Instant now);
    void spread(const Tendermint::Item& item, const std::optional<Id>& from, Instant now,
                Effects& fx);
    void send_vote(const Id& to, const Tendermint::Item& item, Instant now, Effects& fx);
    void send_proposal(const Id& to, std::uint32_t round, Instant now, Effects& fx);
    void tell_status(const Id& to, Instant now, Effects& fx);
    void tell_statuses(Instant now, Effects& fx);
    void supply(const Id& to, Instant now, Effects& fx);
    Done hand_decision(const Id& to, Instant now, Effects& fx);
    Done hand_to_followers(Instant now, Effects& fx);
    Done help(const Id& from, Instant now, Effects& fx);
    bool is_parent_of(const Neighbour& follower, const Id& id) const;
    bool takes_turn(Instant now);
    // Without a seat, and without hearing the votes.
    bool asks_by_turns() const {
        return !law.term().seat && options.interest != protocol::Interest::votes;
    }
    void await_block(Instant now);
    void fetch_block(Instant now, Effects& fx);
    std::vector<Id> holders_of_block() const;
    std::optional<Instant> next_fetch() const;
    void ask_for_proposals(Instant now, Effects& fx);
    std::vector<Id> holders_of(std::uint32_t round) const;
    std::optional<Instant> next_ask() const;
};

}  // namespace leither::consensus
