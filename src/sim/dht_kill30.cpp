// A third of the network is gone from one moment to the next.
#include "dht_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint32_t kItems = 200;
constexpr unsigned kKilledPercent = 30;
constexpr Duration kPutEvery = milliseconds(100);
constexpr Duration kGetEvery = milliseconds(100);
constexpr Duration kRecovery = seconds(60);

}  // namespace

Report run_dht_kill30(const Settings& settings) {
    DhtTown town(settings);
    World& world = town.world();
    const Wares wares(town.chance().next());
    town.grow(settings.nodes);

    std::vector<std::uint32_t> put;
    for (std::uint32_t i = 0; i < kItems; ++i) {
        world.after(i * kPutEvery, [&, i] {
            town.host(town.any_ready())
                .ask(dht::Put{wares.item(i), std::nullopt}, [&, i](const DhtHost::Answer& answer) {
                    if (!answer.outcome.failure) put.push_back(i);
                });
        });
    }
    world.run_for(kItems * kPutEvery + minutes(1));

    std::vector<HostId> victims = town.living();
    town.chance().shuffle(std::span(victims));
    victims.resize(victims.size() * kKilledPercent / 100);
    for (const HostId id : victims) town.network().remove(id);
    world.note("30 % are dead");
    const Instant killed = world.now();
    const std::int64_t known_at_once = town.neighbours_known();

    Gets gets;
    world.every(kGetEvery, killed + settings.duration, [&] {
        const std::uint32_t number = put[town.chance().below(put.size())];
        ++gets.asked;
        town.host(town.any_ready()).ask(wares.get(number), [&](const DhtHost::Answer& answer) {
            gets.note(answer);
        });
    });
    std::int64_t known = 0;
    world.at(killed + kRecovery, [&] { known = town.neighbours_known(); });
    world.run_for(settings.duration + minutes(1));

    Report report;
    report.at_least("found", 990, per_mille(gets.found, gets.told), Unit::per_mille);
    report.at_most("get, p99", 1'500'000, gets.took.percentile(99), Unit::micros);
    report.at_most("queries a get, mean", 1500, gets.queries.mean_hundredths(), Unit::hundredths);
    report.at_least("neighbours known after 60 s", 950, known, Unit::per_mille);
    report.add("neighbours known at once", known_at_once, Unit::per_mille);
    report.add("hops, mean", gets.hops.mean_hundredths(), Unit::hundredths);
    gets.report(report);
    town.conclude(report);
    return report;
}

}  // namespace leither::sim
