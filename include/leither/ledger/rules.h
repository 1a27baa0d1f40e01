// What may happen (protocol §4): one check and one apply per kind of transaction, in
// src/ledger/rules/<kind>.cpp. The order of checks is the order of protocol::Refusal, so of several
// faults the user always meets the same one; tests/scenario/rules.txt has a row for each.
//
// Supervisors' acts (join, leave, role, reward) need the signatures of Params::supervisors_required
// supervisors, or of all while the organization has fewer: its founder begins alone.
#pragma once

#include <vector>

#include "leither/ledger/state.h"
#include "leither/protocol/refusal.h"

namespace leither::ledger {

using protocol::Refused;

// A transaction from outside: refused as too_large or malformed before any other rule.
Result<protocol::Transaction, Refused> read_transaction(ByteView bytes);

// One Ed25519 check that stands between a transaction and its effect.
struct SignatureCheck {
    PublicKey key;
    Bytes message;
    Signature signature;
};

// The checks of a transaction, in the order of its signatures; refused if a signer is unknown or
// their number is wrong; behind them that of a delegation it carries. Keys come from the state, an
// applicant's from the transaction, a node's from the state or the delegation.
// REQUIRES: state.load(transaction).
Result<std::vector<SignatureCheck>, Refused> signature_checks(
    const State& state, const protocol::Transaction& transaction);

enum class PulseLimit : std::uint8_t {
    enforce,  // in a block
    ignore,   // in the mempool: what is too much for this pulse waits for the next
};

// Everything but the signatures, which cost more than all of this: check them last. REQUIRES:
// state.load(transaction).
Result<void, Refused> check(const State& state, const Place& place,
                            const protocol::Transaction& transaction, PulseLimit limit);
// REQUIRES: check() accepted it in exactly this state and place.
void apply(State& state, const Place& place, const protocol::Transaction& transaction);
// The same for who knows the transaction's id already.
void apply(State& state, const Place& place, const protocol::Transaction& transaction,
           const Hash& id);

// What the protocol itself does at the start of a block, after a cycle that has ended: pays the
// rewards that are due (one whose member has left returns to the treasury) and counts the votes
// that close. REQUIRES: state.load_system().
Result<void, store::Fault> apply_due(State& state, const Place& place);
// The pulse at which the protocol itself has work next; the end of the cycle at the latest.
// REQUIRES: state.load_system().
Pulse next_due(const State& state);

}  // namespace leither::ledger
