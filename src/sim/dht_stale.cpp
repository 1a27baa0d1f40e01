// Old items come back: from nodes that were cut off while their writer went on, and from somebody
// who kept them and puts them again and again. No holder may go back, no reader be misled.
#include <algorithm>
#include <map>

#include "dht_stranger.h"
#include "dht_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint32_t kItems = 40;
// A round: part of the network is cut off, items are written on the other side, both meet again,
// and holders have had time to look after what they hold.
constexpr Duration kCutFor = minutes(5);
constexpr Duration kRound = minutes(35);
constexpr Duration kReading = minutes(5);  // the end of each round
constexpr Duration kReplayEvery = milliseconds(100);
constexpr Duration kAuditEvery = minutes(1);
constexpr Duration kReadEvery = milliseconds(250);
constexpr std::size_t kCutOffPercent = 30;

class Archive {
 public:
    explicit Archive(const Settings& settings)
        : settings_(settings), town_(settings), wares_(town_.chance().next()) {}

    Report run();

 private:
    // All are mutable.
    static std::uint32_t number(std::uint64_t item) {
        return static_cast<std::uint32_t>(2 * item + 1);
    }
    DhtStranger& stranger(HostId id) { return static_cast<DhtStranger&>(town_.network().host(id)); }
    HostId add_stranger(std::uint8_t where);
    const Endpoint& any_place() { return town_.network().place(town_.any_living()).endpoint; }
    void round();
    void write(std::size_t item, HostId by);
    // Puts an old item to whoever would hold it, with the token it asked for.
    void replay();
    // Asks a node what it holds; who told a higher sequence before has gone back.
    void audit_all();
    void audit(HostId host, std::size_t item);
    void read();

    Settings settings_;
    DhtTown town_;
    Wares wares_;
    HostId replayer_;
    HostId auditor_;
    std::int64_t sequence_ = 0;           // of all items, the newest written
    std::vector<std::int64_t> written_ =  // and confirmed
        std::vector<std::int64_t>(kItems, 0);
    std::map<std::pair<HostId, std::size_t>, std::int64_t> held_;
    std::uint64_t audits_ = 0;  // answered with an item
    std::uint64_t gone_back_ = 0;
    std::uint64_t replays_ = 0;
    std::uint64_t writes_ = 0;
    std::uint64_t writes_confirmed_ = 0;
    Gets reads_;
    std::uint64_t stale_ = 0;
};

HostId Archive::add_stranger(std::uint8_t where) {
    Id id;
    town_.chance().fill(id.span());
    Place place;
    place.endpoint = {IpAddress::v4({66, where, 6, 1}), 6881};
    return town_.network().add(std::make_unique<DhtStranger>(id), place);
}

void Archive::write(std::size_t item, HostId by) {
    const std::int64_t sequence = sequence_;
    ++writes_;
    town_.host(by).ask(dht::Put{wares_.item(number(item), sequence), std::nullopt},
                       [=, this](const DhtHost::Answer& answer) {
                           if (answer.outcome.failure) return;
                           ++writes_confirmed_;
                           written_[item] = std::max(written_[item], sequence);
                       });
}

void Archive::replay() {
    const std::size_t item = town_.chance().below(kItems);
    if (written_[item] <= 1) return;
    const auto old = static_cast<std::int64_t>(
        1 + town_.chance().below(static_cast<std::uint64_t>(written_[item] - 1)));
    // Of some nodes the nearest one, as an attacker would choose.
    HostId to = town_.any_living();
    const Id target = wares_.target(number(item));
    for (int i = 0; i < 50; ++i) {
        const HostId other = town_.any_living();
        if (dht::closer(target, town_.host(other).id(), town_.host(to).id())) to = other;
    }
    dht::Query get;
    get.method = dht::Method::get;
    get.target = target;
    stranger(replayer_).ask(town_.network().place(to).endpoint, get,
                            [this, item, old](const Endpoint& from, const dht::Response& reply) {
                                if (reply.token.empty()) return;
                                dht::Query put;
                                put.method = dht::Method::put;
                                put.token = reply.token;
                                put.item = wares_.item(number(item), old);
                                put.age_s = 0;
                                ++replays_;
                                stranger(replayer_).ask(from, put, {});
                            });
}

