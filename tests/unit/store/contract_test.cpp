// What every Store promises (kv.h), asked of both.
#include <map>

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/store/leveldb_store.h"
#include "leither/store/memory_store.h"

#include "support/temp_dir.h"

namespace leither::store {
namespace {

class MemoryHarness {
 public:
    Store& store() { return store_; }
    void reopen() { store_.crash(); }

 private:
    MemoryStore store_;
};

class LevelDbHarness {
 public:
    LevelDbHarness() { open(); }
    Store& store() { return *store_; }
    void reopen() {
        store_.reset();
        open();
    }

 private:
    void open() {
        auto opened = open_leveldb({.path = (dir_ / "db").string()});
        CHECK(opened.has_value());
        store_ = std::move(*opened);
    }

    leither::testing::TempDir dir_;
    std::unique_ptr<Store> store_;
};

using Contents = std::map<Bytes, Bytes>;

Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}
Bytes copy_of(ByteView view) {
    return {view.begin(), view.end()};
}

template <class Harness>
class StoreContract : public ::testing::Test {
 protected:
    Store& store() { return harness_.store(); }

    void put(const Bytes& key, const Bytes& value) {
        WriteBatch batch;
        batch.put(key, value);
        ASSERT_TRUE(store().write(batch));
    }
    std::optional<std::string> get(std::string_view key) {
        return store().get(as_bytes(key)).value();
    }
    // Everything, walked forward.
    Contents contents() {
        Contents found;
        const auto cursor = store().cursor();
        for (cursor->seek({}); cursor->valid(); cursor->next()) {
            found.emplace(copy_of(cursor->key()), copy_of(cursor->value()));
        }
        EXPECT_FALSE(cursor->fault());
        return found;
    }

