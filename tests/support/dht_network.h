// A network of DHT nodes in the simulator's world, as tests of nodes want to see it: numbered from
// 0, each in its own /24, stepped and asked by hand.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "leither/base/check.h"
#include "leither/sim/dht_host.h"
#include "leither/sim/network.h"

namespace leither::testing {

class DhtNetwork {
 public:
    struct Options {
        std::uint64_t seed = 1;
        Duration latency_min = std::chrono::milliseconds(10);
        Duration latency_max = std::chrono::milliseconds(60);
        unsigned loss_percent = 0;
        bool checks_invariants = false;  // after every step
    };
    struct Node {
        sim::HostId host;
        Endpoint endpoint;
        Id id;
        bool is_alive = true;
    };
    // What an `ask` came to, and how long it took.
    using Answer = sim::DhtHost::Answer;

    explicit DhtNetwork(const Options& options)
        : options_(options), world_(options.seed), network_(world_), prng_(world_.stream("test")) {}

    Instant now() const { return world_.now(); }
    std::size_t size() const { return nodes_.size(); }
    const Node& node(std::size_t i) const { return nodes_[i]; }
    dht::DhtNode& machine(std::size_t i) { return host(i).machine(); }
    // With 28 bytes of IP and UDP for each datagram.
    std::uint64_t sent_bytes(std::size_t i) const {
        return network_.traffic(nodes_[i].host).sent_bytes;
    }
    Prng& prng() { return prng_; }
    // Of all that happened: the same seed must give the same.
    Hash digest() const { return world_.hash(); }

    static Endpoint endpoint_of(std::size_t i) {
        return {
            IpAddress::v4({20, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1}),
            6881};
    }

    // Adds a node that knows the first one (the first knows nobody) and starts it.
    std::size_t add(dht::Options options = {}) {
        std::vector<Endpoint> bootstrap;
        if (!nodes_.empty()) bootstrap.push_back(nodes_.front().endpoint);
        return add(options, endpoint_of(nodes_.size()), bootstrap);
    }
    std::size_t add(dht::Options options, const Endpoint& endpoint,
                    std::vector<Endpoint> bootstrap) {
        if (options.own_id.is_zero()) prng_.fill(options.own_id.span());
        sim::DhtHost::Options its{options, std::move(bootstrap), sim::Checks::off};
        if (options_.checks_invariants) its.checks = sim::Checks::every_step;
        sim::Place place;
        place.endpoint = endpoint;
        place.line.latency_min = options_.latency_min;
        place.line.latency_max = options_.latency_max;
        place.line.loss_per_mille = 10 * options_.loss_percent;
        const std::size_t i = nodes_.size();
        auto host = std::make_unique<sim::DhtHost>(its, world_.stream("host", i));
        nodes_.push_back({network_.add(std::move(host), place), endpoint, options.own_id});
        return i;
    }
    // It falls silent, and remembers everything if it is revived.
    void kill(std::size_t i) {
        if (std::exchange(nodes_[i].is_alive, false)) network_.suspend(nodes_[i].host);
    }
    void revive(std::size_t i) {
        if (!std::exchange(nodes_[i].is_alive, true)) network_.resume(nodes_[i].host);
    }

    void step(std::size_t i, dht::Input input) { host(i).tell(std::move(input)); }
    void run_for(Duration duration) { world_.run_for(duration); }

    // Asks node i and runs until it is told.
    Answer ask(std::size_t i, dht::Request request) {
        std::optional<Answer> told;
        host(i).ask(std::move(request), [&](const Answer& answer) { told = answer; });
        const Instant patience = world_.now() + std::chrono::hours(1);
        CHECK(world_.run_while_not([&] { return told.has_value(); }, patience));
        return *std::move(told);
    }

 private:
    sim::DhtHost& host(std::size_t i) {
        return static_cast<sim::DhtHost&>(network_.host(nodes_[i].host));
    }

    Options options_;
    sim::World world_;
    sim::Network network_;
    Prng prng_;
    std::vector<Node> nodes_;
};

}  // namespace leither::testing
