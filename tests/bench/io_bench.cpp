// Sockets against the least that could be done: a bare Asio echo for datagrams, bare system calls
// for a stream. Each side has a thread of its own; `ratio` is speed by CPU time beside the peer's.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/io/tcp_transport.h"
#include "leither/io/udp_socket.h"

#include "measure.h"

namespace leither::bench {
namespace {

using io::Reactor;
using io::TcpId;
using io::TcpTransport;
using io::UdpSocket;

const Endpoint kAnyPort = *Endpoint::parse("127.0.0.1:0");

// A reactor on its own thread; `cpu` is what the thread took, once joined.
class ReactorThread {
 public:
    ReactorThread() = default;
    ~ReactorThread() { join(); }
    ReactorThread(const ReactorThread&) = delete;
    ReactorThread& operator=(const ReactorThread&) = delete;

    Reactor& reactor() { return reactor_; }
    void start() {
        thread_ = std::thread([this] {
            const double begin = thread_cpu_seconds();
            reactor_.run();
            cpu_ = thread_cpu_seconds() - begin;
        });
    }
    double join() {
        if (!thread_.joinable()) return cpu_;
        reactor_.stop();
        thread_.join();
        return cpu_;
    }
    // After its handler has stopped the reactor.
    double await_end() {
        thread_.join();
        return cpu_;
    }

 private:
    Reactor reactor_;
    std::thread thread_;
    double cpu_ = 0;
};

// ---- Datagrams ----------------------------------------------------------------------------------

constexpr std::size_t kDatagramBytes = 100;
constexpr std::size_t kWindow = 64;

// Sends datagrams and takes the answers, so many at a time.
class Asker {
 public:
    explicit Asker(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        Prng(1).fill(question_);
        for (std::size_t i = 0; i < kWindow; ++i) {
            asked_[i] = {question_.data(), question_.size()};
            answered_[i] = {answers_[i].data(), answers_[i].size()};
            questions_msg_[i].msg_hdr.msg_iov = &asked_[i];
            answers_msg_[i].msg_hdr.msg_iov = &answered_[i];
            questions_msg_[i].msg_hdr.msg_iovlen = answers_msg_[i].msg_hdr.msg_iovlen = 1;
        }
    }
    ~Asker() { close(socket_); }
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;

    // Datagrams that came back as they were.
    std::size_t ask(std::size_t windows) {
        std::size_t good = 0;
        for (std::size_t i = 0; i < windows; ++i) {
            CHECK(sendmmsg(socket_, questions_msg_.data(), kWindow, 0) == kWindow);
            std::size_t got = 0;
            while (got < kWindow && answers_waiting()) {
                const int some = recvmmsg(socket_, answers_msg_.data(), kWindow, MSG_DONTWAIT,
                                          /*timeout=*/nullptr);
                for (int k = 0; k < some; ++k) good += is_good(static_cast<std::size_t>(k));
                got += static_cast<std::size_t>(std::max(some, 0));
            }
        }
        return good;
    }

 private:
    bool answers_waiting() const {
        pollfd wait{socket_, POLLIN, 0};
        return poll(&wait, 1, 2'000) == 1;
    }
    bool is_good(std::size_t index) const {
        return answers_msg_[index].msg_len == kDatagramBytes && answers_[index] == question_;
    }

    using Datagram = std::array<std::uint8_t, kDatagramBytes>;
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    Datagram question_{};
    std::array<Datagram, kWindow> answers_{};
    std::array<iovec, kWindow> asked_{};
    std::array<iovec, kWindow> answered_{};
    std::array<mmsghdr, kWindow> questions_msg_{};
    std::array<mmsghdr, kWindow> answers_msg_{};
};

// The textbook's echo: one receive, one send, each by Asio.
class BareEcho {
 public:
    explicit BareEcho(Reactor& reactor)
        : socket_(reactor.context(), {boost::asio::ip::address_v4::loopback(), 0}) {
        receive();
    }
    std::uint16_t port() const { return socket_.local_endpoint().port(); }

