#include "verified_signatures.h"

#include <utility>

#include "leither/crypto/hash.h"

namespace leither::node {

// Key and signature have a fixed length, so no two checks give the same bytes.
Hash VerifiedSignatures::digest(const ledger::SignatureCheck& check) {
    Bytes bytes;
    bytes.reserve(PublicKey::kSize + Signature::kSize + check.message.size());
    const auto append = [&bytes](ByteView part) {
        bytes.insert(bytes.end(), part.begin(), part.end());
    };
    append(check.key.view());
    append(check.signature.view());
    append(check.message);
    return crypto::blake2b_256(bytes);
}

void VerifiedSignatures::set_limit(std::size_t limit) {
    limit_ = limit;
    if (size() > 2 * limit_) clear();
}

void VerifiedSignatures::add(const Hash& digest) {
    if (!is_on()) return;
    if (newer_.size() >= limit_) older_ = std::exchange(newer_, {});
    newer_.insert(digest);
}

bool VerifiedSignatures::contains(const ledger::SignatureCheck& check) const {
    if (size() == 0) return false;
    const Hash of_check = digest(check);
    return newer_.contains(of_check) || older_.contains(of_check);
}

void VerifiedSignatures::clear() {
    newer_ = {};
    older_ = {};
}

}  // namespace leither::node
