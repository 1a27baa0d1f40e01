// Envelopes that have arrived for the accounts this node serves.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "leither/org/mailbox.h"

namespace leither::org {

class IncomingBox {
 public:
    IncomingBox(const MailboxOptions& options, const ChainId& chain, ByteView prefix)
        : options_(options),
          chain_(chain),
          shelf_(prefix, ShelfKind::incoming),
          guest_shelf_(prefix, ShelfKind::guest_incoming) {}
    Result<void, store::Fault> load(const store::Reader& reader);

    // One more of that cost, by a member's node.
    bool fits(const Id& account, std::size_t cost) const;
    // The same by a guest's.
    bool fits_of_guest(const Id& account, const Id& sender, std::size_t cost) const;
    bool contains(const Hash& message) const { return messages_.contains(message); }
    const protocol::SignedEnvelope* find(const Hash& message) const;
    // REQUIRES: it fits, and the message is not there.
    void add(const Hash& message, const protocol::SignedEnvelope& envelope, Origin origin,
             GatheredWrites& writes);
    // REQUIRES: contains.
    void erase(const Hash& message, GatheredWrites& writes);

    // In order of ids.
    std::vector<Hash> messages_of(const Id& account) const;
    std::vector<Mailbox::Incoming> of(const Id& account) const;
    std::size_t size() const { return messages_.size(); }
    void check_invariants() const;

 private:
    struct Kept {
        protocol::SignedEnvelope envelope;
        Origin origin = Origin::member;
    };
    // Of one account: of members, and of guests in all and by sending node.
    struct Costs {
        std::size_t members = 0;
        std::size_t guests = 0;
        std::map<Id, std::size_t> by_guest;
        friend bool operator==(const Costs&, const Costs&) = default;
    };
    Result<void, store::Fault> load(const store::Reader& reader, Origin origin);
    const Shelf& shelf_of(Origin origin) const;
    static void count(std::map<Id, Costs>& costs, const Kept& kept);
    void discount(const Kept& kept);

    MailboxOptions options_;
    ChainId chain_;
    Shelf shelf_;
    Shelf guest_shelf_;
    std::map<Hash, Kept> messages_;
    std::map<Id, Costs> costs_;  // by account
};

std::size_t encoded_size(const protocol::SignedEnvelope& envelope);
// What limits count: an envelope of that many bytes encoded.
constexpr std::size_t cost_of(std::size_t encoded_bytes) {
    return encoded_bytes + kEnvelopeOverhead;
}

}  // namespace leither::org
