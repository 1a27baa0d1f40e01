// The door by which true randomness enters: keys, salts, cookies. The host owns the real one
// (io::OsEntropy); tests and the simulator pass a seeded one, so a run can be replayed.
#pragma once

#include <cstdint>
#include <span>

namespace leither {

class Entropy {
 public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

}  // namespace leither
