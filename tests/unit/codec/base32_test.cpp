#include "leither/codec/base32.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither {
namespace {

TEST(Base32, VectorsOfItsAlphabet) {
    const std::pair<Bytes, std::string> rows[] = {
        {{}, ""},
        {{0x00}, "qq"},
        {{0xff}, "lu"},
        {{0x00, 0x44, 0x32, 0x14, 0xc7}, "qpzry9x8"},
        {{0x42, 0x54, 0xb6, 0x35, 0xcf}, "gf2tvdw0"},
        {{0x84, 0x65, 0x3a, 0x56, 0xd7}, "s3jn54kh"},
        {{0xc6, 0x75, 0xbe, 0x77, 0xdf}, "ce6mua7l"},
    };
    for (const auto& [bytes, text] : rows) {
        EXPECT_EQ(to_base32(bytes), text);
        EXPECT_EQ(from_base32(text), bytes) << text;
    }
}

TEST(Base32, EveryLengthComesBackInEitherCase) {
    Prng prng(7);
    for (std::size_t size = 0; size < 70; ++size) {
        Bytes bytes(size);
        prng.fill(bytes);
        std::string text = to_base32(bytes);
        EXPECT_EQ(from_base32(text), bytes);
        for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        EXPECT_EQ(from_base32(text), bytes);
    }
}

TEST(Base32, EachValueHasOneText) {
    EXPECT_FALSE(from_base32("q"));          // holds no whole byte
    EXPECT_FALSE(from_base32("qqq"));        // a character that no byte needs
    EXPECT_FALSE(from_base32("qp"));         // the last character's unused bits are not zero
    EXPECT_FALSE(from_base32("qpzrY9x8"));   // both cases
    EXPECT_FALSE(from_base32("qpzr y9x8"));  // and nothing else is passed over
    for (const char c : std::string("b1io-=")) {
        EXPECT_FALSE(from_base32(std::string(8, c))) << c;
    }
}

}  // namespace
}  // namespace leither
