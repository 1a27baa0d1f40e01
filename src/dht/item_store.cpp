#include "leither/dht/item_store.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::dht {

namespace {

using Shares = std::map<IpAddress, std::uint32_t>;

Shares::iterator take_share(Shares& shares, const IpAddress& block) {
    const auto share = shares.try_emplace(block, 0).first;
    ++share->second;
    return share;
}
void give_back(Shares& shares, Shares::iterator share) {
    if (--share->second == 0) shares.erase(share);
}

std::uint32_t share_of(const Shares& shares, const IpAddress& block) {
    const auto share = shares.find(block);
    return share == shares.end() ? 0 : share->second;
}

// The largest share once `newcomer` has one entry more.
std::uint32_t largest_share(const Shares& shares, const IpAddress& newcomer) {
    std::uint32_t largest = share_of(shares, newcomer) + 1;
    for (const auto& [block, count] : shares) largest = std::max(largest, count);
    return largest;
}

std::size_t cost_of(const Item& item) {
    return ItemStore::kItemOverheadBytes + item.value.size();
}

StoreRefusal refusal_of(ItemError error) {
    switch (error) {
        case ItemError::value_too_big: return StoreRefusal::value_too_big;
        case ItemError::value_not_canonical: return StoreRefusal::value_not_canonical;
        case ItemError::sequence_out_of_range: return StoreRefusal::sequence_out_of_range;
        case ItemError::bad_signature: return StoreRefusal::bad_signature;
        case ItemError::wrong_target: break;  // the store computes the target itself
    }
    UNREACHABLE();
}

// Whether `item` says what `stored` says: another signature of the same is no news.
bool says_the_same(const Item& stored, const Item& item) {
    if (stored.author.has_value() != item.author.has_value()) return false;
    if (stored.author && stored.author->sequence != item.author->sequence) return false;
    return stored.value == item.value;
}

// Whether `item` may take the place of `stored`, which says something else.
Result<void, StoreRefusal> check_newer(const Item& stored, const Item& item) {
    const bool newer =
        stored.author && item.author && item.author->sequence > stored.author->sequence;
    if (!newer) return fail(StoreRefusal::sequence_too_low);
    return {};
}

Result<void, StoreRefusal> check_cas(const Item& stored, std::optional<std::int64_t> cas) {
    if (!cas || !stored.author || stored.author->sequence == *cas) return {};
    return fail(StoreRefusal::cas_mismatch);
}

}  // namespace

const char* to_string(StoreRefusal refusal) {
    switch (refusal) {
        case StoreRefusal::value_too_big: return "value_too_big";
        case StoreRefusal::value_not_canonical: return "value_not_canonical";
        case StoreRefusal::sequence_out_of_range: return "sequence_out_of_range";
        case StoreRefusal::bad_signature: return "bad_signature";
        case StoreRefusal::cas_mismatch: return "cas_mismatch";
        case StoreRefusal::sequence_too_low: return "sequence_too_low";
        case StoreRefusal::store_full: return "store_full";
        case StoreRefusal::port_zero: return "port_zero";
    }
    UNREACHABLE();
}

ErrorCode error_code(StoreRefusal refusal) {
    switch (refusal) {
        case StoreRefusal::value_too_big: return ErrorCode::value_too_big;
        case StoreRefusal::value_not_canonical:
        case StoreRefusal::sequence_out_of_range:
        case StoreRefusal::port_zero: return ErrorCode::protocol;
        case StoreRefusal::bad_signature: return ErrorCode::bad_signature;
        case StoreRefusal::cas_mismatch: return ErrorCode::cas_mismatch;
        case StoreRefusal::sequence_too_low: return ErrorCode::sequence_too_low;
        case StoreRefusal::store_full: return ErrorCode::server;
    }
    UNREACHABLE();
}

ItemStore::ItemStore(const Options& options, const Id& own_id)
    : options_(options), own_id_(own_id) {
    constexpr std::size_t kMapNodeBytes = 48;
    static_assert(sizeof(Items::value_type) + kMapNodeBytes <= kItemOverheadBytes);
    CHECK(options.items_max > 0 && options.item_bytes_max > 0 && options.peers_max > 0);
    CHECK(options.peers_per_hash_max > 0 && options.peers_per_hash_and_block_max > 0);
}

IpAddress ItemStore::block_of(const IpAddress& source) const {
    return is_exempt(options_.local, source) ? source : source.block();
}

// ---- Items

ItemStore::Items::iterator ItemStore::find_fresh(const Id& target, Instant now) {
    const auto stored = items_.find(target);
    if (stored == items_.end() || !expired(stored->second.put_at, now)) return stored;
    erase(stored);
    return items_.end();
}

