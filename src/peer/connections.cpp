// A connection's life: half-open, authenticated, up, gone.
#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "hub_impl.h"

namespace leither::peer {

namespace {

// Up for less than this, a dialed connection counts as a failure of its address.
constexpr Duration kFlapping = std::chrono::minutes(1);

}  // namespace

Link* Hub::Impl::find(ConnectionId id) {
    const auto at = links.find(id);
    return at == links.end() ? nullptr : &at->second;
}

Link* Hub::Impl::find(const Id& node) {
    const auto at = by_node.find(node);
    return at == by_node.end() ? nullptr : find(at->second);
}

std::size_t Hub::Impl::established() const {
    return by_node.size();
}

std::size_t Hub::Impl::half_open() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        links, [](const auto& entry) { return entry.second.is_half_open(); }));
}

std::set<Id> Hub::Impl::privileged() const {
    std::set<Id> nodes = reserved;
    for (const auto& [endpoint, known] : table.all()) {
        if (known.source == Source::configured && known.node) nodes.insert(*known.node);
    }
    return nodes;
}

bool Hub::Impl::has_peers() const {
    return std::ranges::any_of(
        links, [](const auto& entry) { return entry.second.stage == Link::Stage::up; });
}

// ---- Inputs from the host

void Hub::Impl::on(const Accepted& accepted, Instant now, Effects& fx) {
    CHECK(accepted.id >= kAccepted && !links.contains(accepted.id));
    if (contexts.empty()) {
        fx.closes.push_back({accepted.id, Close::How::abort});
        return;
    }
    crowd_out(accepted.from, now, fx);
    Link& link =
        links.emplace(accepted.id, Link(options, accepted.id, accepted.from, now)).first->second;
    link.session = Session::accept(identity, contexts, entropy);
}

// Makes one half-open place, if there is none left in the newcomer's block or at all.
void Hub::Impl::crowd_out(const Endpoint& from, Instant now, Effects& fx) {
    struct Crowd {
        std::size_t size = 0;
        ConnectionId oldest;
    };
    std::map<IpAddress, Crowd> crowds;
    std::size_t total = 0;
    // Accepted connections are numbered as they come.
    for (const auto& [id, link] : links) {
        if (!link.is_half_open()) continue;
        ++total;
        Crowd& crowd = crowds[link.remote.address.block()];
        if (crowd.size++ == 0) crowd.oldest = id;
    }
    const Crowd& own = crowds[from.address.block()];
    const bool block_is_full = own.size >= options.half_open_per_block_max;
    if (!block_is_full && total < options.half_open_max) return;
    const auto largest =
        std::ranges::max_element(crowds, {}, [](const auto& entry) { return entry.second.size; });
    ++crowded_out;
    drop(*find(block_is_full ? own.oldest : largest->second.oldest), CloseReason::crowded_out, now,
         fx);
}

void Hub::Impl::on(const Opened& opened, Instant now, Effects& fx) {
    Link* link = find(opened.id);
    if (link == nullptr || link->stage != Link::Stage::dialing) return;
    link->stage = Link::Stage::handshaking;
    link->began = now;
    link->last_received = now;
    link->session = Session::dial(identity, link->target, entropy);
    write(*link, link->session->start().write, now, fx);
}

void Hub::Impl::on(const Received& received, Instant now, Effects& fx) {
    Link* link = find(received.id);
    if (link == nullptr || !link->session) return;
    link->bytes_in += received.bytes.size();
    link->last_received = now;
    link->pong_by.reset();
    Session::Step step = link->session->receive(received.bytes);
    write(*link, std::move(step.write), now, fx);
    if (link->session->is_established() && link->stage == Link::Stage::handshaking) {
        if (!admit(*link, now, fx)) return;
    }
    const std::size_t count = step.messages.size();
    for (protocol::PeerMessage& message : step.messages) {
        if (!hear(*link, std::move(message), now, fx)) return;
    }
    if (step.close) return drop(*link, *step.close, now, fx);
    if (link->is_authenticated()) charge(*link, received.bytes.size(), count, now, fx);
}

void Hub::Impl::on(const Sent& sent, Instant now, Effects& fx) {
    Link* link = find(sent.id);
    if (link == nullptr) return;
    if (sent.queued < link->in_flight) link->progress = now;
    link->in_flight = sent.queued;
    flush(*link, now, fx);
}

