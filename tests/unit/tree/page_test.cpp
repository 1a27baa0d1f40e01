#include "../../../src/tree/page.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::tree {
namespace {

Synopsis some_synopsis(std::uint8_t seed) {
    Synopsis synopsis;
    for (unsigned i = 0; i < 32; ++i) synopsis.hash[i] = static_cast<std::uint8_t>(seed + i);
    synopsis.sum = Amount::of(std::uint64_t{seed} * 1'000'003);
    return synopsis;
}

// The worked example of docs/protocol/tree.md: a chain of one inner node and its leaf, version 7.
TEST(TreePage, GoldenRun) {
    PageWriter writer(Sequence(7));
    const Synopsis own = some_synopsis(1);
    Id prefix;
    prefix[0] = 0xa0;
    writer.inner({NodeKind::right_follows, -1, 3, prefix, &own});
    writer.reference(Location::at(5, 0, 300));
    StoredLeaf leaf;
    leaf.id[0] = 0xb0;
    leaf.sum = Amount::of(300);
    leaf.written = 7;
    leaf.previous = 4;
    const Bytes record{'a', 'b', 'c'};
    leaf.record = record;
    writer.leaf(leaf);
    writer.end_run();
    const auto batch = writer.finish();
    ASSERT_EQ(batch.puts().size(), 1u);
    EXPECT_EQ(to_hex(batch.puts()[0].value),
              "1ea0"
              "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
              "c3843d"
              "02ac02"
              "00b0000000000000000000000000000000000000"
              "00ac020303616263");
}

TEST(TreePage, ALeafComesBackAsWritten) {
    PageWriter writer(Sequence(100));
    StoredLeaf leaf;
    leaf.id[3] = 9;
    leaf.sum = Amount::of(Amount::kMax);
    leaf.written = 40;
    leaf.previous = 0;
    const Bytes record(kRecordBytesMax, 0x5a);
    leaf.record = record;
    writer.leaf(leaf);
    const auto batch = writer.finish();
    const Bytes& page = batch.puts()[0].value;
    const auto node = parse_node(page, Location::at(100, 0, 0));
    ASSERT_TRUE(node.has_value());
    EXPECT_EQ(node->leaf.id, leaf.id);
    EXPECT_EQ(node->leaf.sum, leaf.sum);
    EXPECT_EQ(node->leaf.written, 40u);
    EXPECT_EQ(node->leaf.previous, 0u);
    EXPECT_TRUE(std::equal(record.begin(), record.end(), node->leaf.record.begin()));
    EXPECT_EQ(node->next_offset, page.size());
}

TEST(TreePage, SkippedBitsComeBackForAnyNumberOfLevels) {
    Prng prng(3);
    Id id;
    prng.fill(id.span());
    for (int parent = -1; parent < 159; parent += 7) {
        for (int depth = parent + 1; depth < 160; depth += 5) {
            PageWriter writer(Sequence(9));
            const Id prefix = prefix_of(id, static_cast<unsigned>(depth));
            writer.inner({NodeKind::pair, parent, depth, prefix, nullptr});
            writer.reference(Location::at(8, 1, 2));
            writer.reference(Location::at(7, 3, 4));
            const auto batch = writer.finish();
            const auto node = parse_node(batch.puts()[0].value, Location::at(9, 0, 0));
            ASSERT_TRUE(node.has_value());
            const auto above = prefix_of(id, static_cast<unsigned>(parent + 1));
            const auto place = place_of(*node, parent, above);
            ASSERT_TRUE(place.has_value());
            EXPECT_EQ(place->depth, depth);
            EXPECT_EQ(place->prefix, prefix);
            EXPECT_EQ(node->child[0], Location::at(8, 1, 2));
            EXPECT_EQ(node->child[1], Location::at(7, 3, 4));
        }
    }
}

TEST(TreePage, ArbitraryBytesNeverParseBeyondThePage) {
    Prng prng(4);
    for (int i = 0; i < 20000; ++i) {
        Bytes page(prng.below(80));
        prng.fill(page);
        const auto node = parse_node(page, Location::at(prng.below(1000), 0, prng.below(90)));
        if (node) {
            EXPECT_LE(node->next_offset, page.size());
        }
    }
}

TEST(TreePage, AReferenceForwardIsCorrupt) {
    PageWriter writer(Sequence(9));
    writer.inner({NodeKind::pair, -1, 0, Id{}, nullptr});
    writer.reference(Location::at(8, 1, 2));
    writer.reference(Location::at(9, 0, 500));
    const auto batch = writer.finish();
    const auto node = parse_node(batch.puts()[0].value, Location::at(9, 0, 0));
    ASSERT_FALSE(node.has_value());
    EXPECT_EQ(node.error().kind, store::Fault::Kind::corrupt);
}

}  // namespace
}  // namespace leither::tree
