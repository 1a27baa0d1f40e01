// A chain of hashes of which only the head is published: whoever knows the secret gives out one
// link after the other, and everybody sees that each leads to the one before. So its owner has
// fixed all links at the beginning and can choose none of them later.
//
//   secret -> ... -> link 2 -> link 1 -> head (link 0)       each arrow one tagged hash
#pragma once

#include <cstdint>
#include <string_view>

#include "leither/crypto/hash.h"

namespace leither::crypto {

class HashChain {
 public:
    // Computing a link takes up to `length` hashes.
    static constexpr std::uint32_t kLengthMax = 1U << 20;

    // `tag` is a constant that outlives the chain. REQUIRES: 1 <= length <= kLengthMax.
    HashChain(std::string_view tag, const ChainId& chain, const Hash& secret, std::uint32_t length);

    Hash head() const { return link(0); }
    // The secret itself is the last link. REQUIRES: index <= length().
    Hash link(std::uint32_t index) const;
    std::uint32_t length() const { return length_; }

 private:
    std::string_view tag_;
    ChainId chain_;
    Hash secret_;
    std::uint32_t length_;
};

// Whether `link` is the one to be given out after `before`.
bool link_follows(std::string_view tag, const ChainId& chain, const Hash& before, const Hash& link);

}  // namespace leither::crypto
