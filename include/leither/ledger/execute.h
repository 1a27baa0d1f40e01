// Block -> next version of the tree. Building and checking run the same code, so a bookkeeper never
// proposes what another would refuse.
#pragma once

#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "leither/ledger/rules.h"
#include "leither/protocol/block.h"

namespace leither::ledger {

using protocol::BlockHeader;
using protocol::Transactions;

// What a block stands on.
struct Parent {
    BlockHeader header;
    Hash hash;
    // A state on the same head whose reads may be shared, as a mempool has.
    const State* known = nullptr;
};

struct Executed {
    BlockHeader header;
    tree::Tree::Update update;
};

// How the next block is to be stamped.
struct Stamp {
    Pulse pulse;
    std::uint16_t author = 0;
    std::uint32_t signers = 0;  // BlockHeader::signers
};

struct Skipped {
    std::size_t index;  // into the candidates
    Refused refused;
};
struct Built {
    Transactions transactions;
    // Candidates that do not hold now. A bad_nonce above the expected counter, and
    // too_many_this_pulse, may hold later.
    std::vector<Skipped> skipped;
    // Candidates looked at; the block has no room for the next, which waits with all behind it.
    std::size_t considered = 0;
    Executed executed;
};

// As many of `candidates` (signatures checked already), in order, as the rules and the block's size
// allow, on top of what the protocol itself has to do. A takeover that comes first begins its own
// term instead of the one that is due. REQUIRES: stamp.pulse > parent's pulse, stamp.signers as the
// parent's certificate has them.
Result<Built, store::Fault> build(const Organization& organization, tree::Tree& tree,
                                  const Parent& parent, const Stamp& stamp,
                                  std::span<const protocol::Transaction* const> candidates);

// As build() for candidates that `executed` has applied already: all of them, in this order, under
// every limit of a pulse, at this very place. Nothing is executed again. Nothing comes back if they
// are too many for one block or must_seal() holds, since build() has to act and choose then.
Result<std::optional<Built>, store::Fault> build_on(
    const State& executed, tree::Tree& tree, const Parent& parent, const Stamp& stamp,
    std::span<const protocol::Transaction* const> candidates);

// Why a block of somebody else, or from disk, is invalid.
struct InvalidBlock {
    enum class Reason : std::uint8_t {
        wrong_sequence,
        wrong_parent,
        pulse_not_rising,
        wrong_signers,       // seats that cannot have certified the parent
        too_large,           // more bytes than Params::block_bytes_max
        wrong_transactions,  // they do not hash to the header's commitment, or are not as many
        bad_transaction,     // `transaction` is refused for `refused`
        wrong_root,          // executing it leads elsewhere
    };
    Reason reason = Reason::wrong_root;
    std::size_t transaction = 0;
    Refused refused;
};
const char* to_string(InvalidBlock::Reason reason);
using ExecuteError = std::variant<InvalidBlock, store::Fault>;

// Whether one signature holds; the host may answer from a cache of checks made before.
using SignatureOracle = std::function<bool(const SignatureCheck&)>;

// Executes a block fully, signatures included, and compares with its header.
Result<Executed, ExecuteError> execute(const Organization& organization, tree::Tree& tree,
                                       const Parent& parent, const BlockHeader& header,
                                       const Transactions& transactions,
                                       const SignatureOracle& signature_holds);

// Whether the block, executed already, has room for one of these behind its transactions, and it
// would hold there. Their signatures have been checked.
Result<bool, store::Fault> has_room_for_any(
    const Organization& organization, tree::Tree& tree, const Parent& parent,
    const BlockHeader& header, const Transactions& transactions,
    std::span<const protocol::Transaction* const> candidates);

// ---- Genesis -----------------------------------------------------------------------------------

enum class GenesisError : std::uint8_t {
    bad_signature,  // not signed by the organization key
    parameter_out_of_bounds,
    bad_decimals,  // above kDecimalsMax
    no_bookkeeper,
    duplicate_key,         // two allocations to one key, or one key on two seats
    allocations_mismatch,  // the list does not hash to the charter's commitment
    allocations_exceed_supply,
    reserved_account,  // founder or allocation at the treasury's or bookkeeping id
    missing_reason,    // an allocation without its reason
};
const char* to_string(GenesisError error);
Result<void, GenesisError> check(const protocol::Genesis& genesis);

// Sequence 0: founder, allocations, treasury with the rest, bookkeeping record. REQUIRES: check(),
// tree is empty.
Result<Executed, store::Fault> execute_genesis(const Organization& organization, tree::Tree& tree,
                                               const protocol::Genesis& genesis);

}  // namespace leither::ledger
