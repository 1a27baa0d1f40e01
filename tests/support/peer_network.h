// Hubs that dial each other in virtual time, and strangers who send them any bytes.
#pragma once

#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/peer/hub.h"

namespace leither::testing {

inline constexpr Instant kNetworkStart = instant_from_unix_ms(1'750'000'000'000);

inline Endpoint endpoint(std::string_view text) {
    const auto parsed = Endpoint::parse(text);
    CHECK(parsed.has_value(), text);
    return *parsed;
}

// Streams are reliable and ordered; each byte takes `latency`. What a host does not read stays in
// the stream; beyond what a kernel would buffer, its sender is told how much that is.
class PeerNetwork {
 public:
    using HostId = std::size_t;
    using StrangerId = std::size_t;
    static constexpr std::size_t kKernelBuffer = 64 << 10;

    Duration latency = std::chrono::milliseconds(10);

    HostId add(peer::HubOptions options, const Endpoint& at) {
        const std::uint64_t seed = 1000 + hosts_.size();
        auto host = std::make_unique<Host>(seed, at);
        options.listen_port = listens(at) ? at.port : std::uint16_t{0};
        host->key = crypto::KeyPair::generate(host->entropy);
        host->options = std::move(options);
        host->hub = std::make_unique<peer::Hub>(host->options, *host->key, host->entropy, Log());
        hosts_.push_back(std::move(host));
        return hosts_.size() - 1;
    }
    // Dials to it are refused, as behind a home router.
    void hide(HostId host) { hosts_[host]->is_hidden = true; }
    void revive(HostId host) { hosts_[host]->is_hidden = false; }
    // Another program with the same key at the same place; the old one is left behind.
    HostId restart(HostId host) {
        Host& old = *hosts_[host];
        const HostId fresh = hosts_.size();
        hosts_.push_back(std::make_unique<Host>(2000 + fresh, old.at));
        Host& now = *hosts_.back();
        now.key = old.key;
        now.options = old.options;
        now.hub = std::make_unique<peer::Hub>(now.options, *now.key, now.entropy, Log());
        old.is_hidden = true;
        return fresh;
    }
    // Of all bytes and when they were sent: equal for equal runs.
    Hash digest() const { return crypto::blake2b_256(trace_.view()); }

    peer::Hub& hub(HostId host) { return *hosts_[host]->hub; }
    const Endpoint& at(HostId host) const { return hosts_[host]->at; }
    Instant now() const { return now_; }
    std::uint64_t bytes_carried() const { return bytes_carried_; }

    void tell(HostId host, peer::Input&& input) {
        Host& told = *hosts_[host];
        carry_out(host, told.hub->step(std::move(input), now_));
        told.hub->check_invariants();
    }
    void learn(HostId host, HostId other, const peer::Context& context,
               peer::Source source = peer::Source::dht) {
        peer::PeerAddress address;
        address.endpoint = at(other);
        address.context = context;
        address.source = source;
        tell(host, peer::Learn{std::move(address)});
    }

    void run_for(Duration duration) {
        const Instant end = now_ + duration;
        for (std::size_t still = 0;;) {
            const auto [at, host] = next_deadline();
            const bool has_event = !events_.empty() && events_.begin()->first.first <= end;
            const bool has_tick = at && *at <= end;
            if (!has_event && !has_tick) break;
            const Instant before = now_;
            if (has_event && (!has_tick || events_.begin()->first.first <= *at)) {
                run_event();
            } else {
                now_ = std::max(now_, *at);
                tell(host, peer::Tick{});
            }
            still = now_ == before ? still + 1 : 0;
            CHECK(still < 1'000'000, "time stands still");
        }
        now_ = end;
    }

    // Everything told so far, and forgotten by this call.
    std::vector<peer::Event> events(HostId host) { return std::exchange(hosts_[host]->events, {}); }
    template <class T>
    std::vector<T> events_of(HostId host) {
        std::vector<T> found;
        for (peer::Event& event : hosts_[host]->events) {
            if (auto* held = std::get_if<T>(&event)) found.push_back(*held);
        }
        return found;
    }
    std::size_t dials(HostId host) const { return hosts_[host]->dials; }

    // ---- Faults
    // Bytes to and from `host` stop; nobody is told. Undone by `reconnect`.
    void cut_off(HostId host) { cut_off_.insert(host); }
    void reconnect(HostId host) { cut_off_.erase(host); }
    // The host's process is gone: its streams break.
    void kill(HostId host) {
        hosts_[host]->is_hidden = true;
        for (auto& [id, end] : ends_) {
            if (end.owner == host && end.is_open) break_off(id);
        }
    }
    // The host reads nothing from any stream, whatever its hub wants. Undone by `start_reading`.
    void stop_reading(HostId host) { hosts_[host]->is_deaf = true; }
    void start_reading(HostId host) {
        hosts_[host]->is_deaf = false;
        for (const auto& [id, end] : ends_) {
            if (end.owner == host) schedule({Event::Kind::arrives, id, {}});
        }
    }
    // One of the host's streams breaks; both sides learn of it.
    void break_a_stream(HostId host, Prng& lots) {
        std::vector<EndId> open;
        for (const auto& [id, end] : ends_) {
            if (end.owner == host && end.is_open) open.push_back(id);
        }
        if (open.empty()) return;
        const EndId broken = open[lots.below(open.size())];
        schedule({Event::Kind::broken, broken, {}});
        schedule({Event::Kind::broken, ends_[broken].other, {}});
    }
    // From now on what is written arrives in pieces of up to so many bytes.
    void cut_into_pieces(std::size_t bytes_max) { piece_max_ = bytes_max; }

