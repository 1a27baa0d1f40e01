#include "leither/sim/network.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"

#include "streams.h"

namespace leither::sim {

namespace {

std::uint64_t mixed(std::uint64_t hash, ByteView bytes) {
    for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
    return hash;
}

constexpr std::uint64_t kHashStart = 0xcbf29ce484222325;

}  // namespace

std::size_t Network::EndpointHash::operator()(const Endpoint& endpoint) const {
    const std::uint64_t hash = mixed(kHashStart, endpoint.address.bytes()) ^ endpoint.port;
    return static_cast<std::size_t>(hash * 0x9e3779b97f4a7c15);
}

Network::Network(World& world)
    : world_(world),
      chance_(world.stream("network")),
      geography_(world.stream("geography").next()),
      timers_(*this),
      arrivals_(*this),
      elapsing_(*this),
      streams_(std::make_unique<Streams>(*this)) {}

Network::~Network() = default;

// ---- Hosts

NatId Network::add_nat(const IpAddress& outside, const Nat::Options& options) {
    const NatId id(static_cast<std::uint32_t>(nats_.size()));
    nats_.emplace_back(outside, options);
    inside_.emplace_back();
    CHECK(nat_at_.emplace(outside, id).second, "two routers at one address");
    return id;
}

HostId Network::add(std::unique_ptr<Host> host, const Place& place) {
    const HostId id(static_cast<std::uint32_t>(stations_.size()));
    CHECK(directory(place.nat).emplace(place.endpoint, id).second, "the endpoint is taken");
    stations_.push_back(std::make_unique<Station>());
    stations_.back()->host = std::move(host);
    stations_.back()->place = place;
    start(id);
    return id;
}

void Network::start(HostId id) {
    Station& it = station(id);
    CHECK(!it.is_up);
    it.is_up = true;
    ++it.starts;
    world_.note({Kind::started, it.place.endpoint, {}, {}});
    call(id, [&](Host& host) { host.start(Wire(*this, id)); });
}

void Network::stop(HostId id) {
    streams_->host_stopped(id);
    go_down(id, Kind::stopped);
}

void Network::crash(HostId id) {
    streams_->host_crashed(id);
    go_down(id, Kind::crashed);
}

void Network::go_down(HostId id, Kind how) {
    Station& it = station(id);
    if (!it.is_up) return;
    it.is_up = false;
    it.is_asleep = false;
    it.timer.reset();
    it.overdue.clear();
    world_.note({how, it.place.endpoint, {}, {}});
    if (how == Kind::crashed) {
        it.host->crash();
    } else {
        it.host->stop();
    }
}

void Network::suspend(HostId id) {
    Station& it = station(id);
    CHECK(it.is_up && !it.is_asleep);
    it.is_asleep = true;
    it.timer.reset();
    world_.note({Kind::suspended, it.place.endpoint, {}, {}});
}

void Network::resume(HostId id) {
    Station& it = station(id);
    CHECK(it.is_up && it.is_asleep);
    it.is_asleep = false;
    world_.note({Kind::resumed, it.place.endpoint, {}, {}});
    rearm(id);
    for (const std::uint64_t token : std::exchange(it.overdue, {})) after(id, {}, token);
}

void Network::remove(HostId id) {
    crash(id);
    const Place& place = station(id).place;
    directory(place.nat).erase(place.endpoint);
    stations_[id.value()].reset();
}

Network::Station& Network::station(HostId host) {
    CHECK(host.value() < stations_.size() && stations_[host.value()] != nullptr);
    return *stations_[host.value()];
}

const Network::Station& Network::station(HostId host) const {
    CHECK(host.value() < stations_.size() && stations_[host.value()] != nullptr);
    return *stations_[host.value()];
}

Network::Station* Network::find_up(HostId host) {
    Station* found = stations_[host.value()].get();
    return found != nullptr && found->is_up && !found->is_asleep ? found : nullptr;
}

bool Network::is_up(HostId host) const {
    const auto& found = stations_[host.value()];
    return found != nullptr && found->is_up && !found->is_asleep;
}

std::vector<HostId> Network::hosts() const {
    std::vector<HostId> out;
    for (std::uint32_t i = 0; i < stations_.size(); ++i) {
        if (is_up(HostId(i))) out.push_back(HostId(i));
    }
    return out;
}

const Network::Directory& Network::directory(const std::optional<NatId>& site) const {
    return site ? inside_[site->value()] : public_;
}

Network::Directory& Network::directory(const std::optional<NatId>& site) {
    return site ? inside_[site->value()] : public_;
}

void Network::set_accepts(HostId host, Place::Accepts accepts) {
    station(host).place.accepts = accepts;
}

// ---- Time

Instant Network::now_of(HostId host) const {
    const Place& place = station(host).place;
    const Instant now = world_.now() + place.clock_offset;
    if (place.clock_drift_ppm == 0) return now;
    return now + world_.elapsed() * place.clock_drift_ppm / 1'000'000;
}

Duration Network::true_wait(const Place& place, Duration by_its_clock) {
    if (place.clock_drift_ppm == 0) return by_its_clock;
    const std::int64_t rate = 1'000'000 + place.clock_drift_ppm;
    return (by_its_clock * 1'000'000 + Duration(rate - 1)) / rate;
}

void Network::step_clock(HostId id, Duration by) {
    Station& it = station(id);
    it.place.clock_offset += by;
    world_.note({Kind::clock_set, it.place.endpoint, {}, {}});
    rearm(id);
}

void Network::after(HostId id, Duration delay, std::uint64_t token) {
    const Wait wait{id, station(id).starts, token};
    std::uint64_t place = waits_.size();
    if (free_waits_.empty()) {
        waits_.push_back(wait);
    } else {
        place = free_waits_.back();
        free_waits_.pop_back();
        waits_[place] = wait;
    }
    world_.schedule(world_.now() + delay, elapsing_, place);
}

void Network::on_elapsed(std::uint64_t place) {
    const Wait wait = waits_[place];
    free_waits_.push_back(place);
    Station* it = stations_[wait.host.value()].get();
    if (it == nullptr || !it->is_up || it->starts != wait.start) return;
    if (it->is_asleep) return it->overdue.push_back(wait.token);
    call(wait.host, [&](Host& host) { host.on_elapsed(wait.token); });
}

void Network::end(HostId id) {
    world_.after({}, [this, id, start = station(id).starts] {
        const Station* it = stations_[id.value()].get();
        if (it != nullptr && it->is_up && it->starts == start) stop(id);
    });
}

void Network::rearm(HostId id) {
    Station& it = station(id);
    if (!it.is_up || it.is_asleep) return;
    const auto deadline = it.host->next_deadline();
    if (!deadline) return;
    const Duration wait = std::max(*deadline - now_of(id), Duration(0));
    const Instant at = world_.now() + true_wait(it.place, wait);
    // A timer that comes too early costs a look; one for each change of mind would cost more.
    if (it.timer && *it.timer <= at) return;
    it.timer = at;
    world_.schedule(at, timers_, id.value());
}

void Network::on_timer(HostId id) {
    Station* it = find_up(id);
    if (it == nullptr || it->timer != world_.now()) return;
    it->timer.reset();
    const auto deadline = it->host->next_deadline();
    if (deadline && *deadline <= now_of(id)) {
        ++counters_.wakes;
        world_.note({Kind::woken, it->place.endpoint, {}, {}});
        it->host->on_deadline();
    }
    rearm(id);
}

// ---- Datagrams

std::optional<NatId> Network::site_of(const Place& from, const Endpoint& to) const {
    return from.nat && to.address.is_private() ? from.nat : std::nullopt;
}

Endpoint Network::seen_from(const Place& from, const Endpoint& to) {
    if (!from.nat || site_of(from, to)) return from.endpoint;
    return nats_[from.nat->value()].outbound(from.endpoint, to, world_.now());
}

void Network::send(HostId from, const Endpoint& to, Bytes&& bytes) {
    Station* it = find_up(from);
    CHECK(it != nullptr, "a host that does not run sends");
    ++counters_.datagrams;
    it->traffic.sent_bytes += bytes.size() + kHeaderBytes;
    const Place& place = it->place;
    if (place.endpoint.address.is_v4() != to.address.is_v4()) {
        ++counters_.dropped;
        world_.note({Kind::dropped, place.endpoint, to, bytes});
        return;
    }
    Packet packet{from, seen_from(place, to), to, site_of(place, to), std::move(bytes)};
    if (chance_.chance(place.line.loss_per_mille, 1000)) {
        ++counters_.lost;
        world_.note({Kind::lost, packet.from, packet.to, packet.bytes});
        return;
    }
    if (place.line.duplicate_per_mille > 0 &&
        chance_.chance(place.line.duplicate_per_mille, 1000)) {
        ++counters_.duplicated;
        fly(Packet(packet), latency(place, to.address));
    }
    Duration delay = latency(place, to.address);
    if (place.line.reorder_per_mille > 0 && chance_.chance(place.line.reorder_per_mille, 1000)) {
        const auto most = static_cast<std::uint64_t>(place.line.reorder_max.count());
        delay += Duration(static_cast<Duration::rep>(chance_.below(most + 1)));
    }
    fly(std::move(packet), delay);
}

void Network::inject(const Endpoint& from, const Endpoint& to, Bytes&& bytes) {
    fly({std::nullopt, from, to, std::nullopt, std::move(bytes)}, Line().latency_min);
}

Duration Network::latency(const Place& from, const IpAddress& to) {
    const Line& line = from.line;
    const auto spread = static_cast<std::uint64_t>((line.latency_max - line.latency_min).count());
    Duration out =
        line.latency_min + Duration(static_cast<Duration::rep>(chance_.below(spread + 1)));
    if (line.distance_max > Duration(0)) {
        const IpAddress& own = from.endpoint.address;
        const std::uint64_t pair =
            mixed(mixed(geography_, std::min(own, to).bytes()), std::max(own, to).bytes());
        const auto most = static_cast<std::uint64_t>(line.distance_max.count());
        out += Duration(static_cast<Duration::rep>(Prng(pair).below(most + 1)));
    }
    return out;
}

void Network::fly(Packet&& packet, Duration delay) {
    std::uint64_t place = packets_.size();
    if (free_packets_.empty()) {
        packets_.push_back(std::move(packet));
    } else {
        place = free_packets_.back();
        free_packets_.pop_back();
        packets_[place] = std::move(packet);
    }
    world_.schedule(world_.now() + delay, arrivals_, place);
}

std::optional<HostId> Network::receiver(const Endpoint& from, const Endpoint& to,
                                        const std::optional<NatId>& site) const {
    std::optional<NatId> inside = site;
    Endpoint at = to;
    if (const auto router = nat_at_.find(to.address); !site && router != nat_at_.end()) {
        inside = router->second;
        const auto mapped = nats_[inside->value()].inbound(to.port, from, world_.now());
        if (!mapped) return std::nullopt;
        at = *mapped;
    }
    const Directory& known = directory(inside);
    const auto found = known.find(at);
    if (found == known.end() || !is_up(found->second)) return std::nullopt;
    return found->second;
}

void Network::on_arrival(std::uint64_t place) {
    const Packet packet = std::move(packets_[place]);
    free_packets_.push_back(place);
    const auto to = receiver(packet.from, packet.to, packet.site);
    if (!to) {
        ++counters_.dropped;
        world_.note({Kind::dropped, packet.from, packet.to, packet.bytes});
        return;
    }
    if (packet.sender && is_cut(*packet.sender, *to)) {
        ++counters_.cut;
        world_.note({Kind::cut, packet.from, packet.to, packet.bytes});
        return;
    }
    ++counters_.delivered;
    station(*to).traffic.received_bytes += packet.bytes.size() + kHeaderBytes;
    world_.note({Kind::datagram, packet.from, packet.to, packet.bytes});
    if (observer_) observer_(*to, packet.from, packet.bytes);
    call(*to, [&](Host& host) { host.on_datagram(packet.from, packet.bytes); });
}

// ---- Partitions

PartitionId Network::split(const std::vector<HostId>& these, Cut cut) {
    Partition partition;
    partition.id = PartitionId(++last_partition_);
    partition.cut = cut;
    for (const HostId host : these) {
        if (partition.inside.size() <= host.value()) partition.inside.resize(host.value() + 1);
        partition.inside[host.value()] = true;
    }
    partitions_.push_back(std::move(partition));
    world_.note("partition begins");
    return partitions_.back().id;
}

void Network::heal(PartitionId id) {
    std::erase_if(partitions_, [&](const Partition& each) { return each.id == id; });
    world_.note("partition heals");
}

bool Network::is_cut(HostId from, HostId to) const {
    return std::any_of(partitions_.begin(), partitions_.end(), [&](const Partition& each) {
        const bool leaves = each.holds(from) && !each.holds(to);
        const bool enters = !each.holds(from) && each.holds(to);
        switch (each.cut) {
            case Cut::both_ways: return leaves || enters;
            case Cut::outbound: return leaves;
            case Cut::inbound: return enters;
        }
        UNREACHABLE();
    });
}

// ---- The host's end

Instant Wire::now() const {
    return network_->now_of(host_);
}
Endpoint Wire::own() const {
    return network_->place(host_).endpoint;
}
void Wire::send(const Endpoint& to, Bytes&& bytes) const {
    network_->send(host_, to, std::move(bytes));
}
void Wire::rearm() const {
    network_->rearm(host_);
}
void Wire::after(Duration delay, std::uint64_t token) const {
    network_->after(host_, delay, token);
}
void Wire::end() const {
    network_->end(host_);
}
void Wire::note(std::string_view text) const {
    network_->world().note(fmt::format("{} {}", own().text(), text));
}
void Wire::dial(StreamId id, const Endpoint& to) const {
    network_->streams_->dial(host_, id, to);
}
void Wire::write(StreamId id, Bytes&& bytes) const {
    network_->streams_->write(host_, id, std::move(bytes));
}
void Wire::set_reading(StreamId id, Reading reading) const {
    network_->streams_->set_reading(host_, id, reading);
}
void Wire::finish(StreamId id) const {
    network_->streams_->finish(host_, id);
}
void Wire::close(StreamId id) const {
    network_->streams_->close(host_, id);
}
void Wire::reset(StreamId id) const {
    network_->streams_->reset(host_, id);
}

}  // namespace leither::sim
