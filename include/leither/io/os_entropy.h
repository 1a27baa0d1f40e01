// True randomness from the operating system.
#pragma once

#include "leither/base/entropy.h"

namespace leither::io {

class OsEntropy final : public Entropy {
 public:
    // CHECKs that the system delivers: a key made of anything less would be worse than none.
    void fill(std::span<std::uint8_t> out) override;
};

}  // namespace leither::io
