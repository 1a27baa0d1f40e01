// What a leaf of the ledger tree holds (docs/protocol/records.md). The BCS of a Record is the
// leaf's record; its sum is what the leaf adds to the tree.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <variant>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"
#include "leither/protocol/election.h"
#include "leither/protocol/params.h"

namespace leither::protocol {

enum class Role : std::uint8_t { member, supervisor };  // encoded; never change these values
constexpr Role last_of(Role) {
    return Role::supervisor;
}
const char* to_string(Role role);

enum class LockPurpose : std::uint8_t { pledge };  // encoded; never change these values
constexpr LockPurpose last_of(LockPurpose) {
    return LockPurpose::pledge;
}

// Credit frozen in its owner's leaf for one purpose.
struct Lock {
    LockPurpose purpose = LockPurpose::pledge;
    Amount amount;
    // When it falls free; nothing while its release has not been announced.
    std::optional<Pulse> until;
    std::uint64_t since = 0;  // the cycle in which it was frozen
    static void fields(auto& self, auto&& visit) {
        visit(self.purpose, self.amount, self.until, self.since);
    }
    friend bool operator==(const Lock&, const Lock&) = default;
};
inline constexpr std::size_t kLocksMax = 8;

// The next counter of a nonce lane that has been used. A lane not listed starts at first_counter().
struct Lane {
    std::uint8_t lane = 0;
    std::uint64_t next = 0;
    static void fields(auto& self, auto&& visit) { visit(self.lane, self.next); }
    friend bool operator==(const Lane&, const Lane&) = default;
};
// Beside the lane of the member's node.
inline constexpr std::size_t kLanesMax = 16;
// The acts of a candidate's node have a lane of their own, so that the node needs no spending key
// and never meets its owner's counters.
inline constexpr std::uint8_t kNodeLane = 255;

inline constexpr std::size_t kOpenVotesMax = 16;

struct MemberRecord {
    PublicKey key;
    Amount balance;
    Role role = Role::member;
    Sequence created;
    Bounded<Lock, kLocksMax> locks;
    Bounded<Lane, kLanesMax + 1> lanes;  // by lane, rising
    std::optional<Candidacy> candidacy;
    // Transactions signed in `cycle`, for the limit per member and cycle.
    std::uint32_t cycle = 0;
    std::uint32_t cycle_transactions = 0;
    Bounded<Id, kOpenVotesMax> voted;  // open votes the member has cast a ballot in; by id, rising
    Salt salt;                         // so that a leaf's hash does not betray a guessed record

    static void fields(auto& self, auto&& visit) {
        visit(self.key, self.balance, self.role, self.created, self.locks, self.lanes,
              self.candidacy, self.cycle, self.cycle_transactions, self.voted, self.salt);
    }
    bool is_canonical() const;
    friend bool operator==(const MemberRecord&, const MemberRecord&) = default;

    // No counter is ever used twice, even by a member who left and came back.
    std::uint64_t first_counter() const { return created.value() << 20; }
    std::uint64_t next_counter(std::uint8_t lane) const;
};

enum class RewardKind : std::uint8_t { structural, service, operation, mining };  // encoded
constexpr RewardKind last_of(RewardKind) {
    return RewardKind::mining;
}
const char* to_string(RewardKind kind);

// A reward that is announced and not yet paid.
struct PendingReward {
    Hash transaction;
    Id member;
    Amount amount;
    Pulse due;
    static void fields(auto& self, auto&& visit) {
        visit(self.transaction, self.member, self.amount, self.due);
    }
    friend bool operator==(const PendingReward&, const PendingReward&) = default;
};
inline constexpr std::size_t kPendingRewardsMax = 256;

// The organization's own account; its id is the organization's id. System accounts are public.
struct TreasuryRecord {
    Amount balance;                                      // without the pending rewards
    Bounded<PendingReward, kPendingRewardsMax> pending;  // by due pulse, then by arrival
    std::uint32_t day = 0;  // pulses of a day / pulse, for the daily limit
    Amount day_base;        // balance when the first reward of that day came
    Amount day_announced;   // rewards announced that day
    static void fields(auto& self, auto&& visit) {
        visit(self.balance, self.pending, self.day, self.day_base, self.day_announced);
    }
    friend bool operator==(const TreasuryRecord&, const TreasuryRecord&) = default;
};

inline constexpr std::size_t kSupervisorsMax = 64;

// A vote that runs. What it is about and how it stands is in its own leaf.
struct OpenVote {
    Id vote;
    Pulse closes;  // the first block from here on counts it
    static void fields(auto& self, auto&& visit) { visit(self.vote, self.closes); }
    friend bool operator==(const OpenVote&, const OpenVote&) = default;
};

// One value for one row of kParamTable.
struct ParamChange {
    std::uint8_t param = 0;  // row
    std::uint32_t value = 0;
    static void fields(auto& self, auto&& visit) { visit(self.param, self.value); }
    bool is_canonical() const { return param < std::size(kParamTable); }
    friend bool operator==(const ParamChange&, const ParamChange&) = default;
};
struct ComingChange {
    std::uint64_t cycle = 0;  // in force from this cycle's beginning
    ParamChange change;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.change); }
    friend bool operator==(const ComingChange&, const ComingChange&) = default;
};
// A passed change waits for the cycle after next: at most two of each parameter wait at a time.
inline constexpr std::size_t kComingChangesMax = 64;
static_assert(2 * std::size(kParamTable) <= kComingChangesMax);

