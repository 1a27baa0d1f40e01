// What an authenticated connection carries: Hello, pings, goodbye, and the limits of it all.
#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "hub_impl.h"

namespace leither::peer {

namespace {

// So much is encrypted at a time: few transport frames, and little that can no longer be dropped.
constexpr std::size_t kSealedAtOnce = std::size_t{64} << 10;

template <class Message>
inline constexpr bool is_of_the_hub =
    std::is_same_v<Message, protocol::Hello> || std::is_same_v<Message, protocol::Ping> ||
    std::is_same_v<Message, protocol::Pong> || std::is_same_v<Message, protocol::Goodbye> ||
    std::is_same_v<Message, protocol::AskDialBack> ||
    std::is_same_v<Message, protocol::DialBackResult>;

}  // namespace

// ---- Out

void Hub::Impl::write(Link& link, Bytes bytes, Instant now, Effects& fx) {
    if (bytes.empty()) return;
    if (link.in_flight == 0) link.progress = now;
    link.in_flight += bytes.size();
    link.bytes_out += bytes.size();
    fx.writes.push_back({link.id, std::move(bytes)});
}

void Hub::Impl::flush(Link& link, Instant now, Effects& fx) {
    if (!link.is_authenticated()) return;
    while (!link.outbox.is_empty() && link.in_flight < options.in_flight_bytes) {
        const std::size_t before = link.outbox.messages();
        const Bytes framed = link.outbox.take(kSealedAtOnce);
        link.messages_out += before - link.outbox.messages();
        write(link, link.session->seal(framed), now, fx);
    }
}

// Whether or not the message is taken, the link stays: a reader too slow for us is closed by its
// deadline.
Outbox::Put Hub::Impl::send(Link& link, const protocol::PeerMessage& message, Instant now,
                            Effects& fx) {
    const Outbox::Put put = link.outbox.put(message);
    flush(link, now, fx);
    return put;
}

void Hub::Impl::ping(Link& link, Instant now, Effects& fx) {
    link.ping = draw_number(entropy);
    link.pong_by = now + options.pong_timeout;
    send(link, protocol::Ping{*link.ping}, now, fx);
}

// ---- In

bool Hub::Impl::hear(Link& link, protocol::PeerMessage&& message, Instant now, Effects& fx) {
    ++link.messages_in;
    const bool may_come_first = std::holds_alternative<protocol::Hello>(message) ||
                                std::holds_alternative<protocol::Goodbye>(message);
    if (link.stage == Link::Stage::greeting && !may_come_first) {
        drop(link, CloseReason::out_of_turn, now, fx);
        return false;
    }
    const auto act = [&](auto& held) -> Objection {
        using Message = std::remove_reference_t<decltype(held)>;
        if constexpr (is_of_the_hub<Message>) {
            return hear(link, std::as_const(held), now, fx);
        } else {
            fx.events.push_back(MessageReceived{link.session->remote().node, std::move(held)});
            return std::nullopt;
        }
    };
    if (const Objection reason = std::visit(act, message)) {
        drop(link, *reason, now, fx);
        return false;
    }
    return true;
}

Hub::Impl::Objection Hub::Impl::hear(Link& link, const protocol::Hello& hello, Instant now,
                                     Effects& fx) {
    if (link.stage != Link::Stage::greeting) return CloseReason::out_of_turn;
    link.stage = Link::Stage::up;
    link.up_since = now;
    link.hello = hello;
    const Authenticated& remote = link.session->remote();
    if (!link.is_outbound() && hello.listen_port != 0) {
        const Endpoint listens{link.remote.address, hello.listen_port};
        table.learn({listens, remote.context, remote.node, remote.static_key, Source::incoming},
                    now);
    }
    const bool is_first_to_ask = !round.is_open() && !reachability.as_of && !round_at;
    if (options.listen_port != 0 && is_first_to_ask) round_at = now + kFirstDialBackAfter;
    fx.events.push_back(PeerUp{link.peer()});
    plan_soon(now);
    return std::nullopt;
}

Hub::Impl::Objection Hub::Impl::hear(Link& link, const protocol::Ping& ping, Instant now,
                                     Effects& fx) {
    send(link, protocol::Pong{ping.nonce}, now, fx);
    return std::nullopt;
}

Hub::Impl::Objection Hub::Impl::hear(Link& link, const protocol::Pong& pong, Instant, Effects&) {
    // One that comes too late is nobody's fault; many are a matter of the rate.
    if (link.ping == pong.nonce) link.ping.reset();
    return std::nullopt;
}

Hub::Impl::Objection Hub::Impl::hear(Link&, const protocol::Goodbye&, Instant, Effects&) {
    return CloseReason::said_goodbye;
}

// REQUIRES: link.is_authenticated(). The link may be gone afterwards.
void Hub::Impl::charge(Link& link, std::size_t bytes, std::size_t messages, Instant now,
                       Effects& fx) {
    link.bytes.charge(bytes, now);
    link.messages.charge(messages, now);
    const std::uint64_t owed = link.messages.debt(now);
    if (owed > 0 && messages > 0) {
        const std::int32_t points = owed > options.messages.burst ? kFarOverRate : kOverRate;
        const Id& node = link.session->remote().node;
        if (conduct.judge(node, points, now) == Conduct::Verdict::banned) {
            drop(link, CloseReason::flood, now, fx);
            return;
        }
    }
    if (owed == 0 && link.bytes.debt(now) == 0) return;
    if (!link.resumes_at) fx.reading.push_back({link.id, SetReading::To::paused});
    link.resumes_at = std::max(link.messages.ready_at(0, now), link.bytes.ready_at(0, now));
}

}  // namespace leither::peer
