// One function a scenario.
#pragma once

#include "leither/sim/scenario.h"

namespace leither::sim {

Report run_dht_churn(const Settings& settings);
Report run_dht_kill30(const Settings& settings);
Report run_dht_sybil(const Settings& settings);
Report run_dht_stale(const Settings& settings);
Report run_peer_mesh(const Settings& settings);
Report run_ledger_one(const Settings& settings);
Report run_ledger_committee(const Settings& settings);
Report run_ledger_liars(const Settings& settings);
Report run_ledger_home(const Settings& settings);
Report run_ledger_halt(const Settings& settings);
Report run_ledger_village(const Settings& settings);
Report run_life_cuts(const Settings& settings);
Report run_week_away(const Settings& settings);
Report run_agreement(const Settings& settings);
// Sizes and faults are drawn from the seed, as far as the settings leave them open.
Report run_random(const Settings& settings);

}  // namespace leither::sim
