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

// Damage: a torn tail of the log is dropped when the store opens; damage elsewhere in it, a lost
// table, or a bad block met by a cursor or a compaction is Fault::Kind::corrupt. `get` leaves
// checksums alone, which would double its cost (3.1 to 6.6 us for 4 KB in memory): its readers hold
// a hash that covers the value.
Result<std::unique_ptr<Store>, Fault> open_leveldb(const LevelDbOptions& options);

// Makes a store that is corrupt openable again with whatever tables and log records are intact.
// What the store held may be missing or old afterwards: only for rebuilding from it.
Result<void, Fault> salvage_leveldb(const std::string& path);

}  // namespace leither::store
