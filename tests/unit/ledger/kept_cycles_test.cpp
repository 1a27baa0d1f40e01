// What a node keeps to prove its committees when history is pruned.
#include "leither/ledger/kept_cycles.h"

#include <gtest/gtest.h>

#include "leither/ledger/evidence_store.h"

#include "support/candidates.h"

namespace leither::ledger {
namespace {

using leither::testing::Candidates;
using leither::testing::must;
using leither::testing::Names;

// Six terms: two of the charter, then elected ones.
class KeptCycles : public ::testing::Test {
 protected:
    KeptCycles() : all({"c0", "c1"}) {
        const Names both{"c0", "c1"};
        all.pass_cycle({}, both);
        all.pass_cycle({}, both);
        all.pass_cycle(both, both);
        all.pass_cycle(both, both);
        all.pass_cycle({}, {});
        all.pass_cycle({}, {});
    }
    FoundCycles behind(std::uint64_t after, Sequence oldest = Sequence(0)) {
        return must(cycles_behind(
            all.world.organization, all.world.store, all.world.tree,
            {.target = all.world.seals.back(), .oldest = oldest, .after_cycle = after}));
    }
    void keep(const FoundCycles& found) {
        store::WriteBatch batch;
        for (const auto& cycle : found.cycles) put_cycle(batch, cycle);
        put_cycle_span(batch, {found.from, found.cycles.back().term});
        must(all.world.store.write(batch));
    }

    Candidates all;
};

TEST_F(KeptCycles, EachTermHasItsLinkAndSaysWhetherTheCommitteeChanged) {
    const auto found = behind(0);
    EXPECT_EQ(found.from, 0u);
    ASSERT_EQ(found.cycles.size(), 6u);
    election::CycleChain changes;
    for (std::size_t i = 0; i < found.cycles.size(); ++i) {
        EXPECT_EQ(found.cycles[i].term, i + 1);
        if (found.cycles[i].kept.changes) changes.push_back(found.cycles[i].kept.link);
    }
    // Of terms 1 and 2 the charter's keep the books; 5 and 6 have nobody who was ready.
    EXPECT_EQ(changes.size(), 2u);
    const election::ChainContext context{all.world.organization.chain,
                                         all.world.organization.charter.supply};
    const auto newest =
        election::follow(context, election::trusted_from(all.world.organization.charter), changes);
    ASSERT_TRUE(newest.has_value());
    EXPECT_EQ(newest->seats, all.world.election().present);
}

TEST_F(KeptCycles, ItGoesOnWhereItEndsAndBeginsWhereHistoryDoes) {
    const auto later = behind(4);
    EXPECT_EQ(later.from, 4u);
    ASSERT_EQ(later.cycles.size(), 2u);
    EXPECT_EQ(later.cycles.front().term, 5u);
    EXPECT_TRUE(behind(6).cycles.empty());
    // Without the block that began term 5.
    const auto& link = std::get<election::CycleLink>(later.cycles.front().kept.link);
    const auto cut = behind(0, link.header.sequence.next());
    EXPECT_EQ(cut.from, 5u);
    ASSERT_EQ(cut.cycles.size(), 1u);
    EXPECT_EQ(cut.cycles.front().term, 6u);
}

TEST_F(KeptCycles, WhatIsWrittenIsReadAndChangesAreVisitedInOrder) {
    EXPECT_FALSE(must(read_cycle_span(all.world.store)));
    keep(behind(0));
    EXPECT_EQ(must(read_cycle_span(all.world.store)), (CycleSpan{0, 6}));
    std::vector<std::uint64_t> terms;
    must(visit_changes(all.world.store, 0, [&](TermLink&& one) {
        terms.push_back(one.term);
        return true;
    }));
    EXPECT_EQ(terms, (std::vector<std::uint64_t>{3, 4}));
    terms.clear();
    must(visit_changes(all.world.store, 4, [&](TermLink&& one) {
        terms.push_back(one.term);
        return true;
    }));
    EXPECT_EQ(terms, (std::vector<std::uint64_t>{4}));
    terms.clear();
    must(visit_changes(all.world.store, 1, [&](TermLink&& one) {
        terms.push_back(one.term);
        return false;
    }));
    EXPECT_EQ(terms.size(), 1u);
    must(visit_changes(all.world.store, UINT64_MAX, [](TermLink&&) { return true; }));
}

TEST_F(KeptCycles, ACycleBlockIsFoundByItsSequenceAlsoAmongGaps) {
    const auto found = behind(0);
    keep(found);
    store::WriteBatch gap;
    erase_cycle(gap, 2);
    erase_cycle(gap, 5);
    must(all.world.store.write(gap));
    for (const auto& cycle : found.cycles) {
        const auto& header = std::get<election::CycleLink>(cycle.kept.link).header;
        const auto block = must(kept_cycle_block(all.world.store, header.sequence));
        EXPECT_EQ(block.has_value(), cycle.term != 2 && cycle.term != 5) << cycle.term;
        if (block) {
            EXPECT_EQ(block->header.root, header.root);
        }
        EXPECT_FALSE(must(kept_cycle_block(all.world.store, header.sequence.next())));
    }
    EXPECT_FALSE(must(kept_cycle_block(all.world.store, Sequence(1'000'000))));
}

TEST_F(KeptCycles, TheyOutlastPruningAndAreNoEvidence) {
    const auto found = behind(0);
    keep(found);
    must(prune(all.world.store,
               {all.world.seals.back().header.sequence, all.world.seals.back().header.sequence}));
    EXPECT_EQ(must(read_cycle_span(all.world.store)), (CycleSpan{0, 6}));
    for (std::uint64_t term = 1; term <= 6; ++term) {
        EXPECT_TRUE(must(read_cycle(all.world.store, term))) << term;
    }
    EXPECT_TRUE(must(evidence_indexes(all.world.store)).empty());
    EXPECT_EQ(must(read_span(all.world.store))->newest.header.sequence,
              all.world.seals.back().header.sequence);
}

TEST_F(KeptCycles, ADamagedEntryIsTold) {
    keep(behind(0));
    store::WriteBatch damage;
    damage.put(store::version_key(0, store::KeyKind::genesis, kCyclesIndex + 4), Bytes{1, 2});
    must(all.world.store.write(damage));
    EXPECT_FALSE(read_cycle(all.world.store, 4).has_value());
    EXPECT_FALSE(visit_changes(all.world.store, 1, [](TermLink&&) { return true; }).has_value());
}

TEST_F(KeptCycles, TheNewestCycleBlockComesWithTheTableItHasLeft) {
    const ChainEnds ends{.target = all.world.seals.back(), .oldest = Sequence(0), .after_cycle = 0};
    const auto block =
        must(newest_cycle_block(all.world.organization, all.world.store, all.world.tree, ends));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->name.cycle, 6u);
    EXPECT_EQ(block->name.sequence, all.world.election().first_sequence);
    EXPECT_EQ(block->table.rows.size(), 2u);
    // Whoever has only a later state does not know it.
    const ChainEnds late{
        .target = all.world.seals.back(), .oldest = block->name.sequence.next(), .after_cycle = 0};
    if (late.oldest <= all.world.seals.back().header.sequence) {
        EXPECT_FALSE(must(
            newest_cycle_block(all.world.organization, all.world.store, all.world.tree, late)));
    }
}

}  // namespace
}  // namespace leither::ledger
