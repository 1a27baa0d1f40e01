#include "leither/sim/signature_memo.h"

#include <cstring>
#include <utility>

#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::sim {

std::size_t SignatureMemo::FirstBytes::operator()(const Hash& hash) const {
    std::size_t first = 0;
    std::memcpy(&first, hash.data(), sizeof first);
    return first;
}

bool SignatureMemo::holds(const PublicKey& key, ByteView message, const Signature& signature) {
    // Both before the message have one length: no two questions give the same bytes.
    Bytes question;
    question.reserve(PublicKey::kSize + Signature::kSize + message.size());
    question.insert(question.end(), key.view().begin(), key.view().end());
    question.insert(question.end(), signature.view().begin(), signature.view().end());
    question.insert(question.end(), message.begin(), message.end());
    const Hash name = crypto::blake2b_256(question);

    if (const auto known = newer_.find(name); known != newer_.end()) return known->second;
    const auto old = older_.find(name);
    const bool answer = old != older_.end() ? old->second : crypto::verify(key, message, signature);
    if (old == older_.end()) ++checked_;
    if (newer_.size() >= kGeneration) older_ = std::exchange(newer_, {});
    newer_.emplace(name, answer);
    return answer;
}

}  // namespace leither::sim
