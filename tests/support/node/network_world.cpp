#include "support/node/network_world.h"

#include "leither/base/check.h"

namespace leither::testing {

namespace {

constexpr std::uint16_t kPort = 7400;
// IPv4, TCP with timestamps, and the other side's acknowledgement.
constexpr std::uint64_t kSegmentHeaders = 2 * 52;
constexpr std::uint64_t kSegmentBytes = 1448;

std::uint64_t on_the_wire(const sim::Traffic::OfStreams& streams) {
    const std::uint64_t full = streams.bytes / kSegmentBytes;
    return streams.bytes + (full + streams.chunks) * kSegmentHeaders;
}

}  // namespace

NetworkWorld::NetworkWorld(Options options, Instant start)
    : options_(options),
      clock_offset_(start - sim::kStart),
      world_(options.seed),
      network_(world_) {}

std::size_t NetworkWorld::add(const crypto::KeyPair& key) {
    const std::size_t number = hosts_.size();
    sim::Place place;
    place.endpoint = {IpAddress::v4({10, 0, static_cast<std::uint8_t>(number), 1}), kPort};
    place.line.latency_min = place.line.latency_max = options_.latency;
    place.clock_offset = clock_offset_;
    if (!shut_in_.contains(number)) place.accepts = sim::Place::Accepts::streams;

    sim::NodeHost::Options options{.name = "node " + std::to_string(number), .key = key};
    options.checks = sim::Checks::every_step;
    options.disk.latency = {{{options_.ledger_latency, options_.ledger_latency},
                             {options_.disk_latency, options_.disk_latency}}};
    options.check_min = options.check_max = Duration(0);
    options.node = options_.node;
    options.network.dht.local = dht::LocalSources::exempt;
    options.network.dht.families = dht::Families::v4;
    options.network.listen = {place.endpoint};
    options.network.peers = options_.peers;
    options.network.hub.outbound_target = options_.outbound_target;
    if (options_.listens == Listens::anywhere) options.network.listen.front().address = {};
    if (number > 0) options.network.bootstrap.push_back(endpoint(0));

    numbers_[options.name] = number;
    hosts_.emplace_back();
    hosts_[number].id = network_.add(
        std::make_unique<sim::NodeHost>(options, world_.stream("host", number), *this), place);
    return number;
}

void NetworkWorld::part(const std::vector<std::size_t>& these) {
    CHECK(!partition_);
    std::vector<sim::HostId> ids;
    for (const std::size_t host : these) ids.push_back(hosts_[host].id);
    partition_ = network_.split(ids);
}

void NetworkWorld::join() {
    CHECK(partition_);
    network_.heal(*partition_);
    partition_.reset();
}

void NetworkWorld::stop(std::size_t host) {
    node(host).leave();
    CHECK(wait([&] { return !network_.is_up(hosts_[host].id); }, std::chrono::seconds(10)));
}

void NetworkWorld::crash(std::size_t host) {
    network_.crash(hosts_[host].id);
}

void NetworkWorld::restart(std::size_t host) {
    network_.start(hosts_[host].id);
}

void NetworkWorld::shut_in(std::size_t host) {
    shut_in_.insert(host);
    if (host < hosts_.size()) {
        network_.set_accepts(hosts_[host].id, sim::Place::Accepts::nothing);
    }
}

void NetworkWorld::let_in(std::size_t host) {
    shut_in_.erase(host);
    network_.set_accepts(hosts_[host].id, sim::Place::Accepts::streams);
}

void NetworkWorld::on_reply(sim::NodeHost& host, node::Reply&& reply) {
    if (auto* network = std::get_if<node::NetworkReply>(&reply)) {
        hosts_[numbers_.at(host.name())].replies.emplace(network->token,
                                                         std::move(network->answer));
    }
}

void NetworkWorld::on_event(sim::NodeHost& host, node::Event&& event) {
    hosts_[numbers_.at(host.name())].events.push_back(std::move(event));
}

bool NetworkWorld::wait(const std::function<bool()>& holds, Duration patience) {
    const Instant end = world_.now() + patience;
    while (!holds()) {
        if (world_.now() >= end) return false;
        advance(std::chrono::milliseconds(100));
    }
    return true;
}

std::optional<NetworkWorld::Answer> NetworkWorld::take_reply(std::size_t number,
                                                             node::Token token) {
    auto found = hosts_[number].replies.extract(token);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
}

std::optional<NetworkWorld::Answer> NetworkWorld::ask(std::size_t number,
                                                      node::NetworkRequest request,
                                                      Duration patience) {
    const node::Token token = ++last_token_;
    step(number, node::NetworkCall{token, std::move(request)});
    const auto has_come = [&] { return hosts_[number].replies.contains(token); };
    if (!wait(has_come, patience)) return std::nullopt;
    return take_reply(number, token);
}

NetworkWorld::Traffic NetworkWorld::traffic(std::size_t host) const {
    const sim::Traffic& traffic = network_.traffic(hosts_[host].id);
    return {traffic.sent_bytes + traffic.received_bytes,
            on_the_wire(traffic.streams_sent) + on_the_wire(traffic.streams_received)};
}

}  // namespace leither::testing
