// Supervisors admit members, let them go and change their role.
#include <algorithm>

#include "leither/crypto/hash.h"

#include "kinds.h"
#include "leaf.h"
#include "treasury.h"

namespace leither::ledger::rules {

namespace {

using protocol::Application;
using protocol::BookkeepingRecord;
using protocol::Earn;
using protocol::Join;
using protocol::Leave;
using protocol::MemberRecord;
using protocol::Refusal;
using protocol::Role;
using protocol::SetRole;

// The organization keeps at least as many supervisors as an act of theirs needs.
Verdict check_supervisor_can_be_spared(const State& state) {
    const BookkeepingRecord& bookkeeping = state.bookkeeping();
    const std::size_t count = bookkeeping.supervisors.size();
    const std::uint32_t needed = bookkeeping.params.supervisors_required;
    if (count <= needed) return refuse(Refusal::last_supervisor, count, needed);
    return {};
}

void add_supervisor(State& state, const Id& id) {
    auto& supervisors = state.bookkeeping_for_change().supervisors;
    supervisors.insert(std::ranges::lower_bound(supervisors, id), id);
}

void remove_supervisor(State& state, const Id& id) {
    std::erase(state.bookkeeping_for_change().supervisors, id);
}

Amount frozen(const MemberRecord& member) {
    Amount total;
    for (const protocol::Lock& lock : member.locks) total = sum(total, lock.amount);
    return total;
}

Verdict check_applicant(const State& state, const Application& application) {
    const Id applicant = crypto::id_of(application.applicant);
    if (state.exists(applicant) || state.was_removed(applicant)) {
        return refuse(Refusal::member_exists);
    }
    const auto& sponsor = application.sponsor;
    if (sponsor && state.member(*sponsor) == nullptr) return refuse(Refusal::sponsor_unknown);
    return {};
}

void admit(State& state, const Case& in, const Hash& id, const Application& application) {
    MemberRecord member;
    member.key = application.applicant;
    member.created = in.place.sequence;
    member.salt = next_salt(state.organization().chain, Salt{}, id);
    state.create_member(crypto::id_of(member.key), std::move(member));
    ++state.bookkeeping_for_change().members;
}

}  // namespace

// ---- Join --------------------------------------------------------------------------------------

Verdict check_parties(const State& state, const Join& join) {
    return check_applicant(state, join.application);
}

Verdict check_substance(const State&, const Case&, const Join&) {
    return {};
}

void apply(State& state, const Case& in, const Hash& id, const Join& join) {
    admit(state, in, id, join.application);
}

// ---- Earn: a join and a reward for service -----------------------------------------------------

Verdict check_parties(const State& state, const Earn& earned) {
    return check_applicant(state, earned.application);
}

Verdict check_substance(const State& state, const Case& in, const Earn& earned) {
    return check_reward(state, in.place.pulse, {earned.amount, earned.reason});
}

void apply(State& state, const Case& in, const Hash& id, const Earn& earned) {
    admit(state, in, id, earned.application);
    take_from_treasury(state, in.place.pulse, earned.amount);
    give(state, in.place.pulse,
         {id, crypto::id_of(earned.application.applicant), earned.amount, Pulse(0)});
}

// ---- Leave -------------------------------------------------------------------------------------

Verdict check_parties(const State& state, const Leave& leave) {
    if (state.member(leave.member) == nullptr) return refuse(Refusal::counterparty_unknown);
    return {};
}

Verdict check_substance(const State& state, const Case&, const Leave& leave) {
    const MemberRecord& member = *state.member(leave.member);
    if (!member.balance.is_zero()) {
        return refuse(Refusal::balance_not_zero, member.balance.units());
    }
    if (!member.locks.empty()) return refuse(Refusal::locks_remain, frozen(member).units());
    if (member.role == Role::supervisor) return check_supervisor_can_be_spared(state);
    return {};
}

void apply(State& state, const Case&, const Hash&, const Leave& leave) {
    if (state.member(leave.member)->role == Role::supervisor) {
        remove_supervisor(state, leave.member);
    }
    state.remove_member(leave.member);
    --state.bookkeeping_for_change().members;
}

// ---- Role --------------------------------------------------------------------------------------

Verdict check_parties(const State& state, const SetRole& change) {
    if (state.member(change.member) == nullptr) return refuse(Refusal::counterparty_unknown);
    return {};
}

Verdict check_substance(const State& state, const Case&, const SetRole& change) {
    if (state.member(change.member)->role == change.role) return refuse(Refusal::same_role);
    if (change.role == Role::member) return check_supervisor_can_be_spared(state);
    const std::size_t count = state.bookkeeping().supervisors.size();
    if (count >= protocol::kSupervisorsMax) {
        return refuse(Refusal::too_many_supervisors, count, protocol::kSupervisorsMax);
    }
    return {};
}

void apply(State& state, const Case&, const Hash& id, const SetRole& change) {
    touch(state, change.member, id).role = change.role;
    if (change.role == Role::supervisor) {
        add_supervisor(state, change.member);
    } else {
        remove_supervisor(state, change.member);
    }
}

}  // namespace leither::ledger::rules
