// What both sides of a handshake compute alike: the SymmetricState of the Noise framework (rev 34,
// 5.2) for ChaChaPoly and BLAKE2b. Part of `Handshake`; not for other rooms.
#pragma once

#include <optional>

#include "leither/crypto/hash.h"
#include "leither/crypto/hkdf.h"
#include "leither/noise/cipher.h"
#include "leither/noise/pattern.h"

namespace leither::noise {

class SymmetricState {
 public:
    explicit SymmetricState(ByteView protocol_name);

    void mix_key(ByteView input);
    void mix_hash(ByteView data);
    void mix_key_and_hash(ByteView input);

    // Appends to `message` the text, encrypted once there is a key.
    void encrypt_and_hash(ByteView plain, Bytes& message);
    // Nothing if it is not authentic. REQUIRES: sealed.size() >= overhead().
    std::optional<Bytes> decrypt_and_hash(ByteView sealed);
    // By how many bytes encryption lengthens a text now.
    std::size_t overhead() const { return cipher_ ? kTagSize : 0; }

    const crypto::WideHash& hash() const { return hash_; }
    Ciphers split(Role role) const;

 private:
    crypto::HmacKey chaining_key_;
    crypto::WideHash hash_;
    std::optional<Cipher> cipher_;
};

}  // namespace leither::noise
