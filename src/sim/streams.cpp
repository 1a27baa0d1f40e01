#include "streams.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

constexpr std::uint16_t kFirstPort = 40'000;
constexpr std::uint16_t kPorts = 20'000;

}  // namespace

// ---- Events

void Streams::schedule(Instant at, Event&& event) {
    std::uint64_t place = events_.size();
    if (free_events_.empty()) {
        events_.push_back(std::move(event));
    } else {
        place = free_events_.back();
        free_events_.pop_back();
        events_[place] = std::move(event);
    }
    world_.schedule(at, *this, place);
}

void Streams::on_event(std::uint64_t token) {
    Event event = std::move(events_[token]);
    free_events_.push_back(token);
    carry_out(std::move(event));
}

void Streams::carry_out(Event&& event) {
    const EndId id = event.end;
    End* end = find(id);
    if (end == nullptr) return on_nobody(std::move(event));
    const bool is_received =
        event.what == What::arrives || event.what == What::ends || event.what == What::reads;
    if (!is_received && !network_.is_up(end->owner)) {
        return schedule(world_.now() + kRetryMin, std::move(event));
    }
    switch (event.what) {
        case What::dialed: return on_dialed(id, event.count);
        case What::answered: return on_answered(id);
        case What::arrives: return on_arrives(id, std::move(event.bytes));
        case What::confirmed: return on_confirmed(id, event.count);
        case What::taken:
            if (end->is_forgotten || !end->is_open) return;
            return network_.call(end->owner,
                                 [&](Host& host) { host.on_sent(end->id, end->unsent_bytes); });
        case What::pushed: end->retries = false; return push(id);
        case What::ends: end->has_end = true; return deliver(id);
        case What::breaks: return on_breaks(id);
        case What::reads: return deliver(id);
    }
    UNREACHABLE();
}

Streams::End* Streams::find(EndId id) {
    const auto found = ends_.find(id);
    return found == ends_.end() ? nullptr : &found->second;
}

Streams::EndId Streams::id_of(HostId host, StreamId id) const {
    const auto found = by_stream_.find({host, id});
    return found == by_stream_.end() ? EndId{0} : found->second;
}

Streams::End* Streams::find(HostId host, StreamId id) {
    return find(id_of(host, id));
}

Duration Streams::latency(const End& end) {
    return network_.latency(network_.place(end.owner), end.peer.address);
}

bool Streams::is_cut(const End& end) {
    const End* other = find(end.other);
    return other != nullptr && network_.is_cut(end.owner, other->owner);
}

// ---- What hosts do

void Streams::dial(HostId host, StreamId id, const Endpoint& to) {
    CHECK(id < kAccepted && id_of(host, id) == 0, "a stream's number is used twice");
    const Place& place = network_.place(host);
    const EndId mine = ++last_end_;
    End& end = ends_[mine];
    end.owner = host;
    end.id = id;
    end.peer = to;
    end.site = network_.site_of(place, to);
    const bool is_outside = place.nat && !end.site;
    end.own = {is_outside ? network_.nats_[place.nat->value()].outside() : place.endpoint.address,
               static_cast<std::uint16_t>(kFirstPort + ++last_port_ % kPorts)};
    by_stream_[{host, id}] = mine;
    schedule(world_.now() + latency(end), {What::dialed, mine, 1, {}});
}

void Streams::write(HostId host, StreamId id, Bytes&& bytes) {
    const EndId mine = id_of(host, id);
    End* end = find(mine);
    if (end == nullptr || bytes.empty() || end->ending != Ending::open) return;
    end->unsent_bytes += bytes.size();
    end->unsent.push_back(std::move(bytes));
    if (end->is_open) push(mine);
}

void Streams::set_reading(HostId host, StreamId id, Reading reading) {
    const EndId mine = id_of(host, id);
    End* end = find(mine);
    if (end == nullptr) return;
    end->is_reading = reading == Reading::resumed;
    if (end->is_reading) schedule(world_.now(), {What::reads, mine, 0, {}});
}

void Streams::finish(HostId host, StreamId id) {
    const EndId mine = id_of(host, id);
    End* end = find(mine);
    if (end == nullptr || end->ending != Ending::open) return;
    end->ending = Ending::finishing;
    if (end->is_open) push(mine);
}

void Streams::close(HostId host, StreamId id) {
    const EndId mine = id_of(host, id);
    End* end = find(mine);
    if (end == nullptr) return;
    if (!end->is_open) return reset(host, id);
    end->is_forgotten = true;
    finish(host, id);
    end = find(mine);
    if (end != nullptr && end->ending == Ending::finished) erase(mine);
}

