// When what is due, by id: a few thousand ids, each with one moment.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "leither/base/check.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/time.h"

namespace leither::dht {

class Schedule {
 public:
    void set(const Id& id, Instant at) {
        erase(id);
        at_.emplace(id, at);
        order_.emplace(at, id);
    }
    void erase(const Id& id) {
        const auto known = at_.find(id);
        if (known == at_.end()) return;
        order_.erase({known->second, id});
        at_.erase(known);
    }
    void erase_if(const auto& is_gone) {
        std::erase_if(order_, [&](const auto& entry) { return is_gone(entry.second); });
        std::erase_if(at_, [&](const auto& entry) { return is_gone(entry.first); });
    }
    bool contains(const Id& id) const { return at_.contains(id); }
    std::size_t size() const { return at_.size(); }
    // The first due by `now`.
    std::optional<Id> due(Instant now) const {
        if (order_.empty() || order_.begin()->first > now) return std::nullopt;
        return order_.begin()->second;
    }
    std::optional<Instant> next() const {
        if (order_.empty()) return std::nullopt;
        return order_.begin()->first;
    }
    void check_invariants() const { CHECK(at_.size() == order_.size()); }

 private:
    std::map<Id, Instant> at_;
    std::set<std::pair<Instant, Id>> order_;
};

}  // namespace leither::dht
