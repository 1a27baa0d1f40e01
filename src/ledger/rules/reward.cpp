// The treasury rewards a member: announced at once, paid after its publicity.
#include <algorithm>

#include "kinds.h"
#include "leaf.h"
#include "treasury.h"

namespace leither::ledger {

namespace rules {

namespace {

using protocol::PendingReward;
using protocol::Refusal;
using protocol::Reward;
using protocol::TreasuryRecord;

constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::uint64_t kBasisPoints = 10'000;

// What may be announced in one day, and what has been.
struct Allowance {
    std::uint32_t day = 0;
    Amount base;  // what the daily share is taken of
    Amount announced;
};

std::uint32_t day_of(const State& state, Pulse pulse) {
    const Uint128 elapsed_ms = Uint128{pulse.value()} * state.bookkeeping().params.pulse_ms;
    return static_cast<std::uint32_t>(elapsed_ms / kDayMs);
}

Allowance allowance_at(const State& state, Pulse pulse) {
    const std::uint32_t day = day_of(state, pulse);
    const TreasuryRecord& treasury = state.treasury();
    if (treasury.day == day) return {day, treasury.day_base, treasury.day_announced};
    return {day, treasury.balance, Amount{}};
}

Verdict check_daily_limit(const State& state, const Allowance& day, Amount amount) {
    const Uint128 share =
        Uint128{day.base.units()} * state.bookkeeping().params.reward_daily_basis_points;
    // Cross-multiplied, so that no rounding decides.
    const Uint128 wanted = Uint128{day.announced.units()} + amount.units();
    if (wanted * kBasisPoints > share) {
        return refuse(Refusal::daily_reward_limit, day.announced.units(),
                      static_cast<std::uint64_t>(share / kBasisPoints));
    }
    return {};
}

Verdict check_treasury(const State& state, Amount amount) {
    const Amount balance = state.treasury().balance;
    if (balance < amount) {
        return refuse(Refusal::treasury_insufficient, balance.units(), amount.units());
    }
    return {};
}

// Which kinds a supervisor may announce.
Verdict check_kind(protocol::RewardKind kind) {
    switch (kind) {
        case protocol::RewardKind::structural:
        case protocol::RewardKind::operation: return refuse(Refusal::vote_needed);
        case protocol::RewardKind::mining: return refuse(Refusal::paid_by_rule);
        case protocol::RewardKind::service: return {};
    }
    UNREACHABLE();
}

void enqueue(TreasuryRecord& treasury, const PendingReward& reward) {
    const auto later =
        std::ranges::upper_bound(treasury.pending, reward.due, {}, &PendingReward::due);
    treasury.pending.insert(later, reward);
}

}  // namespace

Verdict check_parties(const State& state, const Reward& reward) {
    if (state.member(reward.member) == nullptr) return refuse(Refusal::counterparty_unknown);
    return {};
}

Verdict check_payable(const State& state, Pulse pulse, Amount amount) {
    TRY(check_treasury(state, amount));
    return check_daily_limit(state, allowance_at(state, pulse), amount);
}

Verdict check_payable_some_day(const State& state, Pulse pulse, Amount amount) {
    TRY(check_treasury(state, amount));
    Allowance day = allowance_at(state, pulse);
    day.announced = Amount{};
    return check_daily_limit(state, day, amount);
}

Pulse next_day(const State& state, Pulse pulse) {
    const std::uint32_t pulse_ms = state.bookkeeping().params.pulse_ms;
    const Uint128 begins_ms = (Uint128{day_of(state, pulse)} + 1) * kDayMs;
    return Pulse(static_cast<std::uint64_t>((begins_ms + pulse_ms - 1) / pulse_ms));
}

void take_from_treasury(State& state, Pulse pulse, Amount amount) {
    const Allowance today = allowance_at(state, pulse);
    TreasuryRecord& treasury = state.treasury_for_change();
    treasury.day = today.day;
    treasury.day_base = today.base;
    treasury.day_announced = sum(today.announced, amount);
    treasury.balance = difference(treasury.balance, amount);
}

void give(State& state, Pulse pulse, const PendingReward& reward) {
    const std::uint32_t publicity = state.bookkeeping().params.publicity_pulses;
    if (publicity == 0) {
        credit(state, reward.member, reward.amount, reward.transaction);
        return;
    }
    PendingReward pending = reward;
    pending.due = Pulse(pulse.value() + publicity);
    enqueue(state.treasury_for_change(), pending);
}

Verdict check_reward(const State& state, Pulse pulse, const Announced& announced) {
    const TreasuryRecord& treasury = state.treasury();
    if (announced.amount.is_zero()) return refuse(Refusal::zero_amount);
    TRY(check_payable(state, pulse, announced.amount));
    if (treasury.pending.full()) {
        return refuse(Refusal::too_many_pending_rewards, treasury.pending.size(),
                      protocol::kPendingRewardsMax);
    }
    if (announced.reason.empty()) return refuse(Refusal::missing_reason);
    return {};
}

Verdict check_substance(const State& state, const Case& in, const Reward& reward) {
    TRY(check_reward(state, in.place.pulse, {reward.amount, reward.reason}));
    return check_kind(reward.kind);
}

void apply(State& state, const Case& in, const Hash& id, const Reward& reward) {
    take_from_treasury(state, in.place.pulse, reward.amount);
    give(state, in.place.pulse, {id, reward.member, reward.amount, Pulse(0)});
}

}  // namespace rules

Pulse next_due(const State& state) {
    Pulse due = state.election().end_pulse;
    const auto& pending = state.treasury().pending;
    if (!pending.empty()) due = std::min(due, pending.front().due);
    const auto& votes = state.bookkeeping().votes;
    if (!votes.empty()) due = std::min(due, votes.front().closes);
    return due;
}

namespace {

Result<void, store::Fault> pay_due(State& state, Pulse pulse) {
    const auto is_due = [&] {
        const auto& pending = state.treasury().pending;
        return !pending.empty() && pending.front().due <= pulse;
    };
    while (is_due()) {
        auto& treasury = state.treasury_for_change();
        const protocol::PendingReward reward = treasury.pending.front();
        TRY(state.load(reward.member));
        treasury.pending.erase(treasury.pending.begin());
        if (state.member(reward.member) != nullptr) {
            rules::credit(state, reward.member, reward.amount, reward.transaction);
        } else {
            treasury.balance = rules::sum(treasury.balance, reward.amount);  // left meanwhile
        }
    }
    return {};
}

}  // namespace

Result<void, store::Fault> apply_due(State& state, const Place& place) {
    TRY(pay_due(state, place.pulse));
    return rules::close_votes(state, place.pulse);
}

}  // namespace leither::ledger
