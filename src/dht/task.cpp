#include "task.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::dht {

namespace {

// A lookup is seeded with more than it asks, for the case that the nearest are gone.
constexpr std::size_t kSeedsPerPlace = 3;

Lookup::Goal goal_of(Task::Kind kind) {
    switch (kind) {
        case Task::Kind::find: return Lookup::Goal::nodes;
        case Task::Kind::peers:
        case Task::Kind::announce: return Lookup::Goal::peers;
        case Task::Kind::get: return Lookup::Goal::item;
        case Task::Kind::put:
        case Task::Kind::copy: return Lookup::Goal::every_copy;
    }
    UNREACHABLE();
}

std::optional<Lookup::Author> author_of(const Task::Spec& spec) {
    if (!spec.item || !spec.item->author) return spec.author;
    return Lookup::Author{spec.item->author->key, spec.item->author->salt};
}

// Who writes blindly needs only what is newer; who compares needs to see what is there.
std::optional<std::int64_t> newer_than(const Task::Spec& spec) {
    if (!spec.item || !spec.item->author || spec.cas) return std::nullopt;
    return spec.item->author->sequence;
}

std::vector<Family> families_of(Families families) {
    switch (families) {
        case Families::v4: return {Family::v4};
        case Families::v6: return {Family::v6};
        case Families::both: return {Family::v4, Family::v6};
    }
    UNREACHABLE();
}

}  // namespace

Task::Task(const Spec& spec, const Options& options, const Tables& tables)
    : spec_(spec),
      k_(options.k),
      want_{options.families != Families::v6, options.families != Families::v4},
      families_(families_of(options.families)) {
    Lookup::Options lookup;
    lookup.goal = goal_of(spec.kind);
    lookup.author = author_of(spec);
    lookup.newer_than = newer_than(spec);
    lookup.k = options.k;
    lookup.alpha = options.alpha;
    lookup.local = options.local;
    for (const Family family : families_) {
        std::vector<Contact> seeds;
        const RoutingTable& table = tables.of(family);
        table.closest(spec.target, kSeedsPerPlace * options.k, seeds, RoutingTable::Standing::any);
        lookups_.emplace_back(lookup, spec.target, table.own_id(), seeds);
    }
}

void Task::offer_own(const Item& item) {
    own_item_ = item;
    for (Lookup& lookup : lookups_) lookup.offer_own(item);
}

void Task::offer_own(const std::vector<Endpoint>& peers) {
    own_peers_ = peers;
}

bool Task::stores() const {
    return spec_.kind == Kind::announce || spec_.kind == Kind::put || spec_.kind == Kind::copy;
}

Lookup& Task::lookup_of(const Contact& contact) {
    const auto at = std::find(families_.begin(), families_.end(), family_of(contact.endpoint));
    CHECK(at != families_.end());
    return lookups_[static_cast<std::size_t>(at - families_.begin())];
}

Task::Store* Task::store_at(const Endpoint& endpoint) {
    const auto at = std::find_if(stores_.begin(), stores_.end(),
                                 [&](const Store& s) { return s.at.endpoint == endpoint; });
    return at == stores_.end() ? nullptr : &*at;
}

// ---- Asking

std::vector<Task::Send> Task::next() {
    std::vector<Send> out;
    if (phase_ == Phase::looking) add_looks(out);
    if (phase_ == Phase::storing) add_stores(out);
    return out;
}

void Task::add_looks(std::vector<Send>& out) {
    bool is_done = true;
    for (Lookup& lookup : lookups_) {
        for (const Lookup::Probe& probe : lookup.next()) {
            out.push_back({probe.contact, Errand::Kind::look, look_query(probe)});
        }
        is_done = is_done && lookup.done();
    }
    // One family's quorum, or one family's immutable item, is enough.
    if (spec_.kind == Kind::get) {
        is_done = is_done || std::any_of(lookups_.begin(), lookups_.end(),
                                         [](const Lookup& l) { return l.is_content(); });
    }
    if (!is_done) return;
    if (stores()) {
        begin_storing();
    } else {
        phase_ = Phase::done;
    }
}

