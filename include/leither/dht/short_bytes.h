// A byte string of a small fixed capacity, held in place: transactions, tokens and salts are copied
// by the thousand and never deserve an allocation.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "leither/base/bytes.h"
#include "leither/base/check.h"

namespace leither::dht {

template <std::size_t Max>
class ShortBytes {
    static_assert(Max <= 255);

 public:
    static constexpr std::size_t kMax = Max;

    constexpr ShortBytes() = default;
    // Nothing if `bytes` is longer than Max.
    static std::optional<ShortBytes> from(ByteView bytes) {
        if (bytes.size() > Max) return std::nullopt;
        ShortBytes out;
        std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
        out.size_ = static_cast<std::uint8_t>(bytes.size());
        return out;
    }
    // REQUIRES: bytes.size() <= Max.
    static ShortBytes copy_of(ByteView bytes) {
        const auto out = from(bytes);
        CHECK(out.has_value());
        return *out;
    }

    ByteView view() const { return {bytes_.data(), size_}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // Bytes behind the size are always zero, so members decide. Shorter sorts first among equals.
    friend auto operator<=>(const ShortBytes&, const ShortBytes&) = default;

 private:
    std::array<std::uint8_t, Max> bytes_{};
    std::uint8_t size_ = 0;
};

}  // namespace leither::dht
