#include "recent.h"

namespace leither::node {

bool RecentTransactions::is_committed(const Hash& id) const {
    const auto found = fates_.find(id);
    return found != fates_.end() && std::holds_alternative<Committed>(found->second);
}

std::optional<Fate> RecentTransactions::fate(const Hash& id) const {
    const auto found = fates_.find(id);
    if (found == fates_.end()) return std::nullopt;
    return found->second;
}

void RecentTransactions::remember(const Hash& id, Fate fate) {
    if (limit_ == 0) return;
    // One that was dropped may come again and be committed: the later fate counts.
    if (!fates_.insert_or_assign(id, std::move(fate)).second) return;
    order_.push_back(id);
    if (order_.size() <= limit_) return;
    fates_.erase(order_.front());
    order_.pop_front();
}

}  // namespace leither::node
