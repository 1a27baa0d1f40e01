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
    {Refusal::not_candidate, "not_candidate",
     "The account is no candidate, so no node can act for it. Pledge first."},
    {Refusal::bad_signature, "bad_signature",
     "Signature number {actual} does not hold (counted from 0: counterparty, signer, cosigners). "
     "Sign again with the account's own key for this organization."},
    {Refusal::reserved_lane, "reserved_lane",
     "The transaction uses nonce lane {actual}. Lane {limit} is for the acts of a candidate's "
     "node, and they use no other: choose the lane accordingly."},
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
     "No reason is given. Say publicly what the reward or the change is for."},
    {Refusal::no_pledge, "no_pledge", "The account has no pledge. There is nothing to release."},
    {Refusal::already_pledged, "already_pledged",
     "The account has a pledge of {actual} already. Release it before pledging anew."},
    {Refusal::release_not_due, "release_not_due",
     "The pledge falls free at pulse {limit}; it is pulse {actual} now. Release it again from that "
     "pulse on."},
    {Refusal::too_many_candidates, "too_many_candidates",
     "The organization has {actual} candidates, and {limit} is the most. Wait until one releases "
     "its pledge."},
    {Refusal::too_early, "too_early",
     "This is taken from pulse {limit} of the cycle on; it is pulse {actual} now. Send it again "
     "then."},
    {Refusal::too_late, "too_late",
     "This was taken up to pulse {limit}; it is pulse {actual} now. Send it in the next cycle."},
    {Refusal::already_revealed, "already_revealed",
     "The candidate has revealed a link in this cycle already. Nothing needs to be done."},
    {Refusal::wrong_link, "wrong_link",
     "The link does not lead to the one given out last. Give out the links of the registered chain "
     "in order, or release the pledge and register a new chain."},
    {Refusal::vote_key_in_use, "vote_key_in_use",
     "The vote key is the node key, or votes in another term or for somebody else. Make a new key "
     "for each term."},
    {Refusal::no_seat, "no_seat",
     "The account has neither seat nor spare in that term. Nothing needs to be done."},
    {Refusal::already_ready, "already_ready",
     "The seat is known to be ready already. Nothing needs to be done."},
    {Refusal::rewards_unknown, "rewards_unknown",
     "No rewards of cycle {actual} can be claimed in cycle {limit}. Claim them after that cycle, "
     "within the eight cycles that follow."},
    {Refusal::wrong_proof, "wrong_proof",
     "The proof does not lead to the root of that cycle's rewards. Make it from the rewards that "
     "the cycle block has committed."},
    {Refusal::already_claimed, "already_claimed",
     "This reward is claimed already. Nothing needs to be done."},
    {Refusal::vote_needed, "vote_needed",
     "Structural and operation rewards need the members' consent. Propose a vote on this reward."},
    {Refusal::paid_by_rule, "paid_by_rule",
     "Mining rewards follow from recorded work and are claimed by their owner. Choose another kind "
     "of reward."},
    {Refusal::fixed_parameter, "fixed_parameter",
     "No vote changes this parameter, since all time is reckoned by it. Choose another one."},
    {Refusal::parameter_out_of_bounds, "parameter_out_of_bounds",
     "The value {actual} passes the parameter's bound of {limit}. Choose a value within the "
     "bounds."},
    {Refusal::too_many_votes, "too_many_votes",
     "{actual} votes are open, and {limit} is the most. Wait until one closes."},
    {Refusal::vote_not_open, "vote_not_open",
     "This vote is not open. Look at the list of open votes."},
    {Refusal::joined_after_vote, "joined_after_vote",
     "The account exists since sequence {actual}, the vote since {limit}. Only who was a member "
     "before may vote: wait for the next vote."},
    {Refusal::already_voted, "already_voted",
     "The account has voted already. Nothing needs to be done."},
    {Refusal::nothing_pledged, "nothing_pledged",
     "The accused has no pledge that answers for that term. Nothing can be taken."},
    {Refusal::bad_evidence, "bad_evidence",
     "The two statements do not convict the accused of anything. Check that both are signed by its "
     "vote key of that term, in one slot, and differ."},
    {Refusal::not_silent, "not_silent",
     "The committee counts as silent from pulse {limit}; it is pulse {actual} now. Wait until "
     "then."},
    {Refusal::not_last_block, "not_last_block",
     "The act stands on sequence {actual}, but the last block is another, of sequence {limit}. "
     "Have the act signed for the last block."},
    {Refusal::committee_not_tiny, "committee_not_tiny",
     "The committee has {actual} seats; a supervisor may replace one of at most {limit}. Recover "
     "by the candidates' signatures instead."},
    {Refusal::no_next_committee, "no_next_committee",
     "No other committee is elected for the next term. Hand over by a supervisor instead."},
    {Refusal::too_few_countersignatures, "too_few_countersignatures",
     "{actual} candidates have countersigned, but {limit} must. Ask further candidates."},
    {Refusal::too_little_pledge, "too_little_pledge",
     "Candidates with a pledge of {actual} have signed, but {limit} is needed. Ask further "
     "candidates."},
    {Refusal::takeover_not_first, "takeover_not_first",
     "The act must be the first transaction of its block. Send it again in the next pulse."},
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
