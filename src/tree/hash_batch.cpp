#include "hash_batch.h"

#include <cstring>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace leither::tree {
namespace {

BatchHashes one_by_one(const ShortMessages& messages) {
    BatchHashes hashes;
    for (std::size_t lane = 0; lane < kBatchLanes; ++lane) {
        const ByteView bytes(messages[lane].bytes);
        hashes[lane] = crypto::blake2b_256(bytes.first(messages[lane].size));
    }
    return hashes;
}

#if defined(__x86_64__)

// RFC 7693, each word of the state widened to four lanes, one a message.
using Lanes = std::uint64_t __attribute__((vector_size(8 * kBatchLanes)));
#define LEITHER_LANES __attribute__((target("avx2"), always_inline)) inline

constexpr std::array<std::uint64_t, 8> kIv = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr std::uint8_t kSigma[12][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
                                         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

// Rotations by whole bytes are one shuffle; compilers cannot be relied on to find that.
template <int Bytes>
LEITHER_LANES void rotate_right_bytes(Lanes& x) {
    alignas(sizeof(Lanes)) std::uint8_t order[sizeof(Lanes)];
    for (int i = 0; i < static_cast<int>(sizeof(Lanes)); ++i) {
        order[i] = static_cast<std::uint8_t>(i / 8 * 8 % 16 + (i % 8 + Bytes) % 8);
    }
    __m256i mask;
    std::memcpy(&mask, order, sizeof mask);
    x = reinterpret_cast<Lanes>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(x), mask));
}

LEITHER_LANES void mix(Lanes& a, Lanes& b, Lanes& c, Lanes& d, const Lanes& x, const Lanes& y) {
    a += b + x;
    d ^= a;
    rotate_right_bytes<4>(d);
    c += d;
    b ^= c;
    rotate_right_bytes<3>(b);
    a += b + y;
    d ^= a;
    rotate_right_bytes<2>(d);
    c += d;
    b ^= c;
    b = (b >> 63) | (b + b);
}

LEITHER_LANES void round(Lanes (&v)[16], const Lanes (&m)[16], const std::uint8_t (&s)[16]) {
    mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
    mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
    mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
    mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
    mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
    mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
    mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
    mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

__attribute__((target("avx2"))) BatchHashes in_lanes(const ShortMessages& messages) {
    // The parameter block: 32 bytes of digest, no key, fan-out and depth 1.
    constexpr std::uint64_t kParameters = 0x01010000 | Hash::kSize;
    Lanes m[16];
    Lanes v[16];
    Lanes sizes{};
    for (std::size_t word = 0; word < 16; ++word) {
        for (std::size_t lane = 0; lane < kBatchLanes; ++lane) {
            std::uint64_t loaded = 0;
            std::memcpy(&loaded, messages[lane].bytes.data() + 8 * word, 8);
            m[word][lane] = loaded;
        }
    }
    for (std::size_t lane = 0; lane < kBatchLanes; ++lane) sizes[lane] = messages[lane].size;
    for (std::size_t i = 0; i < 8; ++i) v[i] = v[i + 8] = Lanes{} + kIv[i];
    v[0] ^= kParameters;
    v[12] ^= sizes;
    v[14] = ~v[14];  // the last block
    for (const auto& sigma : kSigma) round(v, m, sigma);
    BatchHashes hashes;
    for (std::size_t word = 0; word < 4; ++word) {
        Lanes h = v[word] ^ v[word + 8] ^ kIv[word];
        if (word == 0) h ^= kParameters;
        for (std::size_t lane = 0; lane < kBatchLanes; ++lane) {
            const std::uint64_t stored = h[lane];
            std::memcpy(hashes[lane].data() + 8 * word, &stored, 8);
        }
    }
    return hashes;
}

#undef LEITHER_LANES
#endif

}  // namespace

BatchHashes hash_batch(const ShortMessages& messages) {
    for (const ShortMessage& message : messages) CHECK(message.size <= kBlockBytes);
#if defined(__x86_64__)
    static const bool has_lanes = __builtin_cpu_supports("avx2") != 0;
    if (has_lanes) return in_lanes(messages);
#endif
    return one_by_one(messages);
}

}  // namespace leither::tree
