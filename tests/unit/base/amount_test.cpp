#include "leither/base/amount.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither {
namespace {

TEST(Amount, HoldsNothingAbove2To63Minus1) {
    EXPECT_EQ(Amount::from(Amount::kMax)->units(), Amount::kMax);
    EXPECT_EQ(Amount::from(Amount::kMax + 1), std::nullopt);
    EXPECT_DEATH(Amount::of(Amount::kMax + 1), "kMax");
}

TEST(Amount, SumsAndDifferencesNeverWrap) {
    const Amount max = Amount::of(Amount::kMax);
    const Amount one = Amount::of(1);
    EXPECT_EQ(max.plus(Amount{}), max);
    EXPECT_EQ(max.plus(one), std::nullopt);
    EXPECT_EQ(max.plus(max), std::nullopt);
    EXPECT_EQ(one.minus(one), Amount{});
    EXPECT_EQ(Amount{}.minus(one), std::nullopt);
}

TEST(FormatAmount, PutsThePointWhereTheDecimalsAre) {
    EXPECT_EQ(format_amount(Amount::of(1234), 2), "12.34");
    EXPECT_EQ(format_amount(Amount::of(1234), 0), "1234");
    EXPECT_EQ(format_amount(Amount::of(5), 2), "0.05");
    EXPECT_EQ(format_amount(Amount{}, 2), "0.00");
    EXPECT_EQ(format_amount(Amount::of(Amount::kMax), 18), "9.223372036854775807");
}

TEST(ParseAmount, TakesFewerDecimalsThanTheUnitHas) {
    EXPECT_EQ(parse_amount("12", 2), Amount::of(1200));
    EXPECT_EQ(parse_amount("12.3", 2), Amount::of(1230));
    EXPECT_EQ(parse_amount("0012.34", 2), Amount::of(1234));
    EXPECT_EQ(parse_amount("0", 0), Amount{});
}

TEST(ParseAmount, RefusesWhatIsNotAnAmount) {
    for (const char* text : {"", ".", ".5", "5.", "1.234", "-1", "+1", " 1", "1 ", "1,5", "1e3",
                             "0x10", "1.2.3", "１"}) {
        EXPECT_EQ(parse_amount(text, 2), std::nullopt) << text;
    }
    EXPECT_EQ(parse_amount("1.0", 0), std::nullopt);
}

TEST(ParseAmount, RefusesTheFirstNumberOutOfRange) {
    EXPECT_EQ(parse_amount("92233720368547758.07", 2), Amount::of(Amount::kMax));
    EXPECT_EQ(parse_amount("92233720368547758.08", 2), std::nullopt);
    EXPECT_EQ(parse_amount(std::string(1000, '9'), 0), std::nullopt);
    EXPECT_EQ(parse_amount("10", 18), std::nullopt);
}

TEST(ParseAmount, ReadsBackWhatFormatWrites) {
    Prng prng(1);
    for (int round = 0; round < 10000; ++round) {
        const Amount amount = Amount::of(prng.next() >> (1 + prng.below(63)));
        const auto decimals = static_cast<unsigned>(prng.below(kDecimalsMax + 1));
        ASSERT_EQ(parse_amount(format_amount(amount, decimals), decimals), amount);
    }
}

}  // namespace
}  // namespace leither
