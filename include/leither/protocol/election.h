// Who keeps the books: what the ledger holds of terms, seats and candidates
// (docs/protocol/election.md). A term is what the paper calls a cycle.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"

namespace leither::protocol {

inline constexpr std::size_t kSeatsMax = 31;
inline constexpr std::size_t kCandidatesMax = 1024;
// Cycles whose work counts for a candidate's reliability.
inline constexpr std::size_t kHistoryCyclesMax = 48;
// Cycles whose mining rewards can still be claimed.
inline constexpr std::size_t kRewardRootsMax = 8;
// The vote key that a reveal carries is for the term so many cycles ahead.
inline constexpr std::uint64_t kElectedAhead = 3;

// One bookkeeper. The charter's have no account of their own: `member` is their node's id then,
// and they vote with the node key.
struct Seat {
    Id member;
    PublicKey node_key;
    PublicKey vote_key;
    static void fields(auto& self, auto&& visit) {
        visit(self.member, self.node_key, self.vote_key);
    }
    friend bool operator==(const Seat&, const Seat&) = default;
};
using Seats = Bounded<Seat, kSeatsMax>;
// What certificates are checked with, by seat.
std::vector<PublicKey> vote_keys(const Seats& seats);

// Without seats: whoever is in office goes on.
struct Committee {
    Seats seats;
    Seats spares;  // in the order in which they step in
    static void fields(auto& self, auto&& visit) { visit(self.seats, self.spares); }
    friend bool operator==(const Committee&, const Committee&) = default;
};

// Mining rewards of an ended cycle, to be claimed one by one.
struct RewardRoot {
    std::uint64_t cycle = 0;
    Hash root;                  // election::reward_root
    std::uint32_t claimed = 0;  // by line, one bit each
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.root, self.claimed); }
    friend bool operator==(const RewardRoot&, const RewardRoot&) = default;
};

// The state of the election, renewed by each cycle block. Holds no credit.
struct ElectionRecord {
    std::uint64_t cycle = 0;  // counts terms: +1 with each cycle block, however late
    Pulse first_pulse;        // of the cycle block that began the term
    Pulse end_pulse;          // the first block from here on ends it
    // Blocks behind it are certified by `present`; it itself, the cycle block, by `former`.
    Sequence first_sequence;
    Hash seed;
    Seats former;
    Seats present;
    Committee next;
    Committee after_next;
    // Who has sent `ready` for the next term: bit i for seat i, bit 32 + j for spare j.
    std::uint64_t ready = 0;
    Bounded<RewardRoot, kRewardRootsMax> rewards;  // by cycle, rising
    static void fields(auto& self, auto&& visit) {
        visit(self.cycle, self.first_pulse, self.end_pulse, self.first_sequence, self.seed,
              self.former, self.present, self.next, self.after_next, self.ready, self.rewards);
    }
    bool is_canonical() const;
    friend bool operator==(const ElectionRecord&, const ElectionRecord&) = default;
};

// Who certifies a block, and in which term.
struct Authority {
    std::uint64_t cycle = 0;
    const Seats& seats;
};
// By `record` as block `sequence` or a later one of the term leaves it.
Authority authority_over(const ElectionRecord& record, Sequence sequence);

// A member whose pledge stands.
struct CandidateRow {
    Id member;
    PublicKey node_key;
    Amount pledge;
    static void fields(auto& self, auto&& visit) { visit(self.member, self.node_key, self.pledge); }
    friend bool operator==(const CandidateRow&, const CandidateRow&) = default;
};

// All candidates. Apart from the election's record, whose proofs travel with receipts.
struct CandidateTable {
    Bounded<CandidateRow, kCandidatesMax> rows;  // by member, rising
    static void fields(auto& self, auto&& visit) { visit(self.rows); }
    bool is_canonical() const;
    friend bool operator==(const CandidateTable&, const CandidateTable&) = default;
};
// Of all rows; the supply bounds it.
Amount total_pledge(const CandidateTable& table);

// Whose precommits the running cycle's headers have named.
struct TallyRecord {
    std::uint32_t blocks = 0;                     // certified by the present committee and named
    Bounded<std::uint32_t, kSeatsMax> signed_by;  // of these, by seat
    static void fields(auto& self, auto&& visit) { visit(self.blocks, self.signed_by); }
    friend bool operator==(const TallyRecord&, const TallyRecord&) = default;
};

// Accounts nobody has a key for.
Id election_id(const ChainId& chain);
Id candidates_id(const ChainId& chain);
Id tally_id(const ChainId& chain);

// ---- Windows of a cycle ------------------------------------------------------------------------

// Reveals and `ready` are taken in blocks from `reveal_from` up to and including `last`. With a
// cycle of 1,800 pulses or more that is 600 and 60 pulses before its end; a shorter one scales both
// down, to cycle / 3 and cycle / 30. A cycle is what its pulses say, also if it began late.
struct Windows {
    Pulse reveal_from;
    Pulse last;
};
Windows windows_of(const ElectionRecord& record, std::uint32_t cycle_pulses);
// The first multiple of the cycle's length behind `pulse`.
Pulse cycle_end_after(Pulse pulse, std::uint32_t cycle_pulses);

// ---- In a candidate's own leaf -----------------------------------------------------------------

// What a pledge registers.
struct Registration {
    PublicKey node_key;
    Hash reveal_chain;  // head of the hash chain whose links the candidate reveals
    static void fields(auto& self, auto&& visit) { visit(self.node_key, self.reveal_chain); }
    friend bool operator==(const Registration&, const Registration&) = default;
};

// The last reveal, and what it competes with.
struct Revealed {
    std::uint64_t cycle = 0;
    PublicKey vote_key;  // for term cycle + kElectedAhead
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.vote_key); }
    friend bool operator==(const Revealed&, const Revealed&) = default;
};

// Blocks of one cycle that a seat was to sign, and those it did.
struct CycleWork {
    std::uint64_t cycle = 0;
    std::uint32_t assigned = 0;
    std::uint32_t done = 0;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.assigned, self.done); }
    bool is_canonical() const { return done <= assigned; }
    friend bool operator==(const CycleWork&, const CycleWork&) = default;
};
using WorkHistory = Bounded<CycleWork, kHistoryCyclesMax>;  // by cycle, rising

// A candidate as its own leaf knows it.
struct Candidacy {
    PublicKey node_key;
    Hash last_link;  // the chain's head until the first reveal
    std::optional<Revealed> revealed;
    WorkHistory history;
    static void fields(auto& self, auto&& visit) {
        visit(self.node_key, self.last_link, self.revealed, self.history);
    }
    bool is_canonical() const;
    friend bool operator==(const Candidacy&, const Candidacy&) = default;
};

}  // namespace leither::protocol
