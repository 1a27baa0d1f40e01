#include "parcels.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

#include "incoming_box.h"

namespace leither::org {

using protocol::SignedEnvelope;

namespace {

struct StoredOutgoing {
    SignedEnvelope envelope;
    Hash message;  // of the whole letter, which is no longer there when it is delivered
    OutgoingState state = OutgoingState::waiting;
    Bounded<Id, kHoldersAskedMax> holders;
    static void fields(auto& self, auto&& visit) {
        visit(self.envelope, self.message, self.state, self.holders);
    }
};

void subtract(std::map<Id, std::size_t>& sums, const Id& id, std::size_t part) {
    const auto sum = sums.find(id);
    CHECK(sum != sums.end() && sum->second >= part);
    sum->second -= part;
    if (sum->second == 0) sums.erase(sum);
}

std::size_t sum_of(const std::map<Id, std::size_t>& sums, const Id& id) {
    const auto sum = sums.find(id);
    return sum == sums.end() ? 0 : sum->second;
}

Id sender_of(const Parcel& parcel) {
    return crypto::id_of(parcel.envelope.envelope.node);
}

}  // namespace

std::size_t Parcel::holding() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(holders, [](const auto& holder) { return holder.second.holds; }));
}

Mailbox::Outgoing Parcel::status() const {
    const protocol::Validity& validity = envelope.envelope.validity;
    return {message, recipient(), state, validity.issued_ms, validity.expires_ms, holding()};
}

Parcels::Parcels(const MailboxOptions& options, const ChainId& chain, ByteView prefix)
    : options_(options),
      chain_(chain),
      outgoing_shelf_(prefix, ShelfKind::outgoing),
      held_shelf_(prefix, ShelfKind::held),
      guest_shelf_(prefix, ShelfKind::guest_held) {}

Result<void, store::Fault> Parcels::load(const store::Reader& reader, Instant now) {
    GatheredWrites unused;
    TRY(outgoing_shelf_.load<StoredOutgoing>(reader, [&](ByteView, StoredOutgoing&& stored) {
        Parcel parcel;
        parcel.message = stored.message;
        parcel.envelope = std::move(stored.envelope);
        parcel.state = stored.state;
        parcel.next_attempt = now;
        for (const Id& holder : stored.holders) parcel.holders[holder] = {true, now};
        const bool fits = outgoing_ < options_.outgoing_max;
        if (fits && is_sound(parcel)) add(std::move(parcel), unused);
    }));
    TRY(load_held(reader, Origin::member, now));
    return load_held(reader, Origin::guest, now);
}

Result<void, store::Fault> Parcels::load_held(const store::Reader& reader, Origin origin,
                                              Instant now) {
    GatheredWrites unused;
    const Shelf& shelf = origin == Origin::member ? held_shelf_ : guest_shelf_;
    return shelf.load<SignedEnvelope>(reader, [&](ByteView, SignedEnvelope&& envelope) {
        Parcel parcel;
        parcel.message = message_id(chain_, envelope.envelope);
        parcel.place = Place::held;
        parcel.origin = origin;
        parcel.envelope = std::move(envelope);
        parcel.next_attempt = now;
        const std::size_t cost = cost_of(encoded_size(parcel.envelope));
        const Id sender = sender_of(parcel);
        const bool fits = origin == Origin::member
                              ? has_room_for_held(parcel.recipient(), sender, cost)
                              : has_room_for_guest(sender, cost);
        if (fits && is_sound(parcel)) add(std::move(parcel), unused);
    });
}

const Shelf& Parcels::shelf_of(const Parcel& parcel) const {
    if (parcel.place == Place::outgoing) return outgoing_shelf_;
    return parcel.origin == Origin::member ? held_shelf_ : guest_shelf_;
}

bool Parcels::is_sound(const Parcel& parcel) const {
    const protocol::Validity& validity = parcel.envelope.envelope.validity;
    return !contains(parcel.message) && validity.is_canonical() &&
           check(validity, protocol::kEnvelopeLifetimeMax,
                 instant_from_unix_ms(validity.issued_ms));
}

Parcel* Parcels::find(const Hash& message) {
    const auto found = parcels_.find(message);
    return found == parcels_.end() ? nullptr : &found->second;
}

bool Parcels::has_room_for_outgoing(GatheredWrites& writes) {
    if (outgoing_ < options_.outgoing_max) return true;
    const Parcel* oldest = nullptr;
    for (const auto& [message, parcel] : parcels_) {
        if (parcel.state != OutgoingState::delivered) continue;
        if (oldest == nullptr || parcel.expires_ms() < oldest->expires_ms()) oldest = &parcel;
    }
    if (oldest == nullptr) return false;
    erase(Hash(oldest->message), writes);
    return true;
}

bool Parcels::has_room_for_held(const Id& recipient, const Id& sender, std::size_t cost) const {
    return held_cost_ + cost <= options_.held_bytes_max &&
           sum_of(held_by_recipient_, recipient) + cost <= options_.held_bytes_per_recipient_max &&
           sum_of(held_by_sender_, sender) + cost <= options_.held_bytes_per_sender_max;
}

bool Parcels::has_room_for_guest(const Id& sender, std::size_t cost) const {
    return guest_cost_ + cost <= options_.guest_bytes_max &&
           sum_of(guest_by_sender_, sender) + cost <= options_.guest_bytes_per_sender_max;
}

Parcel& Parcels::add(Parcel&& parcel, GatheredWrites& writes) {
    const Hash message = parcel.message;
    const auto [entry, added] = parcels_.emplace(message, std::move(parcel));
    CHECK(added);
    Parcel& placed = entry->second;
    placed.bytes = encoded_size(placed.envelope);
    index(placed);
    save(placed, writes);
    return placed;
}

