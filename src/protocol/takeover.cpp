#include "leither/protocol/takeover.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

bool rows_rise(const auto& signatures) {
    return std::ranges::adjacent_find(signatures, std::ranges::greater_equal{},
                                      &RowSignature::row) == signatures.end();
}

}  // namespace

bool HandOver::is_canonical() const {
    std::vector<PublicKey> keys;
    for (const Seat& seat : seats) keys.push_back(seat.vote_key);
    std::ranges::sort(keys);
    const bool all_different = std::ranges::adjacent_find(keys) == keys.end();
    return !seats.empty() && all_different && rows_rise(countersigned);
}

bool Recovery::is_canonical() const {
    return rows_rise(signatures);
}

Bytes countersigning_message(const ChainId& chain, const LastBlock& last, const Seats& seats) {
    bcs::Writer out;
    bcs::write(out, last);
    bcs::write(out, seats);
    return crypto::tagged_message(tags::kHandOver, chain, out.view());
}

Bytes signing_message(const ChainId& chain, const LastBlock& last) {
    return crypto::tagged_message(tags::kRecovery, chain, bcs::encode(last));
}

}  // namespace leither::protocol
