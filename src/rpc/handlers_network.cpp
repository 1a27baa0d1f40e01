// network.*, and what of organization.* concerns other nodes.
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

Json manifest_json(const protocol::Manifest& manifest) {
    Json keepers = Json::array();
    for (const auto& keeper : manifest.keepers) {
        Json endpoints = Json::array();
        for (const auto& endpoint : keeper.endpoints) {
            endpoints.push_back(endpoint.endpoint().text());
        }
        keepers.push_back({{"node_key", keeper.node.hex()}, {"endpoints", std::move(endpoints)}});
    }
    return {{"id", crypto::id_of(manifest.organization).hex()},
            {"key", manifest.organization.hex()},
            {"chain_id", manifest.chain.hex()},
            {"name", manifest.name},
            {"unit", manifest.unit},
            {"decimals", manifest.decimals},
            {"checkpoint",
             {{"sequence", manifest.checkpoint.sequence.value()},
              {"block", manifest.checkpoint.block.hex()},
              {"pulse", manifest.checkpoint.pulse.value()}}},
            {"keepers", std::move(keepers)},
            {"issued_ms", manifest.validity.issued_ms},
            {"expires_ms", manifest.validity.expires_ms}};
}

Json community_json(const node::CommunityStatus& community) {
    Json endpoints = Json::array();
    for (const auto& endpoint : community.endpoints) endpoints.push_back(endpoint.text());
    Json accounts = Json::array();
    for (const auto& served : community.accounts) {
        accounts.push_back({{"account", served.account.hex()},
                            {"expires_ms", served.expires_ms},
                            {"member", served.is_member}});
    }
    return {{"id", community.organization.hex()},
            {"chain_id", community.chain ? Json(community.chain->hex()) : Json(nullptr)},
            {"manifest", community.manifest ? manifest_json(*community.manifest) : Json(nullptr)},
            {"endpoints", std::move(endpoints)},
            {"accounts", std::move(accounts)},
            {"members_nodes", community.members_nodes},
            {"catalogue_entries", community.catalogue_entries},
            {"packs_held", community.packs_held},
            {"content_bytes", community.content_bytes},
            {"content_bytes_max", community.content_bytes_max}};
}

Json peer_json(const peer::PeerStatus& status) {
    const peer::Peer& peer = status.peer;
    return {{"node", peer.node.hex()},
            {"node_key", peer.node_key.hex()},
            {"endpoint", peer.endpoint.text()},
            {"direction", peer::to_string(peer.direction)},
            {"pattern", peer::to_string(peer.pattern)},
            {"agent", peer.hello.agent},
            {"since_ms", unix_ms(peer.since)},
            {"bytes_in", status.bytes_in},
            {"bytes_out", status.bytes_out},
            {"messages_in", status.messages_in},
            {"messages_out", status.messages_out},
            {"score", status.score},
            {"reserved", status.reserved}};
}

Json outcome_json(const dht::Outcome& outcome) {
    return {{"copies", outcome.copies},
            {"holders", outcome.holders},
            {"queries", outcome.queries},
            {"hops", outcome.hops}};
}

}  // namespace

Json network_json(const node::NetworkStatus& status) {
    return {{"dht",
             {{"ready", status.dht.ready},
              {"role", dht::to_string(status.dht.role)},
              {"id", status.dht.id_v4.hex()},
              {"nodes_v4", status.dht.nodes_v4},
              {"nodes_v6", status.dht.nodes_v6},
              {"items", status.dht.items},
              {"peers", status.dht.peers}}},
            {"connections", status.hub.established},
            {"addresses", status.hub.addresses},
            {"ports", status.ports.how},
            {"reachability", status.reachability},
            {"organization", status.community ? community_json(*status.community) : Json(nullptr)}};
}

