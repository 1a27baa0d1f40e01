// Hosts and what lies between them: lines, routers, partitions.
//
// Specification
//   * Datagrams may be lost, doubled, late and out of order as the sender's Line says. Streams are
//     reliable and ordered; loss makes them slow.
//   * Nothing arrives across a partition. Streams wait for its end and break after 15 minutes.
//   * A NAT lets in nobody who was not asked; who dials it hears silence.
//   * Delivery is an event of its own: no host is called while it acts.
//   * Bounded by what is in flight and what hosts hold open. What is removed is freed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "leither/sim/host.h"
#include "leither/sim/line.h"
#include "leither/sim/nat.h"
#include "leither/sim/world.h"

namespace leither::sim {

class Streams;

using NatId = Number<struct NatIdTag, std::uint32_t>;
using PartitionId = Number<struct PartitionIdTag, std::uint32_t>;

// Where a host is.
struct Place {
    Endpoint endpoint;           // private if behind a NAT
    std::optional<NatId> nat{};  // else its address is everybody's
    Line line{};
    enum class Accepts : std::uint8_t { nothing, streams };
    Accepts accepts = Accepts::nothing;  // at the port of its endpoint
    Duration clock_offset{0};            // of its clock from the world's
    std::int64_t clock_drift_ppm = 0;    // how much faster it runs; above -1,000,000
};

// What a partition keeps from passing.
enum class Cut : std::uint8_t { both_ways, outbound, inbound };

struct NetworkCounters {
    std::uint64_t datagrams = 0;  // sent
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    std::uint64_t cut = 0;
    std::uint64_t dropped = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t stream_bytes = 0;  // arrived
    std::uint64_t wakes = 0;
};

// What passed one host's line: its datagrams with 28 bytes of IP and UDP each; the bytes of its
// streams, in so many chunks.
struct Traffic {
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_bytes = 0;
    struct OfStreams {
        std::uint64_t bytes = 0;
        std::uint64_t chunks = 0;
    };
    OfStreams streams_sent;
    OfStreams streams_received;
};
inline constexpr std::size_t kHeaderBytes = 28;

class Network {
 public:
    explicit Network(World& world);
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    World& world() { return world_; }

    // ---- Hosts
    NatId add_nat(const IpAddress& outside, const Nat::Options& options = {});
    // Adds a host and starts it. REQUIRES: the endpoint is free.
    HostId add(std::unique_ptr<Host> host, const Place& place);
    // The program ends; the kernel resets its streams.
    void stop(HostId host);
    // Nobody hears of it.
    void crash(HostId host);
    // REQUIRES: it does not run.
    void start(HostId host);
    // A lid is closed: the host neither hears nor acts, and remembers everything. To be resumed.
    // Its streams wait as in a partition.
    void suspend(HostId host);
    void resume(HostId host);
    // Crashes it and frees its place.
    void remove(HostId host);
    bool is_up(HostId host) const;  // it runs and is awake
    Host& host(HostId host) { return *station(host).host; }
    const Host& host(HostId host) const { return *station(host).host; }
    const Place& place(HostId host) const { return station(host).place; }
    std::vector<HostId> hosts() const;  // that run
    const Traffic& traffic(HostId host) const { return station(host).traffic; }

    // Somebody sets the host's clock so much ahead, or back if negative.
    void step_clock(HostId host, Duration by);
    // Opens or shuts its port to who dials; what is open stays.
    void set_accepts(HostId host, Place::Accepts accepts);

    // ---- Faults
    // Between `these` and all others; both_ways, or what they send, or what is sent to them.
    PartitionId split(const std::vector<HostId>& these, Cut cut = Cut::both_ways);
    void heal(PartitionId partition);

    // ---- What can be seen
    // Called with each datagram that arrives, before its host is.
    using Observer = std::function<void(HostId to, const Endpoint& from, ByteView bytes)>;
    void observe(Observer observer) { observer_ = std::move(observer); }
    const NetworkCounters& counters() const { return counters_; }
    // Hands over a datagram as if `from` had sent it.
    void inject(const Endpoint& from, const Endpoint& to, Bytes&& bytes);

 private:
    friend class Wire;
    friend class Streams;

