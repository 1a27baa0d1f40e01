#include "leither/store/memory_store.h"

#include <gtest/gtest.h>

namespace leither::store {
namespace {

using Failure = MemoryStore::Failure;

class MemoryStoreFaults : public ::testing::Test {
 protected:
    // Writes one key named by `name`; the kind of fault, or nothing.
    std::optional<Fault::Kind> write(std::uint8_t name) {
        WriteBatch batch;
        batch.put({name}, {name});
        const auto written = store_.write(batch);
        if (written) return std::nullopt;
        return written.error().kind;
    }
    std::string keys() const {
        std::string found;
        const auto cursor = store_.cursor();
        for (cursor->seek({}); cursor->valid(); cursor->next()) found += as_text(cursor->key());
        return found;
    }

    MemoryStore store_;
};

TEST_F(MemoryStoreFaults, CrashKeepsWhatWasSynced) {
    write('a');
    store_.crash();
    EXPECT_EQ(keys(), "a");
    EXPECT_EQ(store_.operations(), 1u);
}

TEST_F(MemoryStoreFaults, RefusedOperationAndAllAfterItLeaveNothing) {
    store_.fail_at(1, Failure::refuse);
    EXPECT_EQ(write('a'), std::nullopt);
    EXPECT_EQ(write('b'), Fault::Kind::io);
    EXPECT_EQ(write('c'), Fault::Kind::io);
    EXPECT_EQ(keys(), "a");
    store_.crash();
    EXPECT_EQ(keys(), "a");
    EXPECT_EQ(write('d'), std::nullopt);
}

TEST_F(MemoryStoreFaults, LostOperationsAreSeenUntilTheCrash) {
    store_.fail_at(1, Failure::lose);
    for (const std::uint8_t name : Bytes{'a', 'b', 'c'}) EXPECT_EQ(write(name), std::nullopt);
    EXPECT_EQ(keys(), "abc");
    store_.crash();
    EXPECT_EQ(keys(), "a") << "a prefix of the history";
}

TEST_F(MemoryStoreFaults, RefusedButKeptIsSeenAfterTheCrashOnly) {
    store_.fail_at(1, Failure::refuse_but_keep);
    write('a');
    EXPECT_EQ(write('b'), Fault::Kind::io);
    EXPECT_EQ(write('c'), Fault::Kind::io);
    EXPECT_EQ(keys(), "a");
    store_.crash();
    EXPECT_EQ(keys(), "ab");
}

TEST_F(MemoryStoreFaults, FullDiskTakesNothingUntilThereIsRoom) {
    store_.fill_up();
    EXPECT_EQ(write('a'), Fault::Kind::full);
    EXPECT_EQ(store_.erase_range(Bytes{'a'}, Bytes{'b'}).error().kind, Fault::Kind::full);
    store_.free_space();
    EXPECT_EQ(write('a'), std::nullopt);
    EXPECT_EQ(keys(), "a");
}

TEST_F(MemoryStoreFaults, RefusedEraseRangeStopsHalfway) {
    for (const std::uint8_t name : Bytes{'a', 'b', 'c', 'd', 'e'}) write(name);
    store_.fail_at(5, Failure::refuse);
    EXPECT_FALSE(store_.erase_range(Bytes{'b'}, Bytes{'e'}));
    EXPECT_EQ(keys(), "ace");
}

TEST_F(MemoryStoreFaults, EraseRangeCanBeLostOrKeptBehindAFault) {
    for (const std::uint8_t name : Bytes{'a', 'b'}) write(name);
    MemoryStore other = store_;
    store_.fail_at(2, Failure::lose);
    EXPECT_TRUE(store_.erase_range(Bytes{'a'}, Bytes{'b'}));
    EXPECT_EQ(keys(), "b");
    store_.crash();
    EXPECT_EQ(keys(), "ab");
    store_ = other;
    store_.fail_at(2, Failure::refuse_but_keep);
    EXPECT_FALSE(store_.erase_range(Bytes{'a'}, Bytes{'b'}));
    EXPECT_EQ(keys(), "ab");
    store_.crash();
    EXPECT_EQ(keys(), "b");
}

TEST_F(MemoryStoreFaults, CopyIsTheDiskAtThatMoment) {
    write('a');
    const MemoryStore copy = store_;
    write('b');
    EXPECT_EQ(keys(), "ab");
    EXPECT_FALSE(copy.get(Bytes{'b'}).value());
    EXPECT_TRUE(copy.get(Bytes{'a'}).value());
}

}  // namespace
}  // namespace leither::store
