// One UDP socket of one address family, for a protocol that may lose datagrams.
//
// Specification
//   * Datagrams are read in batches, at most `wake_max` before other work of the reactor gets its
//     turn. A longer one than `datagram_bytes_max` is dropped and counted.
//   * What is sent is collected and handed to the kernel by one call: after the batch being read,
//     or when the reactor's handler at hand returns. It never blocks and never waits: what the
//     kernel does not take is dropped and counted.
//   * An IPv6 socket carries no IPv4 traffic: bind one of each.
// All calls and callbacks on the reactor's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "leither/base/bytes.h"
#include "leither/base/endpoint.h"
#include "leither/base/result.h"
#include "leither/io/budget.h"
#include "leither/io/reactor.h"

namespace leither::io {

struct UdpOptions {
    std::size_t batch_max = 32;             // datagrams by one call to the kernel
    std::size_t wake_max = 256;             // datagrams read in one turn
    std::size_t datagram_bytes_max = 2048;  // of those read
    // Charged for datagrams, payload only; null: uncounted. Both outlive the socket.
    Budget* download = nullptr;
    Budget* upload = nullptr;
};

struct UdpCounters {
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t oversized = 0;  // dropped unread
    std::uint64_t sent = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t refused = 0;  // by the kernel: no room, no route, too long
};

class UdpSocket {
 public:
    // `bytes` are valid during the call. May send, close or destroy the socket.
    using OnDatagram = std::function<void(const Endpoint& from, ByteView bytes)>;

    // The reactor outlives the socket.
    UdpSocket(UdpOptions options, Reactor& reactor, OnDatagram on_datagram);
    ~UdpSocket();
    UdpSocket(const UdpSocket&) = delete;
    UdpSocket& operator=(const UdpSocket&) = delete;

    // Starts to receive; port 0 takes any free one. The endpoint taken, or what the operator reads.
    // REQUIRES: not bound yet.
    Result<Endpoint, std::string> bind(const Endpoint& endpoint);
    // Of the socket's family; others, and all after close(), are counted as refused.
    void send(const Endpoint& to, ByteView bytes);
    // Hands over what send() has collected, then neither sends nor receives any more.
    void close();

    const UdpCounters& counters() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