// What the organization knows of itself: parameters in force and who may admit. Holds no credit.
struct BookkeepingRecord {
    Params params;
    Bounded<Id, kSupervisorsMax> supervisors;  // rising
    std::uint64_t members = 0;
    Bounded<OpenVote, kOpenVotesMax> votes;            // by closing pulse, then by arrival
    Bounded<ComingChange, kComingChangesMax> changes;  // by cycle, then by arrival
    static void fields(auto& self, auto&& visit) {
        visit(self.params, self.supervisors, self.members, self.votes, self.changes);
    }
    bool is_canonical() const;
    friend bool operator==(const BookkeepingRecord&, const BookkeepingRecord&) = default;
};

using LongText = BoundedText<280>;

// A change that the members are asked for.
struct ParamProposal {
    ParamChange change;
    LongText reason;
    static void fields(auto& self, auto&& visit) { visit(self.change, self.reason); }
    friend bool operator==(const ParamProposal&, const ParamProposal&) = default;
};
// A reward that needs the members' consent.
struct Grant {
    RewardKind kind = RewardKind::structural;  // or operation
    Id member;
    Amount amount;
    LongText reason;
    LongText proof;  // where the evidence is
    static void fields(auto& self, auto&& visit) {
        visit(self.kind, self.member, self.amount, self.reason, self.proof);
    }
    bool is_canonical() const {
        return kind == RewardKind::structural || kind == RewardKind::operation;
    }
    friend bool operator==(const Grant&, const Grant&) = default;
};
using Subject = std::variant<ParamProposal, Grant>;  // only ever append

enum class Outcome : std::uint8_t {  // encoded; never change these values
    open,
    passed,
    rejected,
    unpaid,  // passed, but the member has left, or the treasury or the day's share did not allow it
};
constexpr Outcome last_of(Outcome) {
    return Outcome::unpaid;
}
const char* to_string(Outcome outcome);

// A vote of the members, public also when it is over. Holds no credit.
struct VoteRecord {
    Hash proposal;  // the transaction that opened it
    Id proposer;
    Subject subject;
    Sequence opened;  // members of this sequence or earlier may vote
    Pulse closes;
    std::uint64_t yes = 0;
    std::uint64_t no = 0;
    std::uint64_t members = 0;  // when it was opened
    Outcome outcome = Outcome::open;
    static void fields(auto& self, auto&& visit) {
        visit(self.proposal, self.proposer, self.subject, self.opened, self.closes, self.yes,
              self.no, self.members, self.outcome);
    }
    friend bool operator==(const VoteRecord&, const VoteRecord&) = default;
};
// Where the vote has its leaf that a transaction of `proposer` with this nonce opens. No nonce
// comes twice, so no two votes meet.
Id vote_id(const ChainId& chain, const Id& proposer, std::uint8_t lane, std::uint64_t counter);
// Two thirds of the votes cast and a third of all members say yes.
bool is_passed(std::uint64_t yes, std::uint64_t no, std::uint64_t members);

// The alternatives' order is encoded; only ever append.
using Record = std::variant<MemberRecord, TreasuryRecord, BookkeepingRecord, ElectionRecord,
                            CandidateTable, TallyRecord, VoteRecord>;

// Balance plus everything frozen; nothing on overflow (such bytes are no record).
std::optional<Amount> sum_of(const Record& record);
// As tree::SumOf: decodes, then sum_of.
std::optional<Amount> sum_of_encoded(ByteView record);

}  // namespace leither::protocol
