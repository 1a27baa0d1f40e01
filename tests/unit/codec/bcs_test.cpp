#include "leither/codec/bcs.h"

#include <gtest/gtest.h>

#include "support/bcs_sample.h"
#include "support/worked_bytes.h"

namespace leither::bcs {
namespace {

using leither::testing::Colour;
using leither::testing::Point;
using leither::testing::random_sample;
using leither::testing::Sample;
using leither::testing::worked_bytes;

template <class T>
std::string hex_of(const T& value) {
    return to_hex(encode(value));
}

// The error of decoding `hex` as a T; nothing if it decodes.
template <class T>
std::optional<DecodeError> error_of(std::string_view hex) {
    const auto decoded = decode<T>(from_hex(hex).value());
    if (decoded) return std::nullopt;
    return decoded.error();
}

template <class T>
void expect_round_trip(const T& value, std::string_view hex) {
    EXPECT_EQ(hex_of(value), hex);
    const auto back = decode<T>(from_hex(hex).value());
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(*back, value);
}

TEST(Bcs, EachConstructHasItsBytes) {
    expect_round_trip(true, "01");
    expect_round_trip(std::uint8_t{0xab}, "ab");
    expect_round_trip(std::uint16_t{0x1234}, "3412");
    expect_round_trip(std::uint32_t{0x12345678}, "78563412");
    expect_round_trip(std::uint64_t{1}, "0100000000000000");
    expect_round_trip(Amount::of(Amount::kMax), "ffffffffffffff7f");
    expect_round_trip(Sequence(258), "0201000000000000");
    expect_round_trip(Colour::blue, "02");
    expect_round_trip(BoundedText<8>("añ"), "0361c3b1");
    expect_round_trip(Bounded<std::uint8_t, 4>{1, 2}, "020102");
    expect_round_trip(Bounded<std::uint16_t, 4>{1, 2}, "0201000200");
    expect_round_trip(std::optional<std::uint8_t>(), "00");
    expect_round_trip(std::optional<std::uint8_t>(7), "0107");
    expect_round_trip(Point{.x = 1, .y = 2}, "01000200000000000000");
    expect_round_trip(std::variant<Colour, Point>(Colour::green), "0001");
    EXPECT_EQ(hex_of(Salt{}), std::string(32, '0'));
}

TEST(Bcs, WorkedExampleOfTheSpecification) {
    Sample sample;
    sample.flag = true;
    sample.small = 7;
    sample.large = 1000;
    sample.colour = Colour::green;
    sample.amount = Amount::of(1234);
    sample.sequence = Sequence(5);
    sample.id[19] = 0xee;
    sample.text = BoundedText<8>("zoë");
    sample.blob = {0xde, 0xad};
    sample.rising = {2, 300};
    sample.point = Point{.x = 1, .y = 2};
    sample.choice = Bounded<Colour, 2>{Colour::red, Colour::blue};
    expect_round_trip(sample, to_hex(worked_bytes("protocol/encoding.md", "sample")));
}

using Text = BoundedText<8>;
using Blob = Bounded<std::uint8_t, 4>;
using Choice = std::variant<Colour, Point>;
using MaybeByte = std::optional<std::uint8_t>;

TEST(BcsRefusal, Truncated) {
    EXPECT_EQ(error_of<std::uint32_t>("010203"), DecodeError::truncated);
    EXPECT_EQ(error_of<Id>("00"), DecodeError::truncated);
    EXPECT_EQ(error_of<bool>(""), DecodeError::truncated);
    EXPECT_EQ(error_of<Blob>(""), DecodeError::truncated);
    EXPECT_EQ(error_of<Blob>("80"), DecodeError::truncated);
    EXPECT_EQ(error_of<Blob>("0301"), DecodeError::truncated);
    EXPECT_EQ(error_of<Text>("0261"), DecodeError::truncated);
    EXPECT_EQ(error_of<MaybeByte>("01"), DecodeError::truncated);
    EXPECT_EQ(error_of<Choice>("01ff"), DecodeError::truncated);
}

TEST(BcsRefusal, Trailing) {
    EXPECT_EQ(error_of<bool>("0100"), DecodeError::trailing);
    EXPECT_EQ(error_of<Blob>("000000"), DecodeError::trailing);
}

TEST(BcsRefusal, NotCanonical) {
    EXPECT_EQ(error_of<bool>("02"), DecodeError::not_canonical);
    EXPECT_EQ(error_of<MaybeByte>("0207"), DecodeError::not_canonical);
    EXPECT_EQ(error_of<Blob>("8000"), DecodeError::not_canonical);
    EXPECT_EQ(error_of<Blob>("828000"), DecodeError::not_canonical);
    EXPECT_EQ(error_of<Colour>("8100"), DecodeError::not_canonical);
    Sample sample;
    for (const Bounded<std::uint32_t, 3>& unsorted : {Bounded<std::uint32_t, 3>{2, 1}, {2, 2}}) {
        sample.rising = unsorted;
        EXPECT_EQ(error_of<Sample>(hex_of(sample)), DecodeError::not_canonical);
    }
}

TEST(BcsRefusal, TooLong) {
    EXPECT_EQ(error_of<Blob>("0401020304"), std::nullopt);
    EXPECT_EQ(error_of<Blob>("050102030405"), DecodeError::too_long);
    EXPECT_EQ(error_of<Text>("086161616161616161"), std::nullopt);
    EXPECT_EQ(error_of<Text>("09616161616161616161"), DecodeError::too_long);
    // Told by the length alone, before anything is read or allocated.
    EXPECT_EQ(error_of<Blob>("ffffffff0f"), DecodeError::too_long);
}

TEST(BcsRefusal, OutOfRange) {
    EXPECT_EQ(error_of<Colour>("02"), std::nullopt);
    EXPECT_EQ(error_of<Colour>("03"), DecodeError::out_of_range);
    EXPECT_EQ(error_of<Choice>("0200"), DecodeError::out_of_range);
    EXPECT_EQ(error_of<Amount>("ffffffffffffff7f"), std::nullopt);
    EXPECT_EQ(error_of<Amount>("0000000000000080"), DecodeError::out_of_range);
    EXPECT_EQ(error_of<Blob>("ffffffff10"), DecodeError::out_of_range);    // 2^32 and more
    EXPECT_EQ(error_of<Blob>("808080808001"), DecodeError::out_of_range);  // a sixth byte
}

TEST(BcsRefusal, BadText) {
    for (const char* hex : {
             "01ff",
             "0180",        // continues nothing
             "01c3",        // cut off
             "02c080",      // overlong zero
             "03e08080",    // overlong
             "03eda080",    // a surrogate
             "04f0808080",  // overlong
             "04f4908080",  // above U+10FFFF
             "03e28261",    // third byte is a letter
         }) {
        EXPECT_EQ(error_of<Text>(hex), DecodeError::bad_text) << hex;
    }
    EXPECT_EQ(error_of<Text>("04f48fbfbf"), std::nullopt);
    EXPECT_EQ(error_of<Text>("03ed9fbf"), std::nullopt);
}

TEST(BcsWrite, TooMuchIsABugOfOurs) {
    Blob blob;
    blob.resize(5);
    EXPECT_DEATH(encode(blob), "kMax");
    EXPECT_DEATH(encode(Text("nine char")), "kMax");
}

TEST(BcsLength, GrowsByAByteEverySevenBits) {
    for (const auto& [value, hex] :
         std::vector<std::pair<std::size_t, std::string>>{{0, "00"},
                                                          {127, "7f"},
                                                          {128, "8001"},
                                                          {16383, "ff7f"},
                                                          {16384, "808001"},
                                                          {UINT32_MAX, "ffffffff0f"}}) {
        Writer out;
        out.length(value);
        EXPECT_EQ(to_hex(out.view()), hex);
        Reader in(out.view());
        EXPECT_EQ(in.length(), value);
        EXPECT_TRUE(in.ok());
    }
}

TEST(BcsReader, FirstErrorSticksAndLaterReadsYieldZero) {
    const Bytes bytes = {0xff, 0xff, 0xff};
    Reader in(bytes);
    EXPECT_EQ(in.little_endian<std::uint64_t>(), 0u);
    in.fail(DecodeError::bad_text);
    EXPECT_EQ(in.error(), DecodeError::truncated);
    EXPECT_EQ(in.byte(), 0);
    EXPECT_EQ(in.length(), 0u);
    EXPECT_EQ(in.left(), 0u);
}

TEST(BcsProperty, ReadAfterWriteIsTheIdentity) {
    Prng prng(1);
    for (int round = 0; round < 2000; ++round) {
        const Sample sample = random_sample(prng);
        const auto back = decode<Sample>(encode(sample));
        ASSERT_TRUE(back) << to_string(back.error()) << " round " << round;
        ASSERT_EQ(*back, sample) << "round " << round;
    }
}

// One random edit: a byte changed, put in, taken out, or the end cut off.
void mutate(Bytes& bytes, Prng& prng) {
    const auto at = static_cast<std::ptrdiff_t>(prng.below(bytes.size()));
    const auto fresh = static_cast<std::uint8_t>(prng.chance(1, 2) ? prng.below(4) : prng.next());
    switch (prng.below(4)) {
        case 0: bytes[static_cast<std::size_t>(at)] = fresh; break;
        case 1: bytes.insert(bytes.begin() + at, fresh); break;
        case 2: bytes.erase(bytes.begin() + at); break;
        case 3: bytes.resize(static_cast<std::size_t>(at)); break;
    }
}

TEST(BcsProperty, WhateverDecodesIsTheOneEncodingOfItsValue) {
    Prng prng(2);
    int decoded = 0;
    for (int round = 0; round < 20000; ++round) {
        Bytes bytes = encode(random_sample(prng));
        for (std::uint64_t edits = 1 + prng.below(2); edits > 0 && !bytes.empty(); --edits) {
            mutate(bytes, prng);
        }
        const auto value = decode<Sample>(bytes);
        if (!value) continue;
        ++decoded;
        ASSERT_EQ(encode(*value), bytes) << "round " << round;
    }
    EXPECT_GT(decoded, 1000);
}

TEST(BcsProperty, RandomBytesNeverDecodeToASecondForm) {
    Prng prng(3);
    using Value = std::variant<Bounded<Colour, 4>, BoundedText<4>, std::optional<bool>, Amount>;
    int decoded = 0;
    for (int round = 0; round < 50000; ++round) {
        Bytes bytes(prng.below(10));
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng.below(6));
        const auto value = decode<Value>(bytes);
        if (!value) continue;
        ++decoded;
        ASSERT_EQ(encode(*value), bytes) << "round " << round;
    }
    EXPECT_GT(decoded, 100);
}

}  // namespace
}  // namespace leither::bcs
