// Streams between hosts, as TCP gives them: reliable, ordered, slowed by bandwidth, loss and slow
// readers; half closed, reset, given up.
//
// What is sent goes in chunks while no more than a window is unread or unconfirmed. A lost chunk is
// a late one, and all after it. Routers keep a stream's mapping as long as it lives.
#pragma once

#include <deque>

#include "leither/sim/network.h"

namespace leither::sim {

class Streams final : public Actor {
 public:
    static constexpr std::size_t kChunkBytes = std::size_t{16} << 10;
    static constexpr std::size_t kWindowBytes = std::size_t{64} << 10;
    static constexpr Duration kRetransmission = std::chrono::milliseconds(200);
    static constexpr Duration kRetryMin = std::chrono::seconds(1);
    static constexpr Duration kRetryMax = std::chrono::seconds(16);
    static constexpr Duration kGiveUp = std::chrono::minutes(15);
    static constexpr unsigned kDialsMax = 5;  // tries, the last after 15 s

    explicit Streams(Network& network)
        : network_(network), world_(network.world()), chance_(world_.stream("streams")) {}

    void dial(HostId host, StreamId id, const Endpoint& to);
    void write(HostId host, StreamId id, Bytes&& bytes);
    void set_reading(HostId host, StreamId id, Reading reading);
    void finish(HostId host, StreamId id);
    void close(HostId host, StreamId id);
    void reset(HostId host, StreamId id);
    void host_stopped(HostId host);
    void host_crashed(HostId host);

    void on_event(std::uint64_t token) override;

 private:
    using EndId = std::uint64_t;
    enum class Ending : std::uint8_t { open, finishing, finished };
    struct End {
        HostId owner;
        StreamId id;
        EndId other = 0;  // 0 while it is dialed
        Endpoint own;     // as the other side sees it
        Endpoint peer;
        HostId peer_host;
        std::optional<NatId> site;
        bool is_open = false;
        bool is_reading = true;
        bool is_forgotten = false;  // by its owner; goes when all is sent
        Ending ending = Ending::open;

        std::deque<Bytes> unsent;
        std::size_t unsent_bytes = 0;
        std::size_t unconfirmed = 0;
        Instant line_free_at;
        Instant last_arrival;
        std::optional<Instant> stalled_since;
        Duration retry{0};
        bool retries = false;  // an event is under way

        std::deque<Bytes> unread;
        bool has_end = false;  // the other side has said all, behind `unread`
    };
    enum class What : std::uint8_t {
        dialed,     // reaches the other host
        answered,   // the dialer learns
        arrives,    // bytes
        confirmed,  // the sender learns of `count` bytes read
        taken,      // the owner learns what waits
        pushed,     // tries again
        ends,       // the other side has said all
        breaks,     // the other side, or what was between, is gone
        reads,      // what waits for its reader
    };
    struct Event {
        What what = What::arrives;
        EndId end = 0;
        std::uint64_t count = 0;  // tries, bytes; of arrives and ends: the sender's end
        Bytes bytes;
    };

    End* find(EndId id);
    End* find(HostId host, StreamId id);
    EndId id_of(HostId host, StreamId id) const;
    void schedule(Instant at, Event&& event);
    void carry_out(Event&& event);

    void on_dialed(EndId id, std::uint64_t tries);
    void answer_dial(EndId id, HostId to);
    void on_answered(EndId id);
    void on_arrives(EndId id, Bytes&& bytes);
    void on_confirmed(EndId id, std::uint64_t count);
    void on_breaks(EndId id);
    void on_nobody(Event&& event);
    void push(EndId id);
    void retry(EndId id);
    void send_chunk(EndId id);
    void send_end(EndId id);
    void deliver(EndId id);
    void break_other(const End& end);
    // Forgets it and tells its owner.
    void lose(EndId id);
    void erase(EndId id);
    Duration latency(const End& end);
    bool is_cut(const End& end);

    Network& network_;
    World& world_;
    Prng chance_;
    std::map<EndId, End> ends_;
    std::map<std::pair<HostId, StreamId>, EndId> by_stream_;
    EndId last_end_ = 0;
    std::uint16_t last_port_ = 0;
    std::vector<Event> events_;
    std::vector<std::uint64_t> free_events_;
};

}  // namespace leither::sim
