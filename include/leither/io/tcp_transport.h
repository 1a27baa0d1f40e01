// The TCP connections of a node as numbered streams of bytes. Knows no message and no peer: who may
// stay, for how long and how fast is its handler's matter, within the limits below.
//
// Specification
//   * Memory is bounded: accepted and dialed connections are counted, a connection queues at most
//     `queue_bytes_max`, one buffer of `read_bytes_max` serves all reading. While a connection is
//     paused it is not read and the kernel holds the other side up by itself; that the other side
//     has closed shows only on resuming, or when a write fails.
//   * Writes are queued without copying and handed to the kernel together when the reactor's
//     handler at hand returns.
//   * A dial ends by on_opened or on_closed within `dial_timeout`.
//   * A graceful close still sends what is queued and waits for the other side's end, both within
//     `flush_time_max`; an abortive one resets the connection.
//   * Callbacks never run within a call of the owner. After close(id) none names that id again.
//   * Calls that name a connection that is gone do nothing.
//   * No timer runs but while dialing, while closing, or while a budget is exhausted.
// All calls and callbacks on the reactor's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "leither/base/bytes.h"
#include "leither/base/endpoint.h"
#include "leither/base/log.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/io/budget.h"
#include "leither/io/reactor.h"

namespace leither::io {

// The owner numbers what it dials; what is accepted is numbered from `first_accepted` upward.
using TcpId = std::uint64_t;

struct TcpOptions {
    TcpId first_accepted = TcpId{1} << 63;
    std::size_t accepted_max = 256;  // one more is reset at once
    std::size_t dialed_max = 128;
    std::size_t queue_bytes_max = std::size_t{4} << 20;
    std::size_t read_bytes_max = std::size_t{256} << 10;
    Duration dial_timeout = std::chrono::seconds(10);
    Duration flush_time_max = std::chrono::seconds(5);
    // Asked before bytes move; null: no cap. Both outlive the transport.
    Budget* download = nullptr;
    Budget* upload = nullptr;
};

enum class TcpClosed : std::uint8_t {
    by_peer,      // it ended the stream
    lost,         // reset, or the network failed
    refused,      // dial: nobody listens there
    unreachable,  // dial: no way to that address
    timed_out,    // dial: no answer
    no_room,      // dial: dialed_max, or the system has no descriptor left
    queue_full,   // more was written than the other side reads
};
const char* to_string(TcpClosed reason);

enum class TcpClose : std::uint8_t { graceful, abort };

class TcpHandler {
 public:
    virtual ~TcpHandler() = default;
    virtual void on_accepted(TcpId id, const Endpoint& from) = 0;
    virtual void on_opened(TcpId id) = 0;
    // `bytes`, at most read_bytes_max and at least one, are valid during the call.
    virtual void on_received(TcpId id, ByteView bytes) = 0;
    // The kernel has taken bytes; `queued` wait still.
    virtual void on_sent(TcpId id, std::size_t queued) = 0;
    virtual void on_closed(TcpId id, TcpClosed reason) = 0;
};

struct TcpCounters {
    std::uint64_t accepted = 0;
    std::uint64_t turned_away = 0;  // above accepted_max
    std::uint64_t dialed = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
};

class TcpTransport {
 public:
    // `reactor` and `handler` outlive the transport.
    TcpTransport(TcpOptions options, Reactor& reactor, TcpHandler& handler, Log log);
    // Resets every connection, without callbacks.
    ~TcpTransport();
    TcpTransport(const TcpTransport&) = delete;
    TcpTransport& operator=(const TcpTransport&) = delete;

    // May be called for several endpoints, IPv4 and IPv6 apart; port 0 takes any free one. The
    // endpoint taken, or what the operator reads.
    Result<Endpoint, std::string> listen(const Endpoint& endpoint);
    void stop_listening();

    // REQUIRES: `id` < first_accepted, and was never used before.
    void dial(TcpId id, const Endpoint& endpoint);
    void write(TcpId id, Bytes bytes);
    // New connections are read.
    void pause_reading(TcpId id);
    void resume_reading(TcpId id);
    void close(TcpId id, TcpClose how);

    // Those being closed gracefully included.
    std::size_t connections() const;
    std::size_t queued_bytes(TcpId id) const;
    const TcpCounters& counters() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