void Archive::audit_all() {
    for (const HostId host : town_.living()) audit(host, town_.chance().below(kItems));
    // Those who are known to hold something, besides.
    for (const auto& [where, sequence] : held_) audit(where.first, where.second);
}

void Archive::audit(HostId host, std::size_t item) {
    dht::Query get;
    get.method = dht::Method::get;
    get.target = wares_.target(number(item));
    stranger(auditor_).ask(town_.network().place(host).endpoint, get,
                           [=, this](const Endpoint&, const dht::Response& reply) {
                               // Whoever has let it go may take any again.
                               if (!reply.found.sequence) {
                                   held_.erase({host, item});
                                   return;
                               }
                               ++audits_;
                               std::int64_t& known = held_[{host, item}];
                               if (*reply.found.sequence < known) ++gone_back_;
                               known = *reply.found.sequence;
                           });
}

void Archive::read() {
    const std::size_t item = town_.chance().below(kItems);
    const std::int64_t newest = written_[item];
    ++reads_.asked;
    town_.host(town_.any_ready())
        .ask(wares_.get(number(item)), [=, this](const DhtHost::Answer& answer) {
            reads_.note(answer);
            if (answer.outcome.item && answer.outcome.item->author->sequence < newest) ++stale_;
        });
}

void Archive::round() {
    World& world = town_.world();
    const Instant end = world.now() + kRound;
    std::vector<HostId> all = town_.living();
    town_.chance().shuffle(std::span(all));
    const std::size_t count = all.size() * kCutOffPercent / 100;
    const std::vector<HostId> cut_off(all.begin(),
                                      all.begin() + static_cast<std::ptrdiff_t>(count));
    const PartitionId partition = town_.network().split(cut_off);
    world.run_for(kCutFor / 2);
    ++sequence_;
    for (std::size_t item = 0; item < kItems; ++item) {
        write(item, all[count + town_.chance().below(all.size() - count)]);
    }
    world.run_for(kCutFor / 2);
    town_.network().heal(partition);
    world.run_until(end - kReading);
    world.every(kReadEvery, end, [this] { read(); });
    world.run_until(end);
}

Report Archive::run() {
    World& world = town_.world();
    town_.grow(settings_.nodes);
    replayer_ = add_stranger(1);
    auditor_ = add_stranger(2);
    ++sequence_;
    for (std::size_t item = 0; item < kItems; ++item) write(item, town_.any_ready());
    world.run_for(minutes(1));
    const Instant end = world.now() + settings_.duration;
    world.every(kReplayEvery, end, [this] { replay(); });
    world.every(kAuditEvery, end, [this] { audit_all(); });
    while (world.now() + kRound <= end) round();
    world.run_until(end + minutes(1));

    Report report;
    report.at_most("holders gone back", 0, static_cast<std::int64_t>(gone_back_));
    report.at_most("reads of an old item", 0, static_cast<std::int64_t>(stale_));
    report.at_least("found", 990, per_mille(reads_.found, reads_.told), Unit::per_mille);
    report.at_least("writes confirmed", 990, per_mille(writes_confirmed_, writes_),
                    Unit::per_mille);
    report.add("audits that showed an item", static_cast<std::int64_t>(audits_));
    report.add("old items put", static_cast<std::int64_t>(replays_));
    report.add("get, p99", reads_.took.percentile(99), Unit::micros);
    reads_.report(report);
    town_.conclude(report);
    return report;
}

}  // namespace

Report run_dht_stale(const Settings& settings) {
    return Archive(settings).run();
}

}  // namespace leither::sim
