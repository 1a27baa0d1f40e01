// An organization's parameters: every value marked (D) in docs/protocol/parameters.md. Set in its
// charter, changed by vote, always within hard bounds.
#pragma once

#include <cstdint>
#include <string_view>

namespace leither::protocol {

struct Params {
    std::uint32_t pulse_ms = 1000;          // length of a pulse
    std::uint32_t cycle_pulses = 1800;      // term of the bookkeepers
    std::uint32_t expiry_pulses_max = 600;  // how far ahead a transaction may expire
    std::uint32_t member_transactions_per_cycle = 60;
    std::uint32_t member_transactions_per_pulse = 4;
    std::uint32_t block_bytes_max = 256 << 10;  // encoded transactions of one block
    std::uint32_t publicity_pulses = 86'400;    // how long a reward is announced before it is paid
    std::uint32_t reward_daily_basis_points = 100;  // of the treasury, paid out in one day at most
    std::uint32_t pledge_release_pulses = 14 * 86'400;  // from announcing a release to the credit
    std::uint32_t supervisors_required = 1;             // signatures for join, leave, role, reward
    std::uint32_t vote_pulses = 86'400;                 // how long a vote of the members is open
    std::uint32_t mining_reward_per_cycle = 0;  // smallest units for all bookkeepers; 0 none

    static void fields(auto& self, auto&& visit) {
        visit(self.pulse_ms, self.cycle_pulses, self.expiry_pulses_max,
              self.member_transactions_per_cycle, self.member_transactions_per_pulse,
              self.block_bytes_max, self.publicity_pulses, self.reward_daily_basis_points,
              self.pledge_release_pulses, self.supervisors_required, self.vote_pulses,
              self.mining_reward_per_cycle);
    }
    friend bool operator==(const Params&, const Params&) = default;
};

// One row a parameter: its name everywhere (charter JSON, CLI, docs), bounds and unit. The one
// table from which bounds are checked, JSON is read and written, and docs are generated.
struct ParamInfo {
    std::string_view name;
    std::uint32_t Params::*member;
    std::uint32_t min;
    std::uint32_t max;
    std::string_view unit;
};
inline constexpr ParamInfo kParamTable[] = {
    {"pulse_ms", &Params::pulse_ms, 100, 60'000, "ms"},
    {"cycle_pulses", &Params::cycle_pulses, 60, 86'400, "pulses"},
    {"expiry_pulses_max", &Params::expiry_pulses_max, 10, 86'400, "pulses"},
    {"member_transactions_per_cycle", &Params::member_transactions_per_cycle, 1, 1'000'000'000, ""},
    {"member_transactions_per_pulse", &Params::member_transactions_per_pulse, 1, 1'000'000'000, ""},
    {"block_bytes_max", &Params::block_bytes_max, 16 << 10, 16 << 20, "bytes"},
    {"publicity_pulses", &Params::publicity_pulses, 0, 30 * 86'400, "pulses"},
    {"reward_daily_basis_points", &Params::reward_daily_basis_points, 1, 10'000, "1/10000"},
    {"pledge_release_pulses", &Params::pledge_release_pulses, 60, 365 * 86'400, "pulses"},
    {"supervisors_required", &Params::supervisors_required, 1, 16, ""},
    {"vote_pulses", &Params::vote_pulses, 60, 30 * 86'400, "pulses"},
    {"mining_reward_per_cycle", &Params::mining_reward_per_cycle, 0, 4'000'000'000, ""},
};
// Of it time is reckoned, back to the founding; so no vote changes it.
inline constexpr std::size_t kFixedParam = 0;
static_assert(kParamTable[kFixedParam].member == &Params::pulse_ms);

// The first row that `params` violates, or nullptr.
constexpr const ParamInfo* out_of_bounds(const Params& params) {
    for (const auto& row : kParamTable) {
        if (params.*row.member < row.min || params.*row.member > row.max) return &row;
    }
    return nullptr;
}
static_assert(out_of_bounds(Params{}) == nullptr);

}  // namespace leither::protocol
