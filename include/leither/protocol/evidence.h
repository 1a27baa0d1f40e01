// Two statements that one bookkeeper must never sign both (docs/protocol/election.md). Whoever
// knows the seat's key can judge them: everything else is in the value itself.
#pragma once

#include <optional>

#include "leither/protocol/vote.h"

namespace leither::protocol {

// One kind of statement, made twice in one slot.
struct Conflict {
    StatementKind kind = StatementKind::precommit;
    Slot slot;
    std::uint16_t seat = 0;  // in the committee of slot.cycle
    Statement first;
    Statement second;
    static void fields(auto& self, auto&& visit) {
        visit(self.kind, self.slot, self.seat, self.first, self.second);
    }
    // Both fit the kind and say different things; the lesser stands first.
    bool is_canonical() const;
    friend bool operator==(const Conflict&, const Conflict&) = default;
};

// Between two votes, or two proposals, by the same seat; nothing if there is none.
std::optional<Conflict> conflict_between(const Vote& one, const Vote& other);
std::optional<Conflict> conflict_between(std::uint16_t seat, const ProposalClaim& one,
                                         const ProposalClaim& other);

// Whether `key` has made both signatures.
bool is_proven(const Conflict& conflict, const ChainId& chain, const PublicKey& key);

}  // namespace leither::protocol
