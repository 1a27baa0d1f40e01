// Acts that put another committee in the place of one that is silent (docs/protocol/election.md).
// They are the first transaction of the block that the new committee seals.
#pragma once

#include "leither/protocol/election.h"
#include "leither/protocol/slot.h"

namespace leither::protocol {

// Pulses without a block, or without a cycle block, after which they may be made.
inline constexpr std::uint32_t kSilentPulses = 300;
// A committee that a supervisor may replace, and the largest that may be put in its place.
inline constexpr std::size_t kTinyCommitteeMax = 3;
inline constexpr std::size_t kCountersignersMax = 31;

// The last block that was decided: the act stands on no other.
struct LastBlock {
    std::uint64_t cycle = 0;  // the running term, which the act ends
    Sequence sequence;
    Hash hash;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.sequence, self.hash); }
    friend bool operator==(const LastBlock&, const LastBlock&) = default;
};

// A row of the candidate table, and what its node key has signed.
struct RowSignature {
    std::uint16_t row = 0;
    Signature signature;
    static void fields(auto& self, auto&& visit) { visit(self.row, self.signature); }
    friend bool operator==(const RowSignature&, const RowSignature&) = default;
};

// A supervisor seats others, each a member of its own with keys of its own. Countersigned by more
// than half of the candidates, whose nodes replicate the ledger: they say that this block is the
// last they know.
struct HandOver {
    LastBlock last;
    Bounded<Seat, kTinyCommitteeMax> seats;
    Bounded<RowSignature, kCountersignersMax> countersigned;  // by row, rising
    static void fields(auto& self, auto&& visit) {
        visit(self.last, self.seats, self.countersigned);
    }
    bool is_canonical() const;
    friend bool operator==(const HandOver&, const HandOver&) = default;
};

// The candidates seat the next committee before its time.
struct Recovery {
    LastBlock last;
    Bounded<RowSignature, kCandidatesMax> signatures;  // by row, rising
    static void fields(auto& self, auto&& visit) { visit(self.last, self.signatures); }
    bool is_canonical() const;
    friend bool operator==(const Recovery&, const Recovery&) = default;
};

// What one candidate has signed, on its way to whoever makes an act of it.
struct TakeoverSignature {
    LastBlock last;
    Bounded<Seat, kTinyCommitteeMax> seats;  // of a hand-over; none: for a recovery
    RowSignature by;
    static void fields(auto& self, auto&& visit) { visit(self.last, self.seats, self.by); }
    friend bool operator==(const TakeoverSignature&, const TakeoverSignature&) = default;
};

// Of a hand-over: more than half. If nobody is a candidate a supervisor's word is enough.
std::size_t countersignatures_needed(const CandidateTable& table);
Bytes countersigning_message(const ChainId& chain, const LastBlock& last, const Seats& seats);
Bytes signing_message(const ChainId& chain, const LastBlock& last);

}  // namespace leither::protocol
