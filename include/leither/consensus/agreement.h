// From height to height: when the next one opens, who is told what, who may vote.
//
// Specification
//   * The next height opens once the present pulse is above the head's and something here waits for
//     it, the term has ended, or a valid signed message of that height has come. One height is open
//     at a time; a decided block leaves as one batch, and nothing of it shows before it is durable.
//   * A lone bookkeeper decides at once; without work it names no deadline and writes nothing.
//   * Own messages go at once to each neighbour that wants votes. Others' votes go to whose status
//     lacks them, once, and again after a while. Others' proposals, which may be large, go to who
//     asks; a node asks one holder at a time, and gives a leader it is connected to a head start. A
//     neighbour one height behind is given the decided block, one further behind the proof that it
//     is; so `behind` tells of a certificate this node has no use for.
//   * Votes only while it may: it has a seat, its log vouches for the cycle and the head (see
//     vote_log.h), no twin was met, and its clock is within kPulsesApart of the median of its
//     neighbours'. Otherwise it follows; `silence` says why.
//   * Who has yielded (vote_log.h) votes on the open height no more, and decides none alone. A
//     bookkeeper of a tiny committee that begins long after the last block first listens for a
//     while: others may have been seated in its place.
//   * In an idle committee only the chief speaks, every heartbeat_pulses; others pass it on once.
//   * Every map is bounded by neighbours_max, seats, or one height's machine; messages of the
//     height after the open one wait in a queue bounded by seat.
// Rationale
//   * In a full mesh everybody hears everybody, and nothing is sent twice; without one a status
//     costs a tenth of what blind relaying would.
//   * Statuses are unsigned hints about their sender alone. What to send depends on them, and the
//     median of the clocks; nothing else. So gossip that is wrong about a neighbour wastes bytes.
// Deviation from the design: a message of the next height opens it at once instead of at the next
//   pulse, if the pulse allows it; waiting would only cost the round that is under way.
// Complexity: O(neighbours) per message, O(rounds * seats) per status.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "leither/base/log.h"
#include "leither/consensus/tendermint.h"

namespace leither::consensus {

struct AgreementOptions {
    std::size_t neighbours_max = 256;
    std::uint64_t heartbeat_pulses = 10;
    // In pulses: how long a neighbour's clock counts, and how often one far behind is told.
    std::uint64_t fresh_pulses = 60;
    std::uint64_t proof_pulses = 10;
    // How long who comes back late listens.
    std::uint64_t listening_pulses = 30;
    // What this node asks of its neighbours while it has no seat.
    protocol::Interest interest = protocol::Interest::decisions;
};

inline constexpr std::uint32_t kAuthorRunMax = 60;

// Why a node does not vote.
enum class Silence : std::uint8_t {
    none,     // it votes
    no_seat,  // it is no bookkeeper
    log,      // its vote log is missing, too old, or not the only one: until the next cycle
    clock,    // its clock is off its neighbours'
    yielded,  // it has promised that this term's last block was decided
};
const char* to_string(Silence silence);

class Agreement {
 public:
    struct Setup {
        ChainId chain;
        std::uint64_t time_ms = 0;  // of pulse 0
        std::uint32_t pulse_ms = 1000;
        protocol::SignatureVerifier holds;
        std::uint32_t author_run = 0;  // blocks in a row by the head's author, in this term
        std::optional<Vouch> vouch;    // vote_log::read_vouch
        Replay replay;                 // vote_log::read of the height after the head
        bool has_yielded = false;      // vote_log::read_yield, of the head
        bool listens = false;          // it begins; not only in another term
        Log log;
    };

    // Also when something new waits: then next_deadline() may be earlier.
    struct Tick {};
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    struct Received {
        Id from;
        protocol::AgreementMessage message;
    };
    // A decided block that the host has looked for, from no neighbour in particular.
    struct Fetched {
        protocol::Decision decision;
    };
    // The log batch with this number, and all before it, are durable.
    struct Logged {
        std::uint64_t number = 0;
    };
    // The decided block's batch is durable.
    struct Persisted {};
    // This node has promised that the head is the last block of the term.
    struct Yielded {};
    using Input =
        std::variant<Tick, NodeUp, NodeDown, Received, Fetched, Logged, Persisted, Yielded>;

    struct Send {
        Id to;
        protocol::AgreementMessage message;
    };
    // Write and sync in the order they come, before any later `durable`.
    struct LogWrite {
        std::uint64_t number = 0;
        store::WriteBatch batch;
    };
    struct Blamed {
        Id node;
        Tendermint::Blame why = Tendermint::Blame::bad_signature;
    };
    enum class Proof : std::uint8_t {
        checked,
        unchecked,  // of a committee this node does not know yet
    };
    struct Behind {
        Id node;  // who showed it
        Sequence height;
        Proof proof = Proof::unchecked;
    };
    struct Effects {
        std::optional<LogWrite> log;
        std::optional<store::WriteBatch> durable;  // then Persisted
        std::vector<Send> sends;
        std::vector<protocol::Conflict> evidence;
        std::optional<protocol::Fork> fork;
        std::vector<Blamed> blamed;
        std::optional<Behind> behind;
        std::optional<Silence> silence;       // when it changes
        std::optional<Sequence> committed;    // the new head
        std::optional<Sequence> objected_to;  // decided by a quorum, but invalid here
    };

    // `law` outlives it.
    Agreement(AgreementOptions options, Setup setup, Law& law);
    Agreement(Agreement&&) noexcept;
    Agreement& operator=(Agreement&&) noexcept;
    ~Agreement();

    // Once, first.
    Result<Effects, store::Fault> start(Instant now);
    Result<Effects, store::Fault> step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    // Another term begins with the next height: what this one has signed of it counts there for
    // nothing, and leaves. What the log vouches for goes to whoever comes next.
    std::optional<Vouch> retire(store::WriteBatch& batch) const;

    bool is_sealing() const;
    Silence silence() const;
    // What it would tell a neighbour now.
    protocol::Status status(Instant now) const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
