// Byte arrays of fixed length with a meaning: ids, hashes, keys. Two kinds never convert into each
// other. Ordered as unsigned big-endian numbers; value-initialised to zero.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <optional>

#include "leither/base/bytes.h"

namespace leither {

template <class Tag, std::size_t N>
class FixedBytes {
 public:
    static constexpr std::size_t kSize = N;

    constexpr FixedBytes() = default;
    explicit constexpr FixedBytes(const std::array<std::uint8_t, N>& bytes) : bytes_(bytes) {}

    // REQUIRES: bytes.size() == N. For bytes of unknown length use `from`.
    static FixedBytes copy_of(ByteView bytes) {
        FixedBytes out;
        std::memcpy(out.bytes_.data(), bytes.data(), N);
        return out;
    }
    static std::optional<FixedBytes> from(ByteView bytes) {
        if (bytes.size() != N) return std::nullopt;
        return copy_of(bytes);
    }
    static std::optional<FixedBytes> parse(std::string_view hex) {
        FixedBytes out;
        if (!from_hex(hex, out.bytes_)) return std::nullopt;
        return out;
    }

    std::string hex() const { return to_hex(bytes_); }
    constexpr ByteView view() const { return bytes_; }
    constexpr std::span<std::uint8_t, N> span() { return bytes_; }
    constexpr const std::uint8_t* data() const { return bytes_.data(); }
    constexpr std::uint8_t* data() { return bytes_.data(); }
    static constexpr std::size_t size() { return N; }
    constexpr std::uint8_t operator[](std::size_t i) const { return bytes_[i]; }
    constexpr std::uint8_t& operator[](std::size_t i) { return bytes_[i]; }
    constexpr bool is_zero() const {
        return std::all_of(bytes_.begin(), bytes_.end(), [](auto b) { return b == 0; });
    }

    friend constexpr auto operator<=>(const FixedBytes&, const FixedBytes&) = default;

 private:
    std::array<std::uint8_t, N> bytes_{};
};

// An account number: BLAKE2b-160 of an Ed25519 public key (docs/protocol/names.md).
using Id = FixedBytes<struct IdTag, 20>;
// BLAKE2b-256.
using Hash = FixedBytes<struct HashTag, 32>;
// BLAKE2b-256 of an organization's charter; every signature and hash is bound to it.
using ChainId = FixedBytes<struct ChainIdTag, 32>;
using PublicKey = FixedBytes<struct PublicKeyTag, 32>;
using Signature = FixedBytes<struct SignatureTag, 64>;
using Salt = FixedBytes<struct SaltTag, 16>;

// Bit `index` of an id, 0 = most significant.
inline bool bit_of(const Id& id, unsigned index) {
    return (id[index / 8] >> (7 - index % 8)) & 1;
}

}  // namespace leither
