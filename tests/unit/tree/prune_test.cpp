#include "tree_fixture.h"

namespace leither::tree::testing {
namespace {

std::size_t pages_in(const store::MemoryStore& store) {
    std::size_t pages = 0;
    const auto cursor = store.cursor();
    for (cursor->seek(Bytes{}); cursor->valid(); cursor->next()) ++pages;
    return pages;
}

struct Window {
    std::uint64_t versions = 10;
    std::size_t step_nodes = 64;
    std::size_t cache_bytes = std::size_t{1} << 20;
    std::uint64_t reopen_every = 0;
};

// Runs a history behind a sliding window, erasing what may be erased, and checks the whole window.
void run_with_window(std::uint64_t seed, const Window& window) {
    Options options;
    options.prune_step_nodes = window.step_nodes;
    options.cache_bytes = window.cache_bytes;
    TreeWorld world(seed, options);
    world.advance({.inserts = 150});
    std::uint64_t erased = 0;
    for (std::uint64_t i = 1; i < 120; ++i) {
        world.advance({world.prng.below(3), 4, world.prng.below(3)});
        ASSERT_NO_FATAL_FAILURE(world.expect_head_matches()) << "seed " << seed;
        const std::uint64_t oldest = i > window.versions ? i - window.versions : 0;
        world.tree->retain_from(Sequence(oldest));
        const Sequence below = world.tree->erasable_below();
        ASSERT_LE(below.value(), oldest);
        if (below.value() > erased) {
            erased = below.value();
            ASSERT_TRUE(
                world.store.erase_range(Bytes{}, store::version_key(erased, store::KeyKind::seal))
                    .has_value());
        }
        if (window.reopen_every != 0 && i % window.reopen_every == 0) world.reopen(oldest);
        for (std::uint64_t then = oldest; then <= i; ++then) {
            ASSERT_NO_FATAL_FAILURE(world.expect_account_at(then, world.next_id()))
                << "seed " << seed << " version " << then << " at " << i;
        }
        ASSERT_NO_FATAL_FAILURE(world.expect_account(world.some_id()));
    }
    EXPECT_GT(erased, 20u) << "seed " << seed;
}

TEST(TreePrune, EveryRetainedVersionStaysProvableWhileOldOnesAreErased) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) run_with_window(seed, {});
}

TEST(TreePrune, WorksWithAWindowOfOneVersion) {
    run_with_window(11, {.versions = 0, .step_nodes = 500});
    run_with_window(12, {.versions = 1, .step_nodes = 500});
}

TEST(TreePrune, WorksWhenHardlyAnythingFitsTheCache) {
    run_with_window(13, {.step_nodes = 200, .cache_bytes = 2000});
}

TEST(TreePrune, GoesOnAfterReopening) {
    run_with_window(14, {.step_nodes = 2000, .reopen_every = 25});
}

TEST(TreePrune, SpaceStaysBounded) {
    Options options;
    options.prune_step_nodes = 200;
    TreeWorld world(15, options);
    world.advance({.inserts = 200});
    std::size_t most = 0;
    for (std::uint64_t i = 1; i < 1200; ++i) {
        world.advance({.updates = 5});
        world.tree->retain_from(Sequence(i > 20 ? i - 20 : 0));
        const auto end =
            store::version_key(world.tree->erasable_below().value(), store::KeyKind::seal);
        ASSERT_TRUE(world.store.erase_range(Bytes{}, end).has_value());
        if (i > 400) most = std::max(most, pages_in(world.store));
        world.past.clear();
    }
    EXPECT_LT(most, 400u);
    world.expect_head_matches();
}

TEST(TreePrune, AMovedLeafStillTellsWhenItWasWritten) {
    Options options;
    options.prune_step_nodes = 10000;
    TreeWorld world(16, options);
    world.advance({.inserts = 30});
    const Id id = world.some_id();
    for (int i = 0; i < 3; ++i) {
        world.commit(world.prepare({}), {});
        world.tree->retain_from(world.tree->head().sequence);
    }
    EXPECT_GT(world.tree->erasable_below(), Sequence(0));
    const auto leaf = world.tree->read(id);
    ASSERT_TRUE(leaf.has_value() && leaf->has_value());
    EXPECT_EQ((*leaf)->written, Sequence(0));
    EXPECT_EQ((*leaf)->previous, std::nullopt);
    world.expect_head_matches();
}

TEST(TreePrune, ADroppedCandidateDoesNotCountAsPruned) {
    Options options;
    options.prune_step_nodes = 10000;
    TreeWorld world(17, options);
    world.advance({.inserts = 30});
    world.advance({.updates = 1});
    world.tree->retain_from(Sequence(1));
    { const auto dropped = world.prepare({}); }
    world.tree->retain_from(Sequence(1));
    EXPECT_EQ(world.tree->erasable_below(), Sequence(0));
}

}  // namespace
}  // namespace leither::tree::testing
