// Real sockets on loopback beside a reactor that the test drives itself, event by event.
#pragma once

#include <string>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leither/base/bytes.h"
#include "leither/base/endpoint.h"
#include "leither/io/reactor.h"

namespace leither::io::testing {

inline const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");
inline const IpAddress kLoopback6 = *IpAddress::parse("::1");
inline constexpr auto kPatience = std::chrono::seconds(20);

// Runs `reactor` until `reached()`; false if nothing happens for long.
template <class Reached>
bool run_until(Reactor& reactor, Reached reached) {
    auto& context = reactor.context();
    const auto guard = boost::asio::make_work_guard(context);
    context.restart();
    while (!reached()) {
        if (context.run_one_for(kPatience) == 0) return false;
    }
    return true;
}

// Runs what can be run at once.
inline void run_ready(Reactor& reactor) {
    auto& context = reactor.context();
    context.restart();
    while (context.poll() > 0) context.restart();
}

// A blocking IPv4 socket on 127.0.0.1 that does exactly what it is told.
class RawSocket {
 public:
    explicit RawSocket(int type) : descriptor_(socket(AF_INET, type, 0)) {}
    ~RawSocket() { close(); }
    RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    RawSocket& operator=(RawSocket&&) = delete;

    static RawSocket connected_to(std::uint16_t port, int type = SOCK_STREAM) {
        RawSocket out(type);
        out.connect(port);
        return out;
    }
    bool connect(std::uint16_t port) {
        const sockaddr_in address = at(port);
        return ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address),
                         sizeof(address)) == 0;
    }
    // The port taken.
    std::uint16_t bind() {
        sockaddr_in address = at(0);
        socklen_t size = sizeof(address);
        ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size);
        getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }
    void listen(int backlog) { ::listen(descriptor_, backlog); }
    RawSocket accept() { return RawSocket(Taken{::accept(descriptor_, nullptr, nullptr)}); }

    bool send(const std::string& bytes) {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    // As much as goes without waiting.
    std::size_t send_what_fits(const std::string& bytes) {
        const auto sent =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    // One datagram or what is there of a stream; "" at its end, "<reset>", or "<timeout>".
    std::string receive(int wait_ms = 20'000) {
        pollfd poll_for{descriptor_, POLLIN, 0};
        if (poll(&poll_for, 1, wait_ms) <= 0) return "<timeout>";
        std::string buffer(std::size_t{1} << 16, '\0');
        const auto size = recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (size < 0) return "<reset>";
        buffer.resize(static_cast<std::size_t>(size));
        return buffer;
    }
    void reset() {
        const linger abort{1, 0};
        setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
        close();
    }
    void close() {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }

 private:
    struct Taken {
        int descriptor;
    };
    explicit RawSocket(Taken taken) : descriptor_(taken.descriptor) {}
    static sockaddr_in at(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    int descriptor_;
};

}  // namespace leither::io::testing
