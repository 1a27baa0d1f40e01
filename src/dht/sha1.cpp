#include "leither/dht/sha1.h"

#include <array>
#include <bit>
#include <cstring>

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

// Function and constant of one round (FIPS 180-4, 4.1.1 and 4.2.1).
std::uint32_t mix(std::size_t round, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
    if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

void absorb(State& state, const std::uint8_t* block) {
    std::array<std::uint32_t, kRounds> words{};
    for (std::size_t i = 0; i < 16; ++i) words[i] = big_endian(block + 4 * i);
    for (std::size_t i = 16; i < kRounds; ++i) {
        words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    auto [a, b, c, d, e] = state;
    for (std::size_t i = 0; i < kRounds; ++i) {
        const std::uint32_t next = std::rotl(a, 5) + mix(i, b, c, d) + e + words[i];
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
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
