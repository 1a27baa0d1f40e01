// Paying from the treasury within the day's share, whatever the reason.
#pragma once

#include "kinds.h"

namespace leither::ledger::rules {

// Whether the treasury holds `amount` and the day still allows it: treasury_insufficient,
// daily_reward_limit.
Verdict check_payable(const State& state, Pulse pulse, Amount amount);
// The same of a day on which nothing else is announced: what can never be paid is not voted on.
Verdict check_payable_some_day(const State& state, Pulse pulse, Amount amount);
// The first pulse of the day after `pulse`, which has a share of its own.
Pulse next_day(const State& state, Pulse pulse);
// Counts `amount` as of that day and takes it out of the balance. REQUIRES: check_payable().
void take_from_treasury(State& state, Pulse pulse, Amount amount);

// What a supervisor announces for service: an amount with its reason. zero_amount, then as
// check_payable(), then too_many_pending_rewards, missing_reason.
struct Announced {
    Amount amount;
    const protocol::LongText& reason;
};
Verdict check_reward(const State& state, Pulse pulse, const Announced& announced);

// Gives what has been taken: at once, or after its publicity. REQUIRES: state.member(member), room
// among the pending rewards.
void give(State& state, Pulse pulse, const protocol::PendingReward& reward);

}  // namespace leither::ledger::rules
