// The tree as a textbook would write it: a sorted map that rehashes everything, each time. Shares
// no code with the real one but BLAKE2b itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"
#include "leither/tree/tree.h"

namespace leither::tree::testing {

struct NaiveLeaf {
    Bytes record;
    std::uint64_t sum = 0;
};
using NaiveTree = std::map<Id, NaiveLeaf>;

struct NaiveSynopsis {
    Bytes hash;
    std::uint64_t sum = 0;
};

inline Bytes blake(const Bytes& preimage) {
    const Hash hash = crypto::blake2b_256(preimage);
    return Bytes(hash.view().begin(), hash.view().end());
}

inline void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void append_number(Bytes& out, std::uint64_t value) {
    for (int i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// All leaves in `leaves` share their first `depth` bits.
inline NaiveSynopsis naive_synopsis(const NaiveTree& leaves, unsigned depth = 0) {
    if (leaves.empty()) return {blake({3}), 0};
    if (leaves.size() == 1) {
        const auto& [id, leaf] = *leaves.begin();
        Bytes opened{2};
        append(opened, leaf.record);
        Bytes preimage{0};
        append(preimage, id.view());
        append(preimage, blake(opened));
        return {blake(preimage), leaf.sum};
    }
    NaiveTree halves[2];
    for (const auto& [id, leaf] : leaves) {
        halves[(id[depth / 8] >> (7 - depth % 8)) & 1].emplace(id, leaf);
    }
    if (halves[0].empty() || halves[1].empty()) return naive_synopsis(leaves, depth + 1);
    const NaiveSynopsis left = naive_synopsis(halves[0], depth + 1);
    const NaiveSynopsis right = naive_synopsis(halves[1], depth + 1);
    Id prefix = leaves.begin()->first;
    for (unsigned bit = depth; bit < 160; ++bit) {
        prefix[bit / 8] = static_cast<std::uint8_t>(prefix[bit / 8] & ~(0x80U >> (bit % 8)));
    }
    Bytes preimage{1, static_cast<std::uint8_t>(depth)};
    append(preimage, prefix.view());
    append(preimage, left.hash);
    append_number(preimage, left.sum);
    append(preimage, right.hash);
    append_number(preimage, right.sum);
    return {blake(preimage), left.sum + right.sum};
}

inline Synopsis to_synopsis(const NaiveSynopsis& naive) {
    return {Hash::copy_of(naive.hash), Amount::of(naive.sum)};
}

// ---- Records and ids for tests ------------------------------------------------------------------

// A test record begins with its sum.
inline RecordBytes make_record(Prng& prng, std::uint64_t sum) {
    Bytes bytes;
    append_number(bytes, sum);
    RecordBytes record(bytes.begin(), bytes.end());
    record.resize(8 + prng.below(60));
    for (std::size_t i = 8; i < record.size(); ++i) {
        record[i] = static_cast<std::uint8_t>(prng.next());
    }
    return record;
}

inline std::optional<Amount> test_sum_of(ByteView record) {
    if (record.size() < 8) return std::nullopt;
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < 8; ++i) sum |= std::uint64_t{record[i]} << (8 * i);
    return Amount::from(sum);
}

inline const Amount kTestSupply = Amount::of(std::uint64_t{1} << 40);

inline Id random_id(Prng& prng) {
    Id id;
    prng.fill(id.span());
    return id;
}

}  // namespace leither::tree::testing
