#include <algorithm>

#include "leither/crypto/hash.h"

#include "network_node_impl.h"

namespace leither::node {

namespace {

constexpr Duration kSeekIntervalMax = std::chrono::minutes(30);
constexpr std::size_t kReachMax = 8;
constexpr std::size_t kEndpointsMax = 4;

}  // namespace

// ---- The community -----------------------------------------------------------------------------

void NetworkNode::Impl::take(Community::Effects&& from, Instant now, Effects& fx) {
    std::ranges::move(from.ledger, std::back_inserter(ledger_inputs));
    Then then{std::move(from.after_writes), std::move(from.publish), std::move(from.events), {}};
    write(std::move(from.writes), std::move(then), now, fx);
    for (auto& learned : from.learn) hub_step(peer::Learn{std::move(learned)}, now, fx);
    for (auto& send : from.sends) {
        hub_step(peer::SendMessage{send.to, std::move(send.message)}, now, fx);
    }
    for (const auto& order : from.announce) {
        ask_dht(ForOrder{order.order}, dht::Announce{order.target, open_port()}, now, fx);
    }
    // Whoever has something of ours is dialed as one of the organization's nodes.
    for (const Id& target : from.seek) {
        ask_dht(ForPeers{community->organization()}, dht::GetPeers{target}, now, fx);
    }
    for (const Id& node : from.reach) {
        std::erase(reach, node);
        reach.push_back(node);
        if (reach.size() > kReachMax) reach.erase(reach.begin());
    }
    if (!from.reach.empty()) hub_step(peer::Reserve{reach}, now, fx);
    for (const peer::Judge& judged : from.judged) hub_step(peer::Judge(judged), now, fx);
    if (from.manifest_changed) on_manifest_changed(now, fx);
}

void NetworkNode::Impl::on_manifest_changed(Instant now, Effects& fx) {
    const auto& manifest = community->manifest()->content.manifest;
    log.info("manifest_changed", "organization={} issued_ms={}", community->organization().hex(),
             manifest.validity.issued_ms);
    serve_contexts(now, fx);
    answer_finds(*community->manifest(), now, fx);
}

Result<void, store::Fault> NetworkNode::Impl::adopt(const Id& organization, Instant now) {
    if (community) {
        for (const Id& node : community->neighbours()) {
            ledger_inputs.emplace_back(NeighbourDown{node});
        }
    }
    community = std::make_unique<Community>(
        options,
        Community::Setup{organization, key, hub.static_key(), log.with_room("org"), &store}, source,
        entropy);
    TRY(community->load(store, now));
    for (auto& [id, purpose] : questions) {
        const bool stays =
            std::holds_alternative<ForCaller>(purpose) || std::holds_alternative<ForPeers>(purpose);
        if (!stays) purpose = ForNobody{};
    }
    for (PendingWrite& one : pending) one.then.publish.clear();
    reach.clear();
    seek_wait = kSeekAgain;
    seek_at = now;
    refresh_at = now;
    gather_at = now;
    gathered = false;
    gatherer.abandon();
    return {};
}

void NetworkNode::Impl::begin(Instant now, Effects& fx) {
    serve_contexts(now, fx);
    for (const Endpoint& endpoint : options.peers) learn_configured(endpoint, now, fx);
    learn_entries(now, fx);
    hub_step(peer::Reserve{reach}, now, fx);
    tell_community([&](auto& ours, auto& theirs) { ours.begin(now, theirs); }, now, fx);
    // Those who were up before there was a community to tell.
    for (const peer::PeerStatus& one : hub.peers(now)) {
        const PublicKey& node = one.peer.node_key;
        if (!hub.is_connected(one.peer.node)) continue;
        tell_community(
            [&](auto& ours, auto& theirs) {
                ours.on_peer_up(node, one.peer.hello.features, now, theirs);
            },
            now, fx);
    }
    look_at_endpoints(now, fx);
}

void NetworkNode::Impl::learn_configured(const Endpoint& endpoint, Instant now, Effects& fx) {
    hub_step(peer::Learn{{endpoint, peer::Context::of(community->organization()), std::nullopt,
                          std::nullopt, peer::Source::configured}},
             now, fx);
}

const protocol::Introduction* NetworkNode::Impl::introduced() const {
    const bool is_ours = community && introduction &&
                         crypto::id_of(introduction->organization) == community->organization();
    return is_ours ? &*introduction : nullptr;
}

// Dialed by the keys that the invitation names, so that nobody else can answer for them.
void NetworkNode::Impl::learn_entries(Instant now, Effects& fx) {
    const protocol::Introduction* known = introduced();
    if (known == nullptr) return;
    const auto context = peer::Context::of(community->organization());
    for (const protocol::Keeper& entry : known->entries) {
        if (entry.node == key.public_key()) continue;
        for (const protocol::WireEndpoint& endpoint : entry.endpoints) {
            hub_step(peer::Learn{{endpoint.endpoint(), context, crypto::id_of(entry.node),
                                  entry.static_key, peer::Source::configured}},
                     now, fx);
        }
    }
}

std::vector<Endpoint> NetworkNode::Impl::entry_endpoints() const {
    std::vector<Endpoint> endpoints;
    const protocol::Introduction* known = introduced();
    if (known == nullptr) return endpoints;
    for (const protocol::Keeper& entry : known->entries) {
        if (entry.node == key.public_key()) continue;
        for (const auto& endpoint : entry.endpoints) endpoints.push_back(endpoint.endpoint());
    }
    return endpoints;
}

void NetworkNode::Impl::serve_contexts(Instant now, Effects& fx) {
    std::vector<peer::Context> contexts;
    if (community) {
        if (const auto chain = community->chain()) contexts.push_back(peer::Context::of(*chain));
        contexts.push_back(peer::Context::of(community->organization()));
    }
    for (const Find& find : finds) {
        const auto context = peer::Context::of(find.organization);
        if (std::ranges::find(contexts, context) == contexts.end()) contexts.push_back(context);
    }
    hub_step(peer::Serve{std::move(contexts)}, now, fx);
}

void NetworkNode::Impl::seek_peers(Instant now, Effects& fx) {
    const bool seeks = connected.size() < options.hub.outbound_target;
    seek_wait = seeks ? std::min(2 * seek_wait, kSeekIntervalMax) : kSeekIntervalMax;
    seek_at = now + seek_wait;
    if (!seeks) return;
    ask_dht(ForPeers{community->organization()}, dht::GetPeers{community->organization()}, now, fx);
}

// What may have changed while nobody told us: the manifest, and where the keepers are.
void NetworkNode::Impl::refresh(Instant now, Effects& fx) {
    refresh_at = now + options.refresh_interval;
    const auto& item = community->manifest();
    if (!item) return;
    const auto& manifest = item->content.manifest;
    ask_dht(ForManifest{},
            dht::GetMutable{manifest.organization,
                            dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt))},
            now, fx);
    for (const auto& keeper : manifest.keepers) {
        if (keeper.node == key.public_key()) continue;
        ask_dht(ForRecord{keeper.node},
                dht::GetMutable{keeper.node,
                                dht::ItemSalt::copy_of(as_bytes(protocol::kRoutingRecordSalt))},
                now, fx);
    }
}

