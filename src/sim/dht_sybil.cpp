// A thousand nodes of one owner, all in one /24, press into an honest network: half of them spread
// over all ids, half around the items that are read. They answer everything, name only each other
// and hold nothing.
#include <algorithm>

#include "dht_stranger.h"
#include "dht_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint32_t kSybils = 1000;
constexpr std::uint32_t kItems = 50;
constexpr Duration kKnockEvery = milliseconds(10);
constexpr Duration kGetEvery = milliseconds(500);
constexpr std::size_t kEverybody = 10'000;
constexpr std::size_t kNamed = 8;
constexpr std::size_t kIntrudersMax = 8;  // nodes_per_block_max

bool is_sybil(const dht::Contact& contact) {
    return contact.endpoint.address.block() == IpAddress::v4({66, 6, 6, 0});
}

class Siege {
 public:
    explicit Siege(const Settings& settings)
        : settings_(settings), town_(settings), wares_(town_.chance().next()) {}

    Report run();

 private:
    using Table = std::vector<dht::Contact>;

    void put_all();
    void attack();
    void knock();
    void get();
    std::optional<dht::Response> answer(const dht::Query& query) const;
    Table honest_table(HostId id);

    Settings settings_;
    DhtTown town_;
    Wares wares_;
    std::vector<HostId> hosts_;  // of the sybils
    Table sybils_;
    Gets gets_;
};

void Siege::put_all() {
    for (std::uint32_t i = 0; i < kItems; ++i) {
        town_.host(town_.any_ready()).tell(dht::Keep{dht::Put{wares_.item(i), std::nullopt}});
    }
}

void Siege::attack() {
    for (std::uint32_t i = 0; i < kSybils; ++i) {
        dht::Contact contact;
        town_.chance().fill(contact.id.span());
        if (i % 2 == 1) {
            // As near to an item as can be.
            contact.id = wares_.target(i / 2 % kItems);
            contact.id[18] = static_cast<std::uint8_t>(contact.id[18] ^ i >> 8);
            contact.id[19] = static_cast<std::uint8_t>(contact.id[19] ^ i);
        }
        const auto last = static_cast<std::uint8_t>(1 + i % 250);
        contact.endpoint = {IpAddress::v4({66, 6, 6, last}), static_cast<std::uint16_t>(1000 + i)};
        auto stranger = std::make_unique<DhtStranger>(contact.id);
        stranger->set_answers(
            [this](const Endpoint&, const dht::Query& query) { return answer(query); });
        Place place;
        place.endpoint = contact.endpoint;
        hosts_.push_back(town_.network().add(std::move(stranger), place));
        sybils_.push_back(contact);
    }
}

std::optional<dht::Response> Siege::answer(const dht::Query& query) const {
    dht::Response reply;
    if (query.method == dht::Method::ping || query.method == dht::Method::put) return reply;
    Table near = sybils_;
    const auto end = near.begin() + kNamed;
    std::partial_sort(near.begin(), end, near.end(), dht::CloserTo{query.target});
    reply.nodes.assign(near.begin(), end);
    reply.node_lists.v4 = true;
    if (query.method != dht::Method::find_node)
        reply.token = dht::Token::copy_of(as_bytes("sybil"));
    return reply;
}

// One sybil makes itself known to one honest node.
void Siege::knock() {
    const std::size_t which = town_.chance().below(hosts_.size());
    dht::Query query;
    query.method = dht::Method::find_node;
    query.target = sybils_[which].id;
    const Endpoint& to = town_.network().place(town_.any_living()).endpoint;
    static_cast<DhtStranger&>(town_.network().host(hosts_[which])).ask(to, query, {});
}

void Siege::get() {
    ++gets_.asked;
    const auto number = static_cast<std::uint32_t>(town_.chance().below(kItems));
    town_.host(town_.any_ready()).ask(wares_.get(number), [this](const DhtHost::Answer& answer) {
        gets_.note(answer);
    });
}

Siege::Table Siege::honest_table(HostId id) {
    Table table = town_.host(id).machine().good_nodes(kEverybody);
    std::erase_if(table, is_sybil);
    return table;
}

Report Siege::run() {
    World& world = town_.world();
    town_.grow(settings_.nodes);
    put_all();
    world.run_for(minutes(20));
    std::vector<Table> before;
    for (const HostId id : town_.living()) before.push_back(honest_table(id));
    world.note("the siege begins");
    attack();
    const Instant end = world.now() + settings_.duration;
    world.every(kKnockEvery, end, [this] { knock(); });
    world.every(kGetEvery, end, [this] { get(); });
    world.run_for(settings_.duration);

    std::uint64_t kept = 0;
    std::uint64_t known = 0;
    Sample intruders;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const HostId id = town_.living()[i];
        const Table now = town_.host(id).machine().good_nodes(kEverybody);
        intruders.add(std::count_if(now.begin(), now.end(), is_sybil));
        for (const dht::Contact& one : before[i]) {
            if (std::find(now.begin(), now.end(), one) != now.end()) ++kept;
        }
        known += before[i].size();
    }
    world.run_for(seconds(30));

    Report report;
    report.at_least("honest contacts kept", 990, per_mille(kept, known), Unit::per_mille);
    report.at_most("sybils in a table, most", kIntrudersMax, intruders.most());
    report.at_least("found", 990, per_mille(gets_.found, gets_.told), Unit::per_mille);
    // Sybils are more than all others and therefore nearer; they may stand between, but not in
    // place of, the honest.
    report.at_least("honest neighbours in the table", 950,
                    town_.neighbours_known(DhtTown::kNeighbours + kIntrudersMax), Unit::per_mille);
    report.add("honest neighbours among the 8 nearest", town_.neighbours_known(), Unit::per_mille);
    report.add("sybils in a table, mean", intruders.mean_hundredths(), Unit::hundredths);
    report.add("honest contacts in a table, mean",
               static_cast<std::int64_t>(100 * known / std::max<std::size_t>(1, before.size())),
               Unit::hundredths);
    report.add("get, p99", gets_.took.percentile(99), Unit::micros);
    report.add("queries a get, mean", gets_.queries.mean_hundredths(), Unit::hundredths);
    gets_.report(report);
    town_.conclude(report);
    return report;
}

}  // namespace

Report run_dht_sybil(const Settings& settings) {
    return Siege(settings).run();
}

}  // namespace leither::sim
