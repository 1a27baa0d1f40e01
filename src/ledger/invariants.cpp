#include "leither/ledger/invariants.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace leither::ledger {

namespace {

using protocol::BookkeepingRecord;
using protocol::MemberRecord;
using protocol::Record;
using protocol::Role;
using Transitions = std::span<const Transition>;
using Violation = std::optional<std::string>;

template <class Kind>
const Kind* as(const Record* record) {
    return record == nullptr ? nullptr : std::get_if<Kind>(record);
}

bool is_supervisor(const Record* record) {
    const auto* member = as<MemberRecord>(record);
    return member != nullptr && member->role == Role::supervisor;
}

const Transition* find(Transitions transitions, const Id& id) {
    const auto found = std::ranges::lower_bound(transitions, id, {}, &Transition::id);
    return found != transitions.end() && found->id == id ? &*found : nullptr;
}

// Credit is neither made nor lost (protocol §3).
class Conservation final : public Invariant {
 public:
    std::string_view name() const override { return "Conservation"; }
    Violation violation(const Organization& organization, Transitions,
                        const Synopsis& root) const override {
        if (root.sum == organization.charter.supply) return std::nullopt;
        return fmt::format("the accounts hold {}, the supply is {}", root.sum.units(),
                           organization.charter.supply.units());
    }
};

// No transaction can ever be applied twice.
class NoncesRise final : public Invariant {
 public:
    std::string_view name() const override { return "NoncesRise"; }
    Violation violation(const Organization&, Transitions transitions,
                        const Synopsis&) const override {
        for (const Transition& transition : transitions) {
            const auto* before = as<MemberRecord>(transition.before);
            const auto* after = as<MemberRecord>(transition.after);
            if (before != nullptr && after != nullptr && !rises(*before, *after)) {
                return "a nonce counter of " + transition.id.hex() + " fell";
            }
        }
        return std::nullopt;
    }

 private:
    static bool rises(const MemberRecord& before, const MemberRecord& after) {
        return std::ranges::all_of(before.lanes, [&after](const protocol::Lane& lane) {
            return after.next_counter(lane.lane) >= lane.next;
        });
    }
};

// What is frozen has an amount, one pledge at most, and a candidate has a pledge that stays.
class LocksWithinRecord final : public Invariant {
 public:
    std::string_view name() const override { return "LocksWithinRecord"; }
    Violation violation(const Organization&, Transitions transitions,
                        const Synopsis&) const override {
        for (const Transition& transition : transitions) {
            const auto* after = as<MemberRecord>(transition.after);
            if (after != nullptr && !holds(*after)) {
                return "the locks of " + transition.id.hex() + " do not fit its record";
            }
        }
        return std::nullopt;
    }

 private:
    static bool holds(const MemberRecord& member) {
        const auto& locks = member.locks;
        if (std::ranges::any_of(locks, &Amount::is_zero, &protocol::Lock::amount)) return false;
        if (std::ranges::count(locks, protocol::LockPurpose::pledge, &protocol::Lock::purpose) >
            1) {
            return false;
        }
        const auto stays = [](const protocol::Lock& lock) { return !lock.until; };
        return member.candidacy.has_value() == std::ranges::any_of(locks, stays);
    }
};

// The bookkeeping record counts the member leaves.
class MemberCount final : public Invariant {
 public:
    std::string_view name() const override { return "MemberCount"; }
    Violation violation(const Organization& organization, Transitions transitions,
                        const Synopsis&) const override {
        std::uint64_t came = 0;
        std::uint64_t went = 0;
        for (const Transition& transition : transitions) {
            const bool was_member = as<MemberRecord>(transition.before) != nullptr;
            const bool is_member = as<MemberRecord>(transition.after) != nullptr;
            came += !was_member && is_member;
            went += was_member && !is_member;
        }
        const Transition* book = find(transitions, organization.bookkeeping);
        const std::uint64_t before = book != nullptr ? members(book->before) : 0;
        const std::uint64_t after = book != nullptr ? members(book->after) : 0;
        if (before + came == after + went) return std::nullopt;
        return fmt::format("{} members before, {} came, {} went, {} counted after", before, came,
                           went, after);
    }

 private:
    static std::uint64_t members(const Record* record) {
        const auto* book = as<BookkeepingRecord>(record);
        return book == nullptr ? 0 : book->members;
    }
};

// The bookkeeping record lists exactly the leaves with the role.
class SupervisorsKnown final : public Invariant {
 public:
    std::string_view name() const override { return "SupervisorsKnown"; }
    Violation violation(const Organization& organization, Transitions transitions,
                        const Synopsis&) const override {
        const Transition* book = find(transitions, organization.bookkeeping);
        for (const Transition& transition : transitions) {
            if (!is_listed_as_it_is(book, transition)) {
                return "role and list of supervisors differ for " + transition.id.hex();
            }
        }
        if (book == nullptr || listed(book->after) == expected(*book, transitions)) {
            return std::nullopt;
        }
        return "the list of supervisors changed by more than the roles";
    }

