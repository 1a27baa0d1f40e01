// A member pays a member.
#include "kinds.h"
#include "leaf.h"

namespace leither::ledger::rules {

using protocol::Refusal;
using protocol::Transfer;

Verdict check_parties(const State& state, const Transfer& transfer) {
    // Treasury and bookkeeping accounts move by their own rules only, so they cannot be paid.
    if (state.member(transfer.request.payee) == nullptr) return refuse(Refusal::payee_not_member);
    return {};
}

Verdict check_substance(const State& state, const Case& in, const Transfer& transfer) {
    const protocol::PaymentRequest& request = transfer.request;
    const Amount balance = state.member(in.body.signer)->balance;
    const std::uint64_t needed = request.amount.units();

    if (request.amount.is_zero()) return refuse(Refusal::zero_amount);
    if (request.payee == in.body.signer) return refuse(Refusal::self_payment);
    if (balance < request.amount) {
        return refuse(Refusal::insufficient_balance, balance.units(), needed);
    }
    // No pledge backs payments before audits can draw on it, so none is free.
    if (request.cover == protocol::Cover::required) {
        return refuse(Refusal::cover_unavailable, 0, needed);
    }
    return {};
}

void apply(State& state, const Case& in, const Hash& id, const Transfer& transfer) {
    protocol::MemberRecord* payer = state.member_for_change(in.body.signer);
    payer->balance = difference(payer->balance, transfer.request.amount);
    credit(state, transfer.request.payee, transfer.request.amount, id);
}

}  // namespace leither::ledger::rules
