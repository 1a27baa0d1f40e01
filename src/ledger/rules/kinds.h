// The rules of each kind of transaction, one overload a kind, chosen by std::visit in rules.cpp.
// What all kinds have in common (form, time, signers, nonce, limits) is checked there.
#pragma once

#include <optional>

#include "leither/ledger/rules.h"

namespace leither::ledger::rules {

using Verdict = Result<void, Refused>;

inline tl::unexpected<Refused> refuse(protocol::Refusal code, std::uint64_t actual = 0,
                                      std::uint64_t limit = 0) {
    return fail(Refused{code, actual, limit});
}

// A transaction and where it stands.
struct Case {
    const protocol::TransactionBody& body;
    const Place& place;
};

// Acts in the organization's name rather than the signer's own.
template <class Kind>
inline constexpr bool is_act_of_supervisors = false;
template <>
inline constexpr bool is_act_of_supervisors<protocol::Join> = true;
template <>
inline constexpr bool is_act_of_supervisors<protocol::Leave> = true;
template <>
inline constexpr bool is_act_of_supervisors<protocol::SetRole> = true;
template <>
inline constexpr bool is_act_of_supervisors<protocol::Reward> = true;
template <>
inline constexpr bool is_act_of_supervisors<protocol::Earn> = true;

// Made by any one supervisor.
template <class Kind>
inline constexpr bool is_of_one_supervisor = false;
template <>
inline constexpr bool is_of_one_supervisor<protocol::Propose> = true;
template <>
inline constexpr bool is_of_one_supervisor<protocol::HandOver> = true;

// When the counterparty's half, signed before, loses its force.
inline std::optional<Pulse> half_expiry(const protocol::Transfer& transfer) {
    return transfer.request.expiry;
}
inline std::optional<Pulse> half_expiry(const protocol::Join& join) {
    return join.application.expiry;
}
inline std::optional<Pulse> half_expiry(const protocol::Earn& earned) {
    return earned.application.expiry;
}
inline std::optional<Pulse> half_expiry(const auto&) {
    return std::nullopt;
}

// Whether the accounts concerned are there.
Verdict check_parties(const State& state, const protocol::Transfer& transfer);
Verdict check_parties(const State& state, const protocol::Join& join);
Verdict check_parties(const State& state, const protocol::Earn& earned);
Verdict check_parties(const State& state, const protocol::Leave& leave);
Verdict check_parties(const State& state, const protocol::SetRole& change);
Verdict check_parties(const State& state, const protocol::Reward& reward);
Verdict check_parties(const State& state, const protocol::Propose& proposal);
Verdict check_parties(const State& state, const protocol::Evidence& evidence);
// The remaining kinds concern their signer alone.
inline Verdict check_parties(const State&, const auto&) {
    return {};
}

// Whether the effect may happen. REQUIRES: everything before it holds.
Verdict check_substance(const State& state, const Case& in, const protocol::Transfer& transfer);
Verdict check_substance(const State& state, const Case& in, const protocol::Join& join);
Verdict check_substance(const State& state, const Case& in, const protocol::Leave& leave);
Verdict check_substance(const State& state, const Case& in, const protocol::SetRole& change);
Verdict check_substance(const State& state, const Case& in, const protocol::Reward& reward);
Verdict check_substance(const State& state, const Case& in, const protocol::Pledge& pledge);
Verdict check_substance(const State& state, const Case& in, const protocol::Release& release);
Verdict check_substance(const State& state, const Case& in, const protocol::Cancel& cancel);
Verdict check_substance(const State& state, const Case& in, const protocol::Reveal& reveal);
Verdict check_substance(const State& state, const Case& in, const protocol::Ready& ready);
Verdict check_substance(const State& state, const Case& in, const protocol::Claim& claim);
Verdict check_substance(const State& state, const Case& in, const protocol::Propose& proposal);
Verdict check_substance(const State& state, const Case& in, const protocol::Cast& cast);
Verdict check_substance(const State& state, const Case& in, const protocol::Evidence& evidence);
Verdict check_substance(const State& state, const Case& in, const protocol::HandOver& act);
Verdict check_substance(const State& state, const Case& in, const protocol::Recovery& act);
Verdict check_substance(const State& state, const Case& in, const protocol::Earn& earned);

// The effect, once nonce and limits of the signer are charged. `id` is the transaction's.
void apply(State& state, const Case& in, const Hash& id, const protocol::Transfer& transfer);
void apply(State& state, const Case& in, const Hash& id, const protocol::Join& join);
void apply(State& state, const Case& in, const Hash& id, const protocol::Leave& leave);
void apply(State& state, const Case& in, const Hash& id, const protocol::SetRole& change);
void apply(State& state, const Case& in, const Hash& id, const protocol::Reward& reward);
void apply(State& state, const Case& in, const Hash& id, const protocol::Pledge& pledge);
void apply(State& state, const Case& in, const Hash& id, const protocol::Release& release);
void apply(State& state, const Case& in, const Hash& id, const protocol::Cancel& cancel);
void apply(State& state, const Case& in, const Hash& id, const protocol::Reveal& reveal);
void apply(State& state, const Case& in, const Hash& id, const protocol::Ready& ready);
void apply(State& state, const Case& in, const Hash& id, const protocol::Claim& claim);
void apply(State& state, const Case& in, const Hash& id, const protocol::Propose& proposal);
void apply(State& state, const Case& in, const Hash& id, const protocol::Cast& cast);
void apply(State& state, const Case& in, const Hash& id, const protocol::Evidence& evidence);
void apply(State& state, const Case& in, const Hash& id, const protocol::HandOver& act);
void apply(State& state, const Case& in, const Hash& id, const protocol::Recovery& act);
void apply(State& state, const Case& in, const Hash& id, const protocol::Earn& earned);

// ---- What several kinds do ---------------------------------------------------------------------

// Takes the member, if it stands, from the candidates. REQUIRES: state.member(member), candidates
// loaded.
void end_candidacy(State& state, const Id& member);
// Counts the votes that close, and carries out what has passed.
Result<void, store::Fault> close_votes(State& state, Pulse pulse);

}  // namespace leither::ledger::rules
