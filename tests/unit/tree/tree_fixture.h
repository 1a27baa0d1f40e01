// A ledger in miniature: a tree over a memory store, its history, and the naive tree beside it.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/store/memory_store.h"

#include "naive_tree.h"

namespace leither::tree::testing {

class TreeWorld {
 public:
    explicit TreeWorld(std::uint64_t seed, Options options = {})
        : prng(seed), options_(options), tree(std::make_unique<Tree>(options, store)) {}

    // Ids that share long prefixes, differ in the last bit only, or are simply random.
    Id next_id() {
        const std::uint64_t kind = prng.below(4);
        if (kind == 0 || model.empty()) return random_id(prng);
        Id id = some_id();
        if (kind == 1) id[19] ^= 1;
        if (kind > 1) {
            const auto bit = static_cast<unsigned>(prng.below(160));
            id[bit / 8] = static_cast<std::uint8_t>(id[bit / 8] ^ (0x80U >> (bit % 8)));
            for (unsigned i = bit / 8 + 1; i < 20 && kind == 2; ++i) {
                id[i] = static_cast<std::uint8_t>(prng.next());
            }
        }
        return id;
    }

    // REQUIRES: the model is not empty.
    Id some_id() {
        auto it = model.begin();
        std::advance(it, static_cast<std::ptrdiff_t>(prng.below(model.size())));
        return it->first;
    }

    struct Plan {
        std::size_t inserts = 0;
        std::size_t updates = 0;
        std::size_t removals = 0;
    };

    std::vector<Change> draw_changes(const Plan& plan) {
        std::map<Id, Change> drawn;
        for (std::size_t i = 0; i < plan.inserts; ++i) {
            const Id id = next_id();
            if (!model.contains(id)) drawn[id] = change_of(id, /*removes=*/false);
        }
        for (std::size_t i = 0; i < plan.updates + plan.removals && !model.empty(); ++i) {
            const Id id = some_id();
            drawn[id] = change_of(id, /*removes=*/i >= plan.updates);
        }
        std::vector<Change> changes;
        for (auto& [id, change] : drawn) changes.push_back(std::move(change));
        return changes;
    }

    Tree::Update prepare(const std::vector<Change>& changes) {
        auto update = tree->prepare(changes, Sequence(next_sequence));
        EXPECT_TRUE(update.has_value()) << update.error().detail;
        return std::move(*update);
    }

    void commit(Tree::Update update, const std::vector<Change>& changes) {
        ASSERT_TRUE(store.write(update.take_writes()).has_value());
        tree->commit(std::move(update));
        for (const Change& change : changes) {
            model.erase(change.id);
            if (!change.value) continue;
            model[change.id] = {Bytes(change.value->record.begin(), change.value->record.end()),
                                change.value->sum.units()};
        }
        past[next_sequence++] = {tree->head(), model};
    }

    void advance(const Plan& plan) {
        const auto changes = draw_changes(plan);
        commit(prepare(changes), changes);
    }

    void reopen(std::uint64_t retained_from = 0) {
        tree = std::make_unique<Tree>(options_, store, tree->head(), Sequence(retained_from));
    }

    void expect_head_matches() {
        EXPECT_EQ(tree->head().root, to_synopsis(naive_synopsis(model)));
        tree->check_invariants();
    }

    // Reads and proves `id` at the head and compares with the model.
    void expect_account(const Id& id) {
        const auto leaf = tree->read(id);
        ASSERT_TRUE(leaf.has_value()) << leaf.error().detail;
        expect_leaf(*leaf, model, id);
        const auto proof = tree->prove(id);
        ASSERT_TRUE(proof.has_value()) << proof.error().detail;
        expect_proof(*proof, tree->head(), model, id);
    }

    void expect_account_at(std::uint64_t sequence, const Id& id) {
        const auto& [version, then] = past.at(sequence);
        const auto leaf = tree->read_at(version, id);
        ASSERT_TRUE(leaf.has_value()) << leaf.error().detail;
        expect_leaf(*leaf, then, id);
        const auto proof = tree->prove_at(version, id);
        ASSERT_TRUE(proof.has_value()) << proof.error().detail;
        expect_proof(*proof, version, then, id);
    }

    void expect_prefix(const Version& version, const NaiveTree& then, const Prefix& prefix,
                       const PrefixProof& proof) {
        const auto synopsis = verify(proof, version.root, kTestSupply);
        ASSERT_TRUE(synopsis.has_value()) << to_string(synopsis.error());
        NaiveTree below;
        for (const auto& [id, leaf] : then) {
            if (prefix.covers(id)) below.emplace(id, leaf);
        }
        EXPECT_EQ(*synopsis, to_synopsis(naive_synopsis(below)));
    }

    Prng prng;
    store::MemoryStore store;

 private:
    Options options_;

 public:
    std::unique_ptr<Tree> tree;
    NaiveTree model;
    struct Past {
        Version version;
        NaiveTree model;
    };
    std::map<std::uint64_t, Past> past;
    std::uint64_t next_sequence = 0;

 private:
    Change change_of(const Id& id, bool removes) {
        Change change{id, std::nullopt, std::nullopt};
        if (model.contains(id)) {
            const auto leaf = tree->read(id);
            EXPECT_TRUE(leaf.has_value() && leaf->has_value());
            change.expected = (*leaf)->hash;
        }
        if (!removes) {
            const std::uint64_t sum = prng.below(1000);
            change.value = Change::Value{make_record(prng, sum), Amount::of(sum)};
        }
        return change;
    }

    static void expect_leaf(const std::optional<Leaf>& leaf, const NaiveTree& then, const Id& id) {
        const auto expected = then.find(id);
        ASSERT_EQ(leaf.has_value(), expected != then.end()) << id.hex();
        if (leaf) {
            EXPECT_EQ(Bytes(leaf->record), expected->second.record);
        }
    }

    static void expect_proof(const AccountProof& proof, const Version& version,
                             const NaiveTree& then, const Id& id) {
        const auto record = verify(proof, version.root, kTestSupply, test_sum_of);
        ASSERT_TRUE(record.has_value()) << to_string(record.error());
        const auto expected = then.find(id);
        ASSERT_EQ(record->has_value(), expected != then.end());
        if (*record) {
            EXPECT_EQ(Bytes(**record), expected->second.record);
        }
        const Bytes encoded = bcs::encode(proof);
        EXPECT_LE(encoded.size(), 42 * proof.path.size() + 256);
        EXPECT_TRUE(bcs::decode<AccountProof>(encoded).has_value());
    }
};

}  // namespace leither::tree::testing
