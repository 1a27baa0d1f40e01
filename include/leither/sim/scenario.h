// The scenarios: what is simulated, with which goals (docs/simulation.md).
#pragma once

#include <span>
#include <string_view>

#include "leither/sim/report.h"
#include "leither/sim/trace.h"

namespace leither::sim {

struct Settings {
    std::uint64_t seed = 1;
    std::size_t nodes = 0;
    Duration duration{0};  // of what is measured; virtual
    unsigned loss_per_mille = 0;
    TraceSink* trace = nullptr;  // outlives the run
};

inline constexpr std::size_t kNodesMax = 20'000;

struct Scenario {
    std::string_view name;
    std::string_view what;  // one line
    Settings defaults;
    std::size_t nodes_min = 0;  // fewer make no sense
    Duration duration_min{0};
    Report (*run)(const Settings& settings) = nullptr;
    std::size_t nodes_max = kNodesMax;
};
// `--random`.
inline constexpr std::string_view kRandom = "random";
inline constexpr Duration kDurationMax = std::chrono::hours(240);
inline constexpr unsigned kLossPerMilleMax = 500;

std::span<const Scenario> scenarios();
// Null if there is none of this name.
const Scenario* find_scenario(std::string_view name);

// What is out of bounds, with the bounds; nothing if it can be run.
std::optional<std::string> fault_of(const Scenario& scenario, const Settings& settings);

}  // namespace leither::sim
