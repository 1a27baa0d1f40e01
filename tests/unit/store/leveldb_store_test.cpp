#include "leither/store/leveldb_store.h"

#include <csignal>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace leither::store {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMegabyte = std::size_t{1} << 20;

class LevelDbFiles : public ::testing::Test {
 protected:
    std::unique_ptr<Store> open() {
        auto opened = open_leveldb({.path = path_, .write_buffer_bytes = kMegabyte});
        EXPECT_TRUE(opened) << opened.error().detail;
        return opened ? std::move(*opened) : nullptr;
    }
    std::optional<Fault> open_fault(const LevelDbOptions& options) {
        auto opened = open_leveldb(options);
        if (opened) return std::nullopt;
        return opened.error();
    }
    // The files of the store whose name ends so.
    std::set<fs::path> files(std::string_view suffix) {
        std::set<fs::path> found;
        for (const auto& entry : fs::directory_iterator(path_)) {
            if (entry.path().string().ends_with(suffix)) found.insert(entry.path());
        }
        return found;
    }
    fs::path only_log() {
        const auto logs = files(".log");
        EXPECT_EQ(logs.size(), 1u);
        return *logs.begin();
    }

    leither::testing::TempDir dir_;
    std::string path_ = (dir_ / "db").string();
};

Result<void, Fault> write_sequence(Store& store, std::uint64_t sequence, std::size_t bytes = 100) {
    WriteBatch batch;
    batch.put(version_key(sequence, KeyKind::page), Bytes(bytes, std::uint8_t{0x5a}));
    return store.write(batch);
}

bool has_sequence(const Store& store, std::uint64_t sequence) {
    return store.get(version_key(sequence, KeyKind::page)).value().has_value();
}

TEST_F(LevelDbFiles, SecondOpenIsLockedOut) {
    const auto first = open();
    const auto fault = open_fault({.path = path_});
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->kind, Fault::Kind::locked);
    EXPECT_NE(fault->detail.find(path_), std::string::npos);
}

TEST_F(LevelDbFiles, MissingStoreIsNotMadeUnasked) {
    EXPECT_EQ(open_fault({.path = path_, .create_if_missing = false})->kind, Fault::Kind::missing);
    EXPECT_EQ(open_fault({.path = path_ + "/no/such/parent"})->kind, Fault::Kind::missing);
}

TEST_F(LevelDbFiles, UnusableDirectoryIsAnIoFault) {
    std::ofstream(path_) << "a file where the directory should be";
    EXPECT_EQ(open_fault({.path = path_})->kind, Fault::Kind::io);
}

TEST_F(LevelDbFiles, UnwritableDirectoryIsAnIoFault) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    fs::permissions(dir_.path(), fs::perms::owner_read | fs::perms::owner_exec);
    const auto fault = open_fault({.path = path_});
    fs::permissions(dir_.path(), fs::perms::owner_all);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->kind, Fault::Kind::io);
}

TEST_F(LevelDbFiles, KeepsNoDiary) {
    const auto store = open();
    ASSERT_TRUE(write_sequence(*store, 1));
    EXPECT_TRUE(files("LOG").empty());
}

TEST_F(LevelDbFiles, TornTailOfTheLogDropsTheLastBatchWhole) {
    {
        const auto store = open();
        for (std::uint64_t sequence = 0; sequence < 3; ++sequence) {
            ASSERT_TRUE(write_sequence(*store, sequence));
        }
    }
    const fs::path log = only_log();
    fs::resize_file(log, fs::file_size(log) - 5);
    const auto store = open();
    EXPECT_TRUE(has_sequence(*store, 1));
    EXPECT_FALSE(has_sequence(*store, 2));
    EXPECT_TRUE(write_sequence(*store, 3));
}

void flip_byte(const fs::path& path, std::uintmax_t offset) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 1));
}

TEST_F(LevelDbFiles, DamageInTheMiddleOfTheLogIsCorrupt) {
    {
        const auto store = open();
        for (std::uint64_t sequence = 0; sequence < 9; ++sequence) {
            ASSERT_TRUE(write_sequence(*store, sequence));
        }
    }
    const fs::path log = only_log();
    flip_byte(log, fs::file_size(log) / 2);
    EXPECT_EQ(open_fault({.path = path_})->kind, Fault::Kind::corrupt);
}

