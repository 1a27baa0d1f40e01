// Acts that candidates sign by the weight of their pledge, and the one that most of them
// countersign. Pure: who calls says which table, which block and how long it has been silent.
#pragma once

#include <map>
#include <span>

#include "leither/base/result.h"
#include "leither/protocol/checkpoint.h"
#include "leither/protocol/refusal.h"
#include "leither/protocol/takeover.h"

namespace leither::election {

using protocol::CandidateTable;
using protocol::Refused;
using protocol::RowSignature;

// ---- Checkpoints -------------------------------------------------------------------------------

using protocol::CheckpointSignature;
// What candidates sign with their node keys.
Bytes checkpoint_message(const ChainId& chain, const protocol::LastBlock& block);
// Candidates of `table` with more than two thirds of its pledge have signed `block`. Signatures
// stand by rising node key; one for which no pledge stands counts nothing, and is not looked at.
// Where nobody has pledged there is nothing to weigh (checkpoints.md): too_little_pledge.
Result<void, Refused> check_checkpoint(const ChainId& chain, const protocol::LastBlock& block,
                                       const CandidateTable& table,
                                       std::span<const CheckpointSignature> signatures);

// What stands behind each node's word: several candidates may name one node.
std::map<PublicKey, Amount> pledge_by_node(const CandidateTable& table);
// More than two thirds; of nothing, nothing is.
bool is_two_thirds(std::uint64_t part, std::uint64_t whole);

// ---- Takeovers ---------------------------------------------------------------------------------

// What a takeover is judged by: the state that the last block has left.
struct Standing {
    const ChainId& chain;
    const protocol::ElectionRecord& record;
    const CandidateTable& table;
    protocol::LastBlock last;
};

// The seats that `act` puts in place of those that are silent. The supervisor's own signature is
// its transaction's. Refused: not_last_block, committee_not_tiny, bad_signature (actual: index of
// the countersignature), too_few_countersignatures.
Result<protocol::Seats, Refused> check_hand_over(const Standing& standing,
                                                 const protocol::HandOver& act);
// Refused: not_last_block, no_next_committee, bad_signature, too_little_pledge.
Result<protocol::Seats, Refused> check_recovery(const Standing& standing,
                                                const protocol::Recovery& act);

}  // namespace leither::election
