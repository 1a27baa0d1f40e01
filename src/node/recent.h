// The fates of recent transactions, so that a repeated one is recognised and a question about one
// is answered without searching the chain. Bounded: the oldest is forgotten first.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>

#include "leither/node/queries.h"

namespace leither::node {

class RecentTransactions {
 public:
    explicit RecentTransactions(std::size_t limit) : limit_(limit) {}

    void commit(const Hash& id, Sequence sequence) { remember(id, Committed{sequence}); }
    void drop(const Hash& id, const protocol::Refused& refused) { remember(id, Dropped{refused}); }

    bool is_committed(const Hash& id) const;
    std::optional<Fate> fate(const Hash& id) const;
    std::size_t size() const { return fates_.size(); }

 private:
    void remember(const Hash& id, Fate fate);

    std::size_t limit_;
    std::map<Hash, Fate> fates_;
    std::deque<Hash> order_;  // of first remembrance
};

}  // namespace leither::node