// Writes some sequences that end up in tables. An empty range erased writes memory out.
void fill_tables(Store& store) {
    for (std::uint64_t sequence = 0; sequence < 9; ++sequence) {
        ASSERT_TRUE(write_sequence(store, sequence));
    }
    ASSERT_TRUE(
        store.erase_range(version_key(100, KeyKind::seal), version_key(101, KeyKind::seal)));
}

TEST_F(LevelDbFiles, LostTableIsCorruptNotAnAbsentKey) {
    {
        const auto store = open();
        fill_tables(*store);
    }
    const auto store = open();
    for (const auto& table : files(".ldb")) fs::remove(table);
    const auto value = store->get(version_key(1, KeyKind::page));
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, Fault::Kind::corrupt);
}

TEST_F(LevelDbFiles, CursorReportsADamagedTable) {
    {
        const auto store = open();
        fill_tables(*store);
    }
    const auto tables = files(".ldb");
    ASSERT_FALSE(tables.empty());
    for (const auto& table : tables) flip_byte(table, 200);
    const auto store = open();
    const auto cursor = store->cursor();
    cursor->seek({});
    while (cursor->valid()) cursor->next();
    ASSERT_TRUE(cursor->fault());
    EXPECT_EQ(cursor->fault()->kind, Fault::Kind::corrupt);
}

// Files of this process may not grow beyond `bytes` while it lives.
class FileSizeLimit {
 public:
    explicit FileSizeLimit(std::size_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
    rlimit before_{};
};

TEST_F(LevelDbFiles, FullDiskStopsTheStoreUntilItIsReopened) {
    auto store = open();
    ASSERT_TRUE(write_sequence(*store, 0));
    {
        const FileSizeLimit limit(100'000);
        const auto refused = write_sequence(*store, 1, 200'000);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, Fault::Kind::full) << refused.error().detail;
    }
    EXPECT_FALSE(has_sequence(*store, 1));
    EXPECT_EQ(write_sequence(*store, 2).error().kind, Fault::Kind::full) << "there is room again";
    EXPECT_TRUE(has_sequence(*store, 0)) << "reading goes on";

    store.reset();
    store = open();
    ASSERT_TRUE(store);
    EXPECT_TRUE(has_sequence(*store, 0));
    EXPECT_FALSE(has_sequence(*store, 1));
    EXPECT_TRUE(write_sequence(*store, 2));
}

// The reason for keys that begin with the version: see kv.h.
TEST_F(LevelDbFiles, NewVersionsNeverRewriteOldTables) {
    const auto store = open();
    std::set<fs::path> before;
    for (std::uint64_t sequence = 0; sequence < 150; ++sequence) {
        ASSERT_TRUE(write_sequence(*store, sequence, kMegabyte / 4));
        const auto now = files(".ldb");
        EXPECT_TRUE(std::includes(now.begin(), now.end(), before.begin(), before.end()));
        before = now;
    }
    EXPECT_GT(before.size(), 20u);
}

TEST_F(LevelDbFiles, EraseRangeGivesSpaceBackAndLeavesNewTablesAlone) {
    const auto store = open();
    for (std::uint64_t sequence = 0; sequence < 80; ++sequence) {
        ASSERT_TRUE(write_sequence(*store, sequence, kMegabyte / 4));
    }
    const auto before = files(".ldb");
    ASSERT_TRUE(store->erase_range(version_key(0, KeyKind::seal), version_key(40, KeyKind::seal)));
    std::uintmax_t bytes = 0;
    std::set<fs::path> kept;
    for (const auto& table : files(".ldb")) {
        bytes += fs::file_size(table);
        if (before.contains(table)) kept.insert(table);
    }
    EXPECT_LT(bytes, 12 * kMegabyte) << "40 quarters of a megabyte are left";
    EXPECT_GE(kept.size(), before.size() / 2 - 2) << "all but the table at the border";
    EXPECT_FALSE(has_sequence(*store, 39));
    EXPECT_TRUE(has_sequence(*store, 40));
}

}  // namespace
}  // namespace leither::store
