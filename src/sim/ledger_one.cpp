// One bookkeeper, and runs drawn from their seed.
#include "ledger_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kMembersMax = 10;
constexpr std::uint64_t kClientsMax = 12;
constexpr std::uint64_t kMinutesMin = 5;
constexpr std::uint64_t kMinutesMax = 20;
constexpr std::uint64_t kLossPerMilleMost = 80;
constexpr std::uint64_t kPayEveryMax = 10;  // seconds

// Who keeps nothing that others rely on may lose what it held, too.
LedgerPlan one_bookkeeper() {
    LedgerPlan plan;
    plan.of_members.push_back(Trouble::from_backup);
    plan.of_members.push_back(Trouble::disk_lies);
    return plan;
}

Line drawn_line(Prng& chance) {
    switch (chance.below(3)) {
        case 0: return Line::lan();
        case 1: return Line::home();
        default: return Line::world();
    }
}

// About half of them.
std::vector<Trouble> drawn_some(Prng& chance, const std::vector<Trouble>& from) {
    std::vector<Trouble> some;
    for (const Trouble each : from) {
        if (chance.chance(1, 2)) some.push_back(each);
    }
    return some;
}

}  // namespace

Report run_ledger_one(const Settings& settings) {
    LedgerPlan plan = one_bookkeeper();
    plan.members = settings.nodes - plan.bookkeepers;
    plan.length = settings.duration;
    plan.line.loss_per_mille = settings.loss_per_mille;
    return LedgerTown(settings, plan).run();
}

Report run_random(const Settings& settings) {
    Prng chance = World(settings.seed).stream("plan");
    LedgerPlan plan = one_bookkeeper();
    plan.members = 1 + chance.below(kMembersMax);
    plan.clients = 2 + chance.below(kClientsMax - 1);
    plan.length = minutes(kMinutesMin + chance.below(kMinutesMax - kMinutesMin + 1));
    plan.pay_every = seconds(1 + chance.below(kPayEveryMax));
    plan.line = drawn_line(chance);
    plan.line.loss_per_mille = static_cast<unsigned>(chance.below(kLossPerMilleMost + 1));
    plan.line.duplicate_per_mille = static_cast<unsigned>(chance.below(kLossPerMilleMost + 1));
    plan.line.reorder_per_mille = static_cast<unsigned>(chance.below(kLossPerMilleMost + 1));
    plan.of_bookkeepers = drawn_some(chance, plan.of_bookkeepers);
    plan.of_members = drawn_some(chance, plan.of_members);
    plan.troubled_max = chance.below(plan.members + 1);
    plan.clock_step_max = seconds(2 + chance.below(29));
    plan.trouble_max = seconds(2 + chance.below(59));
    if (settings.nodes > plan.bookkeepers) plan.members = settings.nodes - plan.bookkeepers;
    if (settings.duration > Duration(0)) plan.length = settings.duration;
    if (settings.loss_per_mille > 0) plan.line.loss_per_mille = settings.loss_per_mille;
    return LedgerTown(settings, plan).run();
}

}  // namespace leither::sim
