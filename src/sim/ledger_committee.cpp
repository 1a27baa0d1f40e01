// Several bookkeepers of whom up to f are impaired at a time.
#include "ledger_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

constexpr std::size_t kMembers = 2;
constexpr std::size_t kNewcomers = 2;

// Who may fail in any way, of n seats.
constexpr std::size_t faulty_max(std::size_t seats) {
    return (seats - 1) / 3;
}

LedgerPlan committee(const Settings& settings) {
    LedgerPlan plan;
    plan.bookkeepers = settings.nodes;
    plan.members = kMembers;
    plan.newcomers = kNewcomers;
    plan.length = settings.duration;
    plan.line.loss_per_mille = settings.loss_per_mille;
    plan.line.duplicate_per_mille = settings.loss_per_mille;
    plan.line.reorder_per_mille = settings.loss_per_mille;
    plan.impaired_max = faulty_max(plan.bookkeepers);
    plan.chief = LedgerPlan::Chief::crashes;
    plan.of_members.push_back(Trouble::from_backup);
    plan.of_members.push_back(Trouble::disk_lies);
    return plan;
}

}  // namespace

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
