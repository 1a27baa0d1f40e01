#include "leither/org/shelf.h"

#include <algorithm>

namespace leither::org {

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
