// What a node does unasked: joins, keeps its table fresh, publishes again, copies what it holds.
#include <algorithm>

#include "leither/base/check.h"
#include "leither/base/prefix.h"

#include "dht_node_impl.h"

namespace leither::dht {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kJoinMax = 16;  // contacts asked at the same time
constexpr std::size_t kRememberedMax = 64;
constexpr Duration kJoinPauseMin = seconds(2);
// A node that comes up before the one it begins with finds the network within a minute of that.
constexpr Duration kJoinPauseMax = seconds(40);

// The neighbourhood is looked at again after 2 s, 4 s, ... and in the end every 15 minutes.
constexpr Duration kSelfPauseMin = seconds(2);
constexpr Duration kSelfPauseMax = minutes(15);
constexpr Duration kSelfPauseAfterChange = seconds(5);
// Lookups of random ids when a node is new, to know the network at large.
constexpr std::uint32_t kExplorations = 8;

constexpr Duration kUpkeepPause = seconds(10);
constexpr Duration kUpkeepPauseAfterLoss = seconds(2);
constexpr Duration kUpkeepPauseWhenNew = seconds(1);
constexpr Duration kQuiet = minutes(15);    // of a bucket, a node
constexpr Duration kRecheck = seconds(10);  // of a node that failed once
constexpr Duration kSweepPause = minutes(1);

constexpr Duration kNeighbourPause = seconds(8);  // between checks of one of the k nearest
constexpr Duration kNeighbourQuiet = seconds(60);
constexpr std::uint32_t kPingBurst = 64;
constexpr Duration kPingPrice = milliseconds(200);

// Two of these and a lookup are less than the two hours an item lives.
constexpr Duration kPublishPauseMin = minutes(50);
constexpr Duration kPublishPauseMax = minutes(58);
constexpr Duration kPublishRetryMin = seconds(5);
constexpr Duration kCopyPauseMin = minutes(10);
constexpr Duration kCopyPauseMax = minutes(15);
constexpr Duration kMovedPauseMax = seconds(30);
constexpr std::size_t kUpkeepTasksMax = 4;

}  // namespace

Instant DhtNode::Impl::after(Duration least, Duration most, Instant now) {
    const auto spread = static_cast<std::uint64_t>((most - least).count()) + 1;
    return now + least + Duration(static_cast<Duration::rep>(prng.below(spread)));
}

Id DhtNode::Impl::random_id() {
    Id id;
    prng.fill(id.span());
    return id;
}

void DhtNode::Impl::work_until(Instant now) {
    expire_queries(now);
    if (!is_started) return;
    settle(now);
    if (join_at && *join_at <= now) join(now);
    if (self_at && *self_at <= now) look_around(now);
    if (upkeep_at && *upkeep_at <= now) check_next(now);
    if (neighbour_at && *neighbour_at <= now) check_neighbour(now);
    publish_due(now);
    copy_due(now);
}

// ---- Joining

void DhtNode::Impl::on(const Start& start, Instant now) {
    if (is_started) return;
    is_started = true;
    bootstrap = start.bootstrap;
    remembered = start.saved;
    if (remembered.size() > kRememberedMax) remembered.resize(kRememberedMax);
    join_at = now;
    upkeep_at = after(kUpkeepPauseWhenNew, 2 * kUpkeepPauseWhenNew, now);
    neighbour_at = after(kNeighbourPause / 2, kNeighbourPause, now);
}

void DhtNode::Impl::on(const Bootstrap& found, Instant now) {
    for (const Endpoint& endpoint : found.endpoints) {
        std::erase(bootstrap_found, endpoint);
        bootstrap_found.push_back(endpoint);
        if (bootstrap_found.size() > kBootstrapMax) bootstrap_found.erase(bootstrap_found.begin());
    }
    if (!is_started || tables.size() > 0) return;
    join_pause = Duration(0);
    join_at = now;
}

