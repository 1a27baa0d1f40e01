// What runs in the network, and the wire by which it reaches others.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "leither/base/bytes.h"
#include "leither/base/endpoint.h"
#include "leither/base/number.h"
#include "leither/base/time.h"

namespace leither::sim {

class Network;

using HostId = Number<struct HostIdTag, std::uint32_t>;
// A host numbers what it dials below kAccepted, the network what it accepts from there upward. A
// number is never used twice.
using StreamId = Number<struct StreamIdTag>;
inline constexpr StreamId kAccepted = StreamId(std::uint64_t{1} << 63);

enum class Reading : std::uint8_t { paused, resumed };

// A host's own end of the network. Nothing here calls back: answers come as events.
class Wire {
 public:
    Wire(Network& network, HostId host) : network_(&network), host_(host) {}

    // By the host's own clock, which somebody may set back: who must not see that looks for itself.
    Instant now() const;
    HostId host() const { return host_; }
    // Where the host believes to be.
    Endpoint own() const;
    void send(const Endpoint& to, Bytes&& bytes) const;
    // Says that next_deadline may have changed. Not needed in what the network called.
    void rearm() const;
    // on_elapsed after so much time has truly passed, whatever the clock says. Forgotten by a
    // crash, put off while the host sleeps.
    void after(Duration delay, std::uint64_t token) const;
    // The program ends by itself, once what is called now has returned.
    void end() const;
    // Goes into the trace, under the host's name.
    void note(std::string_view text) const;

    // ---- Streams
    void dial(StreamId id, const Endpoint& to) const;
    void write(StreamId id, Bytes&& bytes) const;
    void set_reading(StreamId id, Reading reading) const;
    // Says no more; what is queued is sent first. The other side may go on.
    void finish(StreamId id) const;
    // As finish, and forgets the stream when all has gone out.
    void close(StreamId id) const;
    // Ends both ways at once.
    void reset(StreamId id) const;

 private:
    Network* network_;
    HostId host_;
};

// A machine with a program. The network calls one at a time.
class Host {
 public:
    virtual ~Host() = default;

    // ---- Its life
    // The program begins, with what the disk holds.
    virtual void start(const Wire& wire) = 0;
    // What the memory held is gone; the disk keeps what was synced.
    virtual void crash() = 0;
    // The program ends, its kernel and its buffers live.
    virtual void stop() { crash(); }

    // ---- Time, by its own clock
    virtual std::optional<Instant> next_deadline() const = 0;
    virtual void on_deadline() = 0;
    // What Wire::after announced.
    virtual void on_elapsed(std::uint64_t /*token*/) {}

    // ---- Datagrams
    virtual void on_datagram(const Endpoint& from, ByteView bytes) = 0;

    // ---- Streams; for those who dial or listen
    virtual void on_accepted(StreamId, const Endpoint& /*from*/) {}
    virtual void on_opened(StreamId) {}
    virtual void on_received(StreamId, ByteView) {}
    // The transport has taken bytes; so many wait still.
    virtual void on_sent(StreamId, std::size_t /*queued*/) {}
    // The other side says no more.
    virtual void on_ended(StreamId) {}
    // Refused, reset, or given up.
    virtual void on_closed(StreamId) {}
};

}  // namespace leither::sim
