// Nodes in a mesh of connections, some behind routers, send each other messages through loss, a
// partition, a one-way cut and crashes. Whatever one connection carries must come out of it once,
// in order and unaltered; when the faults are over, all must be connected again.
#include <algorithm>
#include <map>
#include <memory>

#include "leither/sim/deliveries.h"
#include "leither/sim/network.h"
#include "leither/sim/peer_host.h"
#include "leither/sim/report.h"

#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 7400;
constexpr std::size_t kBehindNat = 4;  // every fourth host
constexpr std::size_t kHostsOfANat = 2;
constexpr Duration kSendEvery = milliseconds(500);
constexpr std::int64_t kFaultShare = 10;  // of the whole time lasts a partition
constexpr std::size_t kCrashed = 2;

using Member = Deliveries::Member;

class Mesh {
 public:
    explicit Mesh(const Settings& settings)
        : settings_(settings),
          world_(settings.seed, settings.trace),
          network_(world_),
          chance_(world_.stream("scenario")) {}

    Report run();

 private:
    struct Person {
        HostId host;
        Id node;
        bool is_dialable = false;
        std::vector<Member> connected;
    };

    void add(Member member);
    void introduce();
    PeerHost& host(Member member) {
        return static_cast<PeerHost&>(network_.host(people_[member].host));
    }
    bool is_up(Member member) const { return network_.is_up(people_[member].host); }
    void on_event(Member member, peer::Event&& event);
    void on(Member member, const peer::PeerUp& up);
    void on(Member member, const peer::PeerDown& down);
    void on(Member member, const peer::MessageReceived& received);
    void on(Member, const peer::Undelivered&) { was_taken_ = false; }
    void on(Member, const peer::DialBackVerdict&) {}
    void say_something(Member member);
    void crash(Member member);
    std::vector<HostId> some(std::size_t count);
    std::int64_t connected_per_mille();

    Settings settings_;
    World world_;
    Network network_;
    Prng chance_;
    std::vector<Person> people_;
    std::map<Id, Member> members_;
    Deliveries deliveries_;
    bool was_taken_ = true;
    std::uint64_t ups_ = 0;
};

// ---- Members

void Mesh::add(Member member) {
    PeerHost::Options options;
    options.contexts = {peer::Context::of(ChainId::copy_of(Bytes(ChainId::kSize, 0xcc)))};
    const bool is_hidden = member % kBehindNat == kBehindNat - 1;
    Place place;
    place.line = Line::home();
    place.line.loss_per_mille = settings_.loss_per_mille;
    const auto high = static_cast<std::uint8_t>(member >> 8);
    const auto low = static_cast<std::uint8_t>(member);
    if (is_hidden) {
        const auto router = static_cast<std::uint32_t>(member / kBehindNat / kHostsOfANat);
        const auto outside = IpAddress::v4(
            {30, static_cast<std::uint8_t>(router >> 8), static_cast<std::uint8_t>(router), 1});
        if (member / kBehindNat % kHostsOfANat == 0)
            place.nat = network_.add_nat(outside);
        else
            place.nat = network_.place(people_[member - kBehindNat].host).nat;
        place.endpoint = {IpAddress::v4({192, 168, 0, low}), kPort};
    } else {
        place.endpoint = {IpAddress::v4({20, high, low, 1}), kPort};
        options.hub.listen_port = kPort;
    }
    place.accepts = Place::Accepts::streams;
    auto it = std::make_unique<PeerHost>(
        options, world_.stream("host", member),
        [this, member](PeerHost&, peer::Event&& event) { on_event(member, std::move(event)); });
    people_.push_back({});
    people_[member].host = network_.add(std::move(it), place);
    people_[member].node = host(member).hub().node();
    people_[member].is_dialable = !is_hidden;
    members_[people_[member].node] = member;
}

void Mesh::introduce() {
    for (Member member = 0; member < people_.size(); ++member) {
        if (!is_up(member)) continue;
        for (Member other = 0; other < people_.size(); ++other) {
            if (other == member || !people_[other].is_dialable) continue;
            peer::PeerAddress address;
            address.endpoint = network_.place(people_[other].host).endpoint;
            address.context = peer::Context::of(ChainId::copy_of(Bytes(ChainId::kSize, 0xcc)));
            address.node = people_[other].node;
            address.source = peer::Source::manifest;
            host(member).tell(peer::Learn{std::move(address)});
        }
    }
}

