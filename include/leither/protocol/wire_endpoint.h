// An IP address and port as they stand in what nodes send and sign.
#pragma once

#include "leither/base/bounded.h"
#include "leither/base/endpoint.h"

namespace leither::protocol {

struct WireEndpoint {
    Bounded<std::uint8_t, 16> address;  // 4 or 16 bytes, network order
    std::uint16_t port = 0;

    static void fields(auto& self, auto&& visit) { visit(self.address, self.port); }
    // An IPv4 address has one form: four bytes, never the IPv6 address it is mapped to.
    bool is_canonical() const;

    static WireEndpoint of(const Endpoint& endpoint);
    // REQUIRES: is_canonical(), which the codec has seen to.
    Endpoint endpoint() const;
    friend bool operator==(const WireEndpoint&, const WireEndpoint&) = default;
};
inline constexpr std::size_t kWireEndpointBytesMax = 1 + 16 + 2;

}  // namespace leither::protocol
