// Committees of agreements alone, of whom up to f are faulty: any mix of liars and of who is in
// trouble, drawn from the seed.
#include "agreement_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kSizes[] = {4, 7};
constexpr std::uint64_t kPayOfMax = 4;
// One seed of so many looks at its machines after each step.
constexpr std::uint64_t kInvariantsOf = 10;

Line drawn_line(Prng& chance) {
    switch (chance.below(4)) {
        case 0: return Line::lan();
        case 1: {
            Line far = Line::home();
            far.latency_max = milliseconds(180);
            return far;
        }
        default: return Line::home();
    }
}

}  // namespace

Report run_agreement(const Settings& settings) {
    Prng chance = World(settings.seed).stream("plan");
    AgreementPlan plan;
    plan.seats = kSizes[chance.below(std::size(kSizes))];
    if (settings.nodes > 0) plan.seats = settings.nodes;
    plan.length = settings.duration;
    plan.line = drawn_line(chance);
    plan.line.loss_per_mille = settings.loss_per_mille;
    plan.pay_of = 1 + chance.below(kPayOfMax);
    plan.checks_invariants = settings.seed % kInvariantsOf == 0;
    const std::size_t faulty = protocol::faulty_max(plan.seats);
    const std::size_t liars = faulty == 0 ? 0 : 1 + chance.below(faulty);
    // Seed 1 begins with the first kind, so that a sweep meets each.
    for (std::size_t n = 0; n < liars; ++n) {
        const std::uint64_t kind = n == 0 ? settings.seed - 1 : chance.next();
        plan.liars.push_back(static_cast<Lie>(kind % kLies));
    }
    plan.impaired_max = faulty - liars;
    return AgreementTown(settings, plan).run();
}

}  // namespace leither::sim