// What was verified once needs no second look.
Result<ItemStore::Items::iterator, StoreRefusal> ItemStore::verify(const Item& item,
                                                                   const Id& target, Instant now) {
    const auto stored = find_fresh(target, now);
    if (stored != items_.end() && stored->second.item == item) return stored;
    const auto checked = check(item);
    if (!checked) return fail(refusal_of(checked.error()));
    return stored;
}

Result<void, StoreRefusal> ItemStore::put(const Item& item, std::optional<std::int64_t> cas,
                                          const IpAddress& source, Instant now) {
    if (item.value.size() > kValueBytesMax) return fail(StoreRefusal::value_too_big);
    const Id target = target_of(item);
    const auto stored = TRY(verify(item, target, now));
    if (stored == items_.end()) return place(target, item, block_of(source), now);
    TRY(check_cas(stored->second.item, cas));
    return update(stored, item, now);
}

Result<void, StoreRefusal> ItemStore::copy(const Item& item, Duration age, const IpAddress& source,
                                           Instant now) {
    if (item.value.size() > kValueBytesMax) return fail(StoreRefusal::value_too_big);
    const Id target = target_of(item);
    const auto stored = TRY(verify(item, target, now));
    const Instant put_at = now - age;
    if (expired(put_at, now)) return {};
    if (stored == items_.end()) return place(target, item, block_of(source), put_at);
    return update(stored, item, put_at);
}

Result<void, StoreRefusal> ItemStore::update(Items::iterator stored, const Item& item,
                                             Instant put_at) {
    if (says_the_same(stored->second.item, item)) {
        stored->second.put_at = std::max(stored->second.put_at, put_at);
        return {};
    }
    TRY(check_newer(stored->second.item, item));
    const Id target = stored->first;
    const Stored old = stored->second;
    const IpAddress block = old.share->first;
    erase(stored);
    const auto placed = place(target, item, block, put_at);
    // A longer value may find no room; the old one's room is still there.
    if (!placed) insert(target, old.item, block, old.put_at);
    return placed;
}

Result<void, StoreRefusal> ItemStore::place(const Id& target, const Item& item,
                                            const IpAddress& block, Instant put_at) {
    if (!make_room(target, cost_of(item), block)) return fail(StoreRefusal::store_full);
    insert(target, item, block, put_at);
    return {};
}

bool ItemStore::has_room(std::size_t item_cost) const {
    return items_.size() < options_.items_max && item_bytes_ + item_cost <= options_.item_bytes_max;
}

bool ItemStore::make_room(const Id& target, std::size_t cost, const IpAddress& block) {
    while (!has_room(cost)) {
        const std::uint32_t largest = largest_share(item_shares_, block);
        const auto victim = first_to_go(largest);
        const bool newcomer_may_go = share_of(item_shares_, block) + 1 == largest;
        if (victim == items_.end()) return false;
        if (newcomer_may_go && closer(own_id_, victim->first, target)) return false;
        erase(victim);
    }
    return true;
}

ItemStore::Items::iterator ItemStore::first_to_go(std::uint32_t share) {
    auto first = items_.end();
    for (auto item = items_.begin(); item != items_.end(); ++item) {
        if (item->second.share->second != share) continue;
        if (first == items_.end() || closer(own_id_, first->first, item->first)) first = item;
    }
    return first;
}

void ItemStore::insert(const Id& target, const Item& item, const IpAddress& block, Instant put_at) {
    item_bytes_ += cost_of(item);
    const auto share = take_share(item_shares_, block);
    items_.emplace(target, Stored{item, share, put_at});
}

ItemStore::Items::iterator ItemStore::erase(Items::iterator item) {
    item_bytes_ -= cost_of(item->second.item);
    give_back(item_shares_, item->second.share);
    return items_.erase(item);
}

const Item* ItemStore::find(const Id& target, Instant now) const {
    const auto stored = items_.find(target);
    if (stored == items_.end() || expired(stored->second.put_at, now)) return nullptr;
    return &stored->second.item;
}

Duration ItemStore::age_of(const Id& target, Instant now) const {
    return now - items_.at(target).put_at;
}

// ---- Peers

ItemStore::Swarm::iterator ItemStore::erase(Swarm& swarm, Swarm::iterator peer) {
    give_back(peer_shares_, peer->share);
    --peers_;
    return swarm.erase(peer);
}