    // ---- Strangers
    StrangerId stranger(HostId host, const Endpoint& from) {
        const auto [mine, theirs] = make_stream(kStranger, host);
        ends_[mine].connection = {};
        accept(theirs, from);
        strangers_.push_back(mine);
        return strangers_.size() - 1;
    }
    void write(StrangerId stranger, ByteView bytes) {
        push(strangers_[stranger], Bytes(bytes.begin(), bytes.end()));
    }
    void hang_up(StrangerId stranger) { break_off(strangers_[stranger]); }
    Bytes read(StrangerId stranger) {
        return std::exchange(ends_[strangers_[stranger]].received, {});
    }
    bool is_closed(StrangerId stranger) const { return !ends_.at(strangers_[stranger]).is_open; }

 private:
    using EndId = std::uint64_t;
    static constexpr HostId kStranger = ~HostId{0};

    struct Host {
        Host(std::uint64_t seed, const Endpoint& where) : entropy(seed), at(where) {}
        Prng entropy;
        Endpoint at;
        std::optional<crypto::KeyPair> key;
        peer::HubOptions options;
        std::unique_ptr<peer::Hub> hub;
        std::vector<peer::Event> events;
        std::map<peer::ConnectionId, EndId> ends;
        std::size_t dials = 0;
        bool is_hidden = false;
        bool is_deaf = false;
    };
    struct End {
        HostId owner = kStranger;
        peer::ConnectionId connection;
        EndId other = 0;
        bool is_open = false;
        bool is_reading = true;
        bool ends_after_flush = false;
        std::size_t queued = 0;     // sent from here, not yet read there
        std::deque<Bytes> arrived;  // not yet read here
        Bytes received;             // a stranger's
    };
    struct Event {
        enum class Kind : std::uint8_t { dialed, buffered, arrives, broken };
        Kind kind = Kind::arrives;
        EndId end = 0;
        Bytes bytes;
    };

    static bool listens(const Endpoint& at) { return at.port != 0; }

    std::pair<std::optional<Instant>, HostId> next_deadline() const {
        std::pair<std::optional<Instant>, HostId> next;
        for (HostId host = 0; host < hosts_.size(); ++host) {
            const auto at = hosts_[host]->hub->next_deadline();
            if (at && (!next.first || *at < *next.first)) next = {at, host};
        }
        return next;
    }

    void schedule(Event event) {
        events_.emplace(std::pair(now_ + latency, ++last_event_), std::move(event));
    }

    std::pair<EndId, EndId> make_stream(HostId from, HostId to) {
        const EndId mine = ++last_end_;
        const EndId theirs = ++last_end_;
        ends_[mine].owner = from;
        ends_[mine].other = theirs;
        ends_[theirs].owner = to;
        ends_[theirs].other = mine;
        return {mine, theirs};
    }

    void accept(EndId end, const Endpoint& from) {
        End& accepted = ends_[end];
        Host& host = *hosts_[accepted.owner];
        accepted.connection = peer::ConnectionId(peer::kAccepted.value() + ++last_accepted_);
        accepted.is_open = true;
        ends_[accepted.other].is_open = true;
        host.ends[accepted.connection] = end;
        tell(accepted.owner, peer::Accepted{accepted.connection, from});
    }

    void carry_out(HostId id, peer::Effects fx) {
        Host& host = *hosts_[id];
        for (const peer::Dial& dial : fx.dials) start_dial(id, dial);
        for (peer::Write& write : fx.writes) {
            const auto end = host.ends.find(write.id);
            if (end != host.ends.end()) push(end->second, std::move(write.bytes));
        }
        for (const peer::SetReading& reading : fx.reading) {
            const auto end = host.ends.find(reading.id);
            if (end == host.ends.end()) continue;
            ends_[end->second].is_reading = reading.to == peer::SetReading::To::resumed;
            // A read at once would be a step within a step.
            schedule({Event::Kind::arrives, end->second, {}});
        }
        for (const peer::Close& close : fx.closes) {
            const auto at = host.ends.find(close.id);
            if (at == host.ends.end()) continue;
            End& end = ends_[at->second];
            if (close.how == peer::Close::How::after_flush && end.queued > 0) {
                end.ends_after_flush = true;
                end.is_reading = false;
            } else {
                break_off(at->second);
            }
        }
        for (peer::Event& event : fx.events) host.events.push_back(std::move(event));
    }