// Asks some that we were told of for nodes near us.
void DhtNode::Impl::join(Instant now) {
    join_at.reset();
    std::vector<Contact> known = remembered;
    for (const Endpoint& endpoint : bootstrap) known.push_back({Id(), endpoint});
    for (const Endpoint& endpoint : bootstrap_found) known.push_back({Id(), endpoint});
    prng.shuffle(std::span(known));
    // The operator's own list comes first, but leaves half of the places to those remembered.
    const auto others = std::stable_partition(
        known.begin(), known.end(), [](const Contact& contact) { return contact.id.is_zero(); });
    constexpr std::ptrdiff_t kHalf = kJoinMax / 2;
    if (others - known.begin() > kHalf) std::rotate(known.begin() + kHalf, others, known.end());
    for (const Contact& contact : known) {
        if (joins_open >= kJoinMax || rpc.full()) break;
        const IpAddress& address = contact.endpoint.address;
        const bool is_open = serves(options.families, address) && wall.open_to(address);
        if (!is_open || contact.endpoint.port == 0) continue;
        Query query;
        query.method = Method::find_node;
        query.target = tables.of(contact).own_id();
        query.want = {options.families != Families::v6, options.families != Families::v4};
        ++joins_open;
        send_query({Id(), contact.endpoint}, {Errand::Kind::join, 0}, query, now);
    }
}

// Whether the node knows anybody decides what it does next.
void DhtNode::Impl::settle(Instant now) {
    if (tables.size() > 0) {
        join_pause = Duration(0);
        if (!is_ready && self_lookups == 0) look_around(now);
        return;
    }
    if (joins_open > 0 || self_lookups > 0 || join_at) return;
    // Nobody answers: requests are told so, and we try again and again.
    if (!is_ready) {
        is_ready = true;
        explorations_left = kExplorations;
        start_waiting(now);
    }
    if (bootstrap.empty() && bootstrap_found.empty() && remembered.empty()) return;
    join_pause = std::clamp(2 * join_pause, kJoinPauseMin, kJoinPauseMax);
    join_at = after(join_pause / 2, join_pause, now);
}

void DhtNode::Impl::look_around(Instant now) {
    self_pause = std::clamp(2 * self_pause, kSelfPauseMin, kSelfPauseMax);
    self_at = after(self_pause, self_pause + self_pause / 4, now);
    if (tables.size() == 0 || self_lookups > 0) return;
    Task::Spec spec;
    spec.target = tables.v4.own_id();
    ++self_lookups;
    start(spec, SelfLookup{}, now);
    if (tables.v6.own_id() == tables.v4.own_id() || tables.v6.size() == 0) return;
    spec.target = tables.v6.own_id();
    ++self_lookups;
    start(spec, SelfLookup{}, now);
}

void DhtNode::Impl::conclude(const SelfLookup&, Work&, Instant now) {
    CHECK(self_lookups > 0);
    --self_lookups;
    if (is_ready || self_lookups > 0) return;
    is_ready = true;
    explorations_left = kExplorations;
    start_waiting(now);
}

void DhtNode::Impl::conclude(const Exploration&, Work&, Instant) {}

// A node near us has come or gone: who else is there?
void DhtNode::Impl::neighbourhood_changed(const Contact& contact, Instant now) {
    std::vector<Contact> near;
    const RoutingTable& table = tables.of(contact);
    table.closest(table.own_id(), options.k, near);
    const bool is_near =
        near.size() < options.k || !closer(table.own_id(), near.back().id, contact.id);
    if (!is_ready || !is_near) return;
    const Instant soon = after(kSelfPauseAfterChange / 2, kSelfPauseAfterChange, now);
    if (!self_at || soon < *self_at) self_at = soon;
}

// ---- The table

// A ping to a node that we have only heard of, if it would get a place.
void DhtNode::Impl::hear_of(const Contact& contact, Instant now) {
    const RoutingTable& table = tables.of(contact);
    if (!table.holds(contact) && table.would_add(contact)) ping_stranger(contact, now);
}

// Forged senders and named victims get no more pings than the allowance.
void DhtNode::Impl::ping_stranger(const Contact& contact, Instant now) {
    if (rpc.expects(contact.endpoint)) return;
    const auto earned = (now - pings_counted) / kPingPrice;
    if (earned > 0) {
        pings_left =
            static_cast<std::uint32_t>(std::min<Duration::rep>(kPingBurst, pings_left + earned));
        pings_counted += earned * kPingPrice;
    }
    if (pings_left == 0) return;
    --pings_left;
    ping(contact, now);
}

// One lost datagram is no death: the node is asked again before it is dropped, and remembered then.
void DhtNode::Impl::lose(const Contact& contact, Instant now) {
    RoutingTable& table = tables.of(contact);
    if (!table.failed(contact)) {
        if (table.holds(contact)) ping(contact, now);
        return;
    }
    // Where one has gone others may have, too.
    if (upkeep_at) upkeep_at = std::min(*upkeep_at, now + kUpkeepPauseAfterLoss);
    if (remembered.size() >= kRememberedMax) remembered.erase(remembered.begin());
    remembered.push_back(contact);
    neighbourhood_changed(contact, now);
}

