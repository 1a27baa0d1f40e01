// HMAC (RFC 2104) over BLAKE2b-512, and the key derivation of the Noise framework (rev 34, 4.3): it
// equals HKDF (RFC 5869) with the chaining key as salt and no info.
#pragma once

#include <array>

#include "leither/crypto/secret.h"

namespace leither::crypto {

using HmacKey = SecretBytes<64>;  // as long as the digest

// HMAC of the concatenation of both parts.
HmacKey hmac_blake2b_512(const HmacKey& key, ByteView first, ByteView second = {});

std::array<HmacKey, 2> hkdf2(const HmacKey& chaining_key, ByteView input);
std::array<HmacKey, 3> hkdf3(const HmacKey& chaining_key, ByteView input);

}  // namespace leither::crypto