void Mesh::crash(Member member) {
    network_.crash(people_[member].host);
    people_[member].connected.clear();
}

std::vector<HostId> Mesh::some(std::size_t count) {
    std::vector<HostId> all = network_.hosts();
    chance_.shuffle(std::span(all));
    all.resize(count);
    return all;
}

// ---- Messages

void Mesh::on_event(Member member, peer::Event&& event) {
    std::visit([&](const auto& each) { on(member, each); }, event);
}

void Mesh::on(Member member, const peer::PeerUp& up) {
    ++ups_;
    const Member other = members_.at(up.peer.node);
    auto& connected = people_[member].connected;
    if (std::find(connected.begin(), connected.end(), other) == connected.end()) {
        connected.push_back(other);
    }
    deliveries_.connected(member, other);
}

void Mesh::on(Member member, const peer::PeerDown& down) {
    std::erase(people_[member].connected, members_.at(down.node));
}

void Mesh::say_something(Member member) {
    if (!is_up(member)) return;
    const auto& connected = people_[member].connected;
    if (connected.empty()) return;
    const Member other = connected[chance_.below(connected.size())];
    was_taken_ = true;
    host(member).tell(
        peer::SendMessage{people_[other].node, deliveries_.next(member, other, world_.elapsed())});
    if (was_taken_) deliveries_.sent(member, other);
}

void Mesh::on(Member member, const peer::MessageReceived& received) {
    deliveries_.received(member, members_.at(received.node), received.message, world_.elapsed());
}

// Of all members those that hold as many connections as they want, or are connected to all whom
// they can dial.
std::int64_t Mesh::connected_per_mille() {
    const auto dialable = static_cast<std::size_t>(std::count_if(
        people_.begin(), people_.end(), [](const Person& p) { return p.is_dialable; }));
    std::uint64_t content = 0;
    for (const Person& person : people_) {
        const std::size_t others = dialable - (person.is_dialable ? 1 : 0);
        const std::size_t wanted = std::min(peer::HubOptions().outbound_target, others);
        if (person.connected.size() >= wanted) ++content;
    }
    return per_mille(content, people_.size());
}

// ---- The run

Report Mesh::run() {
    for (Member member = 0; member < settings_.nodes; ++member) add(member);
    introduce();
    const Instant start = world_.now();
    const Instant end = start + settings_.duration;
    for (Member member = 0; member < people_.size(); ++member) {
        world_.every(kSendEvery, end, [this, member] { say_something(member); });
    }
    world_.run_for(settings_.duration / kFaultShare);
    const PartitionId halves = network_.split(some(people_.size() / 2));
    world_.run_for(settings_.duration / kFaultShare);
    network_.heal(halves);
    world_.run_until(start + settings_.duration * 4 / 10);
    std::vector<Member> gone;
    for (std::size_t i = 0; i < kCrashed; ++i) {
        const auto member = static_cast<Member>(chance_.below(people_.size()));
        if (!is_up(member)) continue;
        crash(member);
        gone.push_back(member);
    }
    world_.run_for(minutes(1));
    for (const Member member : gone) network_.start(people_[member].host);
    introduce();
    world_.run_until(start + settings_.duration * 6 / 10);
    const PartitionId deaf = network_.split(some(people_.size() / 3), Cut::inbound);
    world_.run_for(settings_.duration / kFaultShare);
    network_.heal(deaf);
    world_.run_until(end);
    world_.run_for(seconds(10));

    Report report;
    deliveries_.report(report);
    report.at_least("well connected at the end", 1000, connected_per_mille(), Unit::per_mille);
    report.add("messages sent", static_cast<std::int64_t>(deliveries_.sent()));
    report.add("connections", static_cast<std::int64_t>(ups_ / 2));
    report.add("message, mean", deliveries_.took().mean(), Unit::micros);
    report.add("message, p50", deliveries_.took().percentile(50), Unit::micros);
    report.add("message, p99", deliveries_.took().percentile(99), Unit::micros);
    report.add("bytes of streams", static_cast<std::int64_t>(network_.counters().stream_bytes),
               Unit::bytes);
    report.hash = world_.hash();
    report.happenings = world_.happenings();
    report.elapsed = world_.elapsed();
    return report;
}

}  // namespace

Report run_peer_mesh(const Settings& settings) {
    return Mesh(settings).run();
}

}  // namespace leither::sim
