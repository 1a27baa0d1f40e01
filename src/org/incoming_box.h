// Envelopes that have arrived for the accounts this node serves.
#pragma once

#include <map>
#include <vector>

#include "leither/org/mailbox.h"

namespace leither::org {

class IncomingBox {
 public:
    IncomingBox(std::size_t bytes_per_account_max, const ChainId& chain, Shelf shelf)
        : cost_max_(bytes_per_account_max), chain_(chain), shelf_(std::move(shelf)) {}
    Result<void, store::Fault> load(const store::Reader& reader);

    // One more of that cost.
    bool fits(const Id& account, std::size_t cost) const;
    bool contains(const Hash& message) const { return messages_.contains(message); }
    const protocol::SignedEnvelope* find(const Hash& message) const;
    // REQUIRES: fits, and the message is not there.
    void add(const Hash& message, const protocol::SignedEnvelope& envelope, GatheredWrites& writes);
    // REQUIRES: contains.
    void erase(const Hash& message, GatheredWrites& writes);

    // In order of ids.
    std::vector<Hash> messages_of(const Id& account) const;
    std::vector<Mailbox::Incoming> of(const Id& account) const;
    std::size_t size() const { return messages_.size(); }
    void check_invariants() const;

 private:
    void count(const protocol::SignedEnvelope& envelope);

    std::size_t cost_max_;
    ChainId chain_;
    Shelf shelf_;
    std::map<Hash, protocol::SignedEnvelope> messages_;
    std::map<Id, std::size_t> cost_;  // by account
};

std::size_t encoded_size(const protocol::SignedEnvelope& envelope);
// What limits count: an envelope of that many bytes encoded.
constexpr std::size_t cost_of(std::size_t encoded_bytes) {
    return encoded_bytes + kEnvelopeOverhead;
}

}  // namespace leither::org
