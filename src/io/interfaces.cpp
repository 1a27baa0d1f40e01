#include "leither/io/interfaces.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <unistd.h>

#include "socket_address.h"

namespace leither::io {
namespace {

bool is_link_local(const IpAddress& address) {
    const ByteView bytes = address.bytes();
    if (address.is_v4()) return bytes[0] == 169 && bytes[1] == 254;
    return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::optional<IpAddress> address_of(const ifaddrs& interface) {
    if (interface.ifa_addr == nullptr || (interface.ifa_flags & IFF_UP) == 0) return std::nullopt;
    const int family = interface.ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) return std::nullopt;
    SocketAddress address{.v6 = {}};
    std::memcpy(&address, interface.ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    return read_address(address).address;
}

}  // namespace

std::vector<IpAddress> own_addresses() {
    std::vector<IpAddress> out;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return out;
    for (const ifaddrs* interface = list; interface != nullptr; interface = interface->ifa_next) {
        const auto address = address_of(*interface);
        if (!address || address->is_unspecified() || address->is_loopback()) continue;
        if (!is_link_local(*address)) out.push_back(*address);
    }
    freeifaddrs(list);
    std::ranges::sort(out);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

struct AddressWatch::Impl : std::enable_shared_from_this<AddressWatch::Impl> {
    Impl(Options given, Reactor& reactor, OnChange callback)
        : options(given),
          on_change(std::move(callback)),
          messages(reactor.context()),
          settle(reactor.context()) {}

    Result<void, std::string> start();
    void await_message();
    void on_message();
    void compare();
    void stop();

    Options options;
    OnChange on_change;
    std::vector<IpAddress> known;
    asio::posix::stream_descriptor messages;  // rtnetlink
    asio::steady_timer settle;
    bool settling = false;
};

Result<void, std::string> AddressWatch::Impl::start() {
    const int descriptor =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK;
    if (descriptor < 0 ||
        bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        const int error = errno;
        if (descriptor >= 0) ::close(descriptor);
        return fail(fmt::format("cannot watch this machine's addresses: {}",
                                std::generic_category().message(error)));
    }
    messages.assign(descriptor);
    known = own_addresses();
    await_message();
    return {};
}

void AddressWatch::Impl::await_message() {
    messages.async_wait(asio::posix::stream_descriptor::wait_read,
                        [self = shared_from_this()](const ErrorCode& error) {
                            if (!error) self->on_message();
                        });
}

// What a message says does not matter, only that there is one; lost ones (ENOBUFS) say as much.
void AddressWatch::Impl::on_message() {
    std::array<char, 4096> ignored{};
    while (recv(messages.native_handle(), ignored.data(), ignored.size(), 0) > 0 ||
           errno == ENOBUFS || errno == EINTR) {
    }
    await_message();
    if (std::exchange(settling, true)) return;
    settle.expires_after(options.settle_time);
    settle.async_wait([self = shared_from_this()](const ErrorCode& cancelled) {
        if (!cancelled) self->compare();
    });
}

void AddressWatch::Impl::compare() {
    settling = false;
    auto now = own_addresses();
    if (!messages.is_open() || now == known) return;
    known = std::move(now);
    on_change(known);
}

void AddressWatch::Impl::stop() {
    ErrorCode ignored;
    messages.close(ignored);
    settle.cancel();
}

AddressWatch::AddressWatch(Options options, Reactor& reactor, OnChange on_change)
    : impl_(std::make_shared<Impl>(options, reactor, std::move(on_change))) {}

AddressWatch::~AddressWatch() {
    impl_->stop();
}

Result<void, std::string> AddressWatch::start() {
    return impl_->start();
}

}  // namespace leither::io
