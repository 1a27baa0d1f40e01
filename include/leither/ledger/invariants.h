// What must hold after every block, whatever the transactions were. Each is an object with a name;
// execute() runs all and CHECKs, since a violation is a bug and continuing would certify it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leither/ledger/state.h"

namespace leither::ledger {

class Invariant {
 public:
    virtual ~Invariant() = default;
    virtual std::string_view name() const = 0;
    // What is wrong, or nothing. `transitions` are all of one block, by id.
    virtual std::optional<std::string> violation(const Organization& organization,
                                                 std::span<const Transition> transitions,
                                                 const Synopsis& root) const = 0;
};

// Conservation, NoncesRise, LocksWithinRecord, MemberCount, SupervisorsKnown, CandidatesKnown,
// TermsFollow, VotesCounted.
std::span<const Invariant* const> invariants();

// CHECKs them all against what has been done to `state` and the root it leads to.
void check_invariants(const State& state, const Synopsis& root);

}  // namespace leither::ledger