// Who says that it is read-only answers pings alone, which would keep it in the table for ever. The
// word alone can be forged: one that answers this stays.
void DhtNode::Impl::doubt(const Contact& contact, Instant now) {
    if (rpc.full() || rpc.expects(contact.endpoint)) return;
    Query query;
    query.method = Method::find_node;
    query.target = tables.of(contact).own_id();
    send_query(contact, {Errand::Kind::doubt, 0}, query, now);
}

void DhtNode::Impl::dismiss(const Contact& contact, Instant now) {
    RoutingTable& table = tables.of(contact);
    if (!table.failed(contact)) (void)table.failed(contact);
    neighbourhood_changed(contact, now);
}

void DhtNode::Impl::check_neighbour(Instant now) {
    neighbour_at = after(kNeighbourPause * 3 / 4, kNeighbourPause * 5 / 4, now);
    for (const Family family : kFamilies) {
        const auto silent = tables.of(family).silent_neighbour(options.k, now - kNeighbourQuiet);
        if (silent) ping(*silent, now);
    }
}

void DhtNode::Impl::ping(const Contact& to, Instant now) {
    if (rpc.full() || rpc.expects(to.endpoint)) return;
    Query query;
    send_query(to, {Errand::Kind::check, 0}, query, now);
}

// Does one thing: explores, refreshes a quiet bucket, or asks a silent node.
void DhtNode::Impl::check_next(Instant now) {
    if (now - swept_at >= kSweepPause) {
        swept_at = now;
        responder.store().expire(now);
    }
    const bool is_new = explorations_left > 0 && tables.size() > 0;
    const Duration pause = is_new ? kUpkeepPauseWhenNew : kUpkeepPause;
    upkeep_at = after(pause, pause + pause / 2, now);
    if (tables.size() == 0 || upkeep_at_work() >= kUpkeepTasksMax) return;
    Task::Spec spec;
    if (explorations_left > 0 && is_ready) {
        --explorations_left;
        spec.target = random_id();
        start(spec, Exploration{}, now);
        return;
    }
    for (const Family family : kFamilies) {
        RoutingTable& table = tables.of(family);
        if (table.size() == 0) continue;
        if (const auto target = table.next_refresh(now - kQuiet, random_id(), now)) {
            spec.target = *target;
            start(spec, Exploration{}, now);
            return;
        }
        if (const auto silent = table.next_check(now - kQuiet, now - kRecheck)) {
            ping(*silent, now);
            return;
        }
    }
}

std::size_t DhtNode::Impl::upkeep_at_work() const {
    return tasks.size() - requests_at_work();
}

// BEP 42: in Mainline's network our id follows from the address by which others see us.
void DhtNode::Impl::adopt_address(Instant now) {
    for (const Family family : kFamilies) {
        const auto& votes = family == Family::v4 ? external_v4 : external_v6;
        const auto address = votes.decided();
        RoutingTable& table = tables.of(family);
        if (!address || bep42_valid(table.own_id(), *address)) continue;
        table.set_own_id(bep42_id(*address, random_id()), now);
        if (family == Family::v4) responder.store().set_own_id(table.own_id());
        self_at = now;
    }
}

// ---- Publications

Task::Spec DhtNode::Impl::spec_of(const Kept& publication) const {
    Task::Spec spec;
    if (const auto* put = std::get_if<Put>(&publication.what)) {
        spec.kind = Task::Kind::put;
        spec.target = target_of(put->item);
        spec.item = put->item;
        spec.cas = put->cas;
    } else if (const auto* announce = std::get_if<Announce>(&publication.what)) {
        spec.kind = Task::Kind::announce;
        spec.target = announce->info_hash;
        spec.port = announce->port;
    }
    return spec;
}

void DhtNode::Impl::on(const Keep& keep, Instant now) {
    if (const auto* put = std::get_if<Put>(&keep.what); put != nullptr && !check(put->item)) return;
    Kept publication{keep.what};
    const Id target = spec_of(publication).target;
    if (!kept.contains(target) && kept.size() >= options.kept_max) {
        log.warn("dht_keeps_too_many", "max={}", options.kept_max);
        return;
    }
    kept.insert_or_assign(target, std::move(publication));
    kept_due.set(target, now);
}

