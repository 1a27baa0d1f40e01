#include "leither/peer/peer_table.h"

#include <algorithm>
#include <array>
#include <compare>
#include <tuple>

#include "leither/base/check.h"

namespace leither::peer {

namespace {

constexpr std::size_t kGroupBytesV4 = 2;
constexpr std::size_t kGroupBytesV6 = 4;

// What one provider usually holds: /16 of IPv4, /32 of IPv6.
IpAddress group_of(const IpAddress& address) {
    std::array<std::uint8_t, 16> bytes{};
    const ByteView all = address.bytes();
    const std::size_t kept = address.is_v4() ? kGroupBytesV4 : kGroupBytesV6;
    std::ranges::copy(all.first(kept), bytes.begin());
    return IpAddress::from(ByteView(bytes).first(all.size())).value_or(IpAddress());
}

bool can_be_dialed(const Endpoint& endpoint) {
    return endpoint.port != 0 && !endpoint.address.is_unspecified() &&
           !endpoint.address.is_multicast();
}

// Configured and reached addresses never give way.
bool is_settled(const KnownAddress& known) {
    return known.source == Source::configured || known.last_success.has_value();
}
// The smaller, the sooner it gives way.
auto worth(const KnownAddress& known) {
    return std::tuple(-static_cast<std::int64_t>(known.failures), known.source, known.learned);
}

// Configured 2, once reached 1, the rest 0.
int rank(const KnownAddress& known) {
    if (known.source == Source::configured) return 2;
    return known.last_success ? 1 : 0;
}

void add_context(KnownAddress& known, const Context& context) {
    if (std::ranges::find(known.contexts, context) != known.contexts.end()) return;
    if (known.contexts.size() >= kContextsPerAddress) known.contexts.erase(known.contexts.begin());
    known.contexts.push_back(context);
}

// Takes over who is said to be there, unless what is known is better.
void add_identity(KnownAddress& known, const PeerAddress& address) {
    if (known.is_proven || address.source < known.source) return;
    if (address.node) known.node = address.node;
    if (address.static_key) known.static_key = address.static_key;
}

}  // namespace

const char* to_string(Source source) {
    switch (source) {
        case Source::told: return "told";
        case Source::incoming: return "incoming";
        case Source::dht: return "dht";
        case Source::manifest: return "manifest";
        case Source::configured: return "configured";
    }
    UNREACHABLE();
}

bool PeerTable::learn(const PeerAddress& address, Instant now) {
    if (!can_be_dialed(address.endpoint)) return false;
    auto at = known_.find(address.endpoint);
    if (at == known_.end()) {
        const bool is_welcome = address.source == Source::configured || make_room(address.endpoint);
        if (!is_welcome) return false;
        KnownAddress fresh;
        fresh.endpoint = address.endpoint;
        fresh.next_attempt = now;
        fresh.learned = now;
        at = known_.emplace(address.endpoint, std::move(fresh)).first;
    }
    KnownAddress& known = at->second;
    add_context(known, address.context);
    add_identity(known, address);
    known.source = std::max(known.source, address.source);
    return true;
}

bool PeerTable::make_room(const Endpoint& endpoint) {
    return make_room_in_block(endpoint.address) && make_room_in_table();
}

bool PeerTable::make_room_in_block(const IpAddress& address) {
    const bool is_global = address.is_global();
    const IpAddress block = address.block();
    std::size_t count = 0;
    auto victim = known_.end();
    for (auto at = known_.begin(); at != known_.end(); ++at) {
        const IpAddress& other = at->first.address;
        const bool shares = is_global ? other.block() == block : !other.is_global();
        if (!shares || at->second.source == Source::configured) continue;
        ++count;
        // Within a block only what has failed gives way: first come, first served.
        if (is_settled(at->second) || at->second.failures == 0) continue;
        if (victim == known_.end() || worth(at->second) < worth(victim->second)) victim = at;
    }
    if (count < (is_global ? options_.per_block_max : options_.local_max)) return true;
    if (victim == known_.end()) return false;
    known_.erase(victim);
    return true;
}

bool PeerTable::make_room_in_table() {
    std::map<IpAddress, std::size_t> untried;
    std::size_t count = 0;
    for (const auto& [endpoint, known] : known_) {
        if (known.source != Source::configured) ++count;
        if (!is_settled(known)) ++untried[group_of(endpoint.address)];
    }
    if (count < options_.addresses_max) return true;
    if (untried.empty()) return false;
    const auto crowd =
        std::ranges::max_element(untried, {}, [](const auto& e) { return e.second; });
    auto victim = known_.end();
    for (auto at = known_.begin(); at != known_.end(); ++at) {
        if (is_settled(at->second) || group_of(at->first.address) != crowd->first) continue;
        if (victim == known_.end() || worth(at->second) < worth(victim->second)) victim = at;
    }
    CHECK(victim != known_.end());
    known_.erase(victim);
    return true;
}

void PeerTable::forget(const Endpoint& endpoint) {
    known_.erase(endpoint);
}

void PeerTable::succeeded(const Endpoint& endpoint, const Authenticated& remote, Instant now) {
    const auto at = known_.find(endpoint);
    if (at == known_.end()) return;
    KnownAddress& known = at->second;
    known.node = remote.node;
    known.static_key = remote.static_key;
    known.last_success = now;
    known.is_proven = true;
    known.next_attempt = now;
    add_context(known, remote.context);
}

void PeerTable::failed(const Endpoint& endpoint, Instant now) {
    const auto at = known_.find(endpoint);
    if (at == known_.end()) return;
    KnownAddress& known = at->second;
    known.is_proven = false;
    ++known.failures;
    if (known.source != Source::configured && known.failures >= options_.failures_max) {
        known_.erase(at);
        return;
    }
    // What hearsay tells of a key may be the very reason: the next dial is a first contact.
    if (known.source == Source::told && !known.last_success) {
        known.node.reset();
        known.static_key.reset();
    }
    const std::int64_t most = options_.rest_max.count();
    const std::uint32_t doublings = std::min(known.failures, std::uint32_t{20});
    const std::int64_t span = std::min(options_.rest_min.count() << doublings, most);
    const std::int64_t half = std::max<std::int64_t>(span / 2, 1);
    const auto jitter =
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(half) + 1));
    known.next_attempt = now + Duration(half + jitter);
}

