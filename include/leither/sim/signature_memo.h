// Remembers which signatures hold. In a world of many nodes each looks at the same ones; checking
// them is most of what a simulated committee costs. An answer is a function of key, message and
// signature alone, so remembering it changes nothing that can be seen.
#pragma once

#include <unordered_map>

#include "leither/base/bytes.h"
#include "leither/base/fixed_bytes.h"

namespace leither::sim {

class SignatureMemo {
 public:
    // Answers kept: at most twice as many. Those not asked for lately go first.
    static constexpr std::size_t kGeneration = 16'384;

    // As crypto::verify.
    bool holds(const PublicKey& key, ByteView message, const Signature& signature);

    std::size_t size() const { return newer_.size() + older_.size(); }
    std::uint64_t checked() const { return checked_; }  // truly

 private:
    // A BLAKE2b hash is as good as random.
    struct FirstBytes {
        std::size_t operator()(const Hash& hash) const;
    };
    using Answers = std::unordered_map<Hash, bool, FirstBytes>;

    Answers newer_;
    Answers older_;
    std::uint64_t checked_ = 0;
};

}  // namespace leither::sim