Query Task::look_query(const Lookup::Probe& probe) const {
    Query query;
    query.target = spec_.target;
    query.token = probe.token;
    // The other family's nodes only serve to find the way into it; its own lookup asks for them.
    query.want = {probe.contact.endpoint.address.is_v4(), !probe.contact.endpoint.address.is_v4()};
    switch (goal_of(spec_.kind)) {
        case Lookup::Goal::nodes:
            query.method = Method::find_node;
            query.want = want_;
            break;
        case Lookup::Goal::peers: query.method = Method::get_peers; break;
        case Lookup::Goal::item: query.method = Method::get; break;
        case Lookup::Goal::every_copy:
            query.method = Method::get;
            query.newer_than = newer_than(spec_);
            break;
    }
    return query;
}

std::optional<Item> Task::best_item() const {
    std::optional<Item> best = own_item_;
    for (const Lookup& lookup : lookups_) {
        const auto& item = lookup.item();
        if (item && (!best || outranks(*item, *best))) best = item;
    }
    return best;
}

std::uint32_t Task::holders_of(const Item& item) const {
    std::uint32_t holders = 0;
    for (const Lookup& lookup : lookups_) {
        for (const auto* node : lookup.closest()) {
            if (node->holds && node->sequence.value_or(0) == sequence_of(item)) ++holders;
        }
    }
    return holders;
}

void Task::begin_storing() {
    phase_ = Phase::storing;
    if (spec_.item) {
        const auto best = best_item();
        if (best && best->author && failure_of_store({})) {
            phase_ = Phase::done;
            return;
        }
        if (spec_.thrift == Thrift::spare_if_held && holders_of(*spec_.item) >= k_) {
            was_spared_ = true;
            phase_ = Phase::done;
            return;
        }
    }
    for (const Lookup& lookup : lookups_) {
        for (const auto* node : lookup.closest()) {
            const bool is_current =
                spec_.item && node->holds && node->sequence.value_or(0) >= sequence_of(*spec_.item);
            if (node->token.empty() || (spec_.kind == Kind::copy && is_current)) continue;
            // A node without the item would ignore it, and one that lags must not keep us out.
            const bool has_sequence = spec_.cas && node->sequence == spec_.cas;
            stores_.push_back({node->contact, node->token, has_sequence ? spec_.cas : std::nullopt,
                               StoreState::waiting});
        }
    }
}

void Task::add_stores(std::vector<Send>& out) {
    bool is_open = false;
    for (Store& store : stores_) {
        if (store.state == StoreState::waiting || store.state == StoreState::overdue) {
            const bool is_first = store.state == StoreState::waiting;
            store.state = is_first ? StoreState::sent : StoreState::sent_again;
            ++store_queries_;
            out.push_back({store.at, Errand::Kind::store, store_query(store)});
        }
        is_open =
            is_open || store.state == StoreState::sent || store.state == StoreState::sent_again;
    }
    if (!is_open) phase_ = Phase::done;
}

Query Task::store_query(const Store& store) const {
    Query query;
    query.token = store.token;
    if (spec_.kind == Kind::announce) {
        query.method = Method::announce_peer;
        query.target = spec_.target;
        query.port = spec_.port;
        query.implied_port = spec_.port == 0;
        return query;
    }
    query.method = Method::put;
    query.item = *spec_.item;
    query.cas = store.cas;
    if (spec_.kind == Kind::copy) {
        query.age_s = std::chrono::duration_cast<std::chrono::seconds>(spec_.age).count();
    }
    return query;
}

// ---- What happened

void Task::answered(const RpcManager::Sent& sent, const Response& reply) {
    if (sent.errand.kind == Errand::Kind::look) {
        if (phase_ == Phase::looking) {
            lookup_of(sent.to).answered(sent.to, reply, sent.round_trip);
        }
        return;
    }
    if (Store* store = store_at(sent.to.endpoint)) store->state = StoreState::stored;
}

void Task::refused(const RpcManager::Sent& sent, std::int32_t code) {
    if (sent.errand.kind == Errand::Kind::look) {
        lookup_of(sent.to).failed(sent.to);
        return;
    }
    Store* store = store_at(sent.to.endpoint);
    if (store == nullptr || store->state == StoreState::stored) return;
    store->state = StoreState::refused;
    refusal_ = code;
}