void Hub::Impl::on(const Closed& closed, Instant now, Effects& fx) {
    Link* link = find(closed.id);
    if (link == nullptr) return;
    const bool was_open = link->stage != Link::Stage::dialing;
    drop(*link, was_open ? CloseReason::lost : CloseReason::unreachable, now, fx);
}

// ---- Authenticated

bool Hub::Impl::admit(Link& link, Instant now, Effects& fx) {
    const Authenticated& remote = link.session->remote();
    if (link.probe) {
        drop(link, CloseReason::not_needed, now, fx);
        return false;
    }
    if (link.is_outbound() && remote.node != identity.node.id()) {
        table.succeeded(link.remote, remote, now);
    }
    if (const auto reason = objection(link, now)) {
        drop(link, *reason, now, fx);
        return false;
    }
    if (!settle_duplicate(link, now, fx)) return false;
    if (!make_slot(link, now, fx)) {
        drop(link, CloseReason::full, now, fx);
        return false;
    }
    greet(link, now, fx);
    return true;
}

std::optional<CloseReason> Hub::Impl::objection(const Link& link, Instant now) const {
    const Authenticated& remote = link.session->remote();
    if (remote.node == identity.node.id()) return CloseReason::to_self;
    if (conduct.banned_until(remote.node, now)) return CloseReason::banned;
    // Served when the handshake began, but no longer.
    if (std::ranges::find(contexts, remote.context) == contexts.end()) {
        return CloseReason::unknown_context;
    }
    return std::nullopt;
}

// Leaves one connection to the node. False if it is the other one, and `link` is gone.
bool Hub::Impl::settle_duplicate(Link& link, Instant now, Effects& fx) {
    Link* other = find(link.session->remote().node);
    if (other == nullptr) return true;
    const bool is_simultaneous = now - other->authenticated_at < options.simultaneous;
    const bool other_stays =
        is_simultaneous && other->session->remote().handshake < link.session->remote().handshake;
    drop(other_stays ? link : *other, CloseReason::duplicate, now, fx);
    return !other_stays;
}

// Finds a place among the established. Privileged nodes displace others; strangers who dialed us
// may fill only what our own dials do not need, and one of bad standing gives way to them.
bool Hub::Impl::make_slot(const Link& link, Instant now, Effects& fx) {
    const Census census = count(link, now);
    const bool is_full = established() >= options.connections_max;
    const std::size_t common_max = options.connections_max - options.reserved_max;
    const std::size_t for_dials =
        std::min(options.outbound_target * contexts.size(), common_max / 2);
    if (census.is_privileged) {
        if (!is_full) return true;
        if (!census.worst_inbound) return false;
    } else if (link.is_outbound()) {
        return !is_full && census.common < common_max;
    } else {
        const bool is_crowded = link.remote.address.is_global() &&
                                census.inbound_of_block >= options.inbound_per_block_max;
        if (is_crowded) return false;
        if (!is_full && census.inbound < common_max - for_dials) return true;
        if (!census.worst_inbound || census.worst_score >= 0) return false;
    }
    drop(*find(*census.worst_inbound), CloseReason::full, now, fx);
    return true;
}

Hub::Impl::Census Hub::Impl::count(const Link& newcomer, Instant now) const {
    const std::set<Id> others_first = privileged();
    const IpAddress block = newcomer.remote.address.block();
    Census census;
    census.is_privileged = others_first.contains(newcomer.session->remote().node);
    for (const auto& [node, id] : by_node) {
        if (others_first.contains(node)) continue;
        ++census.common;
        const Link& link = links.at(id);
        if (link.is_outbound()) continue;
        ++census.inbound;
        if (link.remote.address.block() == block) ++census.inbound_of_block;
        const std::int32_t score = conduct.score(node, now);
        if (census.worst_inbound && score >= census.worst_score) continue;
        census.worst_inbound = id;
        census.worst_score = score;
    }
    return census;
}

void Hub::Impl::greet(Link& link, Instant now, Effects& fx) {
    link.stage = Link::Stage::greeting;
    link.authenticated_at = now;
    by_node[link.session->remote().node] = link.id;
    protocol::Hello hello;
    hello.agent = decltype(hello.agent)(options.agent.substr(0, decltype(hello.agent)::kMax));
    hello.listen_port = options.listen_port;
    hello.features = options.features;
    hello.observed = protocol::WireEndpoint::of(link.remote);
    send(link, hello, now, fx);
}

