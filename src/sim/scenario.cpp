#include "leither/sim/scenario.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "leither/protocol/election.h"

#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::minutes;

constexpr std::size_t kVillageMax = 2'000;

constexpr std::array kScenarios = {
    Scenario{"dht-churn",
             "nodes come and go with sessions of 30 minutes; what was put is got until it expires",
             {.nodes = 2000, .duration = minutes(120), .loss_per_mille = 50},
             40,
             minutes(5),
             run_dht_churn},
    Scenario{"dht-kill30",
             "30 % of all nodes die at once; gets go on, neighbours are found anew",
             {.nodes = 2000, .duration = minutes(1), .loss_per_mille = 0},
             40,
             minutes(1),
             run_dht_kill30},
    Scenario{"dht-sybil",
             "1,000 hostile nodes of one /24 press into every table and around what is read",
             {.nodes = 500, .duration = minutes(30), .loss_per_mille = 10},
             40,
             minutes(2),
             run_dht_sybil},
    Scenario{"dht-stale",
             "partitions and replays of old items; no holder goes back, no reader is misled",
             {.nodes = 200, .duration = minutes(120), .loss_per_mille = 50},
             40,
             minutes(40),
             run_dht_stale},
    Scenario{"peer-mesh",
             "nodes talk in a mesh, some behind NAT, through partitions; each message comes once, "
             "in order, unaltered",
             {.nodes = 24, .duration = minutes(20), .loss_per_mille = 20},
             4,
             minutes(10),
             run_peer_mesh},
    Scenario{
        "ledger-one",
        "one bookkeeper, members' nodes that follow, clients that pay, through crashes, faults "
        "of disks, clocks and lines",
        {.nodes = 6, .duration = minutes(10), .loss_per_mille = 10},
        2,
        minutes(5),
        run_ledger_one},
    Scenario{"ledger-committee",
             "bookkeepers (--nodes) of whom (n - 1) / 3 may be in trouble at once, members' nodes "
             "that come and follow, clients that pay",
             {.nodes = 4, .duration = minutes(10), .loss_per_mille = 10},
             4,
             minutes(5),
             run_ledger_committee,
             protocol::kSeatsMax},
    Scenario{"ledger-liars",
             "the same with bookkeepers that lie, of kinds drawn from the seed",
             {.nodes = 7, .duration = minutes(10), .loss_per_mille = 10},
             4,
             minutes(5),
             run_ledger_liars,
             protocol::kSeatsMax},
    Scenario{"ledger-home",
             "bookkeepers (--nodes) on home lines and nothing wrong: how soon payments are "
             "committed, and the next block after the chief's crash",
             {.nodes = 4, .duration = minutes(15), .loss_per_mille = 10},
             4,
             minutes(5),
             run_ledger_home,
             protocol::kSeatsMax},
    Scenario{"ledger-halt",
             "more than (n - 1) / 3 bookkeepers crash at once, again and again: the ledger halts, "
             "does not fork, and goes on when they are back",
             {.nodes = 4, .duration = minutes(5), .loss_per_mille = 10},
             4,
             minutes(4),
             run_ledger_halt,
             protocol::kSeatsMax},
    Scenario{"ledger-village",
             "seven bookkeepers and members' nodes by the hundred that come, go and follow",
             {.nodes = 200, .duration = minutes(15), .loss_per_mille = 10},
             12,
             minutes(6),
             run_ledger_village,
             kVillageMax},
    Scenario{"life-cuts",
             "one joins and one pays; the power goes before, amid or after one step, for short or "
             "for long; seeds 1 to 408 are every case",
             {.nodes = 5, .duration = Duration(0), .loss_per_mille = 10},
             5,
             Duration(0),
             run_life_cuts,
             5},
    Scenario{"week-away",
             "a member's node is off for days and comes back, with one of its neighbours lying, to "
             "letters, payments, rewards, votes and talk",
             {.nodes = 5, .duration = std::chrono::hours(24 * 7), .loss_per_mille = 10},
             5,
             std::chrono::hours(6),
             run_week_away,
             5},
    Scenario{
        "agreement",
        "the voting machines alone, 4 or 7 (0: drawn), of whom (n - 1) / 3 are faulty: any mix "
        "of liars and of who crashes or is cut off",
        {.nodes = 0, .duration = minutes(10), .loss_per_mille = 20},
        0,
        minutes(2),
        run_agreement,
        protocol::kSeatsMax},
    Scenario{kRandom,
             "a ledger whose sizes, pace and faults are drawn from the seed; 0: drawn",
             {.nodes = 0, .duration = Duration(0), .loss_per_mille = 0},
             0,
             Duration(0),
             run_random},
};

}  // namespace

std::span<const Scenario> scenarios() {
    return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
    const auto found = std::find_if(kScenarios.begin(), kScenarios.end(),
                                    [&](const Scenario& each) { return each.name == name; });
    return found == kScenarios.end() ? nullptr : &*found;
}

std::optional<std::string> fault_of(const Scenario& scenario, const Settings& settings) {
    if (settings.nodes < scenario.nodes_min || settings.nodes > scenario.nodes_max) {
        return fmt::format("--nodes {}: {} takes {} to {}", settings.nodes, scenario.name,
                           scenario.nodes_min, scenario.nodes_max);
    }
    if (settings.duration < scenario.duration_min || settings.duration > kDurationMax) {
        const auto in_minutes = [](Duration duration) {
            return std::chrono::duration_cast<minutes>(duration).count();
        };
        return fmt::format("--minutes {}: {} takes {} to {}", in_minutes(settings.duration),
                           scenario.name, in_minutes(scenario.duration_min),
                           in_minutes(kDurationMax));
    }
    if (settings.loss_per_mille > kLossPerMilleMax) {
        return fmt::format("--loss {}: at most {} percent", settings.loss_per_mille / 10,
                           kLossPerMilleMax / 10);
    }
    return std::nullopt;
}

}  // namespace leither::sim
