// A bare Asio UDP echo: what any program on this machine pays for a datagram and its answer. The
// peer of the figure for our node.
#pragma once

#include <memory>

#include "leither/base/endpoint.h"
#include "leither/io/reactor.h"

namespace leither::interop {

class UdpEcho {
 public:
    // Throws boost::system::system_error if the address cannot be had.
    UdpEcho(io::Reactor& reactor, const Endpoint& listen);
    ~UdpEcho();

    Endpoint endpoint() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::interop