 private:
    void receive() {
        socket_.async_receive_from(boost::asio::buffer(buffer_), from_,
                                   [this](const auto& error, std::size_t size) {
                                       if (!error) send(size);
                                   });
    }
    void send(std::size_t size) {
        socket_.async_send_to(boost::asio::buffer(buffer_, size), from_,
                              [this](const auto& error, std::size_t) {
                                  if (!error) receive();
                              });
    }
    boost::asio::ip::udp::socket socket_;
    boost::asio::ip::udp::endpoint from_;
    std::array<std::uint8_t, 2048> buffer_{};
};

struct Echoed {
    double cpu = 0;
    std::size_t good = 0;
};

Echoed echo_bare(std::size_t windows) {
    ReactorThread server;
    BareEcho echo(server.reactor());
    Asker asker(echo.port());
    server.start();
    const std::size_t good = asker.ask(windows);
    return {server.join(), good};
}

Echoed echo_ours(std::size_t windows) {
    ReactorThread server;
    std::unique_ptr<UdpSocket> socket;
    socket = std::make_unique<UdpSocket>(
        io::UdpOptions{}, server.reactor(),
        [&](const Endpoint& from, ByteView bytes) { socket->send(from, bytes); });
    Asker asker(socket->bind(kAnyPort).value().port);
    server.start();
    const std::size_t good = asker.ask(windows);
    return {server.join(), good};
}

void udp_echo(benchmark::State& state) {
    constexpr std::size_t kWindows = 500;
    double ours = 0;
    double bare = 0;
    for (auto _ : state) {
        const Echoed us = echo_ours(kWindows);
        const Echoed them = echo_bare(kWindows);
        if (us.good != kWindows * kWindow || them.good != us.good) {
            state.SkipWithError("datagrams were lost on loopback");
        }
        ours += us.cpu;
        bare += them.cpu;
    }
    const double count = static_cast<double>(state.iterations()) * kWindows * kWindow;
    state.counters["ratio"] = bare / ours;
    state.counters["per_s_and_core"] = count / ours;
    state.counters["bare_per_s_and_core"] = count / bare;
}
BENCHMARK(udp_echo)->Name("io/udp_echo")->Iterations(5)->Unit(benchmark::kMillisecond);

// ---- A stream -----------------------------------------------------------------------------------

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kPieces = 4'096;
// As a hub hands over at once; from 1 MiB on it falls out of the cache and speed halves.
constexpr std::size_t kInFlight = std::size_t{256} << 10;

struct Transfer {
    double sender_cpu = 0;
    double receiver_cpu = 0;
    std::size_t received = 0;

    // Each side has a core.
    double slower() const { return std::max(sender_cpu, receiver_cpu); }
};

struct Receiver final : io::TcpHandler {
    explicit Receiver(Reactor& its_reactor) : reactor(its_reactor) {}
    void on_accepted(TcpId, const Endpoint&) override {}
    void on_opened(TcpId) override {}
    void on_received(TcpId, ByteView bytes) override { received += bytes.size(); }
    void on_sent(TcpId, std::size_t) override {}
    void on_closed(TcpId, io::TcpClosed) override { reactor.stop(); }
    Reactor& reactor;
    std::size_t received = 0;
};

struct Sender final : io::TcpHandler {
    void on_accepted(TcpId, const Endpoint&) override {}
    void on_opened(TcpId id) override { send_more(id, 0); }
    void on_received(TcpId, ByteView) override {}
    void on_sent(TcpId id, std::size_t queued) override { send_more(id, queued); }
    void on_closed(TcpId, io::TcpClosed) override {}
    void send_more(TcpId id, std::size_t queued) {
        for (; left > 0 && queued < kInFlight; --left, queued += kPiece) {
            transport->write(id, piece);  // a copy, as sealing makes one
        }
        if (left == 0) transport->close(id, io::TcpClose::graceful);
    }
    TcpTransport* transport = nullptr;
    Bytes piece = Bytes(kPiece, 7);
    std::size_t left = kPieces;
};

Transfer transfer_ours() {
    ReactorThread receiving;
    ReactorThread sending;
    Receiver receiver(receiving.reactor());
    Sender sender;
    TcpTransport to({}, receiving.reactor(), receiver, Log());
    TcpTransport from({}, sending.reactor(), sender, Log());
    sender.transport = &from;
    from.dial(1, to.listen(kAnyPort).value());
    receiving.start();
    sending.start();
    Transfer out;
    out.receiver_cpu = receiving.await_end();
    out.sender_cpu = sending.join();
    out.received = receiver.received;
    return out;
}

Transfer transfer_bare() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const int from = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(from, reinterpret_cast<sockaddr*>(&address), size) == 0);
    const int to = accept(listener, nullptr, nullptr);
    Transfer out;
    std::thread receiving([&] {
        const double begin = thread_cpu_seconds();
        Bytes buffer(std::size_t{256} << 10);
        for (ssize_t got = 1; got > 0; out.received += static_cast<std::size_t>(got)) {
            got = recv(to, buffer.data(), buffer.size(), 0);
            CHECK(got >= 0);
        }
        out.receiver_cpu = thread_cpu_seconds() - begin;
    });
    const double begin = thread_cpu_seconds();
    const Bytes piece(kPiece, 7);
    for (std::size_t i = 0; i < kPieces; ++i) {
        const Bytes copy = piece;
        CHECK(send(from, copy.data(), copy.size(), 0) == static_cast<ssize_t>(copy.size()));
    }
    shutdown(from, SHUT_WR);
    out.sender_cpu = thread_cpu_seconds() - begin;
    receiving.join();
    for (const int descriptor : {listener, from, to}) close(descriptor);
    return out;
}

void tcp_stream(benchmark::State& state) {
    double ours = 0;
    double bare = 0;
    for (auto _ : state) {
        const Transfer us = transfer_ours();
        const Transfer them = transfer_bare();
        if (us.received != kPieces * kPiece || them.received != us.received) {
            state.SkipWithError("bytes went astray");
        }
        ours += us.slower();
        bare += them.slower();
    }
    const double bytes = static_cast<double>(state.iterations()) * kPieces * kPiece;
    state.counters["ratio"] = bare / ours;
    state.counters["mb_per_s_and_core"] = bytes / ours / 1e6;
    state.counters["bare_mb_per_s_and_core"] = bytes / bare / 1e6;
}
BENCHMARK(tcp_stream)->Name("io/tcp_stream")->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leither::bench
