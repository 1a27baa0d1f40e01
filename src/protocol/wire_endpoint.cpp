#include "leither/protocol/wire_endpoint.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::protocol {

bool WireEndpoint::is_canonical() const {
    const auto parsed = IpAddress::from(address);
    return parsed && std::ranges::equal(parsed->bytes(), address);
}

WireEndpoint WireEndpoint::of(const Endpoint& endpoint) {
    WireEndpoint wire;
    const ByteView bytes = endpoint.address.bytes();
    wire.address.assign(bytes.begin(), bytes.end());
    wire.port = endpoint.port;
    return wire;
}

Endpoint WireEndpoint::endpoint() const {
    const auto parsed = IpAddress::from(address);
    CHECK(parsed.has_value());
    return {*parsed, port};
}

}  // namespace leither::protocol
