#include "leither/ledger/block_store.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

#include "support/ledger_world.h"

namespace leither::ledger {
namespace {

using store::Fault;
using store::KeyKind;
using store::MemoryStore;
using store::version_key;
using testing::LedgerWorld;
using testing::must;

class BlockStore : public ::testing::Test {
 protected:
    BlockStore() {
        for (std::uint64_t n = 1; n <= 5; ++n) {
            world_.seal({world_.transfer("alice", "bob", n)}, Pulse(n));
        }
    }
    LedgerWorld world_{
        {.params = {}, .supply = 1'000, .allocations = {{"alice", 100}, {"bob", 0}}}};
};

TEST_F(BlockStore, ReturnsWhatWasPut) {
    for (const Seal& seal : world_.seals) {
        const auto stored = must(read_seal(world_.store, seal.header.sequence));
        ASSERT_TRUE(stored.has_value());
        EXPECT_EQ(bcs::encode(*stored), bcs::encode(seal));
        const auto block = must(read_block(world_.store, seal.header.sequence));
        ASSERT_TRUE(block.has_value());
        EXPECT_EQ(transactions_hash(world_.organization.chain, *block), seal.header.transactions);
    }
    const auto genesis = must(read_genesis(world_.store));
    ASSERT_TRUE(genesis.has_value());
    EXPECT_EQ(bcs::encode(*genesis), bcs::encode(world_.genesis));
}

TEST_F(BlockStore, SpanReachesFromTheFirstToTheLast) {
    const auto span = must(read_span(world_.store));
    ASSERT_TRUE(span.has_value());
    EXPECT_EQ(span->oldest.header.sequence, Sequence(0));
    EXPECT_EQ(span->newest.header.sequence, Sequence(5));
    EXPECT_EQ(version_of(span->newest).root, world_.tree.head().root);
}

TEST(EmptyBlockStore, HasNothing) {
    const MemoryStore store;
    EXPECT_FALSE(must(read_span(store)).has_value());
    EXPECT_FALSE(must(read_genesis(store)).has_value());
    EXPECT_FALSE(must(read_seal(store, Sequence(0))).has_value());
    EXPECT_FALSE(must(read_block(store, Sequence(0))).has_value());
}

TEST_F(BlockStore, PruningKeepsTheGenesisAndWhatIsRetained) {
    ASSERT_TRUE(prune(world_.store, {.retained_from = Sequence(4), .erase_below = Sequence(3)}));
    EXPECT_TRUE(must(read_genesis(world_.store)).has_value());
    for (std::uint64_t n = 0; n < 3; ++n) {
        EXPECT_FALSE(must(read_seal(world_.store, Sequence(n))).has_value()) << n;
        EXPECT_FALSE(must(read_block(world_.store, Sequence(n))).has_value()) << n;
    }
    EXPECT_TRUE(must(read_block(world_.store, Sequence(3))).has_value());
    const auto span = must(read_span(world_.store));
    EXPECT_EQ(span->oldest.header.sequence, Sequence(4));
    EXPECT_EQ(span->newest.header.sequence, Sequence(5));
}

TEST_F(BlockStore, PruningNothingOnlyNotesTheStart) {
    ASSERT_TRUE(prune(world_.store, {.retained_from = Sequence(2), .erase_below = Sequence(0)}));
    EXPECT_TRUE(must(read_block(world_.store, Sequence(0))).has_value());
    EXPECT_EQ(must(read_span(world_.store))->oldest.header.sequence, Sequence(2));
}

// As when a later state has replaced the ledger between asking and pruning.
TEST_F(BlockStore, PruningNeverBringsHistoryBack) {
    store::WriteBatch batch;
    put_retained_from(batch, Sequence(5));
    must(world_.store.write(batch));
    ASSERT_TRUE(prune(world_.store, {.retained_from = Sequence(2), .erase_below = Sequence(2)}));
    EXPECT_EQ(must(read_span(world_.store))->oldest.header.sequence, Sequence(5));
}

// Whichever operation of the pruning fails, what is retained is there after the restart.
TEST_F(BlockStore, PruningMayFailAnywhere) {
    const MemoryStore whole = world_.store;
    const Pruning pruning{.retained_from = Sequence(4), .erase_below = Sequence(4)};
    for (const auto failure : {MemoryStore::Failure::refuse, MemoryStore::Failure::lose,
                               MemoryStore::Failure::refuse_but_keep}) {
        for (std::uint64_t n = 0; n < 3; ++n) {
            MemoryStore store = whole;
            store.fail_at(store.operations() + n, failure);
            static_cast<void>(prune(store, pruning));
            store.crash();
            const auto span = must(read_span(store));
            ASSERT_TRUE(span.has_value());
            EXPECT_LE(span->oldest.header.sequence, Sequence(4));
            for (std::uint64_t s = span->oldest.header.sequence.value(); s <= 5; ++s) {
                EXPECT_TRUE(must(read_seal(store, Sequence(s))).has_value()) << n << ' ' << s;
            }
            EXPECT_TRUE(must(read_genesis(store)).has_value());
            ASSERT_TRUE(prune(store, pruning));
            EXPECT_FALSE(must(read_block(store, Sequence(3))).has_value());
        }
    }
}

TEST_F(BlockStore, BytesThatDoNotDecodeAreCorrupt) {
    store::WriteBatch batch;
    batch.put(version_key(5, KeyKind::seal), Bytes{1, 2, 3});
    batch.put(version_key(5, KeyKind::block), Bytes{0xff});
    batch.put(version_key(0, KeyKind::genesis), Bytes{});
    must(world_.store.write(batch));
    EXPECT_EQ(read_seal(world_.store, Sequence(5)).error().kind, Fault::Kind::corrupt);
    EXPECT_EQ(read_block(world_.store, Sequence(5)).error().kind, Fault::Kind::corrupt);
    EXPECT_EQ(read_genesis(world_.store).error().kind, Fault::Kind::corrupt);
    EXPECT_EQ(read_span(world_.store).error().kind, Fault::Kind::corrupt);
}

TEST_F(BlockStore, AMissingSealOfTheHeadIsCorrupt) {
    store::WriteBatch batch;
    batch.erase(version_key(5, KeyKind::seal));
    must(world_.store.write(batch));
    EXPECT_EQ(read_span(world_.store).error().kind, Fault::Kind::corrupt);
}

TEST_F(BlockStore, AForeignLastKeyIsCorrupt) {
    store::WriteBatch batch;
    batch.put(Bytes(40, 0xff), Bytes{});
    must(world_.store.write(batch));
    EXPECT_EQ(read_span(world_.store).error().kind, Fault::Kind::corrupt);
}

}  // namespace
}  // namespace leither::ledger
