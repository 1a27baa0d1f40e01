#include "leither/base/bytes.h"

#include <gtest/gtest.h>

#include "leither/base/fixed_bytes.h"

namespace leither {
namespace {

TEST(Hex, EveryByteReadsBack) {
    Bytes all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
    const std::string hex = to_hex(all);
    EXPECT_EQ(hex.substr(0, 6), "000102");
    EXPECT_EQ(hex.substr(508), "feff");
    EXPECT_EQ(from_hex(hex), all);
}

TEST(Hex, ReadsBothCasesAndWritesLower) {
    EXPECT_EQ(from_hex("aBcD"), (Bytes{0xab, 0xcd}));
    EXPECT_EQ(to_hex(Bytes{0xab}), "ab");
    EXPECT_EQ(from_hex(""), Bytes{});
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
    for (const char* text : {"a", "abc", "0g", "g0", "0x", " 0", "0:", "@@", "``"}) {
        EXPECT_EQ(from_hex(text), std::nullopt) << text;
    }
}

TEST(FixedBytes, ParseWantsExactlyItsLength) {
    const std::string hex(40, 'a');
    EXPECT_EQ(Id::parse(hex)->hex(), hex);
    EXPECT_EQ(Id::parse(hex + "aa"), std::nullopt);
    EXPECT_EQ(Id::parse(hex.substr(2)), std::nullopt);
    EXPECT_EQ(Id::from(Bytes(19)), std::nullopt);
    EXPECT_EQ(Id::from(Bytes(20)), Id{});
}

TEST(FixedBytes, OrdersAsBigEndianNumbers) {
    Id low;
    Id high;
    low[19] = 0xff;
    high[0] = 0x01;
    EXPECT_LT(low, high);
    EXPECT_TRUE(Id{}.is_zero());
    EXPECT_FALSE(low.is_zero());
}

TEST(FixedBytes, BitZeroIsTheMostSignificant) {
    Id id;
    id[0] = 0x80;
    id[19] = 0x01;
    EXPECT_TRUE(bit_of(id, 0));
    EXPECT_FALSE(bit_of(id, 1));
    EXPECT_FALSE(bit_of(id, 158));
    EXPECT_TRUE(bit_of(id, 159));
}

}  // namespace
}  // namespace leither
