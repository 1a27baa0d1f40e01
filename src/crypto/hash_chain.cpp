#include "leither/crypto/hash_chain.h"

#include "leither/base/check.h"

namespace leither::crypto {

HashChain::HashChain(std::string_view tag, const ChainId& chain, const Hash& secret,
                     std::uint32_t length)
    : tag_(tag), chain_(chain), secret_(secret), length_(length) {
    CHECK(length >= 1 && length <= kLengthMax);
}

Hash HashChain::link(std::uint32_t index) const {
    CHECK(index <= length_);
    Hash link = secret_;
    for (std::uint32_t at = length_; at > index; --at)
        link = tagged_hash(tag_, chain_, link.view());
    return link;
}

bool link_follows(std::string_view tag, const ChainId& chain, const Hash& before,
                  const Hash& link) {
    return tagged_hash(tag, chain, link.view()) == before;
}

}  // namespace leither::crypto
