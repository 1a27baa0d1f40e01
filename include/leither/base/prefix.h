// Prefixes of ids: subtrees of the ledger, branches, child organizations, regions of the DHT.
#pragma once

#include <bit>
#include <cstdint>

#include "leither/base/check.h"
#include "leither/base/fixed_bytes.h"

namespace leither {

// The number of bits of an id: the greatest depth of a leaf.
inline constexpr unsigned kIdBits = 160;

// The first `bits` bits of `id`, the rest zero. REQUIRES: bits <= kIdBits.
inline Id prefix_of(const Id& id, unsigned bits) {
    CHECK(bits <= kIdBits);
    Id out;
    std::memcpy(out.data(), id.data(), bits / 8);
    if (bits % 8 != 0)
        out[bits / 8] = static_cast<std::uint8_t>(id[bits / 8] & (0xff00 >> (bits % 8)));
    return out;
}

// The number of leading bits a and b share, 0..160.
inline unsigned common_bits(const Id& a, const Id& b) {
    for (unsigned i = 0; i < Id::kSize; ++i) {
        const auto differing = static_cast<std::uint8_t>(a[i] ^ b[i]);
        if (differing != 0) return 8 * i + static_cast<unsigned>(std::countl_zero(differing));
    }
    return kIdBits;
}

// A subtree named by the first `bits` bits of its ids.
struct Prefix {
    Id id;  // no bit set at or behind `bits`
    std::uint8_t bits = 0;

    bool is_canonical() const { return bits <= kIdBits && prefix_of(id, bits) == id; }
    bool covers(const Id& other) const { return common_bits(id, other) >= bits; }
    static void fields(auto& self, auto&& visit) { visit(self.id, self.bits); }
    friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

}  // namespace leither
