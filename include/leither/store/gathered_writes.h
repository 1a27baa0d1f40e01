// Writes that gather until somebody takes them as one batch: of two to one key the later holds.
#pragma once

#include <map>
#include <optional>

#include "leither/store/kv.h"

namespace leither::store {

class GatheredWrites {
 public:
    void put(Bytes key, Bytes value) { set(std::move(key), std::move(value)); }
    void erase(Bytes key) { set(std::move(key), std::nullopt); }
    // As if what is in it came one by one.
    void append(const WriteBatch& later);
    void append(GatheredWrites&& later);
    bool empty() const { return pending_.empty(); }
    std::size_t bytes() const { return bytes_; }  // of keys and values
    WriteBatch take();

 private:
    void set(Bytes key, std::optional<Bytes> value);

    std::map<Bytes, std::optional<Bytes>> pending_;
    std::size_t bytes_ = 0;
};

}  // namespace leither::store
