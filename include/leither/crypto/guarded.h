// A secret in memory of its own (sodium_malloc): between guard pages, never swapped out where the
// system allows that, out of the process's own reach but for the moment of use, erased when it
// dies. For what a program holds for long: passphrase keys.
#pragma once

#include <memory>

#include "leither/crypto/secret.h"

namespace leither::crypto {

class GuardedSecret {
 public:
    static constexpr std::size_t kSize = 32;

    // Erases nothing of `secret`, which stays its owner's to erase.
    explicit GuardedSecret(const SecretBytes<kSize>& secret);
    GuardedSecret(GuardedSecret&&) noexcept;
    GuardedSecret& operator=(GuardedSecret&&) noexcept;
    ~GuardedSecret();

    // A copy for the moment, which erases itself.
    SecretBytes<kSize> reveal() const;

 private:
    struct Free {
        void operator()(std::uint8_t* bytes) const;
    };
    std::unique_ptr<std::uint8_t[], Free> bytes_;
};

}  // namespace leither::crypto
