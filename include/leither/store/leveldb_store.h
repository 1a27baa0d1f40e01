// The Store on LevelDB.
#pragma once

#include <memory>
#include <string>

#include "leither/store/kv.h"

namespace leither::store {

struct LevelDbOptions {
    std::string path;
    bool create_if_missing = true;
    // Bytes of writes gathered in memory before a table is written; LevelDB may hold two of them.
    std::size_t write_buffer_bytes = std::size_t{8} << 20;
    std::size_t block_cache_bytes = std::size_t{1} << 20;
};

// Verifies nothing but what it must: tables already carry checksums; a torn log tail is dropped by
// recovery, damage in the middle is Fault::Kind::corrupt.
Result<std::unique_ptr<Store>, Fault> open_leveldb(const LevelDbOptions& options);

}  // namespace leither::store
