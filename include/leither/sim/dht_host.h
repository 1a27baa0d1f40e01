// A host that runs one node of the DHT.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "leither/base/prng.h"
#include "leither/dht/dht_node.h"
#include "leither/sim/host.h"

namespace leither::sim {

// Whether a machine's invariants are checked after every step.
enum class Checks : std::uint8_t { off, every_step };

class DhtHost final : public Host {
 public:
    struct Options {
        dht::Options machine;  // a zero own_id is drawn at the first start
        std::vector<Endpoint> bootstrap;
        Checks checks = Checks::off;
    };
    // What a request came to and how long it took.
    struct Answer {
        dht::Outcome outcome;
        Duration took{0};
    };
    using Told = std::function<void(const Answer&)>;

    DhtHost(const Options& options, const Prng& entropy) : options_(options), entropy_(entropy) {}

    void start(const Wire& wire) override;
    void crash() override;
    std::optional<Instant> next_deadline() const override { return machine_->next_deadline(); }
    void on_deadline() override { step(dht::Tick{}); }
    void on_datagram(const Endpoint& from, ByteView bytes) override {
        step(dht::Datagram{from, bytes});
    }

    // REQUIRES, of all below: it runs.
    // `told` is called once, from within a step, unless the host crashes before.
    void ask(dht::Request request, Told told);
    void tell(dht::Input&& input);
    const dht::DhtNode& machine() const { return *machine_; }
    // To be stepped by hand; its effects are the caller's.
    dht::DhtNode& machine() { return *machine_; }
    const Id& id() const { return options_.machine.own_id; }

 private:
    struct Asked {
        Told told;
        Instant at;
    };
    void step(dht::Input&& input);

    Options options_;
    Prng entropy_;
    std::optional<Wire> wire_;
    std::optional<dht::DhtNode> machine_;
    std::map<dht::RequestId, Asked> asked_;
    std::uint64_t requests_ = 0;
};

}  // namespace leither::sim