void DhtNode::Impl::on(const Forget& forget, Instant) {
    kept.erase(forget.target);
    kept_due.erase(forget.target);
}

void DhtNode::Impl::publish_due(Instant now) {
    while (is_ready) {
        const auto target = kept_due.due(now);
        if (!target) return;
        if (upkeep_at_work() >= kUpkeepTasksMax) {
            kept_due.set(*target, after(seconds(1), seconds(5), now));
            continue;
        }
        const Kept& publication = kept.at(*target);
        Task::Spec spec = spec_of(publication);
        spec.cas.reset();
        if (spec.item && !publication.was_spared) spec.thrift = Task::Thrift::spare_if_held;
        // Set anew when it ends; this holds if it never does.
        kept_due.set(*target, after(kPublishPauseMin, kPublishPauseMax, now));
        start(spec, Publication{*target}, now);
    }
}

void DhtNode::Impl::conclude(const Publication& publication, Work& work, Instant now) {
    const auto entry = kept.find(publication.target);
    if (entry == kept.end()) return;
    Kept& keeping = entry->second;
    const Task::Spec wanted = spec_of(keeping);
    const Task::Spec& done = work.task.spec();
    // Replaced meanwhile; the newer one has a time of its own.
    if (done.item != wanted.item || done.port != wanted.port) return;
    const Outcome outcome = work.task.outcome();
    store_here(work.task, outcome, now);
    keeping.was_spared = work.task.was_spared();
    if (outcome.copies > 0 || keeping.was_spared) {
        keeping.retry = Duration(0);
        kept_due.set(publication.target, after(kPublishPauseMin, kPublishPauseMax, now));
        return;
    }
    keeping.retry = std::clamp(2 * keeping.retry, kPublishRetryMin, kPublishPauseMin);
    kept_due.set(publication.target, after(keeping.retry / 2, keeping.retry, now));
}

void DhtNode::Impl::on(const RoleIs& input, Instant now) {
    if (options.role == input.role) return;
    options.role = input.role;
    responder.set_role(input.role);
    // The lookup tells our neighbours what we are now.
    self_pause = Duration(0);
    if (is_started) self_at = now;
}

void DhtNode::Impl::on(const NetworkChanged&, Instant now) {
    external_v4.clear();
    external_v6.clear();
    self_pause = Duration(0);
    if (is_started) self_at = now;
    if (is_started && tables.size() == 0) {
        join_pause = Duration(0);
        join_at = now;
    }
    for (const auto& [target, publication] : kept) {
        if (!std::holds_alternative<Announce>(publication.what)) continue;
        kept_due.set(target, after(Duration(0), kMovedPauseMax, now));
    }
}

// ---- What we hold for others

// The next look at whether enough nodes hold this item.
void DhtNode::Impl::watch(const Id& target, Instant now) {
    const auto is_gone = [&](const Id& id) { return responder.store().find(id, now) == nullptr; };
    if (is_gone(target)) return;
    // Only what the store holds counts, so there is room for each of its items.
    if (!copies_due.contains(target) && copies_due.size() >= options.store.items_max) {
        copies_due.erase_if(is_gone);
    }
    copies_due.set(target, after(kCopyPauseMin, kCopyPauseMax, now));
}

void DhtNode::Impl::copy_due(Instant now) {
    while (is_ready) {
        const auto target = copies_due.due(now);
        if (!target) return;
        const Item* item = responder.store().find(*target, now);
        if (item == nullptr) {
            copies_due.erase(*target);
            continue;
        }
        if (upkeep_at_work() >= kUpkeepTasksMax) {
            copies_due.set(*target, after(seconds(1), seconds(5), now));
            continue;
        }
        watch(*target, now);
        Task::Spec spec;
        spec.kind = Task::Kind::copy;
        spec.target = *target;
        spec.item = *item;
        spec.age = responder.store().age_of(*target, now);
        start(spec, Copying{*target}, now);
    }
}

// If others hold a newer item, so shall we.
void DhtNode::Impl::conclude(const Copying&, Work& work, Instant now) {
    const Outcome outcome = work.task.outcome();
    const auto& held = work.task.spec().item;
    if (outcome.item && outcome.item != held) {
        (void)responder.store().copy(*outcome.item, work.task.spec().age, IpAddress(), now);
    }
}

}  // namespace leither::dht
