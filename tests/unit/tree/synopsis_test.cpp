#include "leither/tree/synopsis.h"

#include <gtest/gtest.h>

#include "naive_tree.h"

namespace leither::tree::testing {
namespace {

Id id_of_byte(std::uint8_t first) {
    Id id;
    id[0] = first;
    return id;
}

TEST(Synopsis, PrefixOfKeepsTheFirstBitsOnly) {
    Id ones;
    for (unsigned i = 0; i < Id::kSize; ++i) ones[i] = 0xff;
    for (unsigned depth = 0; depth <= kIdBits; ++depth) {
        const Id prefix = prefix_of(ones, depth);
        for (unsigned bit = 0; bit < kIdBits; ++bit) EXPECT_EQ(bit_of(prefix, bit), bit < depth);
        EXPECT_EQ(common_bits(prefix, ones), depth);
    }
}

TEST(Synopsis, APrefixIsCanonicalWithoutBitsBehindIt) {
    EXPECT_TRUE((Prefix{id_of_byte(0x80), 1}.is_canonical()));
    EXPECT_FALSE((Prefix{id_of_byte(0x80), 0}.is_canonical()));
    EXPECT_FALSE((Prefix{id_of_byte(0x00), 161}.is_canonical()));
}

// The worked example of docs/protocol/tree.md: three accounts, records "a", "b", "c".
TEST(Synopsis, GoldenTreeOfThreeAccounts) {
    const Bytes a{'a'}, b{'b'}, c{'c'};
    const Synopsis leaf_a{leaf_hash(id_of_byte(0x00), record_hash(a)), Amount::of(1)};
    const Synopsis leaf_b{leaf_hash(id_of_byte(0x80), record_hash(b)), Amount::of(2)};
    const Synopsis leaf_c{leaf_hash(id_of_byte(0xa0), record_hash(c)), Amount::of(3)};
    const Synopsis right{inner_hash(2, id_of_byte(0x80), leaf_b, leaf_c), Amount::of(5)};
    const Synopsis root{inner_hash(0, Id{}, leaf_a, right), Amount::of(6)};
    NaiveTree naive;
    naive[id_of_byte(0x00)] = {a, 1};
    naive[id_of_byte(0x80)] = {b, 2};
    naive[id_of_byte(0xa0)] = {c, 3};
    EXPECT_EQ(to_synopsis(naive_synopsis(naive)), root);
    EXPECT_EQ(empty_synopsis().hash.hex(),
              "e88bd757ad5b9bedf372d8d3f0cf6c962a469db61a265f6418e1ffed86da29ec");
    EXPECT_EQ(leaf_a.hash.hex(),
              "675d34c1fe2a2de4194556906f9768b9306bf7f6af73f40c875069d15dd54259");
    EXPECT_EQ(right.hash.hex(), "ebd730a7d23d8be09dc561d8df23e44eb152a83b2dcd84d670ae610d54a096b2");
    EXPECT_EQ(root.hash.hex(), "95bb50bebb23572b5c4a36ea9edad7926faea3e448c9d02b4e58b4c49f6128f6");
}

TEST(Synopsis, BothSumsArePartOfTheHash) {
    const Synopsis one{Hash{}, Amount::of(1)};
    const Synopsis two{Hash{}, Amount::of(2)};
    EXPECT_NE(inner_hash(3, Id{}, one, two), inner_hash(3, Id{}, two, one));
    EXPECT_NE(inner_hash(3, Id{}, one, two), inner_hash(4, Id{}, one, two));
}

TEST(Synopsis, MergedBranchesGiveTheTreeAboveThem) {
    Prng prng(5);
    for (int round = 0; round < 20; ++round) {
        NaiveTree all;
        for (std::uint64_t i = prng.below(60); i-- > 0;) {
            all[random_id(prng)] = {{1, 2, 3}, prng.below(100)};
        }
        for (const unsigned bits : {0U, 1U, 3U, 6U}) {
            std::vector<NaiveTree> below(std::size_t{1} << bits);
            for (const auto& [id, leaf] : all) {
                below[bits == 0 ? 0U : unsigned{id[0]} >> (8 - bits)].emplace(id, leaf);
            }
            std::vector<Synopsis> branches;
            for (const auto& branch : below)
                branches.push_back(to_synopsis(naive_synopsis(branch)));
            EXPECT_EQ(merge_branches(branches), to_synopsis(naive_synopsis(all)));
        }
    }
}

TEST(Synopsis, MergingRefusesASumThatOverflows) {
    const Synopsis half{Hash{}, Amount::of(Amount::kMax / 2 + 1)};
    EXPECT_EQ(merge_branches(std::vector{half, half}), std::nullopt);
}

}  // namespace
}  // namespace leither::tree::testing
