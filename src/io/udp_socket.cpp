#include "leither/io/udp_socket.h"

#include <cerrno>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "leither/base/check.h"

#include "socket_address.h"

namespace leither::io {

struct UdpSocket::Impl : std::enable_shared_from_this<UdpSocket::Impl> {
    Impl(UdpOptions given, Reactor& reactor, OnDatagram callback)
        : options(given), on_datagram(std::move(callback)), socket(reactor.context()) {
        CHECK(options.batch_max > 0 && options.wake_max > 0 && options.datagram_bytes_max > 0);
    }

    void prepare_buffers();
    void await_datagrams();
    void on_readable();
    bool read_batch(std::size_t& left);
    void deliver(std::size_t index);
    void send(const Endpoint& to, ByteView bytes);
    void flush();
    void close();

    UdpOptions options;
    UdpCounters counters;
    OnDatagram on_datagram;
    Udp::socket socket;
    bool v4 = true;
    bool reading = false;  // a batch is being delivered: flushing waits for its end
    bool flush_posted = false;

    // A batch being read. The pages of `memory` that no datagram has reached cost nothing.
    std::unique_ptr<std::uint8_t[]> memory;
    std::vector<SocketAddress> sources;
    std::vector<iovec> slices;
    std::vector<mmsghdr> headers;

    // A batch to be sent.
    struct Outgoing {
        SocketAddress to;
        socklen_t to_size = 0;
        std::size_t offset = 0;  // in `outgoing_bytes`
        std::size_t size = 0;
    };
    std::vector<Outgoing> outgoing;
    Bytes outgoing_bytes;
    std::vector<iovec> outgoing_slices;
    std::vector<mmsghdr> outgoing_headers;
};

// ---- Receiving

void UdpSocket::Impl::prepare_buffers() {
    const std::size_t size = options.datagram_bytes_max;
    memory = std::make_unique_for_overwrite<std::uint8_t[]>(options.batch_max * size);
    sources.resize(options.batch_max);
    slices.resize(options.batch_max);
    headers.resize(options.batch_max);
    for (std::size_t i = 0; i < options.batch_max; ++i) {
        slices[i] = {memory.get() + i * size, size};
        headers[i] = {};
        headers[i].msg_hdr.msg_iov = &slices[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &sources[i];
    }
}

void UdpSocket::Impl::await_datagrams() {
    socket.async_wait(Udp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
        if (!error) self->on_readable();
    });
}

void UdpSocket::Impl::on_readable() {
    std::size_t left = options.wake_max;
    while (left > 0 && read_batch(left)) {
    }
    if (socket.is_open()) await_datagrams();
}

// Whether there may be more.
bool UdpSocket::Impl::read_batch(std::size_t& left) {
    const std::size_t wanted = std::min(left, options.batch_max);
    for (std::size_t i = 0; i < wanted; ++i) headers[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    const int got = recvmmsg(socket.native_handle(), headers.data(), static_cast<unsigned>(wanted),
                             MSG_DONTWAIT, nullptr);
    if (got <= 0) return false;
    const auto count = static_cast<std::size_t>(got);
    left -= count;
    reading = true;
    for (std::size_t i = 0; i < count && socket.is_open(); ++i) deliver(i);
    reading = false;
    flush();
    return count == wanted && socket.is_open();
}

void UdpSocket::Impl::deliver(std::size_t index) {
    const mmsghdr& header = headers[index];
    if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        ++counters.oversized;
        return;
    }
    ++counters.received;
    counters.received_bytes += header.msg_len;
    if (options.download != nullptr) options.download->charge(header.msg_len);
    const auto* bytes = static_cast<const std::uint8_t*>(slices[index].iov_base);
    on_datagram(read_address(sources[index]), {bytes, header.msg_len});
}

// ---- Sending

void UdpSocket::Impl::send(const Endpoint& to, ByteView bytes) {
    if (!socket.is_open() || to.address.is_v4() != v4) {
        ++counters.refused;
        return;
    }
    Outgoing& next = outgoing.emplace_back();
    next.to_size = write_address(to, next.to);
    next.offset = outgoing_bytes.size();
    next.size = bytes.size();
    outgoing_bytes.insert(outgoing_bytes.end(), bytes.begin(), bytes.end());
    if (outgoing.size() >= options.batch_max) return flush();
    if (reading || std::exchange(flush_posted, true)) return;
    asio::post(socket.get_executor(), [self = shared_from_this()] {
        self->flush_posted = false;
        self->flush();
    });
}

void UdpSocket::Impl::flush() {
    if (outgoing.empty()) return;
    outgoing_slices.resize(outgoing.size());
    outgoing_headers.assign(outgoing.size(), mmsghdr{});
    for (std::size_t i = 0; i < outgoing.size(); ++i) {
        Outgoing& datagram = outgoing[i];
        outgoing_slices[i] = {outgoing_bytes.data() + datagram.offset, datagram.size};
        auto& header = outgoing_headers[i].msg_hdr;
        header.msg_name = &datagram.to;
        header.msg_namelen = datagram.to_size;
        header.msg_iov = &outgoing_slices[i];
        header.msg_iovlen = 1;
    }
    std::size_t next = 0;
    while (next < outgoing.size()) {
        const int sent = sendmmsg(socket.native_handle(), outgoing_headers.data() + next,
                                  static_cast<unsigned>(outgoing.size() - next), MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        // An error is of the first datagram offered; the next may fare better.
        if (sent <= 0) ++counters.refused;
        for (int i = 0; i < sent; ++i) {
            ++counters.sent;
            counters.sent_bytes += outgoing[next + static_cast<std::size_t>(i)].size;
        }
        next += static_cast<std::size_t>(std::max(sent, 1));
    }
    counters.refused += outgoing.size() - next;
    if (options.upload != nullptr) options.upload->charge(outgoing_bytes.size());
    outgoing.clear();
    outgoing_bytes.clear();
}

void UdpSocket::Impl::close() {
    if (!socket.is_open()) return;
    flush();
    ErrorCode ignored;
    socket.close(ignored);
}

// ---- The socket

UdpSocket::UdpSocket(UdpOptions options, Reactor& reactor, OnDatagram on_datagram)
    : impl_(std::make_shared<Impl>(options, reactor, std::move(on_datagram))) {}

UdpSocket::~UdpSocket() {
    close();
}

Result<Endpoint, std::string> UdpSocket::bind(const Endpoint& endpoint) {
    CHECK(!impl_->socket.is_open());
    ErrorCode error;
    impl_->socket.open(to_asio<Udp>(endpoint).protocol(), error);
    if (!error) bind_to(impl_->socket, endpoint, error);
    if (error) {
        ErrorCode ignored;
        impl_->socket.close(ignored);
        return fail(
            fmt::format("cannot receive datagrams on {}: {}", endpoint.text(), error.message()));
    }
    impl_->v4 = endpoint.address.is_v4();
    impl_->prepare_buffers();
    const Endpoint taken = from_asio(impl_->socket.local_endpoint());
    impl_->await_datagrams();
    return taken;
}

void UdpSocket::send(const Endpoint& to, ByteView bytes) {
    impl_->send(to, bytes);
}

void UdpSocket::close() {
    impl_->close();
}

const UdpCounters& UdpSocket::counters() const {
    return impl_->counters;
}

}  // namespace leither::io
