// Fixed-size secrets that are overwritten when they die and never printed.
#pragma once

#include <algorithm>
#include <array>

#include "leither/base/bytes.h"

namespace leither::crypto {

// Overwrites in a way no compiler leaves out.
void erase(std::span<std::uint8_t> bytes);

template <std::size_t N>
class SecretBytes {
 public:
    static constexpr std::size_t kSize = N;

    SecretBytes() = default;
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;
    ~SecretBytes() { erase(bytes_); }

    // REQUIRES: bytes.size() == N.
    static SecretBytes copy_of(ByteView bytes) {
        SecretBytes out;
        std::copy_n(bytes.begin(), N, out.bytes_.begin());
        return out;
    }

    ByteView view() const { return bytes_; }
    std::span<std::uint8_t, N> span() { return bytes_; }
    const std::uint8_t* data() const { return bytes_.data(); }
    std::uint8_t* data() { return bytes_.data(); }

 private:
    std::array<std::uint8_t, N> bytes_{};
};

}  // namespace leither::crypto
