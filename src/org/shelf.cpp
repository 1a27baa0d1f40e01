#include "leither/org/shelf.h"

#include <algorithm>
#include <utility>

namespace leither::org {

void Writes::append(const store::WriteBatch& later) {
    for (const auto& one : later.puts()) put(one.key, one.value);
    for (const auto& one : later.erases()) erase(one.key);
}

void Writes::append(Writes&& later) {
    later.pending_.merge(pending_);  // of two to one key it keeps its own
    pending_ = std::exchange(later.pending_, {});
}

store::WriteBatch Writes::take() {
    store::WriteBatch batch;
    for (auto& [key, value] : pending_) {
        if (value) {
            batch.put(key, *std::move(value));
        } else {
            batch.erase(key);
        }
    }
    pending_.clear();
    return batch;
}

Shelf::Shelf(ByteView prefix, ShelfKind kind) : start_(prefix.begin(), prefix.end()) {
    start_.push_back(static_cast<std::uint8_t>(kind));
}

Bytes Shelf::key(ByteView name) const {
    Bytes key = start_;
    key.insert(key.end(), name.begin(), name.end());
    return key;
}

Result<void, store::Fault> Shelf::walk(const store::Reader& reader,
                                       const std::function<void(ByteView, ByteView)>& each) const {
    const auto cursor = reader.cursor();
    for (cursor->seek(start_); cursor->valid(); cursor->next()) {
        const ByteView key = cursor->key();
        const bool ours =
            key.size() >= start_.size() && std::ranges::equal(key.first(start_.size()), start_);
        if (!ours) break;
        each(key.subspan(start_.size()), cursor->value());
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return {};
}

}  // namespace leither::org
