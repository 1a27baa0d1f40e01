#include "incoming_box.h"

#include <algorithm>
#include <tuple>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::SignedEnvelope;

std::size_t encoded_size(const SignedEnvelope& envelope) {
    // All but the sealed letter has a fixed size; its length takes one byte below 128, else two.
    const std::size_t sealed = envelope.envelope.sealed.size();
    const std::size_t fixed =
        Id::kSize + PublicKey::kSize + 2 * sizeof(std::uint64_t) + Signature::kSize;
    return fixed + (sealed < 128 ? 1 : 2) + sealed;
}

Result<void, store::Fault> IncomingBox::load(const store::Reader& reader) {
    TRY(load(reader, Origin::member));
    return load(reader, Origin::guest);
}

Result<void, store::Fault> IncomingBox::load(const store::Reader& reader, Origin origin) {
    return shelf_of(origin).load<SignedEnvelope>(
        reader, [this, origin](ByteView name, SignedEnvelope&& envelope) {
            const auto message = Hash::from(name);
            if (!message || contains(*message)) return;
            Kept kept{std::move(envelope), origin};
            count(costs_, kept);
            messages_.emplace(*message, std::move(kept));
        });
}

const Shelf& IncomingBox::shelf_of(Origin origin) const {
    return origin == Origin::member ? shelf_ : guest_shelf_;
}

void IncomingBox::count(std::map<Id, Costs>& costs, const Kept& kept) {
    const std::size_t cost = cost_of(encoded_size(kept.envelope));
    Costs& counted = costs[kept.envelope.envelope.recipient];
    if (kept.origin == Origin::member) {
        counted.members += cost;
        return;
    }
    counted.guests += cost;
    counted.by_guest[crypto::id_of(kept.envelope.envelope.node)] += cost;
}

void IncomingBox::discount(const Kept& kept) {
    const std::size_t cost = cost_of(encoded_size(kept.envelope));
    const auto counted = costs_.find(kept.envelope.envelope.recipient);
    CHECK(counted != costs_.end());
    Costs& costs = counted->second;
    if (kept.origin == Origin::member) {
        costs.members -= cost;
    } else {
        costs.guests -= cost;
        const auto sender = costs.by_guest.find(crypto::id_of(kept.envelope.envelope.node));
        CHECK(sender != costs.by_guest.end() && sender->second >= cost);
        sender->second -= cost;
        if (sender->second == 0) costs.by_guest.erase(sender);
    }
    if (costs == Costs{}) costs_.erase(counted);
}

bool IncomingBox::fits(const Id& account, std::size_t cost) const {
    const auto used = costs_.find(account);
    const std::size_t before = used == costs_.end() ? 0 : used->second.members;
    return before + cost <= options_.incoming_bytes_per_account_max;
}

bool IncomingBox::fits_of_guest(const Id& account, const Id& sender, std::size_t cost) const {
    std::size_t in_all = 0;
    std::size_t of_sender = 0;
    if (const auto used = costs_.find(account); used != costs_.end()) {
        in_all = used->second.guests;
        const auto theirs = used->second.by_guest.find(sender);
        if (theirs != used->second.by_guest.end()) of_sender = theirs->second;
    }
    return in_all + cost <= options_.guest_bytes_max &&
           of_sender + cost <= options_.guest_bytes_per_sender_max;
}

const SignedEnvelope* IncomingBox::find(const Hash& message) const {
    const auto found = messages_.find(message);
    return found == messages_.end() ? nullptr : &found->second.envelope;
}

void IncomingBox::add(const Hash& message, const SignedEnvelope& envelope, Origin origin,
                      GatheredWrites& writes) {
    const Id& account = envelope.envelope.recipient;
    const std::size_t cost = cost_of(encoded_size(envelope));
    CHECK(origin == Origin::member
              ? fits(account, cost)
              : fits_of_guest(account, crypto::id_of(envelope.envelope.node), cost));
    CHECK(!contains(message));
    const Kept kept{envelope, origin};
    count(costs_, kept);
    messages_.emplace(message, kept);
    shelf_of(origin).put(writes, message.view(), envelope);
}

void IncomingBox::erase(const Hash& message, GatheredWrites& writes) {
    const auto found = messages_.find(message);
    CHECK(found != messages_.end());
    discount(found->second);
    shelf_of(found->second.origin).erase(writes, message.view());
    messages_.erase(found);
}

std::vector<Hash> IncomingBox::messages_of(const Id& account) const {
    std::vector<Hash> out;
    for (const auto& [message, kept] : messages_) {
        if (kept.envelope.envelope.recipient == account) out.push_back(message);
    }
    return out;
}

std::vector<Mailbox::Incoming> IncomingBox::of(const Id& account) const {
    std::vector<Mailbox::Incoming> out;
    for (const auto& [message, kept] : messages_) {
        if (kept.envelope.envelope.recipient == account) out.push_back({message, kept.envelope});
    }
    std::ranges::sort(out, {}, [](const Mailbox::Incoming& incoming) {
        return std::tuple(incoming.envelope.envelope.validity.issued_ms, incoming.message);
    });
    return out;
}

void IncomingBox::check_invariants() const {
    std::map<Id, Costs> counted;
    for (const auto& [message, kept] : messages_) {
        DCHECK(message_id(chain_, kept.envelope.envelope) == message);
        count(counted, kept);
    }
    CHECK(counted == costs_);
}

}  // namespace leither::org
