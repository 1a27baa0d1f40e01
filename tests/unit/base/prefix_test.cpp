#include "leither/base/prefix.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither {
namespace {

Id random_id(Prng& prng) {
    Id id;
    prng.fill(id.span());
    return id;
}

TEST(PrefixOf, KeepsTheFirstBitsAndNoOther) {
    Prng prng(1);
    const Id id = random_id(prng);
    for (unsigned bits = 0; bits <= kIdBits; ++bits) {
        const Id prefix = prefix_of(id, bits);
        for (unsigned i = 0; i < kIdBits; ++i) {
            ASSERT_EQ(bit_of(prefix, i), i < bits && bit_of(id, i)) << bits << " bits, bit " << i;
        }
    }
    EXPECT_DEATH(prefix_of(id, kIdBits + 1), "kIdBits");
}

TEST(CommonBits, CountsUpToTheFirstDifference) {
    Prng prng(2);
    const Id id = random_id(prng);
    EXPECT_EQ(common_bits(id, id), kIdBits);
    for (unsigned bit = 0; bit < kIdBits; ++bit) {
        Id other = id;
        other[bit / 8] = static_cast<std::uint8_t>(other[bit / 8] ^ (0x80U >> (bit % 8)));
        EXPECT_EQ(common_bits(id, other), bit);
    }
}

TEST(Prefix, CoversTheIdsBelowIt) {
    Id id;
    id[0] = 0b10100000;
    const Prefix prefix{.id = id, .bits = 3};
    Id below = id;
    below[0] = 0b10111111;
    Id beside = id;
    beside[0] = 0b10000000;
    EXPECT_TRUE(prefix.covers(below));
    EXPECT_FALSE(prefix.covers(beside));
    EXPECT_TRUE((Prefix{}.covers(beside))) << "no bits: the whole tree";
}

TEST(Prefix, IsCanonicalWithoutBitsBehindIt) {
    Id id;
    id[0] = 0b10100000;
    EXPECT_TRUE((Prefix{.id = id, .bits = 3}.is_canonical()));
    EXPECT_FALSE((Prefix{.id = id, .bits = 2}.is_canonical()));
    EXPECT_TRUE((Prefix{.id = id, .bits = kIdBits}.is_canonical()));
    EXPECT_FALSE((Prefix{.id = Id{}, .bits = kIdBits + 1}.is_canonical()));
}

}  // namespace
}  // namespace leither