    Harness harness_;
};

using Harnesses = ::testing::Types<MemoryHarness, LevelDbHarness>;
TYPED_TEST_SUITE(StoreContract, Harnesses);

TYPED_TEST(StoreContract, AbsentKeyIsNothing) {
    EXPECT_EQ(this->get("absent"), std::nullopt);
}

TYPED_TEST(StoreContract, KeepsAnyBytesAlsoNone) {
    this->put({}, {});
    this->put({0, 0xff, 0}, {0xff, 0, 0xff});
    EXPECT_EQ(this->get(""), "");
    EXPECT_EQ(this->contents(), (Contents{{{}, {}}, {{0, 0xff, 0}, {0xff, 0, 0xff}}}));
}

TYPED_TEST(StoreContract, BatchPutsReplacesAndErases) {
    this->put(bytes_of("a"), bytes_of("1"));
    this->put(bytes_of("b"), bytes_of("1"));
    WriteBatch batch;
    batch.put(bytes_of("a"), bytes_of("2"));
    batch.erase(bytes_of("b"));
    batch.erase(bytes_of("absent"));
    ASSERT_TRUE(this->store().write(batch));
    EXPECT_EQ(this->get("a"), "2");
    EXPECT_EQ(this->get("b"), std::nullopt);
}

TYPED_TEST(StoreContract, WhatWasWrittenIsThereAfterReopening) {
    this->put(bytes_of("a"), bytes_of("1"));
    this->harness_.reopen();
    EXPECT_EQ(this->get("a"), "1");
    this->put(bytes_of("b"), bytes_of("2"));
    this->harness_.reopen();
    EXPECT_EQ(this->contents().size(), 2u);
}

TYPED_TEST(StoreContract, CursorFindsItsPlaceAndWalksBothWays) {
    for (const std::uint8_t key : Bytes{0x10, 0x80, 0xf0}) this->put({key}, {key});
    const auto cursor = this->store().cursor();
    EXPECT_FALSE(cursor->valid()) << "before it is placed";
    cursor->seek(Bytes{0x11});
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(copy_of(cursor->key()), Bytes{0x80}) << "the first key not below";
    cursor->prev();
    EXPECT_EQ(copy_of(cursor->value()), Bytes{0x10});
    cursor->prev();
    EXPECT_FALSE(cursor->valid()) << "before the first";
    cursor->seek_to_last();
    EXPECT_EQ(copy_of(cursor->key()), Bytes{0xf0}) << "bytes are unsigned";
    cursor->next();
    EXPECT_FALSE(cursor->valid());
    cursor->seek(Bytes{0xf0, 0x00});
    EXPECT_FALSE(cursor->valid()) << "a longer key is above its prefix";
}

TYPED_TEST(StoreContract, CursorOfAnEmptyStoreIsNowhere) {
    const auto cursor = this->store().cursor();
    cursor->seek({});
    EXPECT_FALSE(cursor->valid());
    cursor->seek_to_last();
    EXPECT_FALSE(cursor->valid());
}

TYPED_TEST(StoreContract, CursorSeesTheStoreAsItWasWhenMade) {
    this->put(bytes_of("a"), bytes_of("1"));
    this->put(bytes_of("b"), bytes_of("1"));
    const auto cursor = this->store().cursor();
    cursor->seek({});
    this->put(bytes_of("a"), bytes_of("2"));
    ASSERT_TRUE(this->store().erase_range(bytes_of("b"), bytes_of("c")));
    EXPECT_EQ(as_text(cursor->value()), "1");
    cursor->next();
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(as_text(cursor->key()), "b");
    EXPECT_EQ(this->get("a"), "2");
}

TYPED_TEST(StoreContract, EraseRangeTakesItsStartAndLeavesItsEnd) {
    for (const char* key : {"a", "b", "b0", "c", "d"}) this->put(bytes_of(key), bytes_of("1"));
    ASSERT_TRUE(this->store().erase_range(as_bytes("b"), as_bytes("c")));
    EXPECT_EQ(this->contents(), (Contents{{bytes_of("a"), bytes_of("1")},
                                          {bytes_of("c"), bytes_of("1")},
                                          {bytes_of("d"), bytes_of("1")}}));
}

TYPED_TEST(StoreContract, EraseRangeOfNothingErasesNothing) {
    this->put(bytes_of("b"), bytes_of("1"));
    ASSERT_TRUE(this->store().erase_range(as_bytes("c"), as_bytes("d")));
    ASSERT_TRUE(this->store().erase_range(as_bytes("b"), as_bytes("b")));
    ASSERT_TRUE(this->store().erase_range(as_bytes("c"), as_bytes("a")));
    EXPECT_EQ(this->contents().size(), 1u);
}

// More keys than the LevelDB store erases in one batch.
TYPED_TEST(StoreContract, EraseRangeOfManyKeysLastsAfterReopening) {
    WriteBatch batch;
    for (std::uint32_t index = 0; index < 10000; ++index) {
        batch.put(version_key(1, KeyKind::page, index), {1});
    }
    batch.put(version_key(0, KeyKind::seal), {0});
    batch.put(version_key(2, KeyKind::seal), {2});
    ASSERT_TRUE(this->store().write(batch));
    const Bytes from = version_key(1, KeyKind::seal);
    const Bytes to = version_key(2, KeyKind::seal);
    ASSERT_TRUE(this->store().erase_range(from, to));
    this->harness_.reopen();
    EXPECT_EQ(this->contents(), (Contents{{version_key(0, KeyKind::seal), {0}},
                                          {version_key(2, KeyKind::seal), {2}}}));
}

Bytes random_key(Prng& prng) {
    Bytes key(1 + prng.below(2));
    for (auto& byte : key) byte = static_cast<std::uint8_t>(prng.below(16));
    return key;
}

WriteBatch random_batch(Prng& prng, Contents& model) {
    WriteBatch batch;
    Contents puts;
    for (auto n = prng.below(5); n > 0; --n) puts[random_key(prng)] = Bytes(prng.below(20), 'v');
    for (auto n = prng.below(3); n > 0; --n) {
        const Bytes key = random_key(prng);
        if (puts.contains(key)) continue;
        batch.erase(key);
        model.erase(key);
    }
    for (const auto& [key, value] : puts) {
        batch.put(key, value);
        model[key] = value;
    }
    return batch;
}

TYPED_TEST(StoreContract, RandomOperationsMatchASortedMap) {
    Prng prng(11);
    Contents model;
    for (int round = 0; round < 300; ++round) {
        ASSERT_TRUE(this->store().write(random_batch(prng, model)));
        if (prng.chance(1, 30)) {
            const Bytes from = random_key(prng);
            const Bytes to = random_key(prng);
            ASSERT_TRUE(this->store().erase_range(from, to));
            if (from < to) model.erase(model.lower_bound(from), model.lower_bound(to));
        }
        if (prng.chance(1, 30)) this->harness_.reopen();
        if (round % 10 == 0) {
            ASSERT_EQ(this->contents(), model) << "round " << round;
        }
    }
}

}  // namespace
}  // namespace leither::store