    struct Station {
        std::unique_ptr<Host> host;
        Place place;
        bool is_up = false;
        bool is_asleep = false;
        std::optional<Instant> timer;  // the world's time
        std::uint64_t accepted = 0;    // streams, so far
        std::uint64_t starts = 0;
        std::vector<std::uint64_t> overdue;  // of Wire::after, elapsed in its sleep
        Traffic traffic;
    };
    struct Wait {
        HostId host;
        std::uint64_t start = 0;  // of the host; over with it
        std::uint64_t token = 0;
    };
    struct Packet {
        std::optional<HostId> sender;  // none: injected
        Endpoint from;
        Endpoint to;
        std::optional<NatId> site;  // it stays within
        Bytes bytes;
    };
    struct Partition {
        PartitionId id;
        std::vector<bool> inside;  // by host
        Cut cut = Cut::both_ways;
        bool holds(HostId host) const {
            return host.value() < inside.size() && inside[host.value()];
        }
    };
    struct EndpointHash {
        std::size_t operator()(const Endpoint& endpoint) const;
    };
    using Directory = std::unordered_map<Endpoint, HostId, EndpointHash>;
    class Timers final : public Actor {
     public:
        explicit Timers(Network& network) : network_(network) {}
        void on_event(std::uint64_t token) override {
            network_.on_timer(HostId(static_cast<std::uint32_t>(token)));
        }

     private:
        Network& network_;
    };
    class Arrivals final : public Actor {
     public:
        explicit Arrivals(Network& network) : network_(network) {}
        void on_event(std::uint64_t token) override { network_.on_arrival(token); }

     private:
        Network& network_;
    };

    class Waits final : public Actor {
     public:
        explicit Waits(Network& network) : network_(network) {}
        void on_event(std::uint64_t token) override { network_.on_elapsed(token); }

     private:
        Network& network_;
    };

    Station& station(HostId host);
    const Station& station(HostId host) const;
    Station* find_up(HostId host);
    const Directory& directory(const std::optional<NatId>& site) const;
    Directory& directory(const std::optional<NatId>& site);
    // Calls the host and looks at its deadline afterwards.
    template <class Call>
    void call(HostId id, Call&& what) {
        what(*station(id).host);
        rearm(id);
    }
    void go_down(HostId host, Kind how);
    void rearm(HostId host);
    void on_timer(HostId host);
    void on_arrival(std::uint64_t place);
    void on_elapsed(std::uint64_t place);
    Instant now_of(HostId host) const;
    // How long the world waits while the host's clock does.
    static Duration true_wait(const Place& place, Duration by_its_clock);
    void after(HostId host, Duration delay, std::uint64_t token);
    void end(HostId host);

    void send(HostId from, const Endpoint& to, Bytes&& bytes);
    void fly(Packet&& packet, Duration delay);
    Duration latency(const Place& from, const IpAddress& to);
    bool is_cut(HostId from, HostId to) const;
    // The site that a datagram from there does not leave, if any.
    std::optional<NatId> site_of(const Place& from, const Endpoint& to) const;
    // How the receiver sees who sends from there.
    Endpoint seen_from(const Place& from, const Endpoint& to);
    // Who runs at `to` and can be reached from there.
    std::optional<HostId> receiver(const Endpoint& from, const Endpoint& to,
                                   const std::optional<NatId>& site) const;

    World& world_;
    Prng chance_;
    std::uint64_t geography_;                         // seeds distances
    std::vector<std::unique_ptr<Station>> stations_;  // by HostId; null when removed
    std::vector<Nat> nats_;
    std::map<IpAddress, NatId> nat_at_;
    Directory public_;
    std::vector<Directory> inside_;  // by NatId
    std::vector<Partition> partitions_;
    std::uint32_t last_partition_ = 0;
    std::vector<Packet> packets_;
    std::vector<std::uint64_t> free_packets_;
    std::vector<Wait> waits_;
    std::vector<std::uint64_t> free_waits_;
    Timers timers_;
    Arrivals arrivals_;
    Waits elapsing_;
    Observer observer_;
    NetworkCounters counters_;
    std::unique_ptr<Streams> streams_;
};

}  // namespace leither::sim
