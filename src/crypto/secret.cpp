#include "leither/crypto/secret.h"

#include <sodium.h>

namespace leither::crypto {

void erase(std::span<std::uint8_t> bytes) {
    sodium_memzero(bytes.data(), bytes.size());
}

}  // namespace leither::crypto
