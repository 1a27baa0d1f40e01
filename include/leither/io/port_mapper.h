// Asks the home router to let the Internet in: a mapping of one UDP and one TCP port by NAT-PMP
// (RFC 6886) or UPnP IGD (WANIPConnection, WANPPPConnection), tried in that order.
//
// Specification
//   * What the routers' libraries do blocks, so it runs on a thread of its own. A mapping is
//     renewed at half its lifetime; after a failure all is tried again after `retry_after`.
//   * The external address is asked for every `check_every`; the ports are mapped anew when it has
//     changed. A machine that has a public IPv4 address of its own maps nothing.
//   * The handler hears of a mapping when it is new or has changed, and of a failure when it is new
//     or says something else. A failure means that the mapping of that protocol is gone.
//   * If the router gives no lease but a permanent one, that is taken, renewed and released too.
//   * stop() releases what is mapped, in `stop_time_max` at most; what a slow router has not
//     released by then ends with its lease. After stop() nothing is called back.
//   * Ports that listen on loopback or on IPv6 alone need no mapping and get none.
// Rationale
//   * A mapping whose external address is itself private (a router behind a router) is reported as
//     any other: others in the same larger network can use it. Endpoint::address says which it is.
//   * Answers from the local network are believed: whoever can forge them can as well drop our
//     packets. A wrong external address is found out by dial-back.
// All calls and callbacks on the reactor's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "leither/base/endpoint.h"
#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/io/reactor.h"

namespace leither::io {

enum class MappedProtocol : std::uint8_t { udp, tcp };
enum class MappingMethod : std::uint8_t { nat_pmp, upnp };
const char* to_string(MappedProtocol protocol);
const char* to_string(MappingMethod method);

struct PortMapperOptions {
    // Where the node listens; none: that protocol is not mapped.
    std::optional<Endpoint> udp = {};
    std::optional<Endpoint> tcp = {};

    Duration lifetime = std::chrono::hours(1);        // asked for; whole seconds
    Duration renew_after = std::chrono::minutes(30);  // at most; and half of what was granted
    Duration check_every = std::chrono::seconds(45);
    Duration retry_after = std::chrono::minutes(15);      // after a failure
    Duration nat_pmp_time_max = std::chrono::seconds(2);  // for each answer
    Duration upnp_search_time = std::chrono::seconds(2);
    Duration stop_time_max = std::chrono::seconds(2);

    // Instead of the default gateway.
    std::optional<IpAddress> nat_pmp_gateway = {};
    // Instead of a search on the local network.
    std::string upnp_description_url = {};
};

struct PortMapping {
    MappedProtocol protocol = MappedProtocol::udp;
    MappingMethod method = MappingMethod::nat_pmp;
    std::uint16_t internal_port = 0;
    Endpoint external;    // where the Internet reaches that port
    Duration lifetime{};  // granted; 0: until released
    friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

class PortMapperHandler {
 public:
    virtual ~PortMapperHandler() = default;
    virtual void on_mapped(const PortMapping& mapping) = 0;
    // `reason` is a sentence for the node's owner.
    virtual void on_mapping_failed(MappedProtocol protocol, const std::string& reason) = 0;
};

class PortMapper {
 public:
    // `reactor` and `handler` outlive the mapper.
    PortMapper(PortMapperOptions options, Reactor& reactor, PortMapperHandler& handler, Log log);
    // As stop().
    ~PortMapper();
    PortMapper(const PortMapper&) = delete;
    PortMapper& operator=(const PortMapper&) = delete;

    // Does nothing if no port is worth mapping. Once.
    void start();
    // Tries all again now: the host's addresses have changed.
    void refresh();
    void stop();

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
