// Hosts that come and go: sessions of exponential length, as many arrivals as departures.
#pragma once

#include <functional>

#include "leither/sim/network.h"

namespace leither::sim {

// From the exponential distribution of this mean, by comparisons alone (von Neumann 1951), so that
// a seed gives the same everywhere.
Duration exponential(Prng& prng, Duration mean);

// Outlives the world's run. What departs is removed from the network.
class Churn {
 public:
    // Adds one to the network.
    using Arrive = std::function<HostId()>;

    Churn(Network& network, Duration mean_session, Arrive arrive)
        : network_(network),
          mean_session_(mean_session),
          arrive_(std::move(arrive)),
          prng_(network.world().stream("churn")) {}

    // From now on this host has a session, and a successor after it, for ever.
    void admit(HostId host);
    std::uint64_t departures() const { return departures_; }

 private:
    Network& network_;
    Duration mean_session_;
    Arrive arrive_;
    Prng prng_;
    std::uint64_t departures_ = 0;
};

}  // namespace leither::sim
