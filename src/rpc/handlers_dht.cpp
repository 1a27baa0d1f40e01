// dht.*: this node's place in the DHT, and what its operator asks of it there.
#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/base/prefix.h"
#include "leither/codec/bcs.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

using Kind = DhtQuestion::Kind;

// ---- What is refused

CallError bad_param(std::string_view name, std::string message) {
    return named_error(ErrorCode::invalid_params, name, std::move(message));
}

CallError item_error(dht::ItemError error, const dht::Item& item) {
    const char* name = dht::to_string(error);
    switch (error) {
        case dht::ItemError::value_too_big:
            return bad_param(name, fmt::format("\"value\" has {} bytes, bencoded, and may have {}: "
                                               "shorten it, or put parts and a list of them",
                                               item.value.size(), dht::kValueBytesMax));
        case dht::ItemError::value_not_canonical:
            return bad_param(name,
                             "\"value\" is no canonical bencode: a text of n bytes is n, a colon "
                             "and the text");
        case dht::ItemError::sequence_out_of_range:
            return bad_param(name, fmt::format("\"seq\" must be from 0 to {}", dht::kSequenceMax));
        case dht::ItemError::bad_signature:
            return bad_param(name,
                             "\"signature\" does not hold under \"key\" for this salt, seq and "
                             "value: sign the bytes that BEP 44 names (docs/protocol/dht.md)");
        case dht::ItemError::wrong_target: break;
    }
    UNREACHABLE();  // an item to be put has no target but its own
}

std::string explain(dht::Failure failure, const node::NetworkStatus& status,
                    const dht::Outcome& outcome) {
    const auto found = outcome.item && outcome.item->author ? outcome.item->author->sequence : 0;
    switch (failure) {
        case dht::Failure::no_nodes:
            return fmt::format(
                "no other node of the DHT answers ({} known): name one in \"dht.bootstrap\" and "
                "see that its UDP port can be reached",
                status.dht.nodes_v4 + status.dht.nodes_v6);
        case dht::Failure::not_found:
            return "the nodes nearest to it know nothing of it: what is not put or announced again "
                   "is gone after two hours";
        case dht::Failure::stored_nowhere:
            return outcome.refusal
                       ? fmt::format("no node took a copy; the last refused with error {}",
                                     *outcome.refusal)
                       : "no node took a copy: those nearest to it did not answer; try again";
        case dht::Failure::sequence_too_low:
            return fmt::format(
                "sequence {} is there already, or another value under the same one: sign with a "
                "higher \"seq\"",
                found);
        case dht::Failure::cas_mismatch:
            return fmt::format("\"cas\" is not the newest sequence, which is {}: read it again",
                               found);
        case dht::Failure::invalid_item: return "the item breaks a rule of BEP 44";
        case dht::Failure::too_many: return "too many requests to the DHT are open; try again";
        case dht::Failure::cancelled: return "the request was given up; try again";
    }
    UNREACHABLE();
}

// The error by which nodes would refuse this, or the last did.
std::optional<std::int32_t> krpc_code(dht::Failure failure, const dht::Outcome& outcome) {
    if (failure == dht::Failure::sequence_too_low) {
        return static_cast<std::int32_t>(dht::ErrorCode::sequence_too_low);
    }
    if (failure == dht::Failure::cas_mismatch) {
        return static_cast<std::int32_t>(dht::ErrorCode::cas_mismatch);
    }
    return outcome.refusal;
}

CallError failure_error(dht::Failure failure, const dht::Outcome& outcome, const Host& host) {
    const auto status = host.queries().network(host.now());
    CHECK(status.has_value());  // it has answered
    auto error = named_error(ErrorCode::network, dht::to_string(failure),
                             explain(failure, *status, outcome));
    if (const auto code = krpc_code(failure, outcome)) error.data["krpc_code"] = *code;
    if (outcome.item && outcome.item->author) {
        error.data["seq"] = outcome.item->author->sequence;
    }
    error.data["stored_here"] = outcome.stored_here;
    error.data["queries"] = outcome.queries;
    error.data["answers"] = outcome.answers;
    return error;
}

// ---- What is told

