#include "settled.h"

#include "leither/base/check.h"

namespace leither::org {

Result<void, store::Fault> Settled::load(const store::Reader& reader) {
    GatheredWrites unused;
    return shelf_.load<Entry>(reader, [&](ByteView name, Entry&& entry) {
        const auto message = Hash::from(name);
        if (message) add(*message, std::move(entry), unused);
    });
}

void Settled::add(const Hash& message, Entry entry, GatheredWrites& writes) {
    if (contains(message)) return;
    shelf_.put(writes, message.view(), entry);
    by_expiry_.emplace(entry.expires_ms, message);
    entries_.emplace(message, std::move(entry));
    if (entries_.size() > max_) forget_first(writes);
}

const protocol::DeliveryReceipt* Settled::receipt(const Hash& message) const {
    const auto entry = entries_.find(message);
    const bool has = entry != entries_.end() && entry->second.receipt;
    return has ? &*entry->second.receipt : nullptr;
}

void Settled::expire(Instant now, GatheredWrites& writes) {
    while (!by_expiry_.empty() && by_expiry_.begin()->first <= unix_ms(now)) forget_first(writes);
}

void Settled::forget_first(GatheredWrites& writes) {
    const Hash message = by_expiry_.begin()->second;
    by_expiry_.erase(by_expiry_.begin());
    entries_.erase(message);
    shelf_.erase(writes, message.view());
}

void Settled::check_invariants() const {
    CHECK(entries_.size() <= max_);
    CHECK(entries_.size() == by_expiry_.size());
}

}  // namespace leither::org
