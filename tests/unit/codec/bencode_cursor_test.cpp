#include "leither/codec/bencode_cursor.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::bencode {
namespace {

using Kind = Cursor::Kind;

TEST(BencodeCursor, ReadsPieceByPieceWithoutCopying) {
    Cursor in("d1:ai-7e1:bl3:xyzi4ee1:cdee");
    EXPECT_EQ(in.peek(), Kind::dict);
    in.enter();
    ASSERT_TRUE(in.more());
    EXPECT_EQ(in.key(), "a");
    EXPECT_EQ(in.integer(), -7);
    ASSERT_TRUE(in.more());
    EXPECT_EQ(in.key(), "b");
    EXPECT_EQ(in.peek(), Kind::list);
    in.enter();
    ASSERT_TRUE(in.more());
    EXPECT_EQ(in.bytes(), "xyz");
    ASSERT_TRUE(in.more());
    EXPECT_EQ(in.integer(), 4);
    EXPECT_EQ(in.peek(), Kind::end);
    EXPECT_FALSE(in.more());
    ASSERT_TRUE(in.more());
    EXPECT_EQ(in.key(), "c");
    EXPECT_EQ(in.raw(), "de");
    EXPECT_FALSE(in.more());
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.at_end());
    EXPECT_FALSE(is_canonical("d1:ai-7ed1:cdeee")) << "a dictionary is no key";
}

TEST(BencodeCursor, RawIsTheValueAsItStands) {
    for (const std::string_view value : {"i-3e", "0:", "le", "de", "ld1:al1:beei0ee"}) {
        const std::string input = std::string(value) + "4:next";
        Cursor in(input);
        EXPECT_EQ(in.raw(), value);
        EXPECT_EQ(in.bytes(), "next");
        EXPECT_TRUE(in.ok() && in.at_end()) << value;
    }
}

TEST(BencodeCursor, ReadsOnBehindASecondEncodingAndRemembersIt) {
    for (const std::string_view flawed :
         {"i-0e", "i07e", "03:abc", "d1:b0:1:a0:e", "d1:a0:1:a0:e", "d1:a0:0:0:e"}) {
        const std::string input = "l" + std::string(flawed) + "i9ee";
        Cursor in(input);
        in.enter();
        in.more();
        EXPECT_EQ(in.raw(), flawed);
        EXPECT_EQ(in.error(), DecodeError::not_canonical) << flawed;
        EXPECT_FALSE(in.broken());
        in.more();
        EXPECT_EQ(in.integer(), 9);
    }
    Cursor in("i18446744073709551616e1:x");
    in.raw();
    EXPECT_EQ(in.error(), DecodeError::out_of_range);
    EXPECT_EQ(in.bytes(), "x");
}

TEST(BencodeCursor, YieldsNothingOnceBroken) {
    for (const std::string_view input : {"", "x", "i1", "2:a", "d", "d1:a", "d1:a1:", "l",
                                         "di1ei1ee", "dle0:e", "d1:ae", "99999999999999999999:a"}) {
        Cursor in(input);
        EXPECT_EQ(in.raw(), "") << input;
        EXPECT_TRUE(in.broken() && !in.ok()) << input;
        EXPECT_EQ(in.peek(), Kind::none);
        EXPECT_EQ(in.integer(), 0);
        EXPECT_EQ(in.bytes(), "");
        in.enter();
        EXPECT_FALSE(in.more());
    }
}

TEST(BencodeCursor, AValueOfAnotherKindIsAnError) {
    Cursor integer("1:a");
    integer.integer();
    EXPECT_EQ(integer.error(), DecodeError::bad_syntax);
    Cursor bytes("i1e");
    bytes.bytes();
    EXPECT_EQ(bytes.error(), DecodeError::bad_syntax);
    Cursor list("i1e");
    list.enter();
    EXPECT_EQ(list.error(), DecodeError::bad_syntax);
}

TEST(BencodeCursor, NestsAsDeepAsItMayAndNoDeeper) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, 'l') + std::string(depth, 'e');
    };
    EXPECT_TRUE(is_canonical(nested(16)));
    EXPECT_FALSE(is_canonical(nested(17)));
    EXPECT_TRUE(is_canonical(nested(Cursor::kDepthMax), Cursor::kDepthMax));
    EXPECT_TRUE(is_canonical("i1e", 0));
    const std::string deep = nested(17);
    Cursor in(deep);
    in.raw();
    EXPECT_EQ(in.error(), DecodeError::too_deep);
}

// `decode` is built on the cursor, but by other calls than `raw`.
TEST(BencodeCursorProperty, AcceptsWhatDecodeAccepts) {
    Prng prng(11);
    static constexpr std::string_view kLetters = "01239ilde:-ab";
    int accepted = 0;
    for (int round = 0; round < 200000; ++round) {
        std::string input(prng.below(14), '\0');
        for (char& c : input) c = kLetters[prng.below(kLetters.size())];
        const bool decodes = decode(input).has_value();
        ASSERT_EQ(is_canonical(input), decodes) << input;
        accepted += decodes ? 1 : 0;
    }
    EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace leither::bencode