// Where others may reach us, best first: what the router forwards, what nodes see us as, what the
// host calls its own.
std::vector<Endpoint> NetworkNode::Impl::endpoints() const {
    std::vector<Endpoint> all;
    const auto add = [&all](const Endpoint& endpoint) {
        const bool known = std::ranges::find(all, endpoint) != all.end();
        if (!known && all.size() < kEndpointsMax) all.push_back(endpoint);
    };
    const auto add_address = [&](const IpAddress& address) {
        if (const Endpoint* listener = listener_for(address)) add({address, listener->port});
    };
    if (ports.tcp) add(*ports.tcp);
    for (const Endpoint& listener : options.listen) {
        if (!listener.address.is_unspecified()) add(listener);
    }
    const dht::Status seen = dht.status();
    if (seen.external_v4) add_address(*seen.external_v4);
    if (seen.external_v6) add_address(*seen.external_v6);
    for (const IpAddress& address : addresses) {
        if (address.is_global()) add_address(address);
    }
    for (const IpAddress& address : addresses) add_address(address);
    return all;
}

// Where a connection to `address` would be accepted: an address of the other family leads nowhere.
const Endpoint* NetworkNode::Impl::listener_for(const IpAddress& address) const {
    const auto listener = std::ranges::find_if(options.listen, [&](const Endpoint& one) {
        return one.address.is_unspecified() && one.address.is_v4() == address.is_v4();
    });
    return listener == options.listen.end() ? nullptr : &*listener;
}

void NetworkNode::Impl::look_at_endpoints(Instant now, Effects& fx) {
    look_at = now + kLookInterval;
    tell_community([&](auto& ours, auto& theirs) { ours.set_endpoints(endpoints(), now, theirs); },
                   now, fx);
}

}  // namespace leither::node
