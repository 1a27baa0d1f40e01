// Write tokens (BEP 5): who shows one has received our reply at the address it writes from.
#pragma once

#include <array>
#include <cstdint>

#include "leither/base/endpoint.h"
#include "leither/base/entropy.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/time.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

// Tokens are computed, not stored: 8 bytes of BLAKE2b over a secret, the address and the target.
// The secret is drawn anew every 5 minutes and the one before stays good, so a token is accepted
// for at least 5 and less than 10 minutes. The port does not count: a home router may change it.
//
// One thread, no clock: every call takes `now`, which must not go back.
class TokenIssuer {
 public:
    static constexpr std::size_t kTokenBytes = 8;
    static constexpr Duration kRotation = std::chrono::minutes(5);

    TokenIssuer(Entropy& entropy, Instant now);

    Token issue(const IpAddress& address, const Id& target, Instant now);
    // Constant time in the token's bytes.
    bool accepts(const Token& token, const IpAddress& address, const Id& target, Instant now);

 private:
    using Secret = std::array<std::uint8_t, 32>;

    void rotate(Instant now);

    Entropy& entropy_;
    Secret current_{};
    Secret previous_{};
    Instant drawn_;
};

}  // namespace leither::dht