void Parcels::erase(const Hash& message, GatheredWrites& writes) {
    const auto entry = parcels_.find(message);
    CHECK(entry != parcels_.end());
    shelf_of(entry->second).erase(writes, message.view());
    unindex(entry->second);
    parcels_.erase(entry);
}

void Parcels::strip(Parcel& parcel, GatheredWrites& writes) {
    CHECK(parcel.place == Place::outgoing);
    unindex(parcel);
    parcel.state = OutgoingState::delivered;
    parcel.envelope.envelope.sealed.clear();
    parcel.envelope.envelope.sealed.shrink_to_fit();
    parcel.holders.clear();
    index(parcel);
    save(parcel, writes);
}

void Parcels::save(const Parcel& parcel, GatheredWrites& writes) const {
    if (parcel.place == Place::held) {
        shelf_of(parcel).put(writes, parcel.message.view(), parcel.envelope);
        return;
    }
    StoredOutgoing stored;
    stored.envelope = parcel.envelope;
    stored.message = parcel.message;
    stored.state = parcel.state;
    for (const auto& [node, holder] : parcel.holders) {
        if (holder.holds) stored.holders.push_back(node);
    }
    outgoing_shelf_.put(writes, parcel.message.view(), stored);
}

Instant Parcels::due(const Parcel& parcel) {
    const Instant expiry = instant_from_unix_ms(parcel.expires_ms());
    if (parcel.state == OutgoingState::delivered) return expiry;
    return std::min(parcel.next_attempt, expiry);
}

void Parcels::schedule(Parcel& parcel, Instant next_attempt) {
    schedule_.erase({due(parcel), parcel.message});
    parcel.next_attempt = next_attempt;
    schedule_.emplace(due(parcel), parcel.message);
}

std::optional<std::pair<Instant, Hash>> Parcels::first() const {
    if (schedule_.empty()) return std::nullopt;
    return *schedule_.begin();
}

void Parcels::index(const Parcel& parcel) {
    schedule_.emplace(due(parcel), parcel.message);
    if (parcel.state != OutgoingState::delivered) {
        by_recipient_[parcel.recipient()].insert(parcel.message);
    }
    if (parcel.place == Place::outgoing) {
        ++outgoing_;
        return;
    }
    const std::size_t cost = cost_of(parcel.bytes);
    if (parcel.origin == Origin::guest) {
        guest_cost_ += cost;
        guest_by_sender_[sender_of(parcel)] += cost;
        return;
    }
    held_cost_ += cost;
    held_by_recipient_[parcel.recipient()] += cost;
    held_by_sender_[sender_of(parcel)] += cost;
}

void Parcels::unindex(const Parcel& parcel) {
    schedule_.erase({due(parcel), parcel.message});
    const auto waiting = by_recipient_.find(parcel.recipient());
    if (waiting != by_recipient_.end()) {
        waiting->second.erase(parcel.message);
        if (waiting->second.empty()) by_recipient_.erase(waiting);
    }
    if (parcel.place == Place::outgoing) {
        --outgoing_;
        return;
    }
    const std::size_t cost = cost_of(parcel.bytes);
    if (parcel.origin == Origin::guest) {
        guest_cost_ -= cost;
        subtract(guest_by_sender_, sender_of(parcel), cost);
        return;
    }
    held_cost_ -= cost;
    subtract(held_by_recipient_, parcel.recipient(), cost);
    subtract(held_by_sender_, sender_of(parcel), cost);
}

std::vector<Hash> Parcels::to(const Id& recipient) const {
    const auto waiting = by_recipient_.find(recipient);
    if (waiting == by_recipient_.end()) return {};
    return {waiting->second.begin(), waiting->second.end()};
}

std::vector<Id> Parcels::recipients() const {
    std::vector<Id> out;
    for (const auto& [recipient, messages] : by_recipient_) out.push_back(recipient);
    return out;
}

std::vector<Hash> Parcels::outgoing() const {
    std::vector<Hash> out;
    for (const auto& [message, parcel] : parcels_) {
        if (parcel.place == Place::outgoing) out.push_back(message);
    }
    return out;
}

void Parcels::check_invariants() const {
    std::size_t cost = 0;
    std::size_t of_guests = 0;
    std::size_t outgoing = 0;
    for (const auto& [message, parcel] : parcels_) {
        CHECK(schedule_.contains({due(parcel), message}));
        CHECK(parcel.holders.size() <= kHoldersAskedMax);
        if (parcel.place == Place::outgoing) {
            ++outgoing;
        } else {
            CHECK(parcel.holders.empty() && parcel.state == OutgoingState::waiting);
            (parcel.origin == Origin::member ? cost : of_guests) += cost_of(parcel.bytes);
        }
    }
    CHECK(outgoing == outgoing_ && outgoing <= options_.outgoing_max);
    CHECK(cost == held_cost_ && cost <= options_.held_bytes_max);
    CHECK(of_guests == guest_cost_ && of_guests <= options_.guest_bytes_max);
    CHECK(schedule_.size() == parcels_.size());
    for (const auto& [id, held] : held_by_recipient_) {
        CHECK(held <= options_.held_bytes_per_recipient_max);
    }
    for (const auto& [id, held] : held_by_sender_) {
        CHECK(held <= options_.held_bytes_per_sender_max);
    }
    for (const auto& [id, held] : guest_by_sender_) {
        CHECK(held <= options_.guest_bytes_per_sender_max);
    }
}

}  // namespace leither::org
