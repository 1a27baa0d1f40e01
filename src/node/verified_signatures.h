// Signatures that were found to hold at admission, so that a block which carries them need not
// have them verified again. Whether a signature holds depends on key, message and signature alone,
// and all three are remembered: what is forgotten costs time, and nothing else.
#pragma once

#include <cstring>
#include <unordered_set>

#include "leither/base/fixed_bytes.h"
#include "leither/ledger/rules.h"

namespace leither::node {

class VerifiedSignatures {
 public:
    // Stands for key, message and signature together.
    static Hash digest(const ledger::SignatureCheck& check);

    // At least the last `limit` are remembered, at most twice as many. 0, as at first: none.
    void set_limit(std::size_t limit);
    bool is_on() const { return limit_ > 0; }
    // REQUIRES: the signature holds.
    void add(const Hash& digest);
    bool contains(const ledger::SignatureCheck& check) const;
    std::size_t size() const { return newer_.size() + older_.size(); }
    void clear();

 private:
    // Digests are hashes already: any eight bytes spread them.
    struct FirstBytes {
        std::size_t operator()(const Hash& digest) const {
            std::size_t value = 0;
            std::memcpy(&value, digest.data(), sizeof value);
            return value;
        }
    };
    using Set = std::unordered_set<Hash, FirstBytes>;

    std::size_t limit_ = 0;
    Set newer_;
    Set older_;
};

}  // namespace leither::node
