// Our endpoints as the system and as Asio write them.
#pragma once

#include <algorithm>

#include <netinet/in.h>
#include <sys/socket.h>

#include "leither/base/endpoint.h"

#include "asio.h"

namespace leither::io {

// Room for an address of either family.
union SocketAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

inline socklen_t write_address(const Endpoint& endpoint, SocketAddress& out) {
    const ByteView bytes = endpoint.address.bytes();
    out = SocketAddress{.v6 = {}};
    if (endpoint.address.is_v4()) {
        out.v4 = sockaddr_in{};
        out.v4.sin_family = AF_INET;
        out.v4.sin_port = htons(endpoint.port);
        std::ranges::copy(bytes, reinterpret_cast<std::uint8_t*>(&out.v4.sin_addr));
        return sizeof(out.v4);
    }
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(endpoint.port);
    std::ranges::copy(bytes, out.v6.sin6_addr.s6_addr);
    return sizeof(out.v6);
}

// Of any other family: 0.0.0.0, port 0.
inline Endpoint read_address(const SocketAddress& address) {
    IpAddress::V4 v4{};
    IpAddress::V6 v6{};
    if (address.any.sa_family == AF_INET) {
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address.v4.sin_addr);
        std::copy_n(bytes, v4.size(), v4.begin());
        return {IpAddress::v4(v4), ntohs(address.v4.sin_port)};
    }
    if (address.any.sa_family != AF_INET6) return {};
    std::copy_n(address.v6.sin6_addr.s6_addr, v6.size(), v6.begin());
    return {IpAddress::v6(v6), ntohs(address.v6.sin6_port)};
}

template <class Protocol>
typename Protocol::endpoint to_asio(const Endpoint& endpoint) {
    SocketAddress address;
    typename Protocol::endpoint out;
    // Asio's size() follows the family, which is not there before the bytes.
    const socklen_t size = write_address(endpoint, address);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&address), size,
                reinterpret_cast<std::uint8_t*>(out.data()));
    out.resize(size);
    return out;
}

template <class AsioEndpoint>
Endpoint from_asio(const AsioEndpoint& endpoint) {
    SocketAddress address{.v6 = {}};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(endpoint.data()),
                std::min<std::size_t>(endpoint.size(), sizeof(address)),
                reinterpret_cast<std::uint8_t*>(&address));
    return read_address(address);
}

// Binds an open socket or acceptor; IPv6 stays IPv6.
template <class Socket>
void bind_to(Socket& socket, const Endpoint& endpoint, ErrorCode& error) {
    if (!endpoint.address.is_v4()) socket.set_option(asio::ip::v6_only(true), error);
    if (!error) socket.bind(to_asio<typename Socket::protocol_type>(endpoint), error);
}

}  // namespace leither::io
