// Messages that are over: delivered, or forgotten by their owner. Each is remembered until it would
// have expired, so that it is never taken twice.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "leither/base/time.h"
#include "leither/org/shelf.h"
#include "leither/protocol/envelope.h"

namespace leither::org {

class Settled {
 public:
    struct Entry {
        std::uint64_t expires_ms = 0;
        std::optional<protocol::DeliveryReceipt> receipt;
        static void fields(auto& self, auto&& visit) { visit(self.expires_ms, self.receipt); }
    };

    Settled(std::size_t max, Shelf shelf) : max_(max), shelf_(std::move(shelf)) {}
    // What has expired meanwhile goes with the next `expire`.
    Result<void, store::Fault> load(const store::Reader& reader);

    // Of too many, those that expire first are forgotten.
    void add(const Hash& message, Entry entry, GatheredWrites& writes);
    bool contains(const Hash& message) const { return entries_.contains(message); }
    // Null if there is none, or it came to its end without.
    const protocol::DeliveryReceipt* receipt(const Hash& message) const;
    void expire(Instant now, GatheredWrites& writes);
    std::size_t size() const { return entries_.size(); }
    void check_invariants() const;

 private:
    void forget_first(GatheredWrites& writes);

    std::size_t max_;
    Shelf shelf_;
    std::map<Hash, Entry> entries_;
    std::set<std::pair<std::uint64_t, Hash>> by_expiry_;
};

}  // namespace leither::org
