#include "leither/noise/frame.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::noise {
namespace {

constexpr std::size_t kOverhead = kFrameHeaderSize + kTagSize;

Cipher cipher_at(std::uint64_t nonce) {
    return Cipher(crypto::AeadKey::copy_of(Bytes(32, 9)), nonce);
}

struct Stream {
    explicit Stream(std::uint64_t nonce = 0) : writer(cipher_at(nonce)), reader(cipher_at(nonce)) {}

    FrameWriter writer;
    FrameReader reader;
};

Bytes random_bytes(Prng& prng, std::size_t size) {
    Bytes bytes(size);
    prng.fill(bytes);
    return bytes;
}

TEST(Frame, CarriesAnyLengthInAsManyFramesAsNeeded) {
    Stream stream;
    Prng prng(1);
    for (const std::size_t size : {std::size_t{1}, kFramePlainMax - 1, kFramePlainMax,
                                   kFramePlainMax + 1, 3 * kFramePlainMax}) {
        const Bytes plain = random_bytes(prng, size);
        const Bytes frames = stream.writer.seal(plain).value();
        const std::size_t count = (size + kFramePlainMax - 1) / kFramePlainMax;
        EXPECT_EQ(frames.size(), size + count * kOverhead);
        EXPECT_EQ(frames.size(), FrameWriter::sealed_size(size));
        EXPECT_EQ(stream.reader.open(frames).value(), plain);
        EXPECT_EQ(stream.reader.pending(), 0u);
    }
}

TEST(Frame, NothingToSayIsNoFrame) {
    Stream stream;
    EXPECT_TRUE(stream.writer.seal({}).value().empty());
    EXPECT_TRUE(stream.reader.open({}).value().empty());
}

TEST(Frame, LengthIsBigEndianAndCountsCiphertextAndTag) {
    Stream stream;
    const Bytes frame = stream.writer.seal(Bytes(0x0203)).value();
    EXPECT_EQ(frame[0], 0x02);
    EXPECT_EQ(frame[1], 0x13);
    EXPECT_EQ(stream.writer.seal(Bytes(kFramePlainMax)).value()[0], 0xff);
}

TEST(Frame, StreamComesOutAlikeHoweverItIsCut) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Prng prng(seed);
        Stream stream;
        Bytes plain;
        Bytes wire;
        for (int i = 0; i < 20; ++i) {
            const Bytes text = random_bytes(prng, prng.below(prng.chance(1, 5) ? 150'000 : 40));
            const Bytes frames = stream.writer.seal(text).value();
            plain.insert(plain.end(), text.begin(), text.end());
            wire.insert(wire.end(), frames.begin(), frames.end());
        }
        Bytes opened;
        for (ByteView rest = wire; !rest.empty();) {
            const std::uint64_t most = prng.chance(1, 2) ? 5 : 100'000;
            const std::size_t size = std::min<std::size_t>(rest.size(), prng.below(most));
            const Bytes part = stream.reader.open(rest.first(size)).value();
            opened.insert(opened.end(), part.begin(), part.end());
            EXPECT_LT(stream.reader.pending(), kFrameHeaderSize + kMessageMax);
            rest = rest.subspan(size);
        }
        EXPECT_EQ(opened, plain) << "seed " << seed;
        EXPECT_EQ(stream.reader.pending(), 0u) << "seed " << seed;
    }
}

TEST(Frame, WithoutTextIsRefused) {
    for (std::uint8_t length = 0; length <= kTagSize; ++length) {
        Stream stream;
        Bytes frame = {0, length};
        frame.resize(kFrameHeaderSize + length);
        EXPECT_EQ(stream.reader.open(frame).error(), FrameError::too_short) << int{length};
    }
    Stream stream;
    EXPECT_EQ(stream.reader.open(Bytes{0, 17}).value(), Bytes{});
    EXPECT_EQ(stream.reader.open(Bytes(17)).error(), FrameError::not_authentic);
}

TEST(Frame, AnyAlteredBitIsNoticed) {
    Stream original;
    const Bytes frame = original.writer.seal(as_bytes("hello")).value();
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
        Stream stream;
        Bytes altered = frame;
        altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ (1U << (bit % 8)));
        const auto opened = stream.reader.open(altered);
        // A longer length waits for what never comes.
        EXPECT_TRUE(!opened || opened->empty()) << bit;
    }
}

TEST(Frame, RemovedRepeatedOrSwappedFramesAreNoticed) {
    Stream original;
    const Bytes first = original.writer.seal(as_bytes("first")).value();
    const Bytes second = original.writer.seal(as_bytes("other")).value();
    EXPECT_FALSE(Stream().reader.open(second));
    Stream repeated;
    ASSERT_TRUE(repeated.reader.open(first));
    EXPECT_FALSE(repeated.reader.open(first));
}

TEST(Frame, BothSidesChangeTheKeyAfterTheSameFrame) {
    Stream stream(kFramesPerKey - 2);
    FrameReader without(cipher_at(kFramesPerKey));
    EXPECT_EQ(as_text(stream.reader.open(stream.writer.seal(as_bytes("a")).value()).value()), "a");
    EXPECT_EQ(as_text(stream.reader.open(stream.writer.seal(as_bytes("b")).value()).value()), "b");
    const Bytes after = stream.writer.seal(as_bytes("c")).value();
    EXPECT_FALSE(without.open(after));
    EXPECT_EQ(as_text(stream.reader.open(after).value()), "c");
}

TEST(Frame, KeyChangesInTheMiddleOfALongText) {
    Stream stream(kFramesPerKey - 1);
    const Bytes plain(3 * kFramePlainMax, 1);
    EXPECT_EQ(stream.reader.open(stream.writer.seal(plain).value()).value(), plain);
}

TEST(Frame, LastNonceIsNeverUsed) {
    Stream stream(~std::uint64_t{0});
    EXPECT_EQ(stream.writer.seal(as_bytes("x")).error(), CipherError::exhausted);
    EXPECT_EQ(
        stream.reader.open(Bytes{0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}).error(),
        FrameError::exhausted);
}

TEST(Frame, NothingMayFollowARefusal) {
    Stream stream;
    ASSERT_FALSE(stream.reader.open(Bytes{0, 0}));
    EXPECT_DEATH((void)stream.reader.open({}), "failed_");
}

}  // namespace
}  // namespace leither::noise
