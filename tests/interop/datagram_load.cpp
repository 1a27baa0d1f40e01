// leither-datagram-load: prepared datagrams, sent fast. Loopback only: a mistake must not become
// somebody else's flood.
//   --window N   closed loop: N are under way, each answer releases the next (how fast is it?)
//   --rate N     open loop: at most N a second until N times --seconds are sent, however long a
//   busy
//                machine takes, whatever comes back (does it live?)
// Prints {"sent", "received", "seconds"} as JSON at the end.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leither/base/endpoint.h"

namespace leither::interop {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kBatch = 64;
constexpr std::size_t kDatagramBytesMax = 65'507;
constexpr std::uint64_t kSentMax = 50'000'000;
// An open loop gives up after so many times its seconds.
constexpr double kPatience = 20;
// An answer that is this late was lost, and its place in the window is free again.
constexpr auto kLostAfter = std::chrono::milliseconds(200);

struct Options {
    std::string to;
    std::vector<std::string> from;  // source addresses, used in turn
    std::string datagrams;          // file: each as u32 little-endian length and bytes
    std::uint32_t window = 0;
    std::uint32_t rate = 0;
    double seconds = 1;
};

struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
};

std::vector<std::string> read_datagrams(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> out;
    std::array<unsigned char, 4> head{};
    while (file.read(reinterpret_cast<char*>(head.data()), head.size())) {
        const std::size_t size = head[0] | head[1] << 8 | head[2] << 16;
        if (size > kDatagramBytesMax) throw std::runtime_error("too long a datagram");
        std::string datagram(size, '\0');
        file.read(datagram.data(), static_cast<std::streamsize>(size));
        out.push_back(std::move(datagram));
    }
    if (out.empty()) throw std::runtime_error("no datagrams in " + path);
    return out;
}

sockaddr_in loopback(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint || !endpoint->address.is_v4() || !endpoint->address.is_loopback()) {
        throw std::runtime_error("no IPv4 loopback endpoint: " + text);
    }
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(endpoint->port);
    inet_pton(AF_INET, endpoint->address.text().c_str(), &out.sin_addr);
    return out;
}

// One source of datagrams, connected to the target.
class Source {
 public:
    Source(const std::string& from, const sockaddr_in& to)
        : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        const sockaddr_in local = loopback(from + ":0");
        const int buffer_bytes = 1 << 20;
        setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
        if (bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
            connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error("cannot send from " + from);
        }
    }
    Source(Source&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    Source(const Source&) = delete;
    ~Source() {
        if (socket_ >= 0) close(socket_);
    }

    // How many of `count` datagrams from `next` on, in a circle, the kernel took.
    unsigned send(std::vector<std::string>& datagrams, std::size_t next, unsigned count) {
        std::array<mmsghdr, kBatch> headers{};
        std::array<iovec, kBatch> parts{};
        for (unsigned i = 0; i < count; ++i) {
            std::string& datagram = datagrams[(next + i) % datagrams.size()];
            parts[i] = {datagram.data(), datagram.size()};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        const int sent = sendmmsg(socket_, headers.data(), count, 0);
        return sent < 0 ? 0 : static_cast<unsigned>(sent);
    }

    // Reads all that is there.
    std::uint64_t drain() {
        std::uint64_t total = 0;
        for (;;) {
            std::array<mmsghdr, kBatch> headers{};
            std::array<iovec, kBatch> parts{};
            for (unsigned i = 0; i < kBatch; ++i) {
                parts[i] = {buffers_[i].data(), buffers_[i].size()};
                headers[i].msg_hdr.msg_iov = &parts[i];
                headers[i].msg_hdr.msg_iovlen = 1;
            }
            const int count = recvmmsg(socket_, headers.data(), kBatch, MSG_DONTWAIT, nullptr);
            if (count <= 0) return total;
            total += static_cast<std::uint64_t>(count);
        }
    }

    int socket() const { return socket_; }

 private:
    int socket_;
    std::vector<std::array<char, 2048>> buffers_ = std::vector<std::array<char, 2048>>(kBatch);
};

std::vector<Source> open_sources(const Options& options) {
    std::vector<Source> sources;
    for (const auto& from : options.from) sources.emplace_back(from, loopback(options.to));
    return sources;
}

// Each source keeps its window full.
Totals closed_loop(const Options& options, std::vector<std::string>& datagrams) {
    auto sources = open_sources(options);
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < sources.size(); ++i) {
        epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
        epoll_ctl(poll, EPOLL_CTL_ADD, sources[i].socket(), &event);
    }
    Totals totals;
    const auto fill = [&](Source& source, std::uint64_t count) {
        while (count > 0) {
            const auto batch = static_cast<unsigned>(std::min<std::uint64_t>(count, kBatch));
            const unsigned sent = source.send(datagrams, totals.sent, batch);
            if (sent == 0) return;
            totals.sent += sent;
            count -= sent;
        }
    };
    for (auto& source : sources) fill(source, options.window);
    const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
    while (Clock::now() < end && totals.sent < kSentMax) {
        std::array<epoll_event, 16> events{};
        const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(kLostAfter.count()));
        if (ready == 0) {
            for (auto& source : sources) fill(source, options.window);
        }
        for (int i = 0; i < ready; ++i) {
            Source& source = sources[events[static_cast<std::size_t>(i)].data.u64];
            const std::uint64_t answered = source.drain();
            totals.received += answered;
            fill(source, answered);
        }
    }
    close(poll);
    return totals;
}

Totals open_loop(const Options& options, std::vector<std::string>& datagrams) {
    auto sources = open_sources(options);
    Totals totals;
    const auto wanted =
        std::min(kSentMax, static_cast<std::uint64_t>(options.seconds * options.rate));
    const auto begin = Clock::now();
    for (std::size_t turn = 0; totals.sent < wanted; ++turn) {
        const std::chrono::duration<double> passed = Clock::now() - begin;
        if (passed.count() >= kPatience * options.seconds) break;
        const auto due =
            std::min(wanted, static_cast<std::uint64_t>(passed.count() * options.rate));
        Source& source = sources[turn % sources.size()];
        if (due <= totals.sent) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            continue;
        }
        const auto count =
            static_cast<unsigned>(std::min<std::uint64_t>(due - totals.sent, kBatch));
        totals.sent += source.send(datagrams, totals.sent, count);
        totals.received += source.drain();
    }
    return totals;
}

int run(const Options& options) {
    auto datagrams = read_datagrams(options.datagrams);
    const auto begin = Clock::now();
    const Totals totals =
        options.window > 0 ? closed_loop(options, datagrams) : open_loop(options, datagrams);
    const std::chrono::duration<double> passed = Clock::now() - begin;
    std::printf("{\"sent\": %llu, \"received\": %llu, \"seconds\": %.3f}\n",
                static_cast<unsigned long long>(totals.sent),
                static_cast<unsigned long long>(totals.received), passed.count());
    return 0;
}

}  // namespace

}  // namespace leither::interop

int main(int argc, char** argv) {
    leither::interop::Options options;
    CLI::App app("Sends prepared datagrams to loopback");
    app.add_option("--to", options.to)->required();
    app.add_option("--from", options.from)->required();
    app.add_option("--datagrams", options.datagrams)->required();
    app.add_option("--window", options.window)->check(CLI::Range(0, 4096));
    app.add_option("--rate", options.rate)->check(CLI::Range(0, 1'000'000));
    app.add_option("--seconds", options.seconds)->check(CLI::Range(0.0, 600.0));
    CLI11_PARSE(app, argc, argv);
    try {
        return leither::interop::run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "leither-datagram-load: %s\n", error.what());
        return 1;
    }
}
