#include "leither/store/gathered_writes.h"

#include <utility>

namespace leither::store {

void GatheredWrites::set(Bytes key, std::optional<Bytes> value) {
    const std::size_t key_bytes = key.size();
    const std::size_t value_bytes = value ? value->size() : 0;
    const auto [entry, is_new] = pending_.try_emplace(std::move(key));
    if (is_new) {
        bytes_ += key_bytes;
    } else if (entry->second) {
        bytes_ -= entry->second->size();
    }
    bytes_ += value_bytes;
    entry->second = std::move(value);
}

void GatheredWrites::append(const WriteBatch& later) {
    for (const auto& one : later.puts()) put(one.key, one.value);
    for (const auto& one : later.erases()) erase(one.key);
}

void GatheredWrites::append(GatheredWrites&& later) {
    for (auto& [key, value] : std::exchange(later.pending_, {})) set(key, std::move(value));
    later.bytes_ = 0;
}

WriteBatch GatheredWrites::take() {
    WriteBatch batch;
    for (auto& [key, value] : std::exchange(pending_, {})) {
        if (value) {
            batch.put(key, *std::move(value));
        } else {
            batch.erase(key);
        }
    }
    bytes_ = 0;
    return batch;
}

}  // namespace leither::store
