// Nodes in a mesh of connections, some behind routers, send each other messages through loss, a
// partition, a one-way cut and crashes. Whatever one connection carries must come out of it once,
// in order and unaltered; when the faults are over, all must be connected again.
#include <algorithm>
#include <map>
#include <memory>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
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

using Member = std::uint32_t;

// Says what it must be: the rest of the message follows from these.
struct Mark {
    Member from = 0;
    Member to = 0;
    std::uint32_t connection = 0;  // the sender's count of connections to this receiver
    std::uint32_t number = 0;      // within it, from 1
    std::uint64_t sent_us = 0;     // since the start
    static void fields(auto& self, auto&& visit) {
        visit(self.from, self.to, self.connection, self.number, self.sent_us);
    }
};
constexpr std::size_t kMarkBytes = 24;

protocol::EnvelopePost message_of(const Mark& mark) {
    Prng prng(mark.sent_us << 20 ^ std::uint64_t{mark.from} << 40 ^ std::uint64_t{mark.to} << 32 ^
              mark.number);
    protocol::EnvelopePost out;
    protocol::Envelope& envelope = out.envelope.envelope;
    const Bytes head = bcs::encode(mark);
    CHECK(head.size() == kMarkBytes);
    envelope.sealed.assign(head.begin(), head.end());
    const std::size_t more = prng.below(protocol::kSealedLetterBytesMax - kMarkBytes) + 1;
    envelope.sealed.resize(kMarkBytes + more);
    prng.fill(std::span(envelope.sealed).subspan(kMarkBytes));
    prng.fill(envelope.recipient.span());
    prng.fill(envelope.node.span());
    prng.fill(out.envelope.signature.span());
    envelope.validity = {1, 2};
    return out;
}

class Mesh {
 public:
    explicit Mesh(const Settings& settings)
        : settings_(settings),
          world_(settings.seed, settings.trace),
          network_(world_),
          chance_(world_.stream("scenario")) {}

    Report run();

 private:
    // What one member sends to another, and what the other has got of it.
    struct Way {
        std::uint32_t connection = 0;
        std::uint32_t sent = 0;  // in this connection
        std::uint32_t got_connection = 0;
        std::uint32_t got = 0;
    };
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
    std::map<std::pair<Member, Member>, Way> ways_;
    bool was_taken_ = true;
    std::uint64_t sent_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t altered_ = 0;
    std::uint64_t repeated_ = 0;  // or out of order
    std::uint64_t skipped_ = 0;   // some before it in the same connection did not come
    std::uint64_t ups_ = 0;
    Sample took_;
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
    Way& way = ways_[{member, other}];
    ++way.connection;
    way.sent = 0;
}

void Mesh::on(Member member, const peer::PeerDown& down) {
    std::erase(people_[member].connected, members_.at(down.node));
}

void Mesh::say_something(Member member) {
    if (!is_up(member)) return;
    const auto& connected = people_[member].connected;
    if (connected.empty()) return;
    const Member other = connected[chance_.below(connected.size())];
    Way& way = ways_[{member, other}];
    const auto now = static_cast<std::uint64_t>(world_.elapsed().count());
    const Mark mark{member, other, way.connection, way.sent + 1, now};
    was_taken_ = true;
    host(member).tell(peer::SendMessage{people_[other].node, message_of(mark)});
    if (!was_taken_) return;
    ++way.sent;
    ++sent_;
}

void Mesh::on(Member member, const peer::MessageReceived& received) {
    const auto* post = std::get_if<protocol::EnvelopePost>(&received.message);
    const ByteView bytes = post != nullptr ? ByteView(post->envelope.envelope.sealed) : ByteView();
    const auto mark = bytes.size() < kMarkBytes
                          ? std::nullopt
                          : std::optional(bcs::decode<Mark>(bytes.first(kMarkBytes)));
    const bool is_whole = mark && mark->has_value() && *post == message_of(**mark) &&
                          (*mark)->to == member && (*mark)->from == members_.at(received.node);
    if (!is_whole) {
        ++altered_;
        return;
    }
    const Mark& it = **mark;
    Way& way = ways_[{it.from, it.to}];
    const bool is_next = it.connection == way.got_connection && it.number == way.got + 1;
    const bool is_first = it.connection > way.got_connection && it.number == 1;
    const bool is_old = it.connection < way.got_connection ||
                        (it.connection == way.got_connection && it.number <= way.got);
    if (is_old) {
        ++repeated_;
        return;
    }
    if (!is_next && !is_first) ++skipped_;
    way.got_connection = it.connection;
    way.got = it.number;
    ++delivered_;
    took_.add(world_.elapsed() - Duration(static_cast<Duration::rep>(it.sent_us)));
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
    report.at_most("altered", 0, static_cast<std::int64_t>(altered_));
    report.at_most("repeated or out of order", 0, static_cast<std::int64_t>(repeated_));
    report.at_most("skipped within a connection", 0, static_cast<std::int64_t>(skipped_));
    report.at_least("delivered", 900, per_mille(delivered_, sent_), Unit::per_mille);
    report.at_least("well connected at the end", 1000, connected_per_mille(), Unit::per_mille);
    report.add("messages sent", static_cast<std::int64_t>(sent_));
    report.add("connections", static_cast<std::int64_t>(ups_ / 2));
    report.add("message, mean", took_.mean(), Unit::micros);
    report.add("message, p50", took_.percentile(50), Unit::micros);
    report.add("message, p99", took_.percentile(99), Unit::micros);
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
