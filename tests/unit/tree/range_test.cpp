#include "leither/tree/range.h"

#include "tree_fixture.h"

namespace leither::tree::testing {
namespace {

Piece piece_of(const TreeWorld& world, const Prefix& prefix) {
    auto piece = export_piece(*world.tree, world.tree->head(), prefix);
    EXPECT_TRUE(piece.has_value() && piece->has_value());
    return std::move(**piece);
}

TEST(TreeRange, EveryPieceVerifiesAndHoldsExactlyItsPrefix) {
    TreeWorld world(1);
    world.advance({.inserts = 120});
    for (unsigned bits = 0; bits <= 160; bits += 1 + bits / 8) {
        const Prefix prefix{prefix_of(world.next_id(), bits), static_cast<std::uint8_t>(bits)};
        const Piece piece = piece_of(world, prefix);
        const auto leaves = verify_piece(piece, world.tree->head().root, kTestSupply, test_sum_of);
        ASSERT_TRUE(leaves.has_value()) << to_string(leaves.error());
        std::size_t expected = 0;
        for (const auto& [id, leaf] : world.model) expected += prefix.covers(id) ? 1 : 0;
        EXPECT_EQ(leaves->size(), expected);
    }
}

TEST(TreeRange, APieceThatWithholdsAddsOrAltersALeafIsRefused) {
    TreeWorld world(2);
    world.advance({.inserts = 50});
    const Synopsis root = world.tree->head().root;
    const Piece whole = piece_of(world, Prefix{});
    Piece piece = whole;
    piece.leaves.pop_back();
    EXPECT_EQ(verify_piece(piece, root, kTestSupply, test_sum_of).error(),
              PieceError::synopsis_mismatch);
    piece = whole;
    piece.leaves[3].record.back() ^= 1;
    EXPECT_FALSE(verify_piece(piece, root, kTestSupply, test_sum_of).has_value());
    piece = whole;
    std::swap(piece.leaves[0], piece.leaves[1]);
    EXPECT_EQ(verify_piece(piece, root, kTestSupply, test_sum_of).error(),
              PieceError::leaves_not_sorted);
    piece = whole;
    piece.leaves[5].record.resize(2);
    EXPECT_EQ(verify_piece(piece, root, kTestSupply, test_sum_of).error(), PieceError::bad_record);
    piece = whole;
    piece.proof.prefix.bits = 1;
    EXPECT_EQ(verify_piece(piece, root, kTestSupply, test_sum_of).error(), PieceError::bad_proof);
}

TEST(TreeRange, TooManyLeavesAreLeftToTheHalves) {
    TreeWorld world(3);
    std::vector<Change> changes;
    for (std::size_t i = 0; i <= kPieceLeavesMax; ++i) {
        const Id id = random_id(world.prng);
        changes.push_back({id, Change::Value{make_record(world.prng, 1), Amount::of(1)}, {}});
    }
    std::sort(changes.begin(), changes.end(),
              [](const Change& a, const Change& b) { return a.id < b.id; });
    world.commit(world.prepare(changes), changes);
    const auto whole = export_piece(*world.tree, world.tree->head(), Prefix{});
    ASSERT_TRUE(whole.has_value());
    EXPECT_FALSE(whole->has_value());
    EXPECT_GT(piece_of(world, Prefix{Id{}, 1}).leaves.size(), 1500u);
}

TEST(TreeRange, ImportFromPiecesRebuildsTheTree) {
    for (std::uint64_t seed = 4; seed < 8; ++seed) {
        TreeWorld world(seed);
        for (int i = 0; i < 3; ++i) world.advance({150, 20, 10});
        const Synopsis root = world.tree->head().root;
        Import import(root, kTestSupply, test_sum_of);
        for (std::size_t taken = 0; const auto wanted = import.wanted(); ++taken) {
            ASSERT_LT(taken, 5000u);
            // A peer that serves small pieces only: up to 20 leaves.
            Piece piece = piece_of(world, *wanted);
            if (piece.leaves.size() > 20) {
                import.split(*wanted);
                continue;
            }
            if (!piece.leaves.empty() && taken % 3 == 0) {
                Piece forged = piece;
                forged.leaves.pop_back();
                EXPECT_FALSE(import.take(forged).has_value());
            }
            ASSERT_TRUE(import.take(piece).has_value());
            ASSERT_TRUE(import.take(piece).has_value());  // again: harmless
        }
        TreeWorld copy(seed);
        const auto changes = import.finish();
        copy.commit(copy.prepare(changes), changes);
        EXPECT_EQ(copy.tree->head().root, root);
    }
}

TEST(TreeRange, ListsLeavesInOrderFromAnyId) {
    TreeWorld world(9);
    world.advance({.inserts = 100});
    for (int i = 0; i < 20; ++i) {
        const Id from = world.next_id();
        const auto listed = list_leaves(*world.tree, world.tree->head(), from, 7);
        ASSERT_TRUE(listed.has_value());
        auto expected = world.model.lower_bound(from);
        for (const PieceLeaf& leaf : *listed) EXPECT_EQ(leaf.id, (expected++)->first);
        EXPECT_TRUE(listed->size() == 7 || expected == world.model.end());
    }
}

}  // namespace
}  // namespace leither::tree::testing
