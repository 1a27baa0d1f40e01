#include "leither/dht/dht_node.h"

#include <algorithm>

#include "leither/base/check.h"

#include "dht_node_impl.h"

namespace leither::dht {

namespace {

RoutingTable::Options table_options(const Options& options) {
    RoutingTable::Options out;
    out.k = options.k;
    out.per_address_max = options.nodes_per_address_max;
    out.per_block_and_bucket_max = options.nodes_per_block_and_bucket_max;
    out.per_block_max = options.nodes_per_block_max;
    out.local = options.local;
    const bool is_public = options.wall.network == Network::mainline;
    out.ids = is_public ? IdRule::bep42 : IdRule::free;
    return out;
}

RpcManager::Options rpc_options(const Options& options) {
    RpcManager::Options out;
    out.queries_max = options.queries_max;
    out.soft_timeout_min = options.soft_timeout_min;
    out.soft_timeout_max = options.soft_timeout_max;
    out.hard_timeout = options.hard_timeout;
    return out;
}

// How far an address is known: to its host, its site, the world. Nobody can speak of places
// nearer than his own.
int reach_of(const IpAddress& address) {
    if (address.is_loopback()) return 0;
    return address.is_private() ? 1 : 2;
}

}  // namespace

const char* to_string(Failure failure) {
    switch (failure) {
        case Failure::no_nodes: return "no_nodes";
        case Failure::not_found: return "not_found";
        case Failure::stored_nowhere: return "stored_nowhere";
        case Failure::sequence_too_low: return "sequence_too_low";
        case Failure::cas_mismatch: return "cas_mismatch";
        case Failure::invalid_item: return "invalid_item";
        case Failure::too_many: return "too_many";
        case Failure::cancelled: return "cancelled";
    }
    UNREACHABLE();
}

const char* to_string(Role role) {
    switch (role) {
        case Role::member: return "member";
        case Role::reader: return "reader";
    }
    UNREACHABLE();
}

bool serves(Families families, const IpAddress& address) {
    switch (families) {
        case Families::v4: return address.is_v4();
        case Families::v6: return !address.is_v4();
        case Families::both: return true;
    }
    UNREACHABLE();
}

DhtNode::Impl::Impl(const Options& chosen, Entropy& source, const Log& sink, Instant now)
    : options(chosen),
      log(sink),
      wall(chosen.wall),
      prng(draw_number(source)),
      tables{{table_options(chosen), chosen.own_id}, {table_options(chosen), chosen.own_id}},
      rpc(rpc_options(chosen), source),
      responder(chosen, wall.tag(), source, now),
      swept_at(now),
      pings_counted(now - std::chrono::hours(1)) {
    CHECK(options.k > 0 && options.k <= Lookup::kNamedMax);
    CHECK(options.alpha > 0 && options.lookups_max > 0);
}

DhtNode::DhtNode(const Options& options, Entropy& entropy, const Log& log, Instant now)
    : impl_(std::make_unique<Impl>(options, entropy, log, now)) {}
DhtNode::DhtNode(DhtNode&&) noexcept = default;
DhtNode& DhtNode::operator=(DhtNode&&) noexcept = default;
DhtNode::~DhtNode() = default;

Effects DhtNode::step(Input&& input, Instant now) {
    std::visit([&](const auto& each) { impl_->on(each, now); }, input);
    impl_->work_until(now);
    return std::exchange(impl_->out, Effects{});
}

// ---- Datagrams

void DhtNode::Impl::on(const Tick&, Instant) {}

void DhtNode::Impl::on(const Datagram& datagram, Instant now) {
    ++counters.datagrams_received;
    counters.bytes_received += datagram.bytes.size();
    const IpAddress& source = datagram.from.address;
    if (!wall.open_to(source) || datagram.from.port == 0 || !serves(options.families, source)) {
        ++counters.walled;
        return;
    }
    // Whom we asked is heard even while others flood us.
    if (!responder.admits(source, now) && !rpc.expects(datagram.from)) {
        ++counters.limited;
        return;
    }
    auto message = parse(datagram.bytes);
    if (!message) {
        ++counters.malformed;
        const ParseFault& fault = message.error();
        if (!wall.reads(fault.version)) return;
        send_answer(datagram.from,
                    responder.refuse(fault, {datagram.from, datagram.bytes.size()}, now));
        return;
    }
    const bool is_read = std::visit([&](const auto& m) { return wall.reads(m.version); }, *message);
    if (!is_read) {
        ++counters.walled;
        return;
    }
    std::visit([&](auto& m) { handle(datagram, m, now); }, *message);
}

void DhtNode::Impl::handle(const Datagram& datagram, const Query& query, Instant now) {
    ++counters.queries_received;
    // Our own query, come back by some mirror.
    if (tables.is_own_id(query.sender)) return;
    const Contact asker{query.sender, datagram.from};
    auto answer = responder.answer(query, {datagram.from, datagram.bytes.size()}, tables, now);
    const bool is_node = !query.read_only && wall.counts(datagram.from.address, query.version);
    if (answer.stored) watch(*answer.stored, now);
    const bool is_watched = query.method == Method::get && copies_due.contains(query.target);
    if (is_watched && is_node && tables.of(asker).holds(asker)) {
        // A neighbour of the item looks after it, as we would.
        std::vector<Contact> near;
        tables.of(asker).closest(query.target, options.k, near);
        if (std::find(near.begin(), near.end(), asker) != near.end()) watch(query.target, now);
    }
    // The ping goes first: its answer lets us give more at the next query.
    if (is_node) {
        if (!tables.of(asker).heard(asker, now)) hear_of(asker, now);
    } else if (answer.was_trimmed && !query.read_only) {
        ping_stranger(asker, now);
    }
    if (query.read_only && tables.of(asker).holds(asker)) doubt(asker, now);
    send_answer(datagram.from, std::move(answer));
}

void DhtNode::Impl::handle(const Datagram& datagram, Response& reply, Instant now) {
    const auto sent = rpc.close(datagram.from, reply.transaction, now);
    if (!sent) {
        ++counters.unexpected;
        return;
    }
    // Nobody else has our id: as good as no answer.
    if (tables.is_own_id(reply.sender)) {
        ++counters.unexpected;
        give_up(*sent, now);
        return;
    }
    ++counters.queries_answered;
    close_join(sent->errand);
    responder.prove(datagram.from.address, now);
    const Contact contact{reply.sender, datagram.from};
    const bool was_renamed = !sent->to.id.is_zero() && sent->to.id != reply.sender;
    if (was_renamed) lose(sent->to, now);
    const bool counts = wall.counts(datagram.from.address, reply.version);
    if (counts) {
        learn(contact, now);
        vote(datagram.from, reply, now);
        keep_believable(datagram.from, reply, now);
    }
    if (!tasks.contains(sent->errand.task)) return;
    Task& task = tasks.at(sent->errand.task).task;
    if (counts) {
        task.answered(*sent, reply);
    } else {
        task.failed(*sent);
    }
    advance(sent->errand.task, now);
}

void DhtNode::Impl::handle(const Datagram& datagram, const ErrorReply& error, Instant now) {
    const auto sent = rpc.close(datagram.from, error.transaction, now);
    if (!sent) {
        ++counters.unexpected;
        return;
    }
    ++counters.queries_answered;
    close_join(sent->errand);
    responder.prove(datagram.from.address, now);
    if (!tasks.contains(sent->errand.task)) return;
    tasks.at(sent->errand.task).task.refused(*sent, error.code);
    advance(sent->errand.task, now);
}

void DhtNode::Impl::send_answer(const Endpoint& to, Responder::Answer&& answer) {
    if (answer.reply.empty()) return;
    ++counters.replies_sent;
    if (answer.is_error) ++counters.errors_sent;
    send(to, std::move(answer.reply));
}

void DhtNode::Impl::send(const Endpoint& to, Bytes bytes) {
    ++counters.datagrams_sent;
    counters.bytes_sent += bytes.size();
    out.sends.push_back({to, std::move(bytes)});
}

// REQUIRES: rpc is not full.
void DhtNode::Impl::send_query(const Contact& to, const Errand& errand, Query& query, Instant now) {
    query.transaction = rpc.open(to, errand, now);
    query.version = wall.tag();
    query.sender = tables.of(to).own_id();
    query.read_only = options.role == Role::reader;
    tables.of(to).queried(to, now);
    ++counters.queries_sent;
    send(to.endpoint, write(query));
}

// ---- What replies teach

void DhtNode::Impl::learn(const Contact& contact, Instant now) {
    const auto learned = tables.of(contact).answered(contact, now);
    if (learned == RoutingTable::Learned::added) neighbourhood_changed(contact, now);
}

// Of what a reply names, only nodes that may be asked remain; unknown ones are pinged now and then.
void DhtNode::Impl::keep_believable(const Endpoint& teller, Response& reply, Instant now) {
    const int reach = reach_of(teller.address);
    std::erase_if(reply.nodes, [&](const Contact& node) {
        return !serves(options.families, node.endpoint.address) ||
               !wall.believes(reply.version, node.endpoint.address) ||
               reach_of(node.endpoint.address) < reach || tables.is_own_id(node.id);
    });
    const std::size_t named = std::min(reply.nodes.size(), Lookup::kNamedMax);
    for (std::size_t i = 0; i < named; ++i) hear_of(reply.nodes[i], now);
    std::erase_if(reply.nodes, [&](const Contact& node) {
        return node.endpoint.address.is_v4() != teller.address.is_v4();
    });
}

void DhtNode::Impl::vote(const Endpoint& voter, const Response& reply, Instant now) {
    if (!reply.external) return;
    auto& votes = voter.address.is_v4() ? external_v4 : external_v6;
    votes.vote(voter.address, reply.external->address);
    if (options.wall.network == Network::mainline) adopt_address(now);
}

void DhtNode::Impl::expire_queries(Instant now) {
    while (const auto expired = rpc.next_expired(now)) {
        const RpcManager::Sent& sent = expired->sent;
        if (expired->expiry == RpcManager::Expiry::failed) {
            ++counters.queries_failed;
            give_up(sent, now);
            continue;
        }
        const auto work = tasks.find(sent.errand.task);
        if (work == tasks.end()) continue;
        work->second.task.late(sent);
        advance(sent.errand.task, now);
    }
}

// No answer will come.
void DhtNode::Impl::give_up(const RpcManager::Sent& sent, Instant now) {
    close_join(sent.errand);
    if (sent.errand.kind == Errand::Kind::doubt) {
        dismiss(sent.to, now);
    } else {
        lose(sent.to, now);
    }
    const auto work = tasks.find(sent.errand.task);
    if (work == tasks.end()) return;
    work->second.task.failed(sent);
    advance(sent.errand.task, now);
}

void DhtNode::Impl::close_join(const Errand& errand) {
    if (errand.kind == Errand::Kind::join && joins_open > 0) --joins_open;
}

// ---- Requests

void DhtNode::Impl::on(const Ask& ask, Instant now) {
    if (waiting.size() + requests_at_work() >= options.requests_max) {
        refuse(ask.id, Failure::too_many);
        return;
    }
    if (const auto* put = std::get_if<Put>(&ask.request); put != nullptr && !check(put->item)) {
        refuse(ask.id, Failure::invalid_item);
        return;
    }
    waiting.push_back(ask);
    start_waiting(now);
}

void DhtNode::Impl::on(const Cancel& cancel, Instant now) {
    const auto asked = std::find_if(waiting.begin(), waiting.end(),
                                    [&](const Ask& a) { return a.id == cancel.id; });
    if (asked != waiting.end()) {
        waiting.erase(asked);
        refuse(cancel.id, Failure::cancelled);
        return;
    }
    for (auto work = tasks.begin(); work != tasks.end(); ++work) {
        const auto* request = std::get_if<Request>(&work->second.owner);
        if (request == nullptr || request->id != cancel.id) continue;
        tasks.erase(work);
        refuse(cancel.id, Failure::cancelled);
        start_waiting(now);
        return;
    }
}

void DhtNode::Impl::refuse(RequestId id, Failure failure) {
    Done done{id, {}};
    done.outcome.failure = failure;
    out.done.push_back(std::move(done));
}

Task::Spec DhtNode::Impl::spec_of(const Ask& ask) const {
    Task::Spec spec;
    if (const auto* find = std::get_if<FindNode>(&ask.request)) {
        spec.target = find->target;
    } else if (const auto* peers = std::get_if<GetPeers>(&ask.request)) {
        spec.kind = Task::Kind::peers;
        spec.target = peers->info_hash;
    } else if (const auto* item = std::get_if<GetImmutable>(&ask.request)) {
        spec.kind = Task::Kind::get;
        spec.target = item->target;
    } else if (const auto* slot = std::get_if<GetMutable>(&ask.request)) {
        spec.kind = Task::Kind::get;
        spec.target = mutable_target(slot->key, slot->salt);
        spec.author = Lookup::Author{slot->key, slot->salt};
    } else if (const auto* announce = std::get_if<Announce>(&ask.request)) {
        spec = spec_of(Kept{*announce});
    } else if (const auto* put = std::get_if<Put>(&ask.request)) {
        spec = spec_of(Kept{*put});
    }
    return spec;
}

std::size_t DhtNode::Impl::requests_at_work() const {
    return static_cast<std::size_t>(std::count_if(
        tasks.begin(), tasks.end(),
        [](const auto& entry) { return std::holds_alternative<Request>(entry.second.owner); }));
}

void DhtNode::Impl::start_waiting(Instant now) {
    while (is_ready && !waiting.empty() && requests_at_work() < options.lookups_max) {
        const Ask ask = std::move(waiting.front());
        waiting.pop_front();
        start(spec_of(ask), Request{ask.id}, now);
    }
}

// ---- Tasks

void DhtNode::Impl::start(const Task::Spec& spec, const Owner& owner, Instant now) {
    ++counters.lookups_begun;
    Work work{Task(spec, options, tables), owner};
    const bool is_item = spec.kind == Task::Kind::get || spec.kind == Task::Kind::put ||
                         spec.kind == Task::Kind::copy;
    if (const Item* own = is_item ? responder.store().find(spec.target, now) : nullptr) {
        work.task.offer_own(*own);
    }
    if (spec.kind == Task::Kind::peers) {
        const ItemStore::Sample wanted{{true, true}, Responder::kPeersMax};
        work.task.offer_own(responder.store().sample_peers(spec.target, wanted, prng, now));
    }
    const std::uint32_t number = next_task++;
    if (next_task == 0) next_task = 1;
    tasks.emplace(number, std::move(work));
    advance(number, now);
}

// Sends what the task wants sent, until it waits or is done.
void DhtNode::Impl::advance(std::uint32_t number, Instant now) {
    const auto work = tasks.find(number);
    if (work == tasks.end()) return;
    Task& task = work->second.task;
    for (auto sends = task.next(); !sends.empty(); sends = task.next()) {
        for (Task::Send& send : sends) {
            if (rpc.full()) {
                task.failed({send.to, {send.kind, number}, now});
            } else {
                send_query(send.to, {send.kind, number}, send.query, now);
            }
        }
    }
    if (!task.done()) return;
    Work finished = std::move(work->second);
    tasks.erase(work);
    finish(finished, now);
}

void DhtNode::Impl::finish(Work& work, Instant now) {
    std::visit([&](const auto& owner) { conclude(owner, work, now); }, work.owner);
}

void DhtNode::Impl::conclude(const Request& request, Work& work, Instant now) {
    Done done{request.id, work.task.outcome()};
    if (work.task.spec().kind == Task::Kind::put) {
        done.outcome.stored_here = store_here(work.task, done.outcome, now);
    }
    out.done.push_back(std::move(done));
    start_waiting(now);
}

// A node among the closest holds its own publications like others', but nothing that was refused.
bool DhtNode::Impl::store_here(const Task& task, const Outcome& outcome, Instant now) {
    const auto& failure = outcome.failure;
    if (failure == Failure::sequence_too_low || failure == Failure::cas_mismatch) return false;
    const Task::Spec& spec = task.spec();
    const bool is_near = task.would_hold(tables.v4.own_id()) || task.would_hold(tables.v6.own_id());
    if (!spec.item || options.role == Role::reader || !is_near) return false;
    if (!responder.store().put(*spec.item, spec.cas, IpAddress(), now)) return false;
    watch(spec.target, now);
    return true;
}

// ---- What can be read

std::optional<Instant> DhtNode::next_deadline() const {
    std::optional<Instant> next = impl_->rpc.next_deadline();
    const auto consider = [&](const std::optional<Instant>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    if (!impl_->is_started) return next;
    consider(impl_->join_at);
    consider(impl_->self_at);
    consider(impl_->upkeep_at);
    consider(impl_->neighbour_at);
    if (impl_->is_ready) {
        consider(impl_->kept_due.next());
        consider(impl_->copies_due.next());
    }
    return next;
}

Status DhtNode::status() const {
    Status out;
    out.started = impl_->is_started;
    out.ready = impl_->is_ready;
    out.role = impl_->options.role;
    out.id_v4 = impl_->tables.v4.own_id();
    out.id_v6 = impl_->tables.v6.own_id();
    out.nodes_v4 = impl_->tables.v4.size();
    out.nodes_v6 = impl_->tables.v6.size();
    out.buckets_v4 = impl_->tables.v4.fill();
    out.buckets_v6 = impl_->tables.v6.fill();
    out.network = impl_->options.wall.network;
    out.admission = impl_->options.wall.admission;
    out.allowed_ranges = impl_->options.wall.allow.size();
    out.external_v4 = impl_->external_v4.decided();
    out.external_v6 = impl_->external_v6.decided();
    out.requests = impl_->waiting.size() + impl_->requests_at_work();
    out.lookups = impl_->tasks.size();
    out.queries = impl_->rpc.size();
    out.kept = impl_->kept.size();
    const ItemStore& store = impl_->responder.store();
    out.items = store.items();
    out.items_max = impl_->options.store.items_max;
    out.item_bytes = store.item_bytes();
    out.item_bytes_max = impl_->options.store.item_bytes_max;
    out.peers = store.peers();
    out.peers_max = impl_->options.store.peers_max;
    out.counters = impl_->counters;
    return out;
}

std::size_t DhtNode::nodes() const {
    return impl_->tables.size();
}

std::vector<Contact> DhtNode::good_nodes(std::size_t max) const {
    std::vector<RoutingTable::Node> known = impl_->tables.v4.nodes();
    const auto others = impl_->tables.v6.nodes();
    known.insert(known.end(), others.begin(), others.end());
    std::erase_if(known, [](const RoutingTable::Node& node) { return node.failures > 0; });
    std::stable_sort(known.begin(), known.end(),
                     [](const auto& a, const auto& b) { return a.answered_at > b.answered_at; });
    std::vector<Contact> out;
    for (const auto& node : known) {
        if (out.size() >= max) break;
        out.push_back(node.contact);
    }
    return out;
}

std::vector<Contact> DhtNode::closest(const Id& target, std::size_t max) const {
    std::vector<Contact> out;
    impl_->tables.v4.closest(target, max, out);
    impl_->tables.v6.closest(target, max, out);
    std::stable_sort(out.begin(), out.end(), CloserTo{target});
    if (out.size() > max) out.resize(max);
    return out;
}

void DhtNode::check_invariants() const {
    impl_->tables.v4.check_invariants();
    impl_->tables.v6.check_invariants();
    impl_->rpc.check_invariants();
    impl_->responder.check_invariants();
    impl_->kept_due.check_invariants();
    impl_->copies_due.check_invariants();
    for (const auto& [number, work] : impl_->tasks) {
        work.task.check_invariants();
        // A task that waits for nothing would wait for ever.
        CHECK(!work.task.done());
    }
    CHECK(impl_->kept.size() <= impl_->options.kept_max);
    CHECK(impl_->waiting.size() + impl_->requests_at_work() <= impl_->options.requests_max);
    CHECK(impl_->copies_due.size() <= impl_->options.store.items_max);
}

}  // namespace leither::dht
