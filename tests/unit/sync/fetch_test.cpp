#include "leither/sync/fetch.h"

#include <gtest/gtest.h>

#include "sync_world.h"

namespace leither::sync::testing {
namespace {

const Id kFirst = id_of("first");
const Id kSecond = id_of("second");

class FetchTest : public ::testing::Test {
 protected:
    Fetch::Target target() const {
        return {history_.world.seals.back().header.root,
                history_.world.genesis.charter.charter.supply, protocol::sum_of_encoded};
    }
    protocol::PieceReply reply(const Prefix& prefix) const {
        return must(answer(history_.source(), protocol::AskPiece{history_.head(), prefix}));
    }
    std::optional<tree::Piece> piece(const Prefix& prefix) const {
        const auto replied = reply(prefix);
        if (replied.outcome != protocol::PieceOutcome::piece) return std::nullopt;
        return must(bcs::decode<tree::Piece>(replied.piece));
    }
    // Takes or splits the next range.
    void advance(Fetch& fetch) {
        const Prefix prefix = *fetch.next();
        const auto found = piece(prefix);
        if (found) {
            ASSERT_TRUE(fetch.take(*found, writes_).has_value());
        } else {
            ASSERT_TRUE(fetch.split(prefix, kFirst));
        }
        fetch.check_invariants();
    }
    void write() { must(store_.write(writes_.take())); }

