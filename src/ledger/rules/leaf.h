// Changing one member's leaf: every change renews the salt, so that a leaf's hash betrays neither
// the record nor that two records are alike.
#pragma once

#include "leither/ledger/state.h"

namespace leither::ledger::rules {

// BLAKE2b-128 over the old salt and what causes the change: a transaction's id.
Salt next_salt(const ChainId& chain, const Salt& old, const Hash& cause);

// The member's record, with a new salt. REQUIRES: state.member(id).
protocol::MemberRecord& touch(State& state, const Id& id, const Hash& cause);

// REQUIRES: state.member(id). No balance passes the supply, so the sum cannot overflow.
void credit(State& state, const Id& id, Amount amount, const Hash& cause);

// `a` + `b` and `a` - `b` where the rules have made sure that it holds.
Amount sum(Amount a, Amount b);
Amount difference(Amount a, Amount b);

}  // namespace leither::ledger::rules
