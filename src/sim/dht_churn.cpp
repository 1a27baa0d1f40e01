// Nodes come and go; what was put stays to be found as long as items live.
#include <bit>

#include "dht_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kMeanSession = minutes(30);
constexpr Duration kPutting = minutes(5);
constexpr std::uint32_t kItems = 400;
constexpr Duration kGetEvery = std::chrono::milliseconds(500);
// An item lives for two hours from its put; what is asked in the last moment may come too late.
constexpr Duration kLife = std::chrono::hours(2) - seconds(30);

struct Put {
    std::uint32_t number = 0;
    Instant at;
};

class Market {
 public:
    explicit Market(const Settings& settings)
        : settings_(settings),
          town_(settings),
          wares_(town_.chance().next()),
          churn_(town_.network(), kMeanSession, [this] { return town_.add(); }) {}

    Report run();

 private:
    void put(std::uint32_t number);
    // Asks for one that was put, if any still lives.
    void get_one();
    void get(const Put& put, Gets& gets);

    Settings settings_;
    DhtTown town_;
    Wares wares_;
    Churn churn_;
    std::uint64_t puts_ = 0;
    std::vector<Put> put_;  // confirmed
    Sample copies_;
    Gets gets_;
    Gets last_;  // of each item once, at the end
};

void Market::put(std::uint32_t number) {
    const Instant asked = town_.world().now();
    ++puts_;
    town_.host(town_.any_ready())
        .ask(dht::Put{wares_.item(number), std::nullopt}, [=, this](const DhtHost::Answer& answer) {
            copies_.add(answer.outcome.copies);
            if (!answer.outcome.failure) put_.push_back({number, asked});
        });
}

void Market::get_one() {
    if (put_.empty()) return;
    const Put& one = put_[town_.chance().below(put_.size())];
    const Duration age = town_.world().now() - one.at;
    if (age < std::min<Duration>(kLife, settings_.duration)) get(one, gets_);
}

void Market::get(const Put& put, Gets& gets) {
    ++gets.asked;
    town_.host(town_.any_ready()).ask(wares_.get(put.number), [&](const DhtHost::Answer& answer) {
        gets.note(answer);
    });
}

Report Market::run() {
    World& world = town_.world();
    town_.grow(settings_.nodes);
    for (const HostId id : town_.living()) churn_.admit(id);
    // One mean session, so that the mix of old and young nodes is as it will be.
    world.run_for(kMeanSession);
    world.note("puts begin");
    const auto putting = static_cast<std::uint64_t>(kPutting.count());
    for (std::uint32_t i = 0; i < kItems; ++i) {
        const auto when = static_cast<Duration::rep>(town_.chance().below(putting));
        world.after(Duration(when), [this, i] { put(i); });
    }
    const Duration measured = std::min<Duration>(settings_.duration, kLife);
    world.every(kGetEvery, world.now() + kPutting + measured, [this] { get_one(); });
    world.run_for(kPutting + minutes(1));
    // Each once more when it is about to expire.
    for (const Put& one : put_) world.at(one.at + measured, [this, one] { get(one, last_); });
    world.run_for(measured + minutes(1));

    Report report;
    report.at_least("found", 990, per_mille(gets_.found, gets_.told), Unit::per_mille);
    report.at_least("found at the end", 990, per_mille(last_.found, last_.told), Unit::per_mille);
    report.at_least("put", 990, per_mille(put_.size(), puts_), Unit::per_mille);
    // log2, rounded down.
    const auto hops_max = static_cast<std::int64_t>(std::bit_width(settings_.nodes) - 1);
    report.at_most("hops, mean", 100 * hops_max, gets_.hops.mean_hundredths(), Unit::hundredths);
    report.add("queries a get, mean", gets_.queries.mean_hundredths(), Unit::hundredths);
    report.add("get, p99", gets_.took.percentile(99), Unit::micros);
    gets_.report(report);
    report.add("copies of a put, mean", copies_.mean_hundredths(), Unit::hundredths);
    report.add("departures", static_cast<std::int64_t>(churn_.departures()));
    report.add("neighbours known", town_.neighbours_known(), Unit::per_mille);
    town_.conclude(report);
    return report;
}

}  // namespace

Report run_dht_churn(const Settings& settings) {
    return Market(settings).run();
}

}  // namespace leither::sim
