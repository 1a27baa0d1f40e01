// Everything a node asks of its host. Durable before told: `durable` is written and synced,
// Persisted is stepped, and only then are that step's replies and events carried out.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"
#include "leither/ledger/rules.h"
#include "leither/node/finality.h"
#include "leither/node/input.h"
#include "leither/node/vote_keys.h"
#include "leither/protocol/refusal.h"

namespace leither::node {

// Check these on a worker and step SignaturesChecked. Jobs may come back in any order.
struct SignatureJob {
    std::uint64_t job = 0;
    std::vector<ledger::SignatureCheck> checks;
};

// The fate of one submitted transaction: admitted under this id, or refused.
using Verdict = Result<Hash, protocol::Refused>;
struct SubmitReply {
    Token token = 0;
    std::vector<Verdict> verdicts;
};
enum class FoundError : std::uint8_t {
    malformed,       // no canonical genesis
    exists,          // this node keeps an organization already
    not_bookkeeper,  // the charter does not name this node among its bookkeepers
    invalid,         // see `genesis`
    stopping,        // the store has failed; this node takes nothing any more
};
struct FoundReply {
    Token token = 0;
    Result<Id, FoundError> organization;
    std::optional<ledger::GenesisError> genesis;
};
using Reply = std::variant<SubmitReply, FoundReply, NetworkReply>;

// For subscribers. Told after the sequence is durable and readable.
struct BlockSealed {
    ledger::Seal seal;
    std::vector<Hash> transactions;
    std::vector<Id> accounts;  // changed by the block, sorted
};
struct TransactionDropped {
    Hash id;
    protocol::Refused refused;
};
// A block and all before it have become final.
struct BlocksFinal {
    Finality finality;  // of that block
};
using Event = std::variant<BlockSealed, TransactionDropped, LetterArrived, LineTaken, BlocksFinal>;

struct Effects {
    // To write in one synced batch; at most one batch is out at a time.
    std::optional<store::WriteBatch> durable;
    // The file of the vote keys as it is to be from now on: whole, synced and readable by nobody
    // else before `durable` of the same step is written, which is there then. What it held before
    // is to be overwritten.
    std::optional<SecretFile> vote_keys;
    std::vector<SignatureJob> verify;
    std::vector<Reply> replies;
    std::vector<Event> events;
    // History behind the window, to be given to ledger::prune when the writer is free, before any
    // later batch or after. Nothing depends on when; a fault of it counts like one of `durable`.
    std::optional<ledger::Pruning> prune;
    // What the network wants; not held back by `durable`, which is the ledger's.
    NetworkEffects network;
    // Set when the node can go on no longer (a durable write failed): tell the operator and stop.
    std::optional<store::Fault> fatal;
};

}  // namespace leither::node
