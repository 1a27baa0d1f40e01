#include "leither/crypto/guarded.h"

#include <sodium.h>

#include "leither/base/check.h"

namespace leither::crypto {

void GuardedSecret::Free::operator()(std::uint8_t* bytes) const {
    sodium_free(bytes);  // erases
}

GuardedSecret::GuardedSecret(const SecretBytes<kSize>& secret)
    : bytes_(static_cast<std::uint8_t*>(sodium_malloc(kSize))) {
    CHECK(bytes_ != nullptr, "no memory for a secret");
    std::copy_n(secret.data(), kSize, bytes_.get());
    sodium_mprotect_noaccess(bytes_.get());
}

GuardedSecret::GuardedSecret(GuardedSecret&&) noexcept = default;
GuardedSecret& GuardedSecret::operator=(GuardedSecret&&) noexcept = default;
GuardedSecret::~GuardedSecret() = default;

SecretBytes<GuardedSecret::kSize> GuardedSecret::reveal() const {
    CHECK(bytes_ != nullptr, "moved from");
    sodium_mprotect_readonly(bytes_.get());
    auto copy = SecretBytes<kSize>::copy_of(ByteView(bytes_.get(), kSize));
    sodium_mprotect_noaccess(bytes_.get());
    return copy;
}

}  // namespace leither::crypto