void Streams::reset(HostId host, StreamId id) {
    const EndId mine = id_of(host, id);
    End* end = find(mine);
    if (end == nullptr) return;
    break_other(*end);
    erase(mine);
}

void Streams::host_stopped(HostId host) {
    std::vector<StreamId> its;
    for (const auto& [stream, end] : by_stream_) {
        if (stream.first == host) its.push_back(stream.second);
    }
    for (const StreamId id : its) reset(host, id);
}

void Streams::host_crashed(HostId host) {
    std::vector<EndId> its;
    for (const auto& [stream, end] : by_stream_) {
        if (stream.first == host) its.push_back(end);
    }
    for (const EndId id : its) erase(id);
}

// ---- Dialing

void Streams::on_dialed(EndId id, std::uint64_t tries) {
    End& end = *find(id);
    const auto to = network_.receiver(end.own, end.peer, end.site);
    const bool is_lost = chance_.chance(network_.place(end.owner).line.loss_per_mille, 1000);
    if (to && !is_lost && !network_.is_cut(end.owner, *to)) return answer_dial(id, *to);
    if (tries >= kDialsMax) {
        world_.note({Kind::refused, end.own, end.peer, {}});
        return lose(id);
    }
    schedule(world_.now() + kRetryMin * (1 << (tries - 1)), {What::dialed, id, tries + 1, {}});
}

void Streams::answer_dial(EndId id, HostId to) {
    Network::Station& station = network_.station(to);
    End& dialer = *find(id);
    const Instant back = world_.now() + network_.latency(station.place, dialer.own.address);
    if (station.place.accepts != Place::Accepts::streams) {
        world_.note({Kind::refused, dialer.own, dialer.peer, {}});
        return schedule(back, {What::breaks, id, 0, {}});
    }
    const EndId theirs = ++last_end_;
    End& end = ends_[theirs];
    end.owner = to;
    end.id = StreamId(kAccepted.value() + station.accepted++);
    end.other = id;
    end.own = dialer.peer;
    end.peer = dialer.own;
    end.site = dialer.site;
    end.peer_host = dialer.owner;
    end.is_open = true;
    dialer.other = theirs;
    dialer.peer_host = to;
    by_stream_[{to, end.id}] = theirs;
    world_.note({Kind::accepted, dialer.own, dialer.peer, {}});
    // The dialer's first bytes find the end in place.
    end.last_arrival = back;
    schedule(back, {What::answered, id, 0, {}});
    network_.call(
        to, [stream = end.id, from = end.peer](Host& host) { host.on_accepted(stream, from); });
}

void Streams::on_answered(EndId id) {
    End& end = *find(id);
    end.is_open = true;
    network_.call(end.owner, [stream = end.id](Host& host) { host.on_opened(stream); });
    if (find(id) != nullptr) push(id);
    deliver(id);
}

// ---- Sending

void Streams::push(EndId id) {
    End* end = find(id);
    if (!end->is_open) return;
    const bool has_more = end->unsent_bytes > 0 || end->ending == Ending::finishing;
    if (!has_more) return;
    if (is_cut(*end)) return retry(id);
    end->stalled_since.reset();
    end->retry = Duration(0);
    const std::size_t before = end->unsent_bytes;
    while (end->unsent_bytes > 0 && end->unconfirmed < kWindowBytes) send_chunk(id);
    if (end->unsent_bytes != before) schedule(world_.now(), {What::taken, id, 0, {}});
    if (end->unsent_bytes == 0 && end->ending == Ending::finishing) send_end(id);
}

void Streams::retry(EndId id) {
    End& end = *find(id);
    if (!end.stalled_since) end.stalled_since = world_.now();
    if (world_.now() - *end.stalled_since >= kGiveUp) return lose(id);
    if (std::exchange(end.retries, true)) return;
    end.retry = std::clamp(2 * end.retry, kRetryMin, kRetryMax);
    schedule(world_.now() + end.retry, {What::pushed, id, 0, {}});
}

