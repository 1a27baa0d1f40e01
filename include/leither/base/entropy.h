// The door by which true randomness enters: keys, salts, cookies. The host owns the real one
// (io::OsEntropy); tests and the simulator pass a seeded one, so a run can be replayed.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace leither {

class Entropy {
 public:
    virtual ~Entropy() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;
};

// Uniform: a seed, a nonce.
inline std::uint64_t draw_number(Entropy& entropy) {
    std::array<std::uint8_t, 8> bytes{};
    entropy.fill(bytes);
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    return number;
}

}  // namespace leither