    History history_{5000};
    PieceKeys keys_{Bytes{'s', 'p'}};
    store::MemoryStore store_;
    store::GatheredWrites writes_;
};

TEST_F(FetchTest, PiecesMakeTheStateTheyWereCutFrom) {
    Fetch fetch(target(), keys_);
    while (!fetch.is_complete()) advance(fetch);
    EXPECT_GT(fetch.pieces(), 1u);
    EXPECT_EQ(fetch.share(), 65'536u);
    write();
    store::MemoryStore ledger;
    tree::Tree empty(tree::Options{}, ledger);
    const auto& header = history_.world.seals.back().header;
    const auto built = must(build_state(store_, keys_, empty, header));
    ASSERT_TRUE(built.has_value());
    EXPECT_EQ(built->version().root, header.root);
    EXPECT_EQ(built->version().sequence, header.sequence);
}

TEST_F(FetchTest, NoAcceptedPieceIsLostWhereverItStops) {
    Fetch whole(target(), keys_);
    std::size_t steps = 0;
    for (; !whole.is_complete(); ++steps) advance(whole);
    writes_.take();
    for (std::size_t stop = 0; stop <= steps; ++stop) {
        store_ = {};
        Fetch fetch(target(), keys_);
        for (std::size_t i = 0; i < stop; ++i) advance(fetch);
        fetch.next();  // asked for, and never answered
        write();
        Fetch again = must(Fetch::resume(target(), keys_, store_));
        again.check_invariants();
        EXPECT_EQ(again.pieces(), fetch.pieces());
        while (!again.is_complete()) advance(again);
        EXPECT_EQ(again.pieces(), whole.pieces());
        write();
    }
}

TEST_F(FetchTest, AStateIsMadeOverAnOldOneAndRemovesWhatIsGone) {
    History older(7);
    Fetch fetch(target(), keys_);
    while (!fetch.is_complete()) advance(fetch);
    write();
    auto header = history_.world.seals.back().header;
    header.sequence = Sequence(9);
    const auto built = must(build_state(store_, keys_, older.world.tree, header));
    ASSERT_TRUE(built.has_value());
    EXPECT_EQ(built->version().root, header.root);
}

TEST_F(FetchTest, ADamagedPieceOnDiskIsNoticed) {
    Fetch fetch(target(), keys_);
    while (!fetch.is_complete()) advance(fetch);
    write();
    const auto& header = history_.world.seals.back().header;
    const auto error = [&](const store::MemoryStore& store) {
        store::MemoryStore ledger;
        tree::Tree empty(tree::Options{}, ledger);
        const auto built = must(build_state(store, keys_, empty, header));
        return std::string(built ? "none" : to_string(built.error()));
    };
    EXPECT_EQ(error(store_), "none");
    const auto cursor = store_.cursor();
    cursor->seek(keys_.start());
    const Bytes key(cursor->key().begin(), cursor->key().end());
    const Bytes value(cursor->value().begin(), cursor->value().end());

    store::MemoryStore lacking = store_;
    store::WriteBatch erase;
    erase.erase(key);
    must(lacking.write(erase));
    EXPECT_EQ(error(lacking), "wrong_root");

    store::MemoryStore damaged = store_;
    store::WriteBatch put;
    put.put(key, Bytes(value.begin(), value.end() - 1));
    must(damaged.write(put));
    EXPECT_EQ(error(damaged), "damaged");
}

TEST_F(FetchTest, ALieIsRefusedAndTheRangeStaysMissing) {
    Fetch fetch(target(), keys_);
    while (fetch.pieces() < 1) advance(fetch);
    const Prefix prefix = *fetch.next();
    tree::Piece good = *piece(prefix);
    tree::Piece bad = good;
    bad.leaves.pop_back();
    EXPECT_FALSE(fetch.take(bad, writes_).has_value());
    bad = good;
    bad.leaves[0].record[40] ^= 1;
    EXPECT_FALSE(fetch.take(bad, writes_).has_value());
    EXPECT_EQ(fetch.pieces(), 1u);
    fetch.give_back(prefix);
    EXPECT_EQ(fetch.next(), prefix);
    EXPECT_EQ(fetch.take(good, writes_)->leaves, good.leaves.size());
    EXPECT_EQ(fetch.take(good, writes_)->leaves, 0u);  // once
}

TEST_F(FetchTest, WhoSplitsWithoutNeedIsFoundOut) {
    Fetch fetch(target(), keys_);
    while (fetch.pieces() < 1) advance(fetch);
    Prefix prefix = *fetch.next();
    while (!piece(prefix)) {
        ASSERT_TRUE(fetch.split(prefix, kFirst));
        prefix = *fetch.next();
    }
    ASSERT_TRUE(fetch.split(prefix, kSecond));
    const Prefix left = *fetch.next();
    EXPECT_TRUE(fetch.take(*piece(left), writes_)->liars.empty());
    const Prefix right = *fetch.next();
    EXPECT_EQ(fetch.take(*piece(right), writes_)->liars, std::vector{kSecond});
    // Who told the truth is not.
    while (!fetch.is_complete()) {
        const Prefix next = *fetch.next();
        const auto found = piece(next);
        if (!found) {
            ASSERT_TRUE(fetch.split(next, kFirst));
        } else {
            EXPECT_TRUE(fetch.take(*found, writes_)->liars.empty());
        }
    }
}

TEST_F(FetchTest, ASingleIdIsNotSplitNorARangeBeyondTheMost) {
    Fetch fetch(target(), keys_);
    Prefix prefix = *fetch.next();
    for (unsigned bits = 0; bits < kIdBits; ++bits) {
        ASSERT_TRUE(fetch.split(prefix, kFirst));
        const auto left = fetch.next();
        prefix = *left;
        ASSERT_EQ(prefix.bits, bits + 1);
    }
    EXPECT_FALSE(fetch.split(prefix, kFirst));
    EXPECT_EQ(fetch.missing(), kIdBits + 1);
}

TEST_F(FetchTest, ThereAreNeverMoreRangesThanTheMost) {
    Fetch fetch(target(), keys_);
    for (bool has_room = true; has_room;) {
        std::vector<Prefix> level;
        while (const auto next = fetch.next()) level.push_back(*next);
        for (const Prefix& prefix : level) has_room = fetch.split(prefix, kFirst);
    }
    EXPECT_EQ(fetch.missing(), kRangesMax);
}

TEST_F(FetchTest, DiscardingErasesWhatWasWritten) {
    Fetch fetch(target(), keys_);
    while (fetch.pieces() < 2) advance(fetch);
    write();
    fetch.discard(writes_);
    advance(fetch);
    write();
    EXPECT_EQ(must(Fetch::resume(target(), keys_, store_)).pieces(), fetch.pieces());
}

}  // namespace
}  // namespace leither::sync::testing
