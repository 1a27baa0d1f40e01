#include "leither/tree/tree.h"

#include "tree_fixture.h"

namespace leither::tree::testing {
namespace {

constexpr std::size_t kTinyCache = 2000;

// ---- The tree against the naive one ------------------------------------------------------------

struct RunOptions {
    std::size_t cache_bytes = std::size_t{108} << 20;
    std::size_t versions = 60;
    std::uint64_t reopen_every = 0;
};

void run_against_model(std::uint64_t seed, const RunOptions& run) {
    Options options;
    options.cache_bytes = run.cache_bytes;
    options.page_cache_bytes = 20000;
    TreeWorld world(seed, options);
    for (std::size_t i = 0; i < run.versions; ++i) {
        world.advance({world.prng.below(12), world.prng.below(8), world.prng.below(7)});
        ASSERT_NO_FATAL_FAILURE(world.expect_head_matches()) << "seed " << seed;
        if (run.reopen_every != 0 && i % run.reopen_every == 0) world.reopen();
        for (int k = 0; k < 6; ++k) {
            const Id id = world.next_id();
            ASSERT_NO_FATAL_FAILURE(world.expect_account(id)) << "seed " << seed;
            const std::uint64_t then = world.prng.below(world.next_sequence);
            ASSERT_NO_FATAL_FAILURE(world.expect_account_at(then, id)) << "seed " << seed;
        }
    }
}

TEST(Tree, AgreesWithTheNaiveTreeOverRandomHistories) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) run_against_model(seed, {});
}

TEST(Tree, AgreesWithTheNaiveTreeWhenHardlyAnythingFitsTheCache) {
    for (std::uint64_t seed = 21; seed <= 30; ++seed) {
        run_against_model(seed, {.cache_bytes = kTinyCache});
    }
    run_against_model(31, {.cache_bytes = 0});
}

TEST(Tree, AgreesWithTheNaiveTreeAfterEachReopening) {
    for (std::uint64_t seed = 41; seed <= 46; ++seed) run_against_model(seed, {.reopen_every = 1});
    run_against_model(47, {.cache_bytes = kTinyCache, .reopen_every = 3});
}

TEST(Tree, GrowsToThousandsAndEmptiesAgain) {
    TreeWorld world(51);
    world.advance({.inserts = 3000});
    world.expect_head_matches();
    while (!world.model.empty()) {
        world.advance({.removals = 400 + world.model.size()});
        world.expect_head_matches();
    }
    EXPECT_EQ(world.tree->head().root, empty_synopsis());
    EXPECT_EQ(world.tree->stats().cached_nodes, 0u);
}

TEST(Tree, StartsEmpty) {
    TreeWorld world(52);
    EXPECT_EQ(world.tree->head().root, empty_synopsis());
    world.expect_account(random_id(world.prng));
}

TEST(Tree, BuildsTheSameTreeAtOnceAndOneByOne) {
    TreeWorld at_once(53);
    const auto changes = at_once.draw_changes({.inserts = 200});
    at_once.commit(at_once.prepare(changes), changes);
    TreeWorld one_by_one(54);
    for (const Change& change : changes) one_by_one.commit(one_by_one.prepare({change}), {change});
    EXPECT_EQ(at_once.tree->head().root, one_by_one.tree->head().root);
}

// ---- Versions and candidates -------------------------------------------------------------------

TEST(Tree, AVersionWithoutChangesWritesNothing) {
    TreeWorld world(61);
    world.advance({.inserts = 10});
    Tree::Update update = world.prepare({});
    EXPECT_EQ(update.version().root, world.tree->head().root);
    EXPECT_EQ(update.version().sequence, Sequence(1));
    EXPECT_TRUE(update.take_writes().empty());
}

TEST(Tree, ADroppedCandidateLeavesNoTrace) {
    for (const std::size_t cache : {std::size_t{1} << 20, kTinyCache}) {
        Options options;
        options.cache_bytes = cache;
        TreeWorld world(62, options);
        world.advance({.inserts = 300});
        for (int i = 0; i < 20; ++i) {
            { const auto dropped = world.prepare(world.draw_changes({5, 30, 20})); }
            world.advance({5, 10, 5});
            world.expect_head_matches();
        }
    }
}

TEST(Tree, TwoCandidatesOfOneHeadDoNotDisturbEachOther) {
    for (std::uint64_t seed = 63; seed < 69; ++seed) {
        TreeWorld world(seed);
        world.advance({.inserts = 300});
        for (int i = 0; i < 12; ++i) {
            world.reopen();  // so that both load nodes while the other is under way
            const auto first_changes = world.draw_changes({5, 30, 20});
            const auto second_changes = world.draw_changes({5, 30, 20});
            Tree::Update first = world.prepare(first_changes);
            Tree::Update second = world.prepare(second_changes);
            const Synopsis promised = second.version().root;
            if (i % 2 == 0) {
                world.commit(std::move(second), second_changes);
                EXPECT_EQ(world.tree->head().root, promised);
            } else {
                world.commit(std::move(first), first_changes);
            }
            world.expect_head_matches();
        }
    }
}

TEST(Tree, NodesInMemoryNeverLeak) {
    TreeWorld world(71);
    world.advance({.inserts = 500});
    for (int i = 0; i < 30; ++i) world.advance({10, 40, 10});
    // With everything resident, a tree of n leaves has n - 1 inner nodes.
    EXPECT_EQ(world.tree->stats().cached_nodes, world.model.size() - 1);
}

