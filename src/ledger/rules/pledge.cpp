// A member freezes credit and stands as a candidate, or ends it; and the act that does nothing.
#include <algorithm>

#include "kinds.h"
#include "leaf.h"

namespace leither::ledger::rules {

namespace {

using protocol::Cancel;
using protocol::Lock;
using protocol::LockPurpose;
using protocol::MemberRecord;
using protocol::Pledge;
using protocol::Refusal;
using protocol::Release;

auto row_of(auto& table, const Id& member) {
    return std::ranges::lower_bound(table.rows, member, {}, &protocol::CandidateRow::member);
}

auto find_pledge(auto& member) {
    return std::ranges::find(member.locks, LockPurpose::pledge, &Lock::purpose);
}

}  // namespace

// ---- Pledge ------------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Pledge& pledge) {
    const MemberRecord& owner = *state.member(in.body.signer);
    if (pledge.amount.is_zero()) return refuse(Refusal::zero_amount);
    if (owner.balance < pledge.amount) {
        return refuse(Refusal::insufficient_balance, owner.balance.units(), pledge.amount.units());
    }
    const auto existing = find_pledge(owner);
    if (existing != owner.locks.end()) {
        return refuse(Refusal::already_pledged, existing->amount.units());
    }
    const auto& rows = state.candidates().rows;
    if (rows.full()) {
        return refuse(Refusal::too_many_candidates, rows.size(), protocol::kCandidatesMax);
    }
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Pledge& pledge) {
    MemberRecord& owner = *state.member_for_change(in.body.signer);
    owner.balance = difference(owner.balance, pledge.amount);
    owner.locks.push_back(
        {LockPurpose::pledge, pledge.amount, std::nullopt, state.election().cycle});
    const auto& [node_key, reveal_chain] = pledge.registration;
    owner.candidacy = protocol::Candidacy{node_key, reveal_chain, std::nullopt, {}};
    auto& table = state.candidates_for_change();
    table.rows.insert(row_of(table, in.body.signer), {in.body.signer, node_key, pledge.amount});
}

// ---- Release -----------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Release&) {
    const MemberRecord& owner = *state.member(in.body.signer);
    const auto pledge = find_pledge(owner);
    if (pledge == owner.locks.end()) return refuse(Refusal::no_pledge);
    if (pledge->until && in.place.pulse < *pledge->until) {
        return refuse(Refusal::release_not_due, in.place.pulse.value(), pledge->until->value());
    }
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Release&) {
    MemberRecord& owner = *state.member_for_change(in.body.signer);
    const auto pledge = find_pledge(owner);
    if (pledge->until) {
        owner.balance = sum(owner.balance, pledge->amount);
        owner.locks.erase(pledge);
    } else {
        const std::uint32_t delay = state.bookkeeping().params.pledge_release_pulses;
        pledge->until = Pulse(in.place.pulse.value() + delay);
        end_candidacy(state, in.body.signer);
    }
}

void end_candidacy(State& state, const Id& member) {
    protocol::MemberRecord& owner = *state.member_for_change(member);
    if (!owner.candidacy) return;
    owner.candidacy.reset();
    auto& table = state.candidates_for_change();
    const auto row = row_of(table, member);
    CHECK(row != table.rows.end() && row->member == member);
    table.rows.erase(row);
}

// ---- Cancel ------------------------------------------------------------------------------------

Verdict check_substance(const State&, const Case&, const Cancel&) {
    return {};
}

void apply(State&, const Case&, const Hash&, const Cancel&) {
    // Its nonce is charged like everybody's; that is all it is for.
}

}  // namespace leither::ledger::rules
