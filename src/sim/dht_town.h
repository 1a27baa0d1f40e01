// Many DHT hosts in one network: what the DHT scenarios have in common.
#pragma once

#include <memory>

#include "leither/sim/churn.h"
#include "leither/sim/dht_host.h"
#include "leither/sim/report.h"
#include "leither/sim/scenario.h"

namespace leither::sim {

class DhtTown {
 public:
    static constexpr std::size_t kNeighbours = 8;

    explicit DhtTown(const Settings& settings);

    World& world() { return world_; }
    Network& network() { return network_; }
    Prng& chance() { return chance_; }

    // One more, in a /24 of its own, that knows a few living ones.
    HostId add();
    // So many, one after the other, and time to settle.
    void grow(std::size_t count);
    DhtHost& host(HostId id) { return static_cast<DhtHost&>(network_.host(id)); }
    // Those of `add` that run.
    const std::vector<HostId>& living();
    HostId any_living();
    // One that has joined, if a few draws find one.
    HostId any_ready();
    // Of the 8 nearest to each living node, those that are among the `first` nearest in its table;
    // in per mille.
    std::int64_t neighbours_known(std::size_t first = kNeighbours);

    // Time, hash and traffic go into the report.
    void conclude(Report& report);

 private:
    std::vector<Endpoint> some_living(std::size_t count);

    World world_;
    Network network_;
    Prng chance_;
    Line line_;
    std::vector<HostId> living_;
    std::uint32_t added_ = 0;
};

// Items to put and to get, half of them mutable, each with a key of its own.
class Wares {
 public:
    explicit Wares(std::uint64_t seed) : prng_(seed), key_seed_(prng_.next()) {}

    dht::Item item(std::uint32_t number, std::int64_t sequence = 1) const;
    dht::Request get(std::uint32_t number) const;
    static bool is_mutable(std::uint32_t number) { return number % 2 == 1; }
    Id target(std::uint32_t number) const { return dht::target_of(item(number)); }

 private:
    crypto::KeyPair key(std::uint32_t number) const;

    Prng prng_;
    std::uint64_t key_seed_;
};

// Gets of items: what came of them.
struct Gets {
    std::uint64_t asked = 0;
    std::uint64_t told = 0;
    std::uint64_t found = 0;
    Sample took;  // of those found
    Sample hops;
    Sample queries;

    void note(const DhtHost::Answer& answer);
    void report(Report& report) const;
};

}  // namespace leither::sim
