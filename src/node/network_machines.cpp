#include <algorithm>
#include <iterator>

#include "network_node_impl.h"

namespace leither::node {

namespace {

// Log lines about single connections at info.
constexpr int kLinesAtOnce = 20;
constexpr Duration kLineInterval = std::chrono::seconds(30);
// Acquaintances are kept this long after the last one came, and not again so soon.
constexpr Duration kSaveAfterPeer = std::chrono::seconds(10);
constexpr Duration kSaveAgain = std::chrono::minutes(10);

}  // namespace

// ---- The DHT -----------------------------------------------------------------------------------

void NetworkNode::Impl::dht_step(dht::Input&& input, Instant now, Effects& fx) {
    auto from = dht.step(std::move(input), now);
    if (joined != (dht.nodes() > 0)) note_joining(now, fx);
    std::move(from.sends.begin(), from.sends.end(), std::back_inserter(fx.network.datagrams));
    for (auto& done : from.done) on_done(std::move(done), now, fx);
}

// The first node in the routing table, or the last one gone: what could not be published or found
// can be when there are nodes again.
void NetworkNode::Impl::note_joining(Instant now, Effects& fx) {
    joined = !joined;
    if (!joined) {
        // Those connected may all be nodes that nobody can ask.
        if (connected.empty() && may_tell(now)) {
            log.warn("network_lost", "detail=\"no node answers any more; going on trying\"");
        }
        return;
    }
    tell_line(now, "network_joined", "detail=\"another node has answered\"");
    tell_community([&](auto& ours, auto& theirs) { ours.on_joined(now, theirs); }, now, fx);
    seek_wait = kSeekAgain;
    seek_at = std::min(seek_at, now + seek_wait);
}

void NetworkNode::Impl::ask_dht(Purpose purpose, dht::Request request, Instant now, Effects& fx) {
    const dht::RequestId id(++last_request);
    questions.emplace(id, std::move(purpose));
    dht_step(dht::Ask{id, std::move(request)}, now, fx);
}

void NetworkNode::Impl::on_done(dht::Done&& done, Instant now, Effects& fx) {
    const auto question = questions.extract(done.id);
    CHECK(!question.empty());
    dht::Outcome& outcome = done.outcome;
    if (const auto* caller = std::get_if<ForCaller>(&question.mapped())) {
        return answer(caller->token, std::move(outcome), fx);
    }
    if (const auto* peers = std::get_if<ForPeers>(&question.mapped())) {
        return on_peers(peers->organization, outcome, now, fx);
    }
    if (!community) return;
    on_gathered(question.mapped(), outcome, now, fx);
    Community::Effects theirs;
    if (const auto* order = std::get_if<ForOrder>(&question.mapped())) {
        const auto stored = outcome.failure ? org::OrderOutcome::failed : org::OrderOutcome::stored;
        community->on_carried(order->order, stored, now, theirs);
    } else if (outcome.item && std::holds_alternative<ForManifest>(question.mapped())) {
        community->on_manifest_found(*outcome.item, now, theirs);
    } else if (const auto* record = std::get_if<ForRecord>(&question.mapped());
               record != nullptr && outcome.item) {
        const auto content = dht::content_of(outcome.item->value);
        if (content) community->on_record_found(record->node, *content, now, theirs);
    }
    take(std::move(theirs), now, fx);
}

// The first time always: this node may have been away. Then only while nobody is there to ask.
void NetworkNode::Impl::gather_chat(Instant now, Effects& fx) {
    gather_at = now + kLookInterval;
    if (!joined || !community->read_key() || gatherer.is_gathering()) return;
    gather_at = now + options.refresh_interval;
    if (std::exchange(gathered, true) && !connected.empty()) return;
    gatherer.begin(community->chat_sources(now));
    const std::uint64_t round = gatherer.round();
    const auto sources = gatherer.sources();
    for (std::size_t i = 0; i < sources.size(); ++i) {
        const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kChatSalt));
        ask_dht(ForChatHead{round, i}, dht::GetMutable{sources[i].node, salt}, now, fx);
    }
}

