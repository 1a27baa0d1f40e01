// Every reason for which something a user sent is refused: one name in code, log, RPC and docs.
// Each has a row in tests/scenario/rules.txt and one in docs/protocol/refusals.md.
#pragma once

#include <cstdint>
#include <string>

namespace leither::protocol {

enum class Refusal : std::uint8_t {
    // ---- Form, checked first, in this order
    malformed,        // the bytes are no canonical transaction
    too_large,        // actual, limit: bytes
    signature_count,  // actual, limit: signatures
    // ---- Time
    expired,          // actual: pulse now, limit: expiry
    expiry_too_far,   // actual: expiry, limit: latest allowed
    request_expired,  // the payee's request, or application: actual: pulse now, limit: expiry
    // ---- Who
    signer_unknown,  // the signer has no account
    cosigner_unknown,
    not_supervisor,        // signer or cosigner may not do this
    too_few_supervisors,   // actual, limit: signatures of supervisors
    counterparty_unknown,  // the member concerned has no account
    payee_not_member,
    member_exists,  // the applicant has an account, or left it within this very block
    sponsor_unknown,
    not_candidate,  // the signer has no candidacy: its node cannot act for it
    bad_signature,  // actual: index of the signature. Dear to find, so told after all others
    // ---- Order and limits
    reserved_lane,  // actual: lane given; limit: the lane of nodes, for their acts and no others
    bad_nonce,      // actual: counter given, limit: counter expected
    too_many_lanes,
    too_many_this_cycle,  // actual, limit: transactions
    too_many_this_pulse,  // actual, limit (the mempool keeps such a transaction for the next pulse)
    // ---- Substance
    zero_amount,
    self_payment,
    insufficient_balance,  // actual: balance, limit: needed
    cover_unavailable,     // the payee requires cover; no bookkeeper has pledged (actual, limit)
    balance_not_zero,      // leaving: actual: balance
    locks_remain,          // leaving: actual: locked
    same_role,
    last_supervisor,  // an organization keeps at least supervisors_required of them
    too_many_supervisors,
    treasury_insufficient,  // actual: treasury, limit: reward
    daily_reward_limit,     // actual: announced today, limit: allowed today
    too_many_pending_rewards,
    missing_reason,
    no_pledge,
    already_pledged,
    release_not_due,  // actual: pulse now, limit: due pulse
    too_many_candidates,
    // Elections
    too_early,  // actual: pulse now, limit: first pulse
    too_late,   // actual: pulse now, limit: last pulse
    already_revealed,
    wrong_link,       // does not lead to the link given out last
    vote_key_in_use,  // the node key, or a key that votes already
    no_seat,          // neither seat nor spare in that term
    already_ready,
    rewards_unknown,  // actual: cycle, limit: cycle now; too long ago, or not over
    wrong_proof,      // does not lead to the rewards' root
    already_claimed,
    // Votes of the members
    vote_needed,              // the reward is of a kind that only a vote gives
    paid_by_rule,             // the reward is of a kind that nobody announces
    fixed_parameter,          // no vote changes it
    parameter_out_of_bounds,  // actual: value, limit: the bound it passes
    too_many_votes,
    vote_not_open,
    joined_after_vote,  // actual: sequence of joining, limit: of the vote's opening
    already_voted,
    // Bookkeepers at fault, or silent
    nothing_pledged,  // the accused has no pledge that answers for it
    bad_evidence,
    not_silent,          // actual: pulse now, limit: first pulse at which the act may be made
    not_last_block,      // actual: sequence named, limit: sequence of the last block
    committee_not_tiny,  // actual: seats, limit: most that may be replaced
    no_next_committee,
    too_few_countersignatures,  // actual, limit: candidates
    too_little_pledge,          // actual: pledge that has signed, limit: needed
    takeover_not_first,         // it must be the block's first transaction
    // ---- The node, not the rules: try again later or elsewhere
    already_pending,  // the same transaction waits already
    already_committed,
    mempool_full,     // actual, limit: transactions
    no_organization,  // this node keeps no ledger yet
    not_bookkeeper,   // this node seals no blocks
    stopping,
};
constexpr Refusal last_of(Refusal) {
    return Refusal::stopping;
}

// A refusal with the numbers that explain it.
struct Refused {
    Refusal code = Refusal::malformed;
    std::uint64_t actual = 0;
    std::uint64_t limit = 0;
    friend bool operator==(const Refused&, const Refused&) = default;
};

const char* to_string(Refusal code);
// One sentence with cause and numbers, one with the next step. Amounts in smallest units.
std::string explain(const Refused& refused);

}  // namespace leither::protocol
