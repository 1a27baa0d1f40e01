#include "responder.h"

#include <algorithm>
#include <array>

#include "leither/base/check.h"

namespace leither::dht {

namespace {

ItemStore::Options store_options(const Options& options) {
    ItemStore::Options out = options.store;
    out.local = options.local;
    return out;
}

// More is as good as for ever.
constexpr std::chrono::seconds kAgeMax = std::chrono::hours(24);

// BEP 32: who wants nothing in particular gets nodes of the family it asks by.
Want wanted(const Query& query, const Endpoint& from) {
    if (query.want.v4 || query.want.v6) return query.want;
    const bool is_v4 = from.address.is_v4();
    return {is_v4, !is_v4};
}

}  // namespace

Responder::Responder(const Options& options, const VersionTag& tag, Entropy& entropy, Instant now)
    : role_(options.role),
      k_(options.k),
      tag_(tag),
      prng_(draw_number(entropy)),
      tokens_(entropy, now),
      limiter_(options.rates, now),
      proofs_(options.proofs),
      store_(store_options(options), options.own_id) {}

// An address that has shown it receives what we send there is answered in full.
std::size_t Responder::bytes_max(const Asker& asker, const Tables* tables, Instant now) const {
    const bool is_proven =
        proofs_.proven(asker.endpoint.address, now) ||
        (tables != nullptr && tables->of(family_of(asker.endpoint)).holds(asker.endpoint));
    return reply_bytes_max(is_proven ? SourceTrust::proven : SourceTrust::unproven,
                           asker.query_bytes);
}

Responder::Answer Responder::fail_with(const Transaction& transaction, ErrorCode code,
                                       const char* text, std::size_t bytes_max) const {
    ErrorReply error{transaction, tag_, static_cast<std::int32_t>(code), text};
    Answer out{write(error), true, false, std::nullopt};
    if (out.reply.size() <= bytes_max) return out;
    error.message.clear();
    out.reply = write(error);
    if (out.reply.size() > bytes_max) out.reply.clear();
    return out;
}

Responder::Answer Responder::refuse(const ParseFault& fault, const Asker& asker,
                                    Instant now) const {
    if (!fault.answerable || role_ == Role::reader) return {};
    return fail_with(*fault.answerable, error_code(fault.error), to_string(fault.error),
                     bytes_max(asker, nullptr, now));
}

bool Responder::shows_token(const Query& query, const Asker& asker, Instant now) {
    if (query.token.empty()) return false;
    const Id target = query.method == Method::put ? target_of(query.item) : query.target;
    if (!tokens_.accepts(query.token, asker.endpoint.address, target, now)) return false;
    proofs_.prove(asker.endpoint.address, now);
    return true;
}

Responder::Answer Responder::answer(const Query& query, const Asker& asker, const Tables& tables,
                                    Instant now) {
    // BEP 43. A ping is answered all the same: it shows that we are where we ask from.
    if (role_ == Role::reader && query.method != Method::ping) return {};
    const bool has_token = shows_token(query, asker, now);
    const bool writes = query.method == Method::put || query.method == Method::announce_peer;
    const std::size_t limit = bytes_max(asker, &tables, now);
    if (writes && !has_token) {
        return fail_with(query.transaction, ErrorCode::protocol, "bad_token", limit);
    }
    if (writes) {
        const auto taken = take(query, asker, now);
        if (!taken) {
            return fail_with(query.transaction, error_code(taken.error()), to_string(taken.error()),
                             limit);
        }
    }
    Response reply = search(query, asker, tables, now);
    const std::size_t whole = written_size(reply);
    Answer out;
    if (whole > limit) {
        trim(reply, limit);
        out.was_trimmed = limit < kReplyBytesMax;
        if (written_size(reply) > limit) return out;
    }
    out.reply = write(reply);
    if (query.method == Method::put) out.stored = target_of(query.item);
    return out;
}

Result<void, StoreRefusal> Responder::take(const Query& query, const Asker& asker, Instant now) {
    if (query.method == Method::put) {
        const IpAddress& source = asker.endpoint.address;
        if (!query.age_s) return store_.put(query.item, query.cas, source, now);
        const std::int64_t age_s = std::min<std::int64_t>(*query.age_s, kAgeMax.count());
        return store_.copy(query.item, std::chrono::seconds(age_s), source, now);
    }
    Endpoint peer = asker.endpoint;
    if (!query.implied_port) peer.port = query.port;
    return store_.announce(query.target, peer, now);
}

// The reply to any query; ping, announce_peer and put need no more than our id.
Response Responder::search(const Query& query, const Asker& asker, const Tables& tables,
                           Instant now) {
    Response reply;
    reply.transaction = query.transaction;
    reply.version = tag_;
    reply.sender = tables.of(family_of(asker.endpoint)).own_id();
    reply.external = asker.endpoint;
    switch (query.method) {
        case Method::ping:
        case Method::announce_peer:
        case Method::put: return reply;
        case Method::find_node: break;
        case Method::get_peers:
            reply.peers = store_.sample_peers(
                query.target, {wanted(query, asker.endpoint), kPeersMax}, prng_, now);
            break;
        case Method::get: add_item(query, reply, now); break;
    }
    if (query.method != Method::find_node) {
        reply.token = tokens_.issue(asker.endpoint.address, query.target, now);
    }
    add_nodes(query, asker, tables, reply);
    return reply;
}

void Responder::add_nodes(const Query& query, const Asker& asker, const Tables& tables,
                          Response& reply) {
    reply.node_lists = wanted(query, asker.endpoint);
    if (reply.node_lists.v4) tables.v4.closest(query.target, k_, reply.nodes);
    if (reply.node_lists.v6) tables.v6.closest(query.target, k_, reply.nodes);
}

void Responder::add_item(const Query& query, Response& reply, Instant now) const {
    const Item* item = store_.find(query.target, now);
    if (item == nullptr) return;
    if (item->author) {
        reply.found.sequence = item->author->sequence;
        if (query.newer_than && item->author->sequence <= *query.newer_than) return;
        reply.found.key = item->author->key;
        reply.found.signature = item->author->signature;
    }
    reply.found.value = item->value;
}

void Responder::check_invariants() const {
    limiter_.check_invariants();
    proofs_.check_invariants();
    store_.check_invariants();
}

}  // namespace leither::dht