void Streams::send_chunk(EndId id) {
    End& end = *find(id);
    Bytes& first = end.unsent.front();
    Bytes chunk;
    if (first.size() <= kChunkBytes) {
        chunk = std::move(first);
        end.unsent.pop_front();
    } else {
        const auto cut = first.begin() + static_cast<Bytes::difference_type>(kChunkBytes);
        chunk.assign(first.begin(), cut);
        first.erase(first.begin(), cut);
    }
    end.unsent_bytes -= chunk.size();
    end.unconfirmed += chunk.size();
    Network::Station& owner = network_.station(end.owner);
    owner.traffic.streams_sent.bytes += chunk.size();
    ++owner.traffic.streams_sent.chunks;
    const Line& line = owner.place.line;
    const auto micros = chunk.size() * 1'000'000 / line.bytes_per_second;
    end.line_free_at =
        std::max(end.line_free_at, world_.now()) + Duration(static_cast<Duration::rep>(micros));
    Instant at = end.line_free_at + latency(end);
    while (chance_.chance(line.loss_per_mille, 1000)) at += kRetransmission;
    end.last_arrival = std::max(end.last_arrival, at);
    schedule(end.last_arrival, {What::arrives, end.other, id, std::move(chunk)});
}

void Streams::send_end(EndId id) {
    End& end = *find(id);
    end.ending = Ending::finished;
    end.last_arrival = std::max(end.last_arrival, world_.now() + latency(end));
    schedule(end.last_arrival, {What::ends, end.other, id, {}});
    if (end.is_forgotten) erase(id);
}

// ---- Receiving

void Streams::on_arrives(EndId id, Bytes&& bytes) {
    End& end = *find(id);
    network_.counters_.stream_bytes += bytes.size();
    auto& received = network_.station(end.owner).traffic.streams_received;
    received.bytes += bytes.size();
    ++received.chunks;
    world_.note({Kind::bytes, end.peer, end.own, bytes});
    // Its owner reads no more: as a kernel does, the other side is told so.
    if (end.is_forgotten) return break_other(end);
    end.unread.push_back(std::move(bytes));
    deliver(id);
}

void Streams::deliver(EndId id) {
    for (End* end = find(id); end != nullptr; end = find(id)) {
        if (!end->is_reading || !end->is_open || end->is_forgotten) return;
        if (!network_.is_up(end->owner)) {
            return schedule(world_.now() + kRetryMin, {What::reads, id, 0, {}});
        }
        if (end->unread.empty()) break;
        const Bytes next = std::move(end->unread.front());
        end->unread.pop_front();
        schedule(world_.now() + latency(*end), {What::confirmed, end->other, next.size(), {}});
        network_.call(end->owner,
                      [&, stream = end->id](Host& host) { host.on_received(stream, next); });
    }
    End* end = find(id);
    if (end == nullptr || !std::exchange(end->has_end, false)) return;
    world_.note({Kind::ended, end->peer, end->own, {}});
    network_.call(end->owner, [stream = end->id](Host& host) { host.on_ended(stream); });
}

void Streams::on_confirmed(EndId id, std::uint64_t count) {
    End& end = *find(id);
    const End* reader = find(end.other);
    if (reader != nullptr && network_.is_cut(reader->owner, end.owner)) {
        return schedule(world_.now() + kRetryMin, {What::confirmed, id, count, {}});
    }
    end.unconfirmed -= count;
    push(id);
}

// ---- The end

// The end that this is for is gone. A kernel that lives says so; else the sender tries until it
// gives up.
void Streams::on_nobody(Event&& event) {
    if (event.what != What::arrives && event.what != What::ends) return;
    const EndId id = event.count;
    End* sender = find(id);
    if (sender == nullptr) return;
    if (network_.is_up(sender->peer_host)) {
        return schedule(world_.now() + latency(*sender), {What::breaks, id, 0, {}});
    }
    if (!sender->stalled_since) sender->stalled_since = world_.now();
    if (world_.now() - *sender->stalled_since >= kGiveUp) return lose(id);
    schedule(world_.now() + kRetryMax, std::move(event));
}

void Streams::break_other(const End& end) {
    if (end.other == 0 || is_cut(end)) return;
    schedule(world_.now() + network_.latency(network_.place(end.owner), end.peer.address),
             {What::breaks, end.other, 0, {}});
}

void Streams::on_breaks(EndId id) {
    const End& end = *find(id);
    world_.note({Kind::reset, end.peer, end.own, {}});
    lose(id);
}

void Streams::lose(EndId id) {
    const End end = std::move(*find(id));
    erase(id);
    if (end.is_forgotten) return;
    network_.call(end.owner, [&](Host& host) { host.on_closed(end.id); });
}

void Streams::erase(EndId id) {
    const auto found = ends_.find(id);
    by_stream_.erase({found->second.owner, found->second.id});
    ends_.erase(found);
}

}  // namespace leither::sim
