#include "leither/dht/rpc_manager.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::dht {

static_assert(sizeof(std::uint32_t) == RpcManager::kTransactionBytes);

// Transactions are the only secret between us and a forger of replies, so they are drawn from
// entropy, not from a generator whose state could be inferred.
RpcManager::Number RpcManager::draw() {
    if (drawn_left_ < kTransactionBytes) {
        entropy_.fill(drawn_);
        drawn_left_ = drawn_.size();
    }
    Number number = 0;
    for (std::size_t i = 0; i < kTransactionBytes; ++i)
        number = number << 8 | drawn_[--drawn_left_];
    return number;
}

Transaction RpcManager::open(const Contact& to, const Errand& errand, Instant now) {
    CHECK(!full());
    Number number = draw();
    while (sent_.contains(number)) number = draw();
    const Instant deadline = now + soft_timeout();
    sent_.emplace(number, Entry{{to, errand, now}, deadline});
    deadlines_.emplace(deadline, number);
    std::array<std::uint8_t, kTransactionBytes> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(number >> (8 * (bytes.size() - 1 - i)));
    }
    return Transaction::copy_of(bytes);
}

std::optional<RpcManager::Sent> RpcManager::close(const Endpoint& from,
                                                  const Transaction& transaction, Instant now) {
    if (transaction.size() != kTransactionBytes) return std::nullopt;
    Number number = 0;
    for (const std::uint8_t byte : transaction.view()) number = number << 8 | byte;
    const auto entry = sent_.find(number);
    if (entry == sent_.end() || entry->second.sent.to.endpoint != from) return std::nullopt;
    Sent sent = entry->second.sent;
    sent.round_trip = std::max(now - sent.sent_at, Duration(0));
    deadlines_.erase({entry->second.deadline, number});
    sent_.erase(entry);
    measure(sent.round_trip);
    return sent;
}

bool RpcManager::expects(const Endpoint& from) const {
    return std::any_of(sent_.begin(), sent_.end(),
                       [&](const auto& entry) { return entry.second.sent.to.endpoint == from; });
}

std::optional<RpcManager::Expired> RpcManager::next_expired(Instant now) {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    const Number number = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto entry = sent_.find(number);
    CHECK(entry != sent_.end());
    if (entry->second.sent.late) {
        const Sent sent = entry->second.sent;
        sent_.erase(entry);
        return Expired{sent, Expiry::failed};
    }
    entry->second.sent.late = true;
    entry->second.deadline =
        std::max(entry->second.deadline, entry->second.sent.sent_at + options_.hard_timeout);
    deadlines_.emplace(entry->second.deadline, number);
    return Expired{entry->second.sent, Expiry::late};
}

std::optional<Instant> RpcManager::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

// RFC 6298, section 2, in whole microseconds.
void RpcManager::measure(Duration round_trip) {
    if (smoothed_ == Duration(0)) {
        smoothed_ = std::max(round_trip, Duration(1));
        variation_ = round_trip / 2;
        return;
    }
    const Duration error = smoothed_ > round_trip ? smoothed_ - round_trip : round_trip - smoothed_;
    variation_ = (3 * variation_ + error) / 4;
    smoothed_ = std::max((7 * smoothed_ + round_trip) / 8, Duration(1));
}

Duration RpcManager::soft_timeout() const {
    if (smoothed_ == Duration(0)) return options_.soft_timeout_max;
    return std::clamp(smoothed_ + 4 * variation_, options_.soft_timeout_min,
                      options_.soft_timeout_max);
}

void RpcManager::check_invariants() const {
    CHECK(sent_.size() <= options_.queries_max);
    CHECK(deadlines_.size() == sent_.size());
    for (const auto& [number, entry] : sent_) CHECK(deadlines_.contains({entry.deadline, number}));
}

}  // namespace leither::dht
