// Entropy that gives the bytes a test wants.
#pragma once

#include <algorithm>

#include "leither/base/bytes.h"
#include "leither/base/check.h"
#include "leither/base/entropy.h"

namespace leither::testing {

// Gives `bytes` in order; asking for more is a failed CHECK.
class FixedEntropy final : public Entropy {
 public:
    explicit FixedEntropy(Bytes bytes) : bytes_(std::move(bytes)) {}

    void fill(std::span<std::uint8_t> out) override {
        CHECK(out.size() <= bytes_.size());
        const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(out.size());
        std::copy(bytes_.begin(), end, out.begin());
        bytes_.erase(bytes_.begin(), end);
    }

 private:
    Bytes bytes_;
};

}  // namespace leither::testing