Json answer_json(const node::NetworkAnswer& answer) {
    struct Visit {
        Json operator()(std::monostate) const { return true; }
        Json operator()(const dht::Outcome& outcome) const { return outcome_json(outcome); }
        Json operator()(const protocol::ManifestItem& item) const {
            return manifest_json(item.content.manifest);
        }
        Json operator()(const Hash& id) const { return {{"id", id.hex()}}; }
        Json operator()(const protocol::TakeoverSignature& signature) const {
            return {{"signature", to_hex(bcs::encode(signature))}};
        }
        Json operator()(const org::ContentProgress& progress) const {
            return progress_json(progress);
        }
        Json operator()(const ledger::EndorsedReceipt& receipt) const {
            return {{"receipt", to_hex(bcs::encode(receipt))},
                    {"account", receipt.claim.account.hex()},
                    {"sequence", receipt.header.sequence.value()}};
        }
    };
    return std::visit(Visit{}, answer);
}

Outcome network_peers(Call& call) {
    Json peers = Json::array();
    for (const auto& one : call.host.queries().peers(call.host.now())) {
        peers.push_back(peer_json(one));
    }
    return peers;
}

Outcome ask_network(Call& call, node::NetworkRequest&& request) {
    call.host.enqueue(node::NetworkCall{call.token, std::move(request)});
    return Deferred::network;
}

Outcome network_bans(Call& call) {
    Json bans = Json::array();
    for (const auto& ban : call.host.queries().bans(call.host.now())) {
        bans.push_back({{"node", ban.node.hex()}, {"until_ms", unix_ms(ban.until)}});
    }
    return bans;
}

Outcome network_ban(Call& call) {
    const std::chrono::seconds duration(call.args.get<std::uint64_t>("seconds"));
    return ask_network(call, node::BanPeer{call.args.get<Id>("node"), duration});
}

Outcome network_connect(Call& call) {
    return ask_network(call, node::AddPeer{call.args.get<Endpoint>("endpoint")});
}

Outcome organization_find(Call& call) {
    return ask_network(call, node::FindOrganization{call.args.get<Id>("organization")});
}

Outcome organization_follow(Call& call) {
    node::FollowOrganization order{call.args.get<Id>("organization")};
    if (const auto held = refuse_held_elsewhere(call, order.organization)) return *held;
    if (const auto bytes = call.args.find<Bytes>("introduction")) {
        auto introduction = bcs::decode<protocol::Introduction>(*bytes);
        const bool is_of_it =
            introduction && crypto::id_of(introduction->organization) == order.organization;
        if (!is_of_it) {
            return CallError{ErrorCode::invalid_params,
                             "\"introduction\" does not introduce this organization; take it from "
                             "an invitation with `leither org join`",
                             nullptr};
        }
        order.introduction = *std::move(introduction);
    }
    return ask_network(call, std::move(order));
}

Outcome organization_introduction(Call& call) {
    const auto introduction = call.host.queries().introduction();
    if (!introduction) {
        return named_error(ErrorCode::no_organization, "no_organization",
                           "this node keeps no ledger, or has no network to tell of it");
    }
    return Json{{"introduction", to_hex(bcs::encode(*introduction))}};
}

Outcome organization_draft(Call& call) {
    const auto draft = call.host.queries().manifest_draft();
    if (!draft) {
        return named_error(ErrorCode::no_organization, "no_organization",
                           "this node keeps no ledger, or has no network to tell of it");
    }
    return Json{{"manifest", to_hex(bcs::encode(*draft))}};
}

Outcome organization_publish(Call& call) {
    auto item = bcs::decode<protocol::ManifestItem>(call.args.get<Bytes>("manifest"));
    if (!item) {
        return CallError{ErrorCode::invalid_params,
                         "\"manifest\" is no signed manifest; make it with `leither org publish`",
                         nullptr};
    }
    node::PublishManifest order;
    order.item = *std::move(item);
    order.read_secret =
        crypto::X25519KeyPair::Secret::copy_of(call.args.get<Hash>("read_secret").view());
    return ask_network(call, std::move(order));
}

}  // namespace leither::rpc
