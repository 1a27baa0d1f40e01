// What a leaf of the ledger tree holds (docs/protocol/records.md). The BCS of a Record is the
// leaf's record; its sum is what the leaf adds to the tree.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"
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
    static void fields(auto& self, auto&& visit) { visit(self.purpose, self.amount, self.until); }
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
inline constexpr std::size_t kLanesMax = 16;

// What a pledge registers its owner for: a seat among the bookkeepers.
struct Candidacy {
    PublicKey node_key;
    Hash reveal_chain;  // head of the hash chain whose links the candidate reveals
    static void fields(auto& self, auto&& visit) { visit(self.node_key, self.reveal_chain); }
    friend bool operator==(const Candidacy&, const Candidacy&) = default;
};

struct MemberRecord {
    PublicKey key;
    Amount balance;
    Role role = Role::member;
    Sequence created;
    Bounded<Lock, kLocksMax> locks;
    Bounded<Lane, kLanesMax> lanes;  // by lane, rising
    std::optional<Candidacy> candidacy;
    // Transactions signed in `cycle`, for the limit per member and cycle.
    std::uint32_t cycle = 0;
    std::uint32_t cycle_transactions = 0;
    Salt salt;  // so that a leaf's hash does not betray a guessed record

    static void fields(auto& self, auto&& visit) {
        visit(self.key, self.balance, self.role, self.created, self.locks, self.lanes,
              self.candidacy, self.cycle, self.cycle_transactions, self.salt);
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

// What the organization knows of itself: parameters in force and who may admit. Holds no credit.
struct BookkeepingRecord {
    Params params;
    Bounded<Id, kSupervisorsMax> supervisors;  // rising
    std::uint64_t members = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.params, self.supervisors, self.members);
    }
    bool is_canonical() const;
    friend bool operator==(const BookkeepingRecord&, const BookkeepingRecord&) = default;
};

// The alternatives' order is encoded; only ever append.
using Record = std::variant<MemberRecord, TreasuryRecord, BookkeepingRecord>;

// Balance plus everything frozen; nothing on overflow (such bytes are no record).
std::optional<Amount> sum_of(const Record& record);
// As tree::SumOf: decodes, then sum_of.
std::optional<Amount> sum_of_encoded(ByteView record);

}  // namespace leither::protocol
