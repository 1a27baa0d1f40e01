#pragma once

#include <cstdint>
#include <optional>

#include "leither/consensus/mempool.h"
#include "leither/crypto/secret.h"
#include "leither/crypto/sign.h"
#include "leither/node/vote_keys.h"
#include "leither/protocol/block.h"
#include "leither/protocol/checkpoint.h"
#include "leither/tree/tree.h"

namespace leither::node {

// Receipts kept for the accounts of this node's users; the oldest go first.
struct ReceiptOptions {
    std::size_t receipts_max = 10'000;  // 0: none are kept
    std::size_t bytes_max = 32 << 20;
};

struct Options {
    tree::Options tree;
    consensus::MempoolOptions mempool;
    // Pulses whose versions stay readable; 0 keeps everything (docs/operations.md).
    std::uint64_t history_pulses = 0;
    // Blocks that a node which was away takes one by one; further behind, it takes the state.
    std::uint64_t catch_up_blocks_max = 3600;
    ReceiptOptions receipts;
    // Ids of recent transactions whose fate is answered without searching the chain.
    std::size_t recent_transactions = 65'536;
    // Signature checks that may be out at once.
    std::size_t signature_checks_max = 65'536;
    // A block that the operator trusts: this node takes no ledger that lacks it.
    std::optional<protocol::BlockName> pin = {};
    // True randomness, new at each start, from which vote keys are drawn. Nothing: this node takes
    // no part in elections.
    std::optional<crypto::SecretBytes<32>> office_seed = {};
    // What the file of the vote keys held at the start; nothing: there is none.
    std::optional<SecretFile> vote_keys = {};
    // Whether a signature holds: of votes, proposals and a block's transactions. A host of many
    // nodes, which all look at the same ones, may remember answers; nothing else is to differ.
    protocol::SignatureVerifier signature_holds = crypto::verify;
};

}  // namespace leither::node