    void start_dial(HostId id, const peer::Dial& dial) {
        Host& host = *hosts_[id];
        ++host.dials;
        HostId to = kStranger;
        for (HostId other = 0; other < hosts_.size(); ++other) {
            if (hosts_[other]->at == dial.endpoint && !hosts_[other]->is_hidden) to = other;
        }
        if (cut_off_.contains(id) || cut_off_.contains(to)) return;  // silence
        const auto [mine, theirs] = make_stream(id, to);
        ends_[mine].connection = dial.id;
        host.ends[dial.id] = mine;
        schedule({Event::Kind::dialed, mine, {}});
    }

    void push(EndId id, Bytes bytes) {
        End& end = ends_[id];
        if (!end.is_open || bytes.empty()) return;
        end.queued += bytes.size();
        bytes_carried_ += bytes.size();
        trace_.little_endian(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
        trace_.raw(bytes);
        for (ByteView rest(bytes); !rest.empty();) {
            const ByteView piece = rest.first(std::min(rest.size(), piece_max_));
            rest = rest.subspan(piece.size());
            schedule({Event::Kind::arrives, end.other, Bytes(piece.begin(), piece.end())});
        }
        schedule({Event::Kind::buffered, id, {}});
    }

    // Both ends are gone at once; the other side learns after the latency.
    void break_off(EndId id) {
        End& end = ends_[id];
        if (!end.is_open) return;
        end.is_open = false;
        schedule({Event::Kind::broken, end.other, {}});
    }

    void run_event() {
        const auto first = events_.begin();
        now_ = std::max(now_, first->first.first);
        Event event = std::move(first->second);
        events_.erase(first);
        switch (event.kind) {
            case Event::Kind::dialed: return on_dialed(event.end);
            case Event::Kind::buffered: return taken(event.end);
            case Event::Kind::arrives: return on_arrival(event.end, std::move(event.bytes));
            case Event::Kind::broken: return on_broken(event.end);
        }
    }

    void on_dialed(EndId id) {
        const End end = ends_[id];
        const HostId to = ends_[end.other].owner;
        if (to == kStranger) return tell(end.owner, peer::Closed{end.connection});
        // The port of a dialer is any.
        accept(end.other, Endpoint{hosts_[end.owner]->at.address,
                                   static_cast<std::uint16_t>(40'000 + id % 20'000)});
        if (ends_[id].is_open) tell(end.owner, peer::Opened{end.connection});
    }

    void on_arrival(EndId id, Bytes bytes) {
        End& end = ends_[id];
        if (!end.is_open) return;
        if (!bytes.empty()) end.arrived.push_back(std::move(bytes));
        const bool is_cut =
            cut_off_.contains(end.owner) || cut_off_.contains(ends_[end.other].owner);
        if (is_cut) {
            end.arrived.clear();
            return;
        }
        if (end.owner != kStranger && hosts_[end.owner]->is_deaf) return;
        while (end.is_open && (end.is_reading || end.ends_after_flush) && !end.arrived.empty()) {
            const Bytes next = std::move(end.arrived.front());
            end.arrived.pop_front();
            ends_[end.other].queued -= next.size();
            if (end.owner == kStranger) {
                end.received.insert(end.received.end(), next.begin(), next.end());
            } else if (end.is_reading) {
                tell(end.owner, peer::Received{end.connection, next});
            }
            taken(end.other);
        }
    }

    // The kernel has bytes of what was sent here, or the other side has read some.
    void taken(EndId id) {
        const End end = ends_[id];
        if (!end.is_open) return;
        if (end.ends_after_flush) {
            if (end.queued == 0) break_off(id);
        } else if (end.owner != kStranger) {
            const std::size_t waits = end.queued > kKernelBuffer ? end.queued - kKernelBuffer : 0;
            tell(end.owner, peer::Sent{end.connection, waits});
        }
    }

    void on_broken(EndId id) {
        End& end = ends_[id];
        if (!end.is_open) return;
        if (cut_off_.contains(end.owner) || cut_off_.contains(ends_[end.other].owner)) return;
        end.is_open = false;
        if (end.owner != kStranger) tell(end.owner, peer::Closed{end.connection});
    }

    Instant now_ = kNetworkStart;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::map<EndId, End> ends_;
    std::vector<EndId> strangers_;
    std::map<std::pair<Instant, std::uint64_t>, Event> events_;
    std::set<HostId> cut_off_;
    std::size_t piece_max_ = std::numeric_limits<std::size_t>::max();
    std::uint64_t last_event_ = 0;
    EndId last_end_ = 0;
    std::uint64_t last_accepted_ = 0;
    std::uint64_t bytes_carried_ = 0;
    bcs::Writer trace_;
};

}  // namespace leither::testing
