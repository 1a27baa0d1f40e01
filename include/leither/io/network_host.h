// The sockets of one node: carries out what it asks of the network and hands it what arrives.
//
// Specification
//   * One UDP port and one TCP port, each on the addresses given. Where a port is in use the
//     operator is told which key to change.
//   * Batches of the network's store are written on a disk thread of their own.
//   * Bootstrap nodes given by name are looked up until the host stops, and anew after each change
//     of its addresses.
//   * The router's port mapping is asked for if wanted, and given back at the end.
// All calls on the reactor's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/log.h"
#include "leither/io/name_lookup.h"
#include "leither/io/reactor.h"
#include "leither/node/network.h"
#include "leither/peer/rate_limit.h"
#include "leither/store/kv.h"

namespace leither::io {

// Who steps the node: the event loop.
class NetworkSink {
 public:
    virtual ~NetworkSink() = default;
    virtual void step(node::NetworkInput&& input) = 0;
};

// The line of all hosts of a program: what it may carry, and what it has carried this month, kept
// in `usage_file`.
class TrafficMeter;
std::shared_ptr<TrafficMeter> make_line(const peer::Budget::Options& caps,
                                        const std::string& usage_file, Log log);

struct NetworkHostOptions {
    std::vector<Endpoint> datagrams;  // where the DHT listens, one of each family at most
    std::vector<Endpoint> streams;    // where connections are accepted
    std::vector<HostName> bootstrap;  // of the DHT, given by name
    bool map_ports = true;
    std::size_t connections_max = 256;
    std::shared_ptr<TrafficMeter> line;  // must be given
};

class NetworkHost {
 public:
    // `store` and `reactor` outlive the host.
    NetworkHost(NetworkHostOptions options, store::Store& store, Reactor& reactor, Log log);
    ~NetworkHost();
    NetworkHost(const NetworkHost&) = delete;
    NetworkHost& operator=(const NetworkHost&) = delete;

    // Binds all sockets; what the operator reads if one cannot be had. Nothing is received before
    // `begin`.
    Result<void, std::string> listen();
    // The ports taken, of the first address each.
    std::uint16_t datagram_port() const;
    std::uint16_t stream_port() const;
    // Where connections are accepted, as taken.
    const std::vector<Endpoint>& streams() const;

    // `sink` outlives the host's use.
    void begin(NetworkSink& sink);
    void carry_out(node::NetworkEffects&& effects);
    // Nothing arrives any more but the end of the batch that is out; what is queued for others is
    // still sent.
    void stop();
    bool is_writing() const;
    // What went over the line this month.
    peer::Budget::Usage month_usage() const;
    const peer::Budget::Options& caps() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
