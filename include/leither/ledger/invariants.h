// What must hold after every block, whatever the transactions were. Each is an object with a name;
// execute() runs all and CHECKs, since a violation is a bug and continuing would certify it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leither/ledger/state.h"

namespace leither::ledger {

// One leaf before and after the block.
struct Transition {
    Id id;
    std::optional<protocol::Record> before;
    std::optional<protocol::Record> after;
};

class Invariant {
 public:
    virtual ~Invariant() = default;
    virtual std::string_view name() const = 0;
    // What is wrong, or nothing.
    virtual std::optional<std::string> violation(const Organization& organization,
                                                 std::span<const Transition> transitions,
                                                 const Synopsis& root) const = 0;
};

// Conservation, NoncesRise, LocksWithinRecord, MemberCount, SupervisorsKnown.
std::span<const Invariant* const> invariants();

}  // namespace leither::ledger