// ---- Gone

void Hub::Impl::drop(Link& link, CloseReason reason, Instant now, Effects& fx) {
    const ConnectionId id = link.id;
    const bool was_up = link.stage == Link::Stage::up;
    std::optional<Id> node;
    if (link.is_authenticated()) node = link.session->remote().node;
    log.debug("connection_closed", "endpoint={} reason={}", link.remote.text(), to_string(reason));

    if (reason != CloseReason::lost && reason != CloseReason::unreachable) {
        say_goodbye(link, reason, fx);
    } else if (link.stage == Link::Stage::dialing) {
        fx.closes.push_back({id, Close::How::abort});
    }
    if (link.probe) {
        end_probe(link, reason, now, fx);
    } else if (link.is_outbound()) {
        note_end_of_dial(link, reason, now);
    }
    const std::size_t unsent = link.outbox.messages();
    count_end(link, reason);
    if (node) by_node.erase(*node);
    links.erase(id);
    plan_soon(now);
    if (!node) return;
    if (is_misconduct(reason)) conduct.judge(*node, kProtocolViolation, now);
    if (was_up) {
        fx.events.push_back(PeerDown{*node, reason, unsent});
        round.give_up(*node);
        conclude_if_complete(now, fx);
    }
}

void Hub::Impl::count_end(const Link& link, CloseReason reason) {
    add_traffic(link, ended);
    const bool is_our_wish = reason == CloseReason::stopping || reason == CloseReason::not_needed;
    if (is_our_wish || reason == CloseReason::crowded_out || link.is_authenticated()) return;
    if (link.stage == Link::Stage::dialing) {
        ++ended.dials_failed;
    } else if (!link.session->is_established()) {
        ++ended.handshakes_failed;
    }
}

// The last word, behind what is already with the transport: what waits in the outbox is not sent.
void Hub::Impl::say_goodbye(Link& link, CloseReason reason, Effects& fx) {
    const auto word = goodbye_for(reason);
    const bool can_speak = word && link.session && link.session->is_established() && !link.probe;
    if (can_speak) {
        const Bytes framed = protocol::encode_peer_message(protocol::Goodbye{*word});
        fx.writes.push_back({link.id, link.session->seal(framed)});
    }
    fx.closes.push_back({link.id, can_speak ? Close::How::after_flush : Close::How::abort});
}

void Hub::Impl::note_end_of_dial(const Link& link, CloseReason reason, Instant now) {
    switch (reason) {
        case CloseReason::to_self: return table.forget(link.remote);
        case CloseReason::duplicate:
        case CloseReason::not_needed:
        case CloseReason::stopping: return;
        case CloseReason::unreachable:
        case CloseReason::handshake_timeout:
        case CloseReason::crowded_out:
        case CloseReason::bad_preamble:
        case CloseReason::unknown_context:
        case CloseReason::bad_handshake:
        case CloseReason::bad_identity:
        case CloseReason::wrong_node:
        case CloseReason::banned:
        case CloseReason::bad_frame:
        case CloseReason::unknown_message:
        case CloseReason::oversized:
        case CloseReason::bad_message:
        case CloseReason::out_of_turn:
        case CloseReason::flood:
        case CloseReason::stalled:
        case CloseReason::outbox_full:
        case CloseReason::lost:
        case CloseReason::idle:
        case CloseReason::full:
        case CloseReason::said_goodbye: break;
    }
    // Whoever hung up before it had proven itself may be a node with a new key.
    const bool is_unproven =
        link.stage == Link::Stage::handshaking && !link.session->is_established();
    if (is_unproven && link.target.node) table.mistaken(link.remote);
    const bool was_stable = link.stage == Link::Stage::up && now - link.up_since >= kFlapping;
    if (!was_stable) return table.failed(link.remote, now);
    table.lasted(link.remote);
    const auto span = static_cast<std::uint64_t>(options.table.rest_min.count());
    const auto jitter = static_cast<std::int64_t>(prng.below(span + 1));
    table.rest_until(link.remote, now + options.table.rest_min + Duration(jitter));
}

}  // namespace leither::peer
