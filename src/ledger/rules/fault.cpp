// Bookkeepers at fault lose their pledge; silent ones are replaced.
#include <algorithm>

#include "leither/election/pledged.h"
#include "leither/ledger/cycle.h"
#include "leither/ledger/evidence_record.h"

#include "kinds.h"
#include "leaf.h"

namespace leither::ledger::rules {

namespace {

using protocol::Evidence;
using protocol::HandOver;
using protocol::Lock;
using protocol::Recovery;
using protocol::Refusal;
using protocol::Seat;
using protocol::Seats;

// The reporter's part of what is taken.
constexpr std::uint64_t kReporterShare = 10;

// The accused's seat in that term. Only terms whose seats the ledger still knows can be judged.
const Seat* seat_of(const protocol::ElectionRecord& record, const Evidence& evidence) {
    const std::uint64_t cycle = evidence.conflict.slot.cycle;
    const bool is_former = cycle + 1 == record.cycle;
    if (!is_former && cycle != record.cycle) return nullptr;
    const Seats& seats = is_former ? record.former : record.present;
    const std::size_t seat = evidence.conflict.seat;
    return seat < seats.size() && seats[seat].member == evidence.accused ? &seats[seat] : nullptr;
}

auto answering_pledge(auto& member, std::uint64_t cycle) {
    return std::ranges::find_if(member.locks,
                                [cycle](const Lock& lock) { return answers_for(lock, cycle); });
}

// The last block must have been this long ago, if the state knows.
Verdict check_silence(const Case& in, std::optional<Pulse> since) {
    if (!since) return {};
    const Pulse from(since->value() + protocol::kSilentPulses);
    if (in.place.pulse >= from) return {};
    return refuse(Refusal::not_silent, in.place.pulse.value(), from.value());
}

// What an act that names `last` is judged by. Without knowing the last block's hash, a mempool
// takes the one that is named.
election::Standing standing_for(const State& state, const Case& in,
                                const protocol::LastBlock& last) {
    const Sequence sequence(in.place.sequence.value() - 1);
    const Hash hash = state.base() ? state.base()->hash : last.hash;
    return {state.organization().chain,
            state.election(),
            state.candidates(),
            {state.election().cycle, sequence, hash}};
}

}  // namespace

// ---- Evidence ----------------------------------------------------------------------------------

Verdict check_parties(const State& state, const Evidence& evidence) {
    if (state.member(evidence.accused) == nullptr) return refuse(Refusal::counterparty_unknown);
    return {};
}

Verdict check_substance(const State& state, const Case&, const Evidence& evidence) {
    const std::uint64_t cycle = evidence.conflict.slot.cycle;
    const Seat* seat = seat_of(state.election(), evidence);
    if (seat == nullptr) return refuse(Refusal::no_seat);
    const protocol::MemberRecord& accused = *state.member(evidence.accused);
    if (answering_pledge(accused, cycle) == accused.locks.end()) {
        return refuse(Refusal::nothing_pledged);
    }
    if (!is_proven(evidence.conflict, state.organization().chain, seat->vote_key)) {
        return refuse(Refusal::bad_evidence);
    }
    return {};
}

void apply(State& state, const Case& in, const Hash& id, const Evidence& evidence) {
    protocol::MemberRecord& accused = touch(state, evidence.accused, id);
    const auto pledge = answering_pledge(accused, evidence.conflict.slot.cycle);
    const Amount taken = pledge->amount;
    accused.locks.erase(pledge);
    end_candidacy(state, evidence.accused);

    const Amount reward = Amount::of(taken.units() / kReporterShare);
    credit(state, in.body.signer, reward, id);
    auto& treasury = state.treasury_for_change();
    treasury.balance = sum(treasury.balance, difference(taken, reward));
}

// ---- Takeovers ---------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const HandOver& act) {
    const auto& base = state.base();
    TRY(check_silence(in, base ? std::optional(base->pulse) : std::nullopt));
    TRY(election::check_hand_over(standing_for(state, in, act.last), act));
    return {};
}

void apply(State& state, const Case& in, const Hash&, const HandOver& act) {
    take_over(state, in.place, Seats(act.seats.begin(), act.seats.end()));
}

Verdict check_substance(const State& state, const Case& in, const Recovery& act) {
    TRY(check_silence(in, state.election().end_pulse));
    TRY(election::check_recovery(standing_for(state, in, act.last), act));
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Recovery&) {
    take_over(state, in.place, state.election().next.seats);
}

}  // namespace leither::ledger::rules
