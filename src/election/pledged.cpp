#include "leither/election/pledged.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/domain_tags.h"

namespace leither::election {

namespace {

using protocol::LastBlock;
using protocol::Refusal;

tl::unexpected<Refused> refuse(Refusal code, std::uint64_t actual = 0, std::uint64_t limit = 0) {
    return fail(Refused{code, actual, limit});
}

// Each signature is by a row of its own and holds.
Result<void, Refused> check_signatures(const CandidateTable& table, ByteView message,
                                       std::span<const RowSignature> signatures) {
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        const RowSignature& each = signatures[i];
        const bool is_new = i == 0 || signatures[i - 1].row < each.row;
        if (!is_new || each.row >= table.rows.size() ||
            !crypto::verify(table.rows[each.row].node_key, message, each.signature)) {
            return refuse(Refusal::bad_signature, i);
        }
    }
    return {};
}

Amount pledge_of(const CandidateTable& table, std::span<const RowSignature> signatures) {
    CandidateTable signers;
    for (const RowSignature& each : signatures) {
        if (each.row < table.rows.size()) signers.rows.push_back(table.rows[each.row]);
    }
    return total_pledge(signers);
}

std::uint64_t needed_of(std::uint64_t all) {
    return static_cast<std::uint64_t>(Uint128{all} * 2 / 3 + 1);
}

// Signatures cost more than sums, so the sum is looked at first; an empty table decides nothing.
Result<void, Refused> check_pledge(const CandidateTable& table, ByteView message,
                                   std::span<const RowSignature> signatures) {
    const std::uint64_t have = pledge_of(table, signatures).units();
    const std::uint64_t all = total_pledge(table).units();
    if (signatures.size() > table.rows.size() || !is_two_thirds(have, all)) {
        return refuse(Refusal::too_little_pledge, have, needed_of(all));
    }
    return check_signatures(table, message, signatures);
}

Result<void, Refused> check_last(const Standing& standing, const LastBlock& named) {
    if (named == standing.last) return {};
    return refuse(Refusal::not_last_block, named.sequence.value(), standing.last.sequence.value());
}

}  // namespace

Bytes checkpoint_message(const ChainId& chain, const LastBlock& block) {
    return crypto::tagged_message(protocol::tags::kCheckpoint, chain, bcs::encode(block));
}

Result<void, Refused> check_checkpoint(const ChainId& chain, const LastBlock& block,
                                       const CandidateTable& table,
                                       std::span<const CheckpointSignature> signatures) {
    const auto pledges = pledge_by_node(table);
    std::uint64_t have = 0;
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        const bool is_new = i == 0 || signatures[i - 1].node_key < signatures[i].node_key;
        if (!is_new) return refuse(Refusal::bad_signature, i);
        const auto pledge = pledges.find(signatures[i].node_key);
        if (pledge != pledges.end()) have += pledge->second.units();
    }
    // Signatures cost more than sums, so the sum is looked at first.
    const std::uint64_t all = total_pledge(table).units();
    if (!is_two_thirds(have, all)) return refuse(Refusal::too_little_pledge, have, needed_of(all));
    const Bytes message = checkpoint_message(chain, block);
    for (std::size_t i = 0; i < signatures.size(); ++i) {
        if (!pledges.contains(signatures[i].node_key)) continue;
        if (!crypto::verify(signatures[i].node_key, message, signatures[i].signature)) {
            return refuse(Refusal::bad_signature, i);
        }
    }
    return {};
}

std::map<PublicKey, Amount> pledge_by_node(const CandidateTable& table) {
    std::map<PublicKey, Amount> pledges;
    for (const protocol::CandidateRow& row : table.rows) {
        Amount& sum = pledges[row.node_key];
        // The supply bounds all pledges together.
        sum = Amount::of(sum.units() + row.pledge.units());
    }
    return pledges;
}

bool is_two_thirds(std::uint64_t part, std::uint64_t whole) {
    return Uint128{part} * 3 > Uint128{whole} * 2;
}

Result<protocol::Seats, Refused> check_hand_over(const Standing& standing,
                                                 const protocol::HandOver& act) {
    TRY(check_last(standing, act.last));
    const std::size_t seats = standing.record.present.size();
    if (seats > protocol::kTinyCommitteeMax) {
        return refuse(Refusal::committee_not_tiny, seats, protocol::kTinyCommitteeMax);
    }
    const std::size_t needed = protocol::countersignatures_needed(standing.table);
    if (act.countersigned.size() < needed) {
        return refuse(Refusal::too_few_countersignatures, act.countersigned.size(), needed);
    }
    const protocol::Seats next(act.seats.begin(), act.seats.end());
    TRY(check_signatures(standing.table, countersigning_message(standing.chain, act.last, next),
                         act.countersigned));
    return next;
}

Result<protocol::Seats, Refused> check_recovery(const Standing& standing,
                                                const protocol::Recovery& act) {
    TRY(check_last(standing, act.last));
    const protocol::Seats& next = standing.record.next.seats;
    if (next.empty()) return refuse(Refusal::no_next_committee);
    TRY(check_pledge(standing.table, signing_message(standing.chain, act.last), act.signatures));
    return next;
}

}  // namespace leither::election
