// A key and its counter: the CipherState of the Noise framework (rev 34, 5.1).
#pragma once

#include <cstdint>

#include "leither/base/result.h"
#include "leither/crypto/aead.h"

namespace leither::noise {

inline constexpr std::size_t kTagSize = crypto::kAeadTagSize;
// No Noise message is longer, in a handshake or after it.
inline constexpr std::size_t kMessageMax = 65'535;

enum class CipherError : std::uint8_t {
    not_authentic,  // altered, replayed, out of order, or from somebody else
    exhausted,      // 2^64 - 1 messages: that nonce is reserved for `rekey`
};
const char* to_string(CipherError error);

// Both sides count alike: every success takes one nonce, a failure takes none. Input and output may
// be the same bytes. Not thread-safe.
class Cipher {
 public:
    explicit Cipher(const crypto::AeadKey& key, std::uint64_t nonce = 0)
        : key_(key), nonce_(nonce) {}
    // A copy would use its nonces twice.
    Cipher(const Cipher&) = delete;
    Cipher& operator=(const Cipher&) = delete;
    Cipher(Cipher&&) = default;
    Cipher& operator=(Cipher&&) = default;

    // REQUIRES: out.size() == plain.size() + kTagSize.
    Result<void, CipherError> encrypt(ByteView associated, ByteView plain,
                                      std::span<std::uint8_t> out);
    // REQUIRES: sealed.size() == out.size() + kTagSize.
    Result<void, CipherError> decrypt(ByteView associated, ByteView sealed,
                                      std::span<std::uint8_t> out);
    // Replaces the key by a function of itself (rev 34, 4.2), so that who steals the new one cannot
    // read what went before. The count goes on.
    void rekey();

    // Messages so far.
    std::uint64_t nonce() const { return nonce_; }

 private:
    crypto::AeadKey key_;
    std::uint64_t nonce_;
};

// The two directions of an established connection.
struct Ciphers {
    Cipher send;
    Cipher receive;
};

}  // namespace leither::noise
