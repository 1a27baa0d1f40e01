#include "incoming_box.h"

#include <algorithm>
#include <tuple>

#include "leither/base/check.h"

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
    return shelf_.load<SignedEnvelope>(reader, [this](ByteView name, SignedEnvelope&& envelope) {
        const auto message = Hash::from(name);
        if (!message) return;
        count(envelope);
        messages_.emplace(*message, std::move(envelope));
    });
}

void IncomingBox::count(const SignedEnvelope& envelope) {
    cost_[envelope.envelope.recipient] += cost_of(encoded_size(envelope));
}

bool IncomingBox::fits(const Id& account, std::size_t cost) const {
    const auto used = cost_.find(account);
    return (used == cost_.end() ? 0 : used->second) + cost <= cost_max_;
}

const SignedEnvelope* IncomingBox::find(const Hash& message) const {
    const auto found = messages_.find(message);
    return found == messages_.end() ? nullptr : &found->second;
}

void IncomingBox::add(const Hash& message, const SignedEnvelope& envelope, GatheredWrites& writes) {
    CHECK(fits(envelope.envelope.recipient, cost_of(encoded_size(envelope))));
    CHECK(!contains(message));
    count(envelope);
    messages_.emplace(message, envelope);
    shelf_.put(writes, message.view(), envelope);
}

void IncomingBox::erase(const Hash& message, GatheredWrites& writes) {
    const auto found = messages_.find(message);
    CHECK(found != messages_.end());
    const auto used = cost_.find(found->second.envelope.recipient);
    used->second -= cost_of(encoded_size(found->second));
    if (used->second == 0) cost_.erase(used);
    messages_.erase(found);
    shelf_.erase(writes, message.view());
}

std::vector<Hash> IncomingBox::messages_of(const Id& account) const {
    std::vector<Hash> out;
    for (const auto& [message, envelope] : messages_) {
        if (envelope.envelope.recipient == account) out.push_back(message);
    }
    return out;
}

std::vector<Mailbox::Incoming> IncomingBox::of(const Id& account) const {
    std::vector<Mailbox::Incoming> out;
    for (const auto& [message, envelope] : messages_) {
        if (envelope.envelope.recipient == account) out.push_back({message, envelope});
    }
    std::ranges::sort(out, {}, [](const Mailbox::Incoming& incoming) {
        return std::tuple(incoming.envelope.envelope.validity.issued_ms, incoming.message);
    });
    return out;
}

void IncomingBox::check_invariants() const {
    std::map<Id, std::size_t> counted;
    for (const auto& [message, envelope] : messages_) {
        DCHECK(message_id(chain_, envelope.envelope) == message);
        counted[envelope.envelope.recipient] += cost_of(encoded_size(envelope));
    }
    CHECK(counted == cost_);
}

}  // namespace leither::org
