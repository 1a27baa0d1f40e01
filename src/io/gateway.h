// The home router as the port mapper sees it, by either protocol. Calls block; one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "leither/base/result.h"
#include "leither/io/port_mapper.h"

namespace leither::io {

class Gateway {
 public:
    // What a router says in answer, or a clause for the node's owner.
    template <class T>
    using Answer = Result<T, std::string>;
    struct Port {
        MappedProtocol protocol = MappedProtocol::udp;
        std::uint16_t internal = 0;
        std::uint16_t external = 0;
    };
    struct Granted {
        std::uint16_t external_port = 0;
        Duration lifetime{};  // 0: until released
    };

    virtual ~Gateway() = default;
    virtual MappingMethod method() const = 0;
    virtual Answer<IpAddress> external_address() = 0;
    // Maps or renews; the router may choose another external port.
    virtual Answer<Granted> map(const Port& port, Duration lifetime) = 0;
    virtual void unmap(const Port& port) = 0;
};

// Both give up early once `stopping`, where their libraries let them.
Gateway::Answer<std::unique_ptr<Gateway>> find_nat_pmp(const PortMapperOptions& options,
                                                       const std::atomic<bool>& stopping);
Gateway::Answer<std::unique_ptr<Gateway>> find_upnp(const PortMapperOptions& options);

}  // namespace leither::io