void NetworkNode::Impl::on_gathered(const Purpose& purpose, const dht::Outcome& outcome,
                                    Instant now, Effects& fx) {
    const auto content = outcome.item ? dht::content_of(outcome.item->value) : std::nullopt;
    const ByteView found = content.value_or(ByteView());
    if (const auto* head = std::get_if<ForChatHead>(&purpose)) {
        if (head->round != gatherer.round()) return;
        for (const protocol::ChatPointer& pointer : gatherer.on_head(head->source, found)) {
            ask_dht(ForChatLine{head->round, pointer}, dht::GetImmutable{pointer.target}, now, fx);
        }
    } else if (const auto* line = std::get_if<ForChatLine>(&purpose)) {
        if (line->round != gatherer.round()) return;
        if (!community->read_key()) return gatherer.abandon();
        gatherer.on_line(line->pointer, found, *community->read_key());
    } else {
        return;
    }
    if (gatherer.is_gathering()) return;
    tell_community(
        [&](auto& ours, auto& theirs) { ours.on_lines_found(gatherer.take(), now, theirs); }, now,
        fx);
}

void NetworkNode::Impl::on_peers(const Id& organization, const dht::Outcome& outcome, Instant now,
                                 Effects& fx) {
    log.debug("peers_found", "organization={} peers={}", organization.hex(), outcome.peers.size());
    for (const Endpoint& endpoint : outcome.peers) {
        hub_step(peer::Learn{{endpoint, peer::Context::of(organization), std::nullopt, std::nullopt,
                              peer::Source::dht}},
                 now, fx);
    }
}

// ---- Connections -------------------------------------------------------------------------------

void NetworkNode::Impl::hub_step(peer::Input&& input, Instant now, Effects& fx) {
    auto from = hub.step(std::move(input), now);
    const auto append = [](auto& all, auto& some) {
        std::move(some.begin(), some.end(), std::back_inserter(all));
    };
    append(fx.network.dials, from.dials);
    append(fx.network.writes, from.writes);
    append(fx.network.reading, from.reading);
    append(fx.network.closes, from.closes);
    for (auto& event : from.events) {
        std::visit([&](auto&& held) { on_event(std::move(held), now, fx); }, std::move(event));
    }
}

// Peers can cause these lines: whoever comes and goes all day is seen at debug only.
bool NetworkNode::Impl::may_tell(Instant now) {
    lines_until = std::max(lines_until, now - kLinesAtOnce * kLineInterval);
    if (lines_until + kLineInterval > now) return false;
    lines_until += kLineInterval;
    return true;
}

void NetworkNode::Impl::on_event(peer::PeerUp&& event, Instant now, Effects& fx) {
    const peer::Peer& peer = event.peer;
    connected.insert(peer.node);
    save_at = std::min(save_at, std::max(now + kSaveAfterPeer, saved_at + kSaveAgain));
    tell_line(now, "peer_up", "node={} endpoint={} direction={}", peer.node.hex(),
              peer.endpoint.text(), peer::to_string(peer.direction));
    for (const Find& find : finds) {
        hub_step(peer::SendMessage{peer.node, protocol::AskManifest{find.organization}}, now, fx);
    }
    tell_community(
        [&](auto& ours, auto& theirs) {
            ours.on_peer_up(peer.node_key, peer.hello.features, now, theirs);
        },
        now, fx);
}

void NetworkNode::Impl::on_event(peer::PeerDown&& event, Instant now, Effects& fx) {
    connected.erase(event.node);
    tell_line(now, "peer_down", "node={} reason={}", event.node.hex(),
              peer::to_string(event.reason));
    tell_community([&](auto& ours, auto& theirs) { ours.on_peer_down(event.node, now, theirs); },
                   now, fx);
    seek_wait = kSeekAgain;
    seek_at = std::min(seek_at, now + seek_wait);
}

void NetworkNode::Impl::on_event(peer::MessageReceived&& event, Instant now, Effects& fx) {
    const auto* reply = std::get_if<protocol::ManifestReply>(&event.message);
    if (reply != nullptr && reply->item) answer_finds(*reply->item, now, fx);
    tell_community(
        [&](auto& ours, auto& theirs) {
            ours.on_message(event.node, std::move(event.message), now, theirs);
        },
        now, fx);
}

void NetworkNode::Impl::on_event(peer::DialBackVerdict&& event, Instant now, Effects& fx) {
    reachability = event.reachability.text();
    log.info("reachability", "verdict={} detail=\"{}\"",
             peer::to_string(event.reachability.verdict), reachability);
    // Nobody may be sent to a node that nobody can reach.
    const bool is_reader = event.reachability.verdict == peer::Reachability::Verdict::not_reachable;
    dht_step(dht::RoleIs{is_reader ? dht::Role::reader : dht::Role::member}, now, fx);
    look_at_endpoints(now, fx);
}

}  // namespace leither::node
