#include "dht_town.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::uint16_t kPort = 6881;
constexpr std::size_t kBootstrap = 3;
constexpr Duration kBetweenArrivals = milliseconds(25);
constexpr Duration kSettling = minutes(10);

// 20.0.0.1, 20.0.1.1, ... 20.1.0.1: no two in one block.
IpAddress address(std::uint32_t number) {
    return IpAddress::v4({static_cast<std::uint8_t>(20 + (number >> 16)),
                          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number),
                          1});
}

}  // namespace

DhtTown::DhtTown(const Settings& settings)
    : world_(settings.seed, settings.trace), network_(world_), chance_(world_.stream("scenario")) {
    line_ = Line::home();
    line_.loss_per_mille = settings.loss_per_mille;
}

HostId DhtTown::add() {
    DhtHost::Options options;
    options.machine.families = dht::Families::v4;
    options.bootstrap = some_living(kBootstrap);
    const std::uint32_t number = added_++;
    Place place;
    place.endpoint = {address(number), kPort};
    place.line = line_;
    const HostId id =
        network_.add(std::make_unique<DhtHost>(options, world_.stream("host", number)), place);
    living_.push_back(id);
    return id;
}

void DhtTown::grow(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        add();
        world_.run_for(kBetweenArrivals);
    }
    world_.run_for(kSettling);
}

std::vector<Endpoint> DhtTown::some_living(std::size_t count) {
    std::vector<Endpoint> out;
    for (std::size_t i = 0; i < count && !living().empty(); ++i) {
        const Endpoint& one = network_.place(any_living()).endpoint;
        if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
    }
    return out;
}

const std::vector<HostId>& DhtTown::living() {
    std::erase_if(living_, [&](HostId id) { return !network_.is_up(id); });
    return living_;
}

HostId DhtTown::any_living() {
    const auto& all = living();
    CHECK(!all.empty());
    return all[chance_.below(all.size())];
}

HostId DhtTown::any_ready() {
    HostId id = any_living();
    for (int tries = 0; tries < 100 && !host(id).machine().status().ready; ++tries) {
        id = any_living();
    }
    return id;
}

std::int64_t DhtTown::neighbours_known(std::size_t first) {
    std::vector<Id> ids;
    for (const HostId id : living()) ids.push_back(host(id).id());
    std::uint64_t known = 0;
    std::uint64_t all = 0;
    for (const HostId id : living_) {
        const Id own = host(id).id();
        const std::size_t count = std::min(kNeighbours, ids.size() - 1);
        // The nearest of all is the node itself.
        std::vector<Id> near = ids;
        const auto end = near.begin() + static_cast<std::ptrdiff_t>(count + 1);
        std::partial_sort(near.begin(), end, near.end(), dht::CloserTo{own});
        for (const dht::Contact& contact : host(id).machine().closest(own, first)) {
            if (std::find(near.begin() + 1, end, contact.id) != end) ++known;
        }
        all += count;
    }
    return per_mille(known, all);
}

void DhtTown::conclude(Report& report) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(world_.elapsed()).count();
    const auto node_seconds = static_cast<std::uint64_t>(seconds) * living().size();
    const NetworkCounters& counters = network_.counters();
    report.add("datagrams a node and second",
               static_cast<std::int64_t>(100 * counters.datagrams /
                                         std::max<std::uint64_t>(1, node_seconds)),
               Unit::hundredths);
    report.hash = world_.hash();
    report.happenings = world_.happenings();
    report.elapsed = world_.elapsed();
}

// ---- Items

crypto::KeyPair Wares::key(std::uint32_t number) const {
    Prng prng(key_seed_ + number);
    return crypto::KeyPair::generate(prng);
}

dht::Item Wares::item(std::uint32_t number, std::int64_t sequence) const {
    Bytes content(100, 7);
    for (unsigned i = 0; i < 4; ++i) content[i] = static_cast<std::uint8_t>(number >> 8 * i);
    for (unsigned i = 0; i < 8; ++i) {
        content[4 + i] = static_cast<std::uint8_t>(key_seed_ >> 8 * i);
        content[12 + i] = static_cast<std::uint8_t>(sequence >> 8 * i);
    }
    if (!is_mutable(number)) return {dht::value_of(content), std::nullopt};
    return dht::sign_item(key(number), {}, sequence, dht::value_of(content));
}

dht::Request Wares::get(std::uint32_t number) const {
    if (!is_mutable(number)) return dht::GetImmutable{target(number)};
    return dht::GetMutable{key(number).public_key(), {}};
}

void Gets::note(const DhtHost::Answer& answer) {
    ++told;
    hops.add(answer.outcome.hops);
    queries.add(answer.outcome.queries);
    if (!answer.outcome.item) return;
    ++found;
    took.add(answer.took);
}

void Gets::report(Report& report) const {
    report.add("gets", static_cast<std::int64_t>(told));
    report.add("get, mean", took.mean(), Unit::micros);
    report.add("get, p50", took.percentile(50), Unit::micros);
    report.add("hops, p99", hops.percentile(99));
    report.add("queries a get, p99", queries.percentile(99));
}

}  // namespace leither::sim