// Text that a terminal shows as it is: UTF-8 without control characters but line ends and tabs.
bool is_printable(ByteView content) {
    if (!bcs::is_utf8(content)) return false;
    for (std::size_t i = 0; i < content.size(); ++i) {
        const std::uint8_t byte = content[i];
        if (byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\t')) return false;
        if (byte == 0xc2 && content[i + 1] < 0xa0) return false;  // U+0080 to U+009F
    }
    return true;
}

void add_effort(Json& out, const dht::Outcome& outcome) {
    out["queries"] = outcome.queries;
    out["answers"] = outcome.answers;
    out["hops"] = outcome.hops;
}

Json item_json(const Id& target, const dht::Item& item, const dht::Outcome& outcome) {
    Json out = {{"target", target.hex()}, {"value", to_hex(item.value)}};
    const auto content = dht::content_of(item.value);
    out["content"] = content ? Json(to_hex(*content)) : Json(nullptr);
    out["text"] = content && is_printable(*content) ? Json(as_text(*content)) : Json(nullptr);
    if (item.author) {
        out["key"] = item.author->key.hex();
        out["salt"] = to_hex(item.author->salt.view());
        out["seq"] = item.author->sequence;
        out["signature"] = item.author->signature.hex();
        out["signature_valid"] = dht::check(item, target).has_value();
    }
    out["holders"] = outcome.holders;
    out["quorum"] = {{"wanted", item.author ? dht::kQuorum : 1}, {"reached", outcome.is_quorate}};
    return out;
}

Json nodes_json(const Id& target, const dht::Outcome& outcome) {
    std::vector<std::pair<dht::Contact, Duration>> nodes;
    for (std::size_t i = 0; i < outcome.nodes.size(); ++i) {
        nodes.emplace_back(outcome.nodes[i], outcome.round_trips[i]);
    }
    // Each family's are in order; a reader wants one list.
    std::ranges::stable_sort(nodes, dht::CloserTo{target}, &decltype(nodes)::value_type::first);
    Json out = Json::array();
    for (const auto& [node, round_trip] : nodes) {
        out.push_back({{"id", node.id.hex()},
                       {"address", node.endpoint.text()},
                       {"distance_bits", kIdBits - common_bits(target, node.id)},
                       {"rtt_us", round_trip.count()}});
    }
    return out;
}

Json peers_json(const dht::Outcome& outcome) {
    Json out = Json::array();
    for (const Endpoint& peer : outcome.peers) out.push_back(peer.text());
    return out;
}

Json buckets_json(const std::vector<dht::RoutingTable::Fill>& buckets) {
    Json out = Json::array();
    for (const auto& bucket : buckets) {
        out.push_back(
            {{"nodes", bucket.nodes}, {"places", bucket.places}, {"waiting", bucket.waiting}});
    }
    return out;
}

Json address_json(const std::optional<IpAddress>& address) {
    return address ? Json(address->text()) : Json(nullptr);
}

Json traffic_json(const dht::Counters& counted) {
    return {{"datagrams_in", counted.datagrams_received},
            {"datagrams_out", counted.datagrams_sent},
            {"bytes_in", counted.bytes_received},
            {"bytes_out", counted.bytes_sent},
            {"queries_in", counted.queries_received},
            {"replies_out", counted.replies_sent},
            {"errors_out", counted.errors_sent},
            {"queries_out", counted.queries_sent},
            {"queries_answered", counted.queries_answered},
            {"queries_failed", counted.queries_failed}};
}

Json status_json(const dht::Status& status) {
    return {{"ready", status.ready},
            {"role", dht::to_string(status.role)},
            {"id", status.id_v4.hex()},
            {"id_v6", status.id_v6.hex()},
            {"external_v4", address_json(status.external_v4)},
            {"external_v6", address_json(status.external_v6)},
            {"network", dht::to_string(status.network)},
            {"admit", dht::to_string(status.admission)},
            {"allowed_ranges", status.allowed_ranges},
            {"nodes_v4", status.nodes_v4},
            {"nodes_v6", status.nodes_v6},
            {"buckets_v4", buckets_json(status.buckets_v4)},
            {"buckets_v6", buckets_json(status.buckets_v6)},
            {"store",
             {{"items", status.items},
              {"items_max", status.items_max},
              {"item_bytes", status.item_bytes},
              {"item_bytes_max", status.item_bytes_max},
              {"peers", status.peers},
              {"peers_max", status.peers_max}}},
            {"lookups",
             {{"at_work", status.lookups},
              {"requests", status.requests},
              {"queries_in_flight", status.queries},
              {"begun", status.counters.lookups_begun}}},
            {"traffic", traffic_json(status.counters)},
            {"dropped",
             {{"malformed", status.counters.malformed},
              {"limited", status.counters.limited},
              {"walled", status.counters.walled},
              {"unexpected", status.counters.unexpected}}}};
}

// ---- Questions

Outcome ask(Call& call, const DhtQuestion& question, dht::Request request) {
    call.host.enqueue(node::NetworkCall{call.token, std::move(request)});
    return question;
}

Result<dht::ItemSalt, CallError> salt_of(Call& call) {
    const Bytes given = call.args.find<Bytes>("salt").value_or(Bytes());
    const auto salt = dht::ItemSalt::from(given);
    if (salt) return *salt;
    return fail(bad_param("salt_too_big", fmt::format("\"salt\" has {} bytes and may have {}",
                                                      given.size(), dht::kSaltBytesMax)));
}

Outcome put(Call& call, dht::Put&& put) {
    if (const auto checked = dht::check(put.item); !checked) {
        return item_error(checked.error(), put.item);
    }
    const Id target = dht::target_of(put.item);
    return ask(call, {Kind::put, target}, std::move(put));
}

}  // namespace

