// A home router: hosts behind it share one address (RFC 4787).
//
// Mapping is endpoint independent: an inside endpoint has one outside port whomever it talks to.
// Filtering is address and port dependent: in comes only who was sent something within the
// lifetime. What is sent out prolongs it, what comes in does not. No hairpin. Bounded: the
// quietest mapping, or the quietest way through a mapping, gives way to a new one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "leither/base/endpoint.h"
#include "leither/base/time.h"

namespace leither::sim {

class Nat {
 public:
    struct Options {
        Duration lifetime = std::chrono::minutes(2);
        std::size_t mappings_max = 1024;
        std::size_t ways_max = 4096;  // through one mapping
    };

    Nat(const IpAddress& outside, const Options& options) : outside_(outside), options_(options) {}

    const IpAddress& outside() const { return outside_; }
    // A datagram leaves: where its receiver sees it come from.
    Endpoint outbound(const Endpoint& inside, const Endpoint& to, Instant now);
    // A datagram arrives at `port`: whom inside it is for, nothing if nobody asked for it.
    std::optional<Endpoint> inbound(std::uint16_t port, const Endpoint& from, Instant now) const;
    std::size_t mappings() const { return by_inside_.size(); }

 private:
    struct Mapping {
        std::uint16_t port = 0;
        Instant used;
        std::map<Endpoint, Instant> ways;  // to whom, when last
    };

    bool is_over(Instant last, Instant now) const { return now - last >= options_.lifetime; }
    Mapping& mapping_of(const Endpoint& inside, Instant now);
    std::uint16_t free_port();

    IpAddress outside_;
    Options options_;
    std::map<Endpoint, Mapping> by_inside_;
    std::map<std::uint16_t, Endpoint> by_port_;
    std::uint16_t last_port_ = 0;
};

}  // namespace leither::sim