TEST(Tree, TheCacheStaysBelowItsLimit) {
    Options options;
    options.cache_bytes = 20000;
    TreeWorld world(72, options);
    for (int i = 0; i < 40; ++i) {
        world.advance({50, 20, 5});
        EXPECT_LE(world.tree->stats().cached_bytes, options.cache_bytes);
        EXPECT_GT(world.tree->stats().cached_nodes, 0u);
    }
}

TEST(Tree, ALeafNamesTheVersionItReplaced) {
    TreeWorld world(73);
    world.advance({.inserts = 50});
    const Id id = world.some_id();
    for (std::uint64_t i = 1; i <= 3; ++i) {
        const auto leaf = world.tree->read(id);
        Change change{id, Change::Value{make_record(world.prng, i), Amount::of(i)}, (*leaf)->hash};
        world.commit(world.prepare({change}), {change});
    }
    std::vector<std::uint64_t> written;
    std::optional<Leaf> leaf = *world.tree->read(id);
    while (leaf) {
        written.push_back(leaf->written.value());
        if (!leaf->previous) break;
        leaf = *world.tree->read_at(world.past.at(leaf->previous->value()).version, id);
    }
    EXPECT_EQ(written, (std::vector<std::uint64_t>{3, 2, 1, 0}));
}

TEST(TreeDeath, AChangeMustNameTheLeafItRead) {
    TreeWorld world(74);
    world.advance({.inserts = 20});
    const Id id = world.some_id();
    const Change stale{id, std::nullopt, Hash{}};
    EXPECT_DEATH((void)world.tree->prepare(std::vector{stale}, Sequence(9)), "did not read");
    const Change blind{id, Change::Value{make_record(world.prng, 1), Amount::of(1)}, std::nullopt};
    EXPECT_DEATH((void)world.tree->prepare(std::vector{blind}, Sequence(9)), "there already");
}

// ---- Prefixes ----------------------------------------------------------------------------------

TEST(TreePrefix, TheSynopsisOfEveryPrefixIsProven) {
    TreeWorld world(81);
    for (int round = 0; round < 4; ++round) {
        world.advance({.inserts = 60, .removals = 10});
        for (unsigned bits = 0; bits <= kIdBits; bits += 1 + bits / 12) {
            const Id id = prefix_of(world.next_id(), bits);
            const Prefix prefix{id, static_cast<std::uint8_t>(bits)};
            const auto now = world.tree->prove(prefix);
            ASSERT_TRUE(now.has_value());
            world.expect_prefix(world.tree->head(), world.model, prefix, *now);
            const auto& past = world.past.at(world.prng.below(world.next_sequence));
            const auto then = world.tree->prove_at(past.version, prefix);
            ASSERT_TRUE(then.has_value());
            world.expect_prefix(past.version, past.model, prefix, *then);
        }
    }
}

// ---- Damage on disk ----------------------------------------------------------------------------

TEST(TreeDamage, EveryDamagedByteIsAFaultOrHarmless) {
    TreeWorld world(91);
    for (int i = 0; i < 4; ++i) world.advance({30, 10, 3});
    const Version head = world.tree->head();
    std::vector<std::pair<Bytes, Bytes>> pages;
    const auto cursor = world.store.cursor();
    for (cursor->seek(Bytes{}); cursor->valid(); cursor->next()) {
        pages.emplace_back(Bytes(cursor->key().begin(), cursor->key().end()),
                           Bytes(cursor->value().begin(), cursor->value().end()));
    }
    const auto put = [&world](const Bytes& key, const Bytes& value) {
        store::WriteBatch batch;
        batch.put(key, value);
        ASSERT_TRUE(world.store.write(batch).has_value());
    };
    std::size_t faults = 0;
    for (const auto& [key, value] : pages) {
        for (std::size_t at = 0; at < value.size(); at += 3) {
            Bytes damaged = value;
            damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1 + world.prng.below(255)));
            if (at % 5 == 0) damaged.resize(at);
            put(key, damaged);
            Tree tree({}, world.store, head, Sequence(0));
            const Id id = world.some_id();
            const auto proof = tree.prove(id);
            // What is not refused must still be true: a damaged record or path never verifies.
            if (!proof) {
                EXPECT_EQ(proof.error().kind, store::Fault::Kind::corrupt);
                ++faults;
            } else if (const auto seen = verify(*proof, head.root, kTestSupply, test_sum_of)) {
                ASSERT_TRUE(seen->has_value());
                EXPECT_EQ(Bytes(**seen), world.model.at(id).record);
            }
            (void)tree.read(world.next_id());
            (void)tree.walk_at(head, Id{},
                               [](const Id&, ByteView, Amount) { return Visit::go_on; });
        }
        put(key, value);
    }
    EXPECT_GT(faults, 100u);
}

TEST(TreeDamage, AMissingPageIsCorruptionNotAbsence) {
    TreeWorld world(92);
    world.advance({.inserts = 40});
    ASSERT_TRUE(world.store
                    .erase_range(store::version_key(0, store::KeyKind::page, 0),
                                 store::version_key(1, store::KeyKind::page, 0))
                    .has_value());
    world.reopen();
    const auto leaf = world.tree->read(world.some_id());
    ASSERT_FALSE(leaf.has_value());
    EXPECT_EQ(leaf.error().kind, store::Fault::Kind::corrupt);
}

}  // namespace
}  // namespace leither::tree::testing