void PeerTable::lasted(const Endpoint& endpoint) {
    const auto at = known_.find(endpoint);
    if (at != known_.end()) at->second.failures = 0;
}

void PeerTable::mistaken(const Endpoint& endpoint) {
    const auto at = known_.find(endpoint);
    if (at == known_.end() || at->second.source == Source::manifest) return;
    at->second.node.reset();
    at->second.static_key.reset();
}

void PeerTable::retry_all(Instant now) {
    for (auto& [endpoint, known] : known_) known.next_attempt = std::min(known.next_attempt, now);
}

void PeerTable::rest_until(const Endpoint& endpoint, Instant at) {
    const auto known = known_.find(endpoint);
    if (known == known_.end()) return;
    known->second.next_attempt = std::max(known->second.next_attempt, at);
}

const KnownAddress* PeerTable::choose(const Wanted& wanted, Instant now) {
    const KnownAddress* chosen = nullptr;
    std::uint64_t rivals = 0;
    for (const auto& [endpoint, known] : known_) {
        if (known.next_attempt > now || !wanted(known)) continue;
        if (chosen != nullptr && rank(known) < rank(*chosen)) continue;
        if (chosen == nullptr || rank(known) > rank(*chosen)) rivals = 0;
        ++rivals;
        if (prng_.below(rivals) == 0) chosen = &known;
    }
    return chosen;
}

std::optional<Instant> PeerTable::next_due(const Wanted& wanted) const {
    std::optional<Instant> due;
    for (const auto& [endpoint, known] : known_) {
        if (!wanted(known)) continue;
        due = due ? std::min(*due, known.next_attempt) : known.next_attempt;
    }
    return due;
}

const KnownAddress* PeerTable::find(const Endpoint& endpoint) const {
    const auto at = known_.find(endpoint);
    return at == known_.end() ? nullptr : &at->second;
}

void PeerTable::check_invariants() const {
    std::size_t count = 0;
    std::size_t local = 0;
    std::map<IpAddress, std::size_t> of_block;
    for (const auto& [endpoint, known] : known_) {
        CHECK(endpoint == known.endpoint);
        CHECK(!known.contexts.empty() && known.contexts.size() <= kContextsPerAddress);
        if (known.source == Source::configured) continue;
        ++count;
        const bool is_global = endpoint.address.is_global();
        if (!is_global) ++local;
        if (is_global) CHECK(++of_block[endpoint.address.block()] <= options_.per_block_max);
    }
    CHECK(count <= options_.addresses_max);
    CHECK(local <= options_.local_max);
}

}  // namespace leither::peer
