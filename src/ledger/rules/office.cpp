// What a candidate's node does for a seat, with its node key: reveals, answers, claims.
#include <algorithm>

#include "leither/crypto/hash_chain.h"
#include "leither/election/work.h"
#include "leither/protocol/domain_tags.h"

#include "kinds.h"
#include "leaf.h"
#include "treasury.h"

namespace leither::ledger::rules {

namespace {

using protocol::Candidacy;
using protocol::Claim;
using protocol::Ready;
using protocol::Refusal;
using protocol::Reveal;
using protocol::Seat;

Verdict check_window(const Case& in, Pulse from, Pulse last) {
    const Pulse now = in.place.pulse;
    if (now < from) return refuse(Refusal::too_early, now.value(), from.value());
    if (now > last) return refuse(Refusal::too_late, now.value(), last.value());
    return {};
}

bool votes(const protocol::Seats& seats, const PublicKey& key) {
    return std::ranges::count(seats, key, &Seat::vote_key) > 0;
}

// A key that votes in two terms could be asked for a signature in both.
bool is_vote_key_used(const State& state, const Candidacy& candidacy, const PublicKey& key) {
    const protocol::ElectionRecord& record = state.election();
    return key == candidacy.node_key || votes(record.former, key) || votes(record.present, key) ||
           votes(record.next.seats, key) || votes(record.next.spares, key) ||
           votes(record.after_next.seats, key) || votes(record.after_next.spares, key) ||
           (candidacy.revealed && candidacy.revealed->vote_key == key);
}

// The bit of ElectionRecord::ready that stands for the member, if it has one.
std::optional<std::uint64_t> ready_bit(const protocol::Committee& committee, const Id& member) {
    const auto seat = std::ranges::find(committee.seats, member, &Seat::member);
    if (seat != committee.seats.end()) {
        return std::uint64_t{1} << (seat - committee.seats.begin());
    }
    const auto spare = std::ranges::find(committee.spares, member, &Seat::member);
    if (spare == committee.spares.end()) return std::nullopt;
    return std::uint64_t{1} << (32 + (spare - committee.spares.begin()));
}

auto find_rewards(auto& record, std::uint64_t cycle) {
    return std::ranges::find(record.rewards, cycle, &protocol::RewardRoot::cycle);
}

}  // namespace

// ---- Reveal ------------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Reveal& reveal) {
    const protocol::ElectionRecord& record = state.election();
    const auto windows = windows_of(record, state.bookkeeping().params.cycle_pulses);
    TRY(check_window(in, windows.reveal_from, windows.last));
    const Candidacy& candidacy = *state.member(in.body.signer)->candidacy;
    if (candidacy.revealed && candidacy.revealed->cycle == record.cycle) {
        return refuse(Refusal::already_revealed);
    }
    if (!crypto::link_follows(protocol::tags::kRevealLink, state.organization().chain,
                              candidacy.last_link, reveal.link)) {
        return refuse(Refusal::wrong_link);
    }
    if (is_vote_key_used(state, candidacy, reveal.vote_key)) {
        return refuse(Refusal::vote_key_in_use);
    }
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Reveal& reveal) {
    Candidacy& candidacy = *state.member_for_change(in.body.signer)->candidacy;
    candidacy.last_link = reveal.link;
    candidacy.revealed = {state.election().cycle, reveal.vote_key};
}

// ---- Ready -------------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Ready& ready) {
    const protocol::ElectionRecord& record = state.election();
    const auto windows = windows_of(record, state.bookkeeping().params.cycle_pulses);
    TRY(check_window(in, Pulse(0), windows.last));
    const auto bit = ready_bit(record.next, in.body.signer);
    if (!bit || ready.cycle != record.cycle + 1) return refuse(Refusal::no_seat);
    if ((record.ready & *bit) != 0) return refuse(Refusal::already_ready);
    return {};
}

void apply(State& state, const Case& in, const Hash&, const Ready&) {
    auto& record = state.election_for_change();
    record.ready |= *ready_bit(record.next, in.body.signer);
}

// ---- Claim -------------------------------------------------------------------------------------

Verdict check_substance(const State& state, const Case& in, const Claim& claim) {
    if (claim.amount.is_zero()) return refuse(Refusal::zero_amount);
    TRY(check_payable(state, in.place.pulse, claim.amount));
    const protocol::ElectionRecord& record = state.election();
    const auto rewards = find_rewards(record, claim.cycle);
    if (rewards == record.rewards.end()) {
        return refuse(Refusal::rewards_unknown, claim.cycle, record.cycle);
    }
    if (!election::is_reward(state.organization().chain, *rewards, {in.body.signer, claim.amount},
                             claim.proof)) {
        return refuse(Refusal::wrong_proof);
    }
    if ((rewards->claimed >> claim.proof.line & 1) != 0) return refuse(Refusal::already_claimed);
    return {};
}

void apply(State& state, const Case& in, const Hash& id, const Claim& claim) {
    find_rewards(state.election_for_change(), claim.cycle)->claimed |= std::uint32_t{1}
                                                                       << claim.proof.line;
    take_from_treasury(state, in.place.pulse, claim.amount);
    credit(state, in.body.signer, claim.amount, id);
}

}  // namespace leither::ledger::rules