Result<Json, CallError> dht_result(const DhtQuestion& question, const dht::Outcome& outcome,
                                   const Host& host) {
    if (outcome.failure) return fail(failure_error(*outcome.failure, outcome, host));
    const std::string target = question.target.hex();
    Json out;
    switch (question.kind) {
        case Kind::get: out = item_json(question.target, outcome.item.value(), outcome); break;
        case Kind::put:
            out = {{"target", target},
                   {"copies", outcome.copies},
                   {"stored_here", outcome.stored_here}};
            break;
        case Kind::lookup:
            out = {{"target", target}, {"nodes", nodes_json(question.target, outcome)}};
            break;
        case Kind::announce: out = {{"info_hash", target}, {"copies", outcome.copies}}; break;
        case Kind::peers: out = {{"info_hash", target}, {"peers", peers_json(outcome)}}; break;
    }
    add_effort(out, outcome);
    return out;
}

Outcome dht_status(Call& call) {
    const auto network = call.host.queries().network(call.host.now());
    if (network) return status_json(network->dht);
    return network_error(node::no_network());
}

Outcome dht_get(Call& call) {
    const auto target = call.args.find<Id>("target");
    const auto key = call.args.find<Hash>("key");
    if (target.has_value() == key.has_value() || (target && call.args.has("salt"))) {
        return bad_param("target_or_key",
                         "send \"target\" for an immutable item, or \"key\" and perhaps \"salt\" "
                         "for a mutable one");
    }
    if (target) return ask(call, {Kind::get, *target}, dht::GetImmutable{*target});
    const auto salt = salt_of(call);
    if (!salt) return salt.error();
    const auto author = PublicKey::copy_of(key->view());
    return ask(call, {Kind::get, dht::mutable_target(author, *salt)},
               dht::GetMutable{author, *salt});
}

Outcome dht_put(Call& call) {
    return put(call, {{std::move(call.args.get<Bytes>("value")), std::nullopt}, std::nullopt});
}

Outcome dht_put_signed(Call& call) {
    const auto salt = salt_of(call);
    if (!salt) return salt.error();
    const auto signature = Signature::from(call.args.get<Bytes>("signature"));
    if (!signature) {
        return bad_param(
            "bad_length",
            fmt::format("\"signature\" must be a string of {} hex digits", 2 * Signature::kSize));
    }
    dht::Put order;
    order.item.value = std::move(call.args.get<Bytes>("value"));
    order.item.author =
        dht::Authorship{PublicKey::copy_of(call.args.get<Hash>("key").view()), *salt,
                        static_cast<std::int64_t>(call.args.get<std::uint64_t>("seq")), *signature};
    if (const auto cas = call.args.find<std::uint64_t>("cas")) {
        order.cas = static_cast<std::int64_t>(*cas);
    }
    return put(call, std::move(order));
}

Outcome dht_lookup(Call& call) {
    const Id target = call.args.get<Id>("target");
    return ask(call, {Kind::lookup, target}, dht::FindNode{target});
}

Outcome dht_announce(Call& call) {
    const Id info_hash = call.args.get<Id>("info_hash");
    const auto port = call.args.find<std::uint64_t>("port");
    if (port == 0u) {
        return bad_param("port_zero",
                         "\"port\" must be from 1 to 65535: leave it out to mean the port that our "
                         "datagrams come from");
    }
    return ask(call, {Kind::announce, info_hash},
               dht::Announce{info_hash, static_cast<std::uint16_t>(port.value_or(0))});
}

Outcome dht_peers(Call& call) {
    const Id info_hash = call.args.get<Id>("info_hash");
    return ask(call, {Kind::peers, info_hash}, dht::GetPeers{info_hash});
}

}  // namespace leither::rpc