// So that one more of block `newcomer` fits: the oldest of this block if it has all it may, else
// the oldest of the block that has most here.
void ItemStore::make_room_in(Swarm& swarm, const IpAddress& newcomer) {
    Shares here;
    for (const Peer& peer : swarm) ++here[peer.share->first];
    const bool block_full = !is_exempt(options_.local, newcomer) &&
                            share_of(here, newcomer) >= options_.peers_per_hash_and_block_max;
    if (!block_full && swarm.size() < options_.peers_per_hash_max) return;

    const std::uint32_t largest = largest_share(here, newcomer);
    auto oldest = swarm.end();
    for (auto peer = swarm.begin(); peer != swarm.end(); ++peer) {
        const IpAddress& block = peer->share->first;
        const bool newcomers = block == newcomer;
        const bool may_go =
            block_full ? newcomers : share_of(here, block) + (newcomers ? 1 : 0) == largest;
        if (!may_go) continue;
        if (oldest == swarm.end() || peer->announced_at < oldest->announced_at) oldest = peer;
    }
    if (oldest != swarm.end()) erase(swarm, oldest);
}

void ItemStore::make_room_for_peer(const IpAddress& newcomer) {
    if (peers_ < options_.peers_max) return;
    const std::uint32_t largest = largest_share(peer_shares_, newcomer);
    auto where = swarms_.end();
    auto oldest = Swarm::iterator{};
    for (auto swarm = swarms_.begin(); swarm != swarms_.end(); ++swarm) {
        for (auto peer = swarm->second.begin(); peer != swarm->second.end(); ++peer) {
            const std::uint32_t more = peer->share->first == newcomer ? 1 : 0;
            if (peer->share->second + more != largest) continue;
            if (where != swarms_.end() && peer->announced_at >= oldest->announced_at) continue;
            where = swarm;
            oldest = peer;
        }
    }
    CHECK(where != swarms_.end());  // some block has the largest share, and it has a peer
    erase(where->second, oldest);
    if (where->second.empty()) swarms_.erase(where);
}

Result<void, StoreRefusal> ItemStore::announce(const Id& info_hash, const Endpoint& peer,
                                               Instant now) {
    if (peer.port == 0) return fail(StoreRefusal::port_zero);
    const auto known = swarms_.find(info_hash);
    if (known != swarms_.end()) {
        const auto same = std::find_if(known->second.begin(), known->second.end(),
                                       [&](const Peer& p) { return p.endpoint == peer; });
        if (same != known->second.end()) {
            same->announced_at = now;
            return {};
        }
    }
    const IpAddress block = block_of(peer.address);
    if (known != swarms_.end()) make_room_in(known->second, block);
    make_room_for_peer(block);
    swarms_[info_hash].push_back({peer, take_share(peer_shares_, block), now});
    ++peers_;
    return {};
}

std::vector<Endpoint> ItemStore::sample_peers(const Id& info_hash, const Sample& wanted, Prng& prng,
                                              Instant now) const {
    std::vector<Endpoint> out;
    const auto swarm = swarms_.find(info_hash);
    if (swarm == swarms_.end()) return out;
    const auto [families, count] = wanted;
    for (const Peer& peer : swarm->second) {
        const bool fits = peer.endpoint.address.is_v4() ? families.v4 : families.v6;
        if (fits && !expired(peer.announced_at, now)) out.push_back(peer.endpoint);
    }
    if (out.size() <= count) return out;
    for (std::size_t i = 0; i < count; ++i) std::swap(out[i], out[i + prng.below(out.size() - i)]);
    out.resize(count);
    return out;
}

// ---- Both

void ItemStore::expire(Instant now) {
    for (auto item = items_.begin(); item != items_.end();) {
        item = expired(item->second.put_at, now) ? erase(item) : std::next(item);
    }
    for (auto at = swarms_.begin(); at != swarms_.end();) {
        Swarm& swarm = at->second;
        for (auto peer = swarm.begin(); peer != swarm.end();) {
            peer = expired(peer->announced_at, now) ? erase(swarm, peer) : std::next(peer);
        }
        at = swarm.empty() ? swarms_.erase(at) : std::next(at);
    }
}

void ItemStore::check_invariants() const {
    CHECK(items_.size() <= options_.items_max && item_bytes_ <= options_.item_bytes_max);
    std::size_t bytes = 0;
    Shares item_shares;
    for (const auto& [target, stored] : items_) {
        CHECK(target_of(stored.item) == target);
        bytes += cost_of(stored.item);
        ++item_shares[stored.share->first];
    }
    CHECK(bytes == item_bytes_ && item_shares == item_shares_);
    std::size_t peers = 0;
    Shares peer_shares;
    for (const auto& [info_hash, swarm] : swarms_) {
        CHECK(!swarm.empty() && swarm.size() <= options_.peers_per_hash_max);
        for (const Peer& peer : swarm) ++peer_shares[peer.share->first];
        peers += swarm.size();
    }
    CHECK(peers == peers_ && peers_ <= options_.peers_max && peer_shares == peer_shares_);
}

}  // namespace leither::dht
