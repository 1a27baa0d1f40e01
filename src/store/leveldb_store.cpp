#include "leither/store/leveldb_store.h"

#include <cerrno>
#include <system_error>

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/write_batch.h>

#include "leither/base/check.h"

namespace leither::store {

namespace {

// A tombstone is a key and a few bytes; so many fit the write buffer many times over.
constexpr std::size_t kErasedKeysPerBatch = 4096;

leveldb::Slice slice_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view_of(const leveldb::Slice& slice) {
    return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

bool mentions(const std::string& text, int error) {
    return text.find(std::generic_category().message(error)) != std::string::npos;
}

// LevelDB tells kinds of I/O errors apart by nothing but their text.
Fault::Kind kind_of(const leveldb::Status& status, const std::string& text) {
    if (status.IsCorruption()) return Fault::Kind::corrupt;
    for (const int no_room : {ENOSPC, EDQUOT, EFBIG}) {
        if (mentions(text, no_room)) return Fault::Kind::full;
    }
    if (text.find("IO error: lock ") != std::string::npos) return Fault::Kind::locked;
    return Fault::Kind::io;
}

Fault fault_of(const leveldb::Status& status, const std::string& path) {
    const std::string text = status.ToString();
    return {kind_of(status, text), path + ": " + text};
}

// LevelDB would keep a diary beside the data and write to it even when nothing happens to the data.
class SilentLogger final : public leveldb::Logger {
 public:
    void Logv(const char*, std::va_list) override {}
};

class LevelDbCursor final : public Cursor {
 public:
    LevelDbCursor(std::unique_ptr<leveldb::Iterator> iterator, std::string path)
        : iterator_(std::move(iterator)), path_(std::move(path)) {}

    void seek(ByteView key) override { iterator_->Seek(slice_of(key)); }
    void seek_to_last() override { iterator_->SeekToLast(); }
    void next() override {
        CHECK(valid());
        iterator_->Next();
    }
    void prev() override {
        CHECK(valid());
        iterator_->Prev();
    }
    bool valid() const override { return iterator_->Valid(); }
    ByteView key() const override { return view_of(iterator_->key()); }
    ByteView value() const override { return view_of(iterator_->value()); }
    std::optional<Fault> fault() const override {
        const leveldb::Status status = iterator_->status();
        if (status.ok()) return std::nullopt;
        return fault_of(status, path_);
    }

 private:
    std::unique_ptr<leveldb::Iterator> iterator_;
    std::string path_;
};

class LevelDbStore final : public Store {
 public:
    explicit LevelDbStore(const LevelDbOptions& options)
        : path_(options.path), cache_(leveldb::NewLRUCache(options.block_cache_bytes)) {}

    Result<void, Fault> open(const LevelDbOptions& options);

    Result<std::optional<std::string>, Fault> get(ByteView key) const override;
    std::unique_ptr<Cursor> cursor() const override;
    Result<void, Fault> write(const WriteBatch& batch) override;
    Result<void, Fault> erase_range(ByteView from, ByteView to) override;

 private:
    leveldb::Options leveldb_options(const LevelDbOptions& options);
    Result<void, Fault> commit(leveldb::WriteBatch& batch, const leveldb::WriteOptions& how);
    Result<void, Fault> flush();
    Result<void, Fault> write_tombstones(ByteView from, ByteView to);
    // Compaction reports its errors only to the next write.
    Result<void, Fault> check_background();

    std::string path_;
    SilentLogger logger_;
    std::unique_ptr<leveldb::Cache> cache_;
    // After a failed append LevelDB would write the next record behind a torn one, where recovery
    // could not reach it. So the first fault is the last word until the store is reopened.
    std::optional<Fault> failed_;
    std::unique_ptr<leveldb::DB> db_;  // last: it uses the cache and the logger until destroyed
};

leveldb::Options LevelDbStore::leveldb_options(const LevelDbOptions& options) {
    leveldb::Options out;
    out.create_if_missing = options.create_if_missing;
    // Damage in the middle of a log or table is an error, not a silent end of the data. Costs
    // checksums in compaction, which rewrites next to nothing here.
    out.paranoid_checks = true;
    out.compression = leveldb::kNoCompression;  // hashes do not compress
    out.write_buffer_size = options.write_buffer_bytes;
    // One full write buffer makes one table, and stays one when it moves down the levels. Larger
    // tables would make `erase_range` rewrite more at the ends of its range; smaller ones would run
    // sooner into the 1,000 tables that LevelDB keeps open and mapped (here 8 GB).
    out.max_file_size = options.write_buffer_bytes;
    out.block_cache = cache_.get();
    out.info_log = &logger_;
    return out;
}

Result<void, Fault> LevelDbStore::open(const LevelDbOptions& options) {
    leveldb::DB* db = nullptr;
    const leveldb::Status status = leveldb::DB::Open(leveldb_options(options), path_, &db);
    if (!status.ok()) {
        Fault fault = fault_of(status, path_);
        if (status.IsInvalidArgument() || status.IsNotFound()) fault.kind = Fault::Kind::missing;
        return fail(std::move(fault));
    }
    db_.reset(db);
    return {};
}

Result<std::optional<std::string>, Fault> LevelDbStore::get(ByteView key) const {
    std::string value;
    const leveldb::Status status = db_->Get(leveldb::ReadOptions(), slice_of(key), &value);
    if (status.ok()) return std::optional(std::move(value));
    // A table file that has vanished is "not found" too, but with a name: that is damage.
    if (status.IsNotFound() && status.ToString() == "NotFound: ") return std::nullopt;
    Fault fault = fault_of(status, path_);
    if (status.IsNotFound()) fault.kind = Fault::Kind::corrupt;
    return fail(std::move(fault));
}

std::unique_ptr<Cursor> LevelDbStore::cursor() const {
    leveldb::ReadOptions how;
    how.verify_checksums = true;
    how.fill_cache = false;  // a walk would push out what `get` needs
    return std::make_unique<LevelDbCursor>(
        std::unique_ptr<leveldb::Iterator>(db_->NewIterator(how)), path_);
}

Result<void, Fault> LevelDbStore::write(const WriteBatch& batch) {
    leveldb::WriteBatch out;
    for (const auto& put : batch.puts()) out.Put(slice_of(put.key), slice_of(put.value));
    for (const auto& erase : batch.erases()) out.Delete(slice_of(erase.key));
    leveldb::WriteOptions synced;
    synced.sync = true;
    return commit(out, synced);
}

Result<void, Fault> LevelDbStore::commit(leveldb::WriteBatch& batch,
                                         const leveldb::WriteOptions& how) {
    if (failed_) return fail(Fault(*failed_));
    const leveldb::Status status = db_->Write(how, &batch);
    if (status.ok()) return {};
    failed_ = fault_of(status, path_);
    return fail(Fault(*failed_));
}

// Tombstones and fresh data must not share a table: such a table would overlap both the oldest
// tables and the newest, and merging it would rewrite everything in between. So what is in memory
// goes to a table of its own first, then the tombstones fill one, then that one alone is merged
// with the tables of the range.
Result<void, Fault> LevelDbStore::erase_range(ByteView from, ByteView to) {
    const leveldb::Slice first = slice_of(from);
    const leveldb::Slice end = slice_of(to);
    if (first.compare(end) >= 0) return {};
    TRY(flush());
    TRY(write_tombstones(from, to));
    db_->CompactRange(&first, &end);
    return check_background();
}

Result<void, Fault> LevelDbStore::flush() {
    // CompactRange begins by writing the memory table out; no key lies in the range of the empty
    // key alone, so it does nothing more.
    const leveldb::Slice nothing;
    db_->CompactRange(&nothing, &nothing);
    return check_background();
}

Result<void, Fault> LevelDbStore::write_tombstones(ByteView from, ByteView to) {
    const auto keys = cursor();
    keys->seek(from);
    while (keys->valid() && slice_of(keys->key()).compare(slice_of(to)) < 0) {
        leveldb::WriteBatch batch;
        for (std::size_t n = 0; n < kErasedKeysPerBatch && keys->valid(); ++n, keys->next()) {
            if (slice_of(keys->key()).compare(slice_of(to)) >= 0) break;
            batch.Delete(slice_of(keys->key()));
        }
        // Not synced: the tables that CompactRange writes are, and until then any part may be lost.
        TRY(commit(batch, leveldb::WriteOptions()));
    }
    if (auto fault = keys->fault()) return fail(*std::move(fault));
    return {};
}

Result<void, Fault> LevelDbStore::check_background() {
    leveldb::WriteBatch empty;
    return commit(empty, leveldb::WriteOptions());
}

}  // namespace

Result<std::unique_ptr<Store>, Fault> open_leveldb(const LevelDbOptions& options) {
    auto store = std::make_unique<LevelDbStore>(options);
    TRY(store->open(options));
    return std::unique_ptr<Store>(std::move(store));
}

Result<void, Fault> salvage_leveldb(const std::string& path) {
    const leveldb::Status status = leveldb::RepairDB(path, leveldb::Options());
    if (!status.ok()) return fail(fault_of(status, path));
    return {};
}

}  // namespace leither::store
