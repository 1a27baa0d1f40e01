#include "leither/dht/sha1.h"

#include <algorithm>
#include <array>
#include <bit>

namespace leither::dht {

namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kRounds = 80;

using State = std::array<std::uint32_t, 5>;
using Block = std::array<std::uint8_t, kBlockBytes>;

constexpr State kInitial = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

std::uint32_t big_endian(const std::uint8_t* bytes) {
    return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
           static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

// The working variables a to e, and the 80 rounds in four stretches of 20, each with its function
// and constant (FIPS 180-4, 4.1.1, 4.2.1 and 6.1.2).
struct Rounds {
    State v;
    const std::array<std::uint32_t, kRounds>& words;

    void stretch(std::size_t begin, std::uint32_t constant, auto&& function) {
        for (std::size_t i = begin; i < begin + kRounds / 4; ++i) {
            auto& [a, b, c, d, e] = v;
            const std::uint32_t next =
                std::rotl(a, 5) + function(b, c, d) + e + constant + words[i];
            v = {next, a, std::rotl(b, 30), c, d};
        }
    }
};

std::uint32_t choose(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
    return (x & y) | (~x & z);
}
std::uint32_t majority(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
    return (x & y) | (x & z) | (y & z);
}
std::uint32_t parity(std::uint32_t x, std::uint32_t y, std::uint32_t z) {
    return x ^ y ^ z;
}

void absorb(State& state, const std::uint8_t* block) {
    std::array<std::uint32_t, kRounds> words{};
    for (std::size_t i = 0; i < 16; ++i) words[i] = big_endian(block + 4 * i);
    for (std::size_t i = 16; i < kRounds; ++i) {
        words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    Rounds rounds{state, words};
    rounds.stretch(0, 0x5a827999, choose);
    rounds.stretch(20, 0x6ed9eba1, parity);
    rounds.stretch(40, 0x8f1bbcdc, majority);
    rounds.stretch(60, 0xca62c1d6, parity);
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += rounds.v[i];
}

// The last bytes, a one bit, zeros, and the length in bits: one block or two.
void absorb_tail(State& state, ByteView tail, std::uint64_t total_bytes) {
    Block block{};
    std::copy(tail.begin(), tail.end(), block.begin());
    block[tail.size()] = 0x80;
    if (tail.size() >= kBlockBytes - kLengthBytes) {
        absorb(state, block.data());
        block.fill(0);
    }
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
        block[kBlockBytes - 1 - i] = static_cast<std::uint8_t>(total_bytes * 8 >> (8 * i));
    }
    absorb(state, block.data());
}

}  // namespace

Id sha1(ByteView data) {
    State state = kInitial;
    ByteView rest = data;
    for (; rest.size() >= kBlockBytes; rest = rest.subspan(kBlockBytes)) {
        absorb(state, rest.data());
    }
    absorb_tail(state, rest, data.size());
    Id out;
    for (std::size_t i = 0; i < Id::kSize; ++i) {
        out[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    return out;
}

}  // namespace leither::dht
