#include "leither/wallet/known.h"

#include <algorithm>
#include <functional>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/wallet/handed.h"

namespace leither::wallet {

namespace {

constexpr std::string_view kHeading = "leither-wallet-known-1\n";
// A clock that is set now and then may go back a little.
constexpr std::uint64_t kClockSlackMs = 60'000;

using Organizations = Bounded<KnownOrganization, kKnownOrganizationsMax>;

std::optional<std::size_t> place_of(std::uint8_t lane) {
    for (std::size_t i = 0; i < kOfflineLaneCount; ++i) {
        if (kOfflineLanes[i] == lane) return i;
    }
    return std::nullopt;
}

tl::unexpected<OfflineRefused> refuse(OfflineRefusal code, std::uint64_t actual,
                                      std::uint64_t limit) {
    return fail(OfflineRefused{code, actual, limit});
}

}  // namespace

bool is_offline_lane(std::uint8_t lane) {
    return place_of(lane).has_value();
}

const char* to_string(OfflineRefusal refusal) {
    switch (refusal) {
        case OfflineRefusal::known_too_old: return "known_too_old";
        case OfflineRefusal::clock_behind: return "clock_behind";
        case OfflineRefusal::not_a_member: return "not_a_member";
        case OfflineRefusal::insufficient_balance: return "insufficient_balance";
        case OfflineRefusal::lanes_taken: return "lanes_taken";
    }
    UNREACHABLE();
}

// ---- What is remembered
// --------------------------------------------------------------------------

bool KnownOrganization::is_canonical() const {
    const auto is_same = [](const KnownAccount& a, const KnownAccount& b) { return a.id >= b.id; };
    return std::ranges::adjacent_find(accounts, is_same) == accounts.end() &&
           std::ranges::adjacent_find(keys_of_members, std::greater_equal<>()) ==
               keys_of_members.end();
}

const KnownAccount* KnownOrganization::account(const Id& id) const {
    const auto found = std::ranges::find(accounts, id, &KnownAccount::id);
    return found == accounts.end() ? nullptr : &*found;
}

std::optional<PublicKey> KnownOrganization::key_of_member(const Id& id) const {
    for (const PublicKey& key : keys_of_members) {
        if (crypto::id_of(key) == id) return key;
    }
    return std::nullopt;
}

std::optional<Known> Known::parse(ByteView file) {
    Known known;
    if (file.empty()) return known;
    if (file.size() > kKnownBytesMax || !as_text(file).starts_with(kHeading)) return std::nullopt;
    auto all = bcs::decode<Organizations>(file.subspan(kHeading.size()));
    if (!all) return std::nullopt;
    known.organizations_ = *std::move(all);
    return known;
}

Bytes Known::encode() const {
    Bytes out(kHeading.begin(), kHeading.end());
    const Bytes body = bcs::encode(organizations_);
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

const KnownOrganization* Known::find(const ChainId& chain) const {
    for (const KnownOrganization& one : organizations_) {
        if (one.chain() == chain) return &one;
    }
    return nullptr;
}

void Known::learn(KnownOrganization organization) {
    const ChainId chain = organization.chain();
    for (KnownOrganization& one : organizations_) {
        if (one.chain() != chain) continue;
        one = std::move(organization);
        return;
    }
    if (organizations_.full()) {
        organizations_.erase(
            std::ranges::min_element(organizations_, {}, &KnownOrganization::learned_ms));
    }
    organizations_.push_back(std::move(organization));
}

// ---- Signing without a node
// ----------------------------------------------------------------------

std::vector<const Paying*> open_payments(const KnownOrganization& known, const Journal& journal,
                                         const Id& payer) {
    const ChainId chain = known.chain();
    const KnownAccount* account = known.account(payer);
    std::vector<const Paying*> open;
    for (const Paying* paying : journal.payments()) {
        const auto& body = paying->transaction.body;
        const auto place = place_of(body.nonce.lane);
        if (paying->chain != chain || body.signer != payer || !place) continue;
        const bool is_dead = known.head > hand_in_until(paying->transaction);
        const bool is_past = account != nullptr && account->is_member() &&
                             account->counters[*place] > body.nonce.counter;
        if (!is_dead && !is_past) open.push_back(paying);
    }
    return open;
}

bool is_dead(const KnownOrganization& known, const Paying& paying) {
    const auto& nonce = paying.transaction.body.nonce;
    const auto place = place_of(nonce.lane);
    const KnownAccount* account = known.account(paying.transaction.body.signer);
    return place && account != nullptr && account->is_member() &&
           known.head > hand_in_until(paying.transaction) &&
           account->counters[*place] <= nonce.counter;
}

Result<void, OfflineRefused> check_age(const KnownOrganization& known, std::uint64_t now_ms) {
    if (now_ms > known.learned_ms + kKnownForMs) {
        return refuse(OfflineRefusal::known_too_old, known.learned_ms,
                      known.learned_ms + kKnownForMs);
    }
    if (now_ms + kClockSlackMs < known.learned_ms) {
        return refuse(OfflineRefusal::clock_behind, now_ms, known.learned_ms);
    }
    return {};
}

Result<Draft, OfflineRefused> offline_draft(const KnownOrganization& known, const Journal& journal,
                                            const Id& payer, Amount amount, std::uint64_t now_ms) {
    TRY(check_age(known, now_ms));
    const KnownAccount* account = known.account(payer);
    if (account == nullptr || !account->is_member()) {
        return refuse(OfflineRefusal::not_a_member, 0, 0);
    }
    const auto open = open_payments(known, journal, payer);
    Amount sum = amount;
    for (const Paying* paying : open) {
        sum = sum.plus(request_of(*paying).amount).value_or(Amount::of(Amount::kMax));
    }
    if (sum > account->balance) {
        return refuse(OfflineRefusal::insufficient_balance, sum.units(), account->balance.units());
    }
    for (std::size_t i = 0; i < kOfflineLaneCount; ++i) {
        const auto has_lane = [i](const Paying* paying) {
            return paying->transaction.body.nonce.lane == kOfflineLanes[i];
        };
        if (std::ranges::any_of(open, has_lane)) continue;
        const Pulse now = protocol::pulse_at(known.charter, now_ms);
        return Draft{known.chain(),
                     {kOfflineLanes[i], account->counters[i]},
                     Pulse(now.value() + known.expiry_pulses_max)};
    }
    Pulse first = hand_in_until(open.front()->transaction);
    for (const Paying* paying : open) first = std::min(first, hand_in_until(paying->transaction));
    return refuse(OfflineRefusal::lanes_taken, open.size(), first.value());
}

}  // namespace leither::wallet