// A store is sent a second time, since its loss would go unnoticed; nobody waits for a third.
void Task::late(const RpcManager::Sent& sent) {
    if (sent.errand.kind == Errand::Kind::look) {
        lookup_of(sent.to).late(sent.to);
        return;
    }
    Store* store = store_at(sent.to.endpoint);
    if (store == nullptr) return;
    if (store->state == StoreState::sent) {
        store->state = StoreState::overdue;
    } else if (store->state == StoreState::sent_again) {
        store->state = StoreState::given_up;
    }
}

void Task::failed(const RpcManager::Sent& sent) {
    if (sent.errand.kind == Errand::Kind::look) {
        lookup_of(sent.to).failed(sent.to);
        return;
    }
    Store* store = store_at(sent.to.endpoint);
    if (store == nullptr) return;
    const bool is_open = store->state == StoreState::sent || store->state == StoreState::sent_again;
    if (is_open) store->state = StoreState::given_up;
}

// ---- What came of it

std::optional<Failure> Task::failure_of_store(const Outcome& outcome) const {
    const auto best = best_item();
    if (spec_.item && spec_.item->author && best && best->author) {
        const std::int64_t ours = spec_.item->author->sequence;
        const std::int64_t theirs = best->author->sequence;
        if (theirs > ours || (theirs == ours && best->value != spec_.item->value)) {
            return Failure::sequence_too_low;
        }
        if (spec_.cas && theirs != *spec_.cas && theirs != ours) return Failure::cas_mismatch;
    }
    if (phase_ != Phase::done || outcome.copies > 0 || was_spared_) return std::nullopt;
    if (outcome.answers == 0) return Failure::no_nodes;
    if (refusal_ == static_cast<std::int32_t>(ErrorCode::sequence_too_low)) {
        return Failure::sequence_too_low;
    }
    if (refusal_ == static_cast<std::int32_t>(ErrorCode::cas_mismatch)) {
        return Failure::cas_mismatch;
    }
    return Failure::stored_nowhere;
}

std::optional<Failure> Task::failure_of(const Outcome& outcome) const {
    const Failure missing = outcome.answers == 0 ? Failure::no_nodes : Failure::not_found;
    switch (spec_.kind) {
        case Kind::find:
            return outcome.nodes.empty() ? std::optional(Failure::no_nodes) : std::nullopt;
        case Kind::peers: return outcome.peers.empty() ? std::optional(missing) : std::nullopt;
        case Kind::get: return outcome.item ? std::nullopt : std::optional(missing);
        case Kind::announce:
        case Kind::put:
        case Kind::copy: return failure_of_store(outcome);
    }
    UNREACHABLE();
}

Outcome Task::outcome() const {
    CHECK(phase_ == Phase::done);
    Outcome out;
    out.queries = store_queries_;
    out.peers = own_peers_;
    for (const Lookup& lookup : lookups_) {
        if (spec_.kind == Kind::find) {
            for (const auto* node : lookup.closest()) {
                out.nodes.push_back(node->contact);
                out.round_trips.push_back(node->round_trip);
            }
        }
        for (const Endpoint& peer : lookup.peers()) {
            if (std::find(out.peers.begin(), out.peers.end(), peer) == out.peers.end()) {
                out.peers.push_back(peer);
            }
        }
        out.queries += lookup.queries();
        out.answers += lookup.answers();
        out.hops = std::max(out.hops, lookup.hops());
    }
    if (spec_.kind != Kind::find) out.item = best_item();
    if (out.item) out.holders = holders_of(*out.item);
    out.is_quorate = std::any_of(lookups_.begin(), lookups_.end(), [&](const Lookup& lookup) {
        return lookup.is_content() && lookup.item() == out.item;
    });
    for (const Store& store : stores_) {
        if (store.state == StoreState::stored) ++out.copies;
    }
    out.answers += out.copies;
    out.refusal = refusal_;
    out.failure = failure_of(out);
    return out;
}

bool Task::would_hold(const Id& own_id) const {
    return std::any_of(lookups_.begin(), lookups_.end(), [&](const Lookup& lookup) {
        const auto closest = lookup.closest();
        return closest.size() < k_ || closer(spec_.target, own_id, closest.back()->contact.id);
    });
}

void Task::check_invariants() const {
    for (const Lookup& lookup : lookups_) lookup.check_invariants();
    CHECK(stores_.size() <= 2 * k_);
}

}  // namespace leither::dht
