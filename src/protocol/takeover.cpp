#include "leither/protocol/takeover.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "rising.h"

namespace leither::protocol {

namespace {

bool all_different(const HandOver& act, auto member) {
    auto seats = act.seats;
    std::ranges::sort(seats, {}, member);
    return std::ranges::adjacent_find(seats, {}, member) == seats.end();
}

}  // namespace

bool HandOver::is_canonical() const {
    return !seats.empty() && all_different(*this, &Seat::member) &&
           all_different(*this, &Seat::vote_key) &&
           strictly_rising(countersigned, &RowSignature::row);
}

bool Recovery::is_canonical() const {
    return strictly_rising(signatures, &RowSignature::row);
}

std::size_t countersignatures_needed(const CandidateTable& table) {
    return table.rows.empty() ? 0 : table.rows.size() / 2 + 1;
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
