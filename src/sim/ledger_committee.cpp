// Several bookkeepers: all well on home lines, up to f impaired or lying, more than f gone.
#include <algorithm>

#include "ledger_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kVillageSeats = 7;
constexpr std::size_t kMembers = 2;
constexpr std::size_t kNewcomers = 2;

LedgerPlan committee(const Settings& settings) {
    LedgerPlan plan;
    plan.bookkeepers = settings.nodes;
    plan.members = kMembers;
    plan.newcomers = kNewcomers;
    plan.length = settings.duration;
    plan.line.loss_per_mille = settings.loss_per_mille;
    plan.line.duplicate_per_mille = settings.loss_per_mille;
    plan.line.reorder_per_mille = settings.loss_per_mille;
    plan.impaired_max = protocol::faulty_max(plan.bookkeepers);
    plan.chief = LedgerPlan::Chief::crashes;
    plan.of_members.push_back(Trouble::from_backup);
    plan.of_members.push_back(Trouble::disk_lies);
    return plan;
}

// Nothing befalls anybody but what the plan says besides.
LedgerPlan untroubled(const Settings& settings) {
    LedgerPlan plan;
    plan.bookkeepers = settings.nodes;
    plan.members = kMembers;
    plan.length = settings.duration;
    plan.line.loss_per_mille = settings.loss_per_mille;
    plan.of_bookkeepers.clear();
    plan.of_members.clear();
    plan.trouble_max = seconds(1);
    return plan;
}

}  // namespace

Report run_ledger_home(const Settings& settings) {
    LedgerPlan plan = untroubled(settings);
    plan.clients = 20;
    plan.pay_every = seconds(1);
    plan.calm_min = seconds(60);
    plan.skew_max = milliseconds(100);  // as a time service keeps clocks
    plan.in_time_per_mille = 999;
    plan.told_in_time_per_mille = 999;
    plan.patience = seconds(3);
    plan.chief = LedgerPlan::Chief::crashes;
    plan.idle = seconds(60);
    return LedgerTown(settings, plan).run();
}

Report run_ledger_halt(const Settings& settings) {
    LedgerPlan plan = untroubled(settings);
    plan.quorum = LedgerPlan::Quorum::is_lost;
    plan.line.duplicate_per_mille = settings.loss_per_mille;
    plan.line.reorder_per_mille = settings.loss_per_mille;
    plan.trouble_max = seconds(40);
    plan.calm_min = seconds(15);
    plan.in_time_per_mille = 900;  // some find out first what the halt has left of theirs
    plan.expiry_pulses = 120;      // what clients have signed outlives the halt: there is work
    return LedgerTown(settings, plan).run();
}

// Most nodes are members'; some come late, some crash or leave and come back.
Report run_ledger_village(const Settings& settings) {
    LedgerPlan plan = untroubled(settings);
    plan.bookkeepers = kVillageSeats;
    plan.newcomers = settings.nodes / 10;
    plan.members = settings.nodes - plan.bookkeepers - plan.newcomers;
    plan.newcomers_a_round = std::max<std::size_t>(plan.newcomers / 4, 1);
    plan.settling = minutes(3);
    plan.patience = seconds(3);
    plan.clients = 20;
    plan.of_members = {Trouble::crash, Trouble::restart, Trouble::asleep, Trouble::cut_off};
    plan.troubled_max = settings.nodes / 10;
    plan.trouble_max = seconds(40);
    plan.chief = LedgerPlan::Chief::crashes;
    plan.idle = minutes(2);
    return LedgerTown(settings, plan).run();
}

Report run_ledger_committee(const Settings& settings) {
    return LedgerTown(settings, committee(settings)).run();
}

// Who is not honest counts as faulty; the rest of f may be in trouble besides.
Report run_ledger_liars(const Settings& settings) {
    Prng chance = World(settings.seed).stream("plan");
    LedgerPlan plan = committee(settings);
    const std::size_t liars = 1 + chance.below(plan.impaired_max);
    // Seed 1 begins with the first kind, so that a sweep meets each.
    for (std::size_t n = 0; n < liars; ++n) {
        const std::uint64_t kind = n == 0 ? settings.seed - 1 : chance.next();
        plan.liars.push_back(static_cast<Lie>(kind % kLies));
    }
    plan.impaired_max -= liars;
    plan.chief = LedgerPlan::Chief::is_spared;
    plan.in_time_per_mille = 500;  // a liar's turn to propose costs a round or two
    return LedgerTown(settings, plan).run();
}

}  // namespace leither::sim
