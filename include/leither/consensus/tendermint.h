// One height of Tendermint consensus: Algorithm 1 of arXiv:1807.04938.
//
// Specification
//   * With n seats, f = floor((n - 1) / 3) and a quorum of n - f (any 2 of 2 or 3): no two nodes
//     that keep the rules decide different blocks as long as at most f seats break them; once
//     messages between a quorum arrive in time, the height is decided.
//   * Leader(round) = (first_leader + round) mod n. In round 0 a block that omits what has long
//     waited here gets no prevote.
//   * A block's pulse is held against the clock (+-kPulsesApart) only when the leader proposes it
//     as its own (valid_round nil), at arrival, and bears only on the prevote of line 22. Lines 28,
//     36 and 49 never look at the clock, so that a lock cannot outlive its block.
//   * A proposal is executed fully before the prevote. One whose signature, transactions or
//     parent's certificate do not match is dropped before anything changes.
//   * What it signs leaves first as records for the log. Own messages count, and may be sent, only
//     once the log has them (`Logged`). Started again with what the log holds, it never signs
//     another thing for the same slot and kind.
//   * Two messages by one seat for one slot and kind: the first stays, both leave as evidence. A
//     valid vote under the own key which is not in the log (a twin, a restored copy): it says so
//     and is silent from then on.
// Rationale
//   * Machine and gossip are apart: this one says what is new, and shows what it holds; whom to
//     send it to is Agreement's.
// Deviations from Algorithm 1
//   * n = 1: start() decides at once (lines 11-54 in one); its block's batch is its log.
//   * Line 15 (a leader without a block): getValue always has one, if need be an empty block.
//   * Lines 22, 28, 36, 49: v may be known from a proposal of another round, ids being hashes.
//   * Line 28: the quorum of prevotes comes with the proposal. The paper's gossip delivers both
//     votes of a seat that votes twice to everybody; here the first stays, so that halves of a
//     committee could see different quorums for ever.
//   * Line 55 with n < 4, where f = 0: one message of a later round suffices.
//   * Bounded: of rounds to come each seat keeps its last kFutureRoundsPerSeat, and one block; of
//     rounds gone by the last kPastRounds and those of the lock and the valid value.
//   * A node without a seat sets no timers; it follows by lines 49 and 55.
//   * A clock that steps back takes the timers with it.
// Complexity: O(n * rounds kept) per message, beside signatures and execution.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "leither/base/log.h"
#include "leither/consensus/application.h"
#include "leither/consensus/vote_log.h"
#include "leither/protocol/agreement.h"

namespace leither::consensus {

// Of a pulse's length; each grows by its step with every round.
struct Timeouts {
    Duration propose{};
    Duration propose_step{};
    Duration vote{};
    Duration vote_step{};
    static Timeouts of(std::uint32_t pulse_ms);
};

inline constexpr std::uint64_t kPulsesApart = 2;
inline constexpr std::size_t kFutureRoundsPerSeat = 4;
inline constexpr std::uint32_t kPastRounds = 32;

enum class Voice : std::uint8_t { silent, speaking };

class Tendermint {
 public:
    struct Setup {
        ChainId chain;
        Term term;
        protocol::BlockHeader parent;
        // Nothing at height 1.
        std::optional<protocol::Certificate> parent_certificate;
        std::uint16_t first_leader = 0;
        Timeouts timeouts;
        protocol::SignatureVerifier holds;
        Voice voice = Voice::speaking;
    };

    struct Tick {};
    // The first `records` records of this height are durable.
    struct Logged {
        std::uint64_t records = 0;
    };
    // Start or stop voting; it goes on following.
    struct SetVoice {
        Voice voice = Voice::silent;
    };
    using Input = std::variant<Tick, Logged, SetVoice, protocol::Proposal, protocol::Vote,
                               protocol::Decision>;

    using What = protocol::StatementKind;
    // One message it holds.
    struct Item {
        std::uint32_t round = 0;
        What what = What::proposal;
        std::uint16_t seat = 0;
        friend auto operator<=>(const Item&, const Item&) = default;
    };
    struct Decided {
        Hash block;
        Value value;
        protocol::Certificate certificate;
    };
    // Why a message was dropped whose sender should not have sent it.
    enum class Blame : std::uint8_t {
        bad_signature,
        bad_block,  // its transactions, parent's certificate or prevotes do not match the header
    };
    enum class Alarm : std::uint8_t {
        twin,              // a valid vote under the own key that is not in the log
        invalid_decision,  // a quorum has decided what this node finds invalid
    };
    struct Effects {
        std::vector<LogRecord> log;  // write and sync, then Logged
        std::vector<Item> news;      // new here: to be passed on
        std::optional<Decided> decided;
        std::vector<protocol::Conflict> evidence;
        std::optional<Blame> blame;
        std::optional<Alarm> alarm;
    };

    // `application` outlives it. REQUIRES: the term is well-formed, height = parent's + 1.
    Tendermint(Setup setup, Application& application);
    Tendermint(Tendermint&&) noexcept;
    Tendermint& operator=(Tendermint&&) noexcept;
    ~Tendermint();

    // Once, before anything else, with what the log holds of this height.
    Result<Effects, store::Fault> start(Replay&& replay, Instant now);
    Result<Effects, store::Fault> step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    // ---- What it holds -------------------------------------------------------------------------
    Sequence height() const;
    std::uint32_t round() const;
    protocol::RoundStep step_of_round() const;
    std::uint16_t leader(std::uint32_t round) const;
    // Of a round; zeros if nothing.
    protocol::RoundStatus held(std::uint32_t round) const;
    // The rounds whose messages can still move this node, rising.
    std::vector<std::uint32_t> rounds_of_interest() const;
    // Nothing if it is not held (any more).
    std::optional<protocol::Vote> vote(const Item& item) const;
    enum class Body : std::uint8_t { left_out, included };
    std::optional<protocol::Proposal> proposal(std::uint32_t round, Body body) const;
    // The block proposed in a round, if its body is here.
    std::optional<Hash> proposed(std::uint32_t round) const;
    std::uint64_t records() const;  // emitted so far

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