 private:
    static bool is_listed_as_it_is(const Transition* book, const Transition& transition) {
        const bool was = is_supervisor(transition.before);
        const bool is = is_supervisor(transition.after);
        if (book == nullptr) return was == is;
        return lists(book->before, transition.id) == was && lists(book->after, transition.id) == is;
    }
    static bool lists(const Record* record, const Id& id) {
        const auto* book = as<BookkeepingRecord>(record);
        return book != nullptr && std::ranges::binary_search(book->supervisors, id);
    }
    static std::size_t listed(const Record* record) {
        const auto* book = as<BookkeepingRecord>(record);
        return book == nullptr ? 0 : book->supervisors.size();
    }
    static std::size_t expected(const Transition& book, Transitions transitions) {
        std::size_t count = listed(book.before);
        for (const Transition& transition : transitions) {
            if (is_supervisor(transition.after)) ++count;
            if (is_supervisor(transition.before)) --count;
        }
        return count;
    }
};

// The table of candidates lists exactly the leaves with a candidacy.
class CandidatesKnown final : public Invariant {
 public:
    std::string_view name() const override { return "CandidatesKnown"; }
    Violation violation(const Organization& organization, Transitions transitions,
                        const Synopsis&) const override {
        const Transition* table = find(transitions, organization.candidates);
        for (const Transition& transition : transitions) {
            if (!is_listed_as_it_is(table, transition)) {
                return "candidacy and table of candidates differ for " + transition.id.hex();
            }
        }
        return std::nullopt;
    }

 private:
    static bool is_listed_as_it_is(const Transition* table, const Transition& transition) {
        if (table == nullptr) return stands(transition.before) == stands(transition.after);
        return lists(table->after, transition.id) == stands(transition.after);
    }
    static bool stands(const Record* record) {
        const auto* member = as<MemberRecord>(record);
        return member != nullptr && member->candidacy.has_value();
    }
    static bool lists(const Record* record, const Id& id) {
        const auto* table = as<protocol::CandidateTable>(record);
        return table != nullptr &&
               std::ranges::binary_search(table->rows, id, {}, &protocol::CandidateRow::member);
    }
};

// Terms count up by one, have seats, end after they begin, and keep their seats while they run.
class TermsFollow final : public Invariant {
 public:
    std::string_view name() const override { return "TermsFollow"; }
    Violation violation(const Organization& organization, Transitions transitions,
                        const Synopsis&) const override {
        const Transition* election = find(transitions, organization.election);
        if (election == nullptr) return std::nullopt;
        const auto* after = as<protocol::ElectionRecord>(election->after);
        const auto* before = as<protocol::ElectionRecord>(election->before);
        if (after == nullptr) return "the election's record is gone";
        if (after->present.empty() || after->end_pulse <= after->first_pulse) {
            return fmt::format("cycle {} has no seats or no end", after->cycle);
        }
        if (before == nullptr) return std::nullopt;
        const bool follows = after->cycle == before->cycle ? after->present == before->present
                                                           : after->cycle == before->cycle + 1 &&
                                                                 after->former == before->present;
        if (follows) return std::nullopt;
        return fmt::format("cycle {} does not follow cycle {}", after->cycle, before->cycle);
    }
};

// Ballots are cast by members, and an open vote is listed as such.
class VotesCounted final : public Invariant {
 public:
    std::string_view name() const override { return "VotesCounted"; }
    Violation violation(const Organization& organization, Transitions transitions,
                        const Synopsis&) const override {
        const Transition* book = find(transitions, organization.bookkeeping);
        std::uint64_t ballots = 0;
        for (const Transition& transition : transitions) {
            const auto* after = as<protocol::VoteRecord>(transition.after);
            if (after == nullptr) continue;
            const auto* before = as<protocol::VoteRecord>(transition.before);
            ballots += cast(after) - cast(before);
            const bool is_open = after->outcome == protocol::Outcome::open;
            if (book != nullptr && is_open != lists(book->after, transition.id)) {
                return "vote and list of open votes differ for " + transition.id.hex();
            }
        }
        if (ballots <= protocol::kOpenVotesMax * transitions.size()) return std::nullopt;
        return fmt::format("{} ballots by {} accounts", ballots, transitions.size());
    }

 private:
    static std::uint64_t cast(const protocol::VoteRecord* vote) {
        return vote == nullptr ? 0 : vote->yes + vote->no;
    }
    static bool lists(const Record* record, const Id& id) {
        const auto* book = as<BookkeepingRecord>(record);
        return book != nullptr &&
               std::ranges::count(book->votes, id, &protocol::OpenVote::vote) > 0;
    }
};

}  // namespace

std::span<const Invariant* const> invariants() {
    static const Conservation kConservation;
    static const NoncesRise kNoncesRise;
    static const LocksWithinRecord kLocksWithinRecord;
    static const MemberCount kMemberCount;
    static const SupervisorsKnown kSupervisorsKnown;
    static const CandidatesKnown kCandidatesKnown;
    static const TermsFollow kTermsFollow;
    static const VotesCounted kVotesCounted;
    static const std::array<const Invariant*, 8> kAll = {
        &kConservation,     &kNoncesRise,      &kLocksWithinRecord, &kMemberCount,
        &kSupervisorsKnown, &kCandidatesKnown, &kTermsFollow,       &kVotesCounted};
    return kAll;
}

void check_invariants(const State& state, const Synopsis& root) {
    const auto transitions = state.transitions();
    for (const Invariant* invariant : invariants()) {
        const auto violation = invariant->violation(state.organization(), transitions, root);
        CHECK(!violation, fmt::format("{}: {}", invariant->name(), *violation));
    }
}

}  // namespace leither::ledger
