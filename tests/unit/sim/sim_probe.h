// A host that does what a test says and remembers what it was told.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "leither/base/check.h"
#include "leither/sim/network.h"

namespace leither::sim {

class Probe final : public Host {
 public:
    void start(const Wire& its) override {
        wire.emplace(its);
        ++starts;
    }
    void crash() override { received.clear(); }
    void stop() override {
        ++stops;
        crash();
    }
    std::optional<Instant> next_deadline() const override { return deadline; }
    void on_deadline() override {
        woken.push_back(wire->now());
        deadline.reset();
    }
    void on_elapsed(std::uint64_t token) override { elapsed.emplace_back(token, wire->now()); }
    void on_datagram(const Endpoint& from, ByteView bytes) override {
        datagrams.emplace_back(from, Bytes(bytes.begin(), bytes.end()));
        arrived_at.push_back(wire->now());
    }
    void on_accepted(StreamId id, const Endpoint& from) override {
        accepted.emplace_back(id, from);
    }
    void on_opened(StreamId id) override { opened.push_back(id); }
    void on_received(StreamId, ByteView bytes) override {
        pieces.push_back(bytes.size());
        received.insert(received.end(), bytes.begin(), bytes.end());
    }
    void on_sent(StreamId, std::size_t waits) override { queued.push_back(waits); }
    void on_ended(StreamId id) override { ended.push_back(id); }
    void on_closed(StreamId id) override { closed.push_back(id); }

    std::optional<Wire> wire;
    int starts = 0;
    int stops = 0;
    std::vector<std::pair<std::uint64_t, Instant>> elapsed;
    std::optional<Instant> deadline;
    std::vector<Instant> woken;
    std::vector<std::pair<Endpoint, Bytes>> datagrams;
    std::vector<Instant> arrived_at;
    std::vector<std::pair<StreamId, Endpoint>> accepted;
    std::vector<StreamId> opened;
    std::vector<std::size_t> pieces;
    Bytes received;
    std::vector<std::size_t> queued;
    std::vector<StreamId> ended;
    std::vector<StreamId> closed;
};

// A world with probes in it.
class Yard {
 public:
    explicit Yard(std::uint64_t seed = 1) : world(seed), network(world) {}

    HostId add(std::string_view endpoint, Line line = Line::home(),
               std::optional<NatId> nat = std::nullopt) {
        Place place;
        place.endpoint = *Endpoint::parse(endpoint);
        place.line = line;
        place.nat = nat;
        place.accepts = Place::Accepts::streams;
        return network.add(std::make_unique<Probe>(), place);
    }
    Probe& probe(HostId id) { return static_cast<Probe&>(network.host(id)); }
    const Endpoint& at(HostId id) { return network.place(id).endpoint; }
    void send(HostId from, HostId to, std::uint8_t what = 1) {
        probe(from).wire->send(at(to), Bytes{what});
    }
    // Dials; the stream's number at both ends once it is open.
    StreamId dial(HostId from, HostId to, StreamId id = StreamId(1)) {
        const std::size_t before = probe(to).accepted.size();
        probe(from).wire->dial(id, at(to));
        const auto is_accepted = [&] { return probe(to).accepted.size() > before; };
        CHECK(world.run_while_not(is_accepted, world.now() + std::chrono::seconds(30)));
        world.run_for(std::chrono::seconds(1));
        return probe(to).accepted.back().first;
    }

    World world;
    Network network;
};

}  // namespace leither::sim
