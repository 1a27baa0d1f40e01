#include "leither/protocol/refusal.h"

#include <array>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::protocol {

namespace {

// `text` says cause, then next step; {actual} and {limit} stand for the numbers.
struct Row {
    Refusal code;
    const char* name;
    const char* text;
};

constexpr std::size_t kRefusals = static_cast<std::size_t>(last_of(Refusal{})) + 1;

constexpr std::array<Row, kRefusals> kRows = {{
    {Refusal::malformed, "malformed",
     "The bytes are not the canonical encoding of a transaction. Encode it again with a wallet of "
     "the same version as the node."},
    {Refusal::too_large, "too_large",
     "The transaction takes {actual} bytes, but at most {limit} are allowed. Shorten its texts."},
    {Refusal::signature_count, "signature_count",
     "The transaction carries {actual} signatures, but its kind and cosigners need {limit}. Have "
     "each party sign exactly once."},
    {Refusal::expired, "expired",
     "The transaction expired at pulse {limit}; it is pulse {actual} now. It can never be "
     "committed: make a new one."},
    {Refusal::expiry_too_far, "expiry_too_far",
     "The transaction expires at pulse {actual}, but no later than {limit} is allowed. Choose an "
     "earlier expiry."},
    {Refusal::request_expired, "request_expired",
     "The other party's request or application expired at pulse {limit}; it is pulse {actual} now. "
     "Ask for a new one."},
    {Refusal::signer_unknown, "signer_unknown",
     "The signer has no account in this organization. Ask a supervisor for admission first."},
    {Refusal::cosigner_unknown, "cosigner_unknown",
     "A cosigner has no account in this organization. Name only members as cosigners."},
    {Refusal::not_supervisor, "not_supervisor",
     "The signer or a cosigner is no supervisor. Let supervisors sign this act."},
    {Refusal::too_few_supervisors, "too_few_supervisors",
     "{actual} supervisors have signed, but {limit} must. Ask further supervisors to cosign."},
    {Refusal::counterparty_unknown, "counterparty_unknown",
     "The member concerned has no account in this organization. Check the account number."},
    {Refusal::payee_not_member, "payee_not_member",
     "The payee has no member account in this organization. Check the account number, or have the "
     "payee admitted first."},
    {Refusal::member_exists, "member_exists",
     "The applicant has an account already, or left in this very pulse. Use the account, or apply "
     "again in the next pulse."},
    {Refusal::sponsor_unknown, "sponsor_unknown",
     "The sponsor has no account in this organization. Name a member as sponsor, or none."},
    {Refusal::bad_signature, "bad_signature",
     "Signature number {actual} does not hold (counted from 0: counterparty, signer, cosigners). "
     "Sign again with the account's own key for this organization."},
    {Refusal::bad_nonce, "bad_nonce",
     "The transaction has counter {actual} in its nonce lane, but {limit} comes next. Sign again "
     "with counter {limit}."},
    {Refusal::too_many_lanes, "too_many_lanes",
     "The account uses {actual} nonce lanes already, and {limit} is the most. Use one of them."},
    {Refusal::too_many_this_cycle, "too_many_this_cycle",
     "The account has signed {actual} transactions in this cycle, and {limit} is the most. Wait "
     "for the next cycle."},
    {Refusal::too_many_this_pulse, "too_many_this_pulse",
     "The account has signed {actual} transactions in this pulse, and {limit} is the most. It is "
     "tried again in the next pulse."},
    {Refusal::zero_amount, "zero_amount",
     "The amount is zero. Choose an amount of at least one smallest unit."},
    {Refusal::self_payment, "self_payment",
     "Payer and payee are the same account. Choose another payee."},
    {Refusal::insufficient_balance, "insufficient_balance",
     "The account holds {actual}, but {limit} is needed. Choose a smaller amount, or receive "
     "credit first."},
    {Refusal::cover_unavailable, "cover_unavailable",
     "The payee requires that bookkeepers' pledges cover {limit}, but only {actual} is free. Ask "
     "the payee to waive the cover."},
    {Refusal::balance_not_zero, "balance_not_zero",
     "The leaving account still holds {actual}. Pay it out first."},
    {Refusal::locks_remain, "locks_remain",
     "{actual} of the leaving account is still frozen. Release it first."},
    {Refusal::same_role, "same_role",
     "The member has this role already. Nothing needs to be done."},
    {Refusal::last_supervisor, "last_supervisor",
     "The organization has {actual} supervisors and must keep {limit}. Appoint another supervisor "
     "first."},
    {Refusal::too_many_supervisors, "too_many_supervisors",
     "The organization has {actual} supervisors, and {limit} is the most. Dismiss another one "
     "first."},
    {Refusal::treasury_insufficient, "treasury_insufficient",
     "The treasury holds {actual}, but the reward needs {limit}. Choose a smaller reward."},
    {Refusal::daily_reward_limit, "daily_reward_limit",
     "Rewards of {actual} are announced today, and with this one they would pass the day's limit "
     "of {limit}. Wait for the next day, or choose a smaller reward."},
    {Refusal::too_many_pending_rewards, "too_many_pending_rewards",
     "{actual} rewards are announced and not yet paid, and {limit} is the most. Wait until one is "
     "paid."},
    {Refusal::missing_reason, "missing_reason",
     "The reward gives no reason. Say publicly what it is for."},
    {Refusal::no_pledge, "no_pledge", "The account has no pledge. There is nothing to release."},
    {Refusal::already_pledged, "already_pledged",
     "The account has a pledge of {actual} already. Release it before pledging anew."},
    {Refusal::release_not_due, "release_not_due",
     "The pledge falls free at pulse {limit}; it is pulse {actual} now. Release it again from that "
     "pulse on."},
    {Refusal::already_pending, "already_pending",
     "The same transaction is waiting already. Wait for it to be committed."},
    {Refusal::already_committed, "already_committed",
     "The same transaction is committed already. Nothing needs to be done."},
    {Refusal::mempool_full, "mempool_full",
     "{actual} transactions are waiting at this node, and {limit} is the most. Try again in a "
     "moment."},
    {Refusal::no_organization, "no_organization",
     "This node keeps no ledger yet. Create an organization on it first."},
    {Refusal::not_bookkeeper, "not_bookkeeper",
     "This node seals no blocks. Submit to a bookkeeper of the organization."},
    {Refusal::stopping, "stopping", "The node is stopping. Try again once it has restarted."},
}};

constexpr bool rows_stand_at_their_code() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].code) != i) return false;
    }
    return true;
}
static_assert(rows_stand_at_their_code());

const Row& row_of(Refusal code) {
    const auto index = static_cast<std::size_t>(code);
    CHECK(index < kRows.size());
    return kRows[index];
}

}  // namespace

const char* to_string(Refusal code) {
    return row_of(code).name;
}

std::string explain(const Refused& refused) {
    return fmt::format(fmt::runtime(row_of(refused.code).text), fmt::arg("actual", refused.actual),
                       fmt::arg("limit", refused.limit));
}

}  // namespace leither::protocol
