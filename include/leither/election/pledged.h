// Acts that candidates sign by the weight of their pledge, and the one that most of them
// countersign. Pure: who calls says which table, which block and how long it has been silent.
#pragma once

#include <span>

#include "leither/base/result.h"
#include "leither/protocol/refusal.h"
#include "leither/protocol/takeover.h"

namespace leither::election {

using protocol::CandidateTable;
using protocol::Refused;
using protocol::RowSignature;

// ---- Checkpoints -------------------------------------------------------------------------------

// One candidate's word for a cycle block, by its row in the last table.
using CheckpointSignature = RowSignature;
Bytes checkpoint_message(const ChainId& chain, const protocol::LastBlock& block);
// Candidates of `table` with more than two thirds of its pledge have signed `block`.
Result<void, Refused> check_checkpoint(const ChainId& chain, const protocol::LastBlock& block,
                                       const CandidateTable& table,
                                       std::span<const CheckpointSignature> signatures);

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
