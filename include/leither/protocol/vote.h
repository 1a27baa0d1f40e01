// What a bookkeeper signs of a round, once of each kind (docs/protocol/agreement.md).
//
// A signature covers its tag, the chain id and the whole slot: what is said in one round, height,
// cycle, branch, organization or role cannot be shown as said in another.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/bytes.h"
#include "leither/base/fixed_bytes.h"
#include "leither/protocol/slot.h"

namespace leither::protocol {

// Encoded; never change these values.
enum class StatementKind : std::uint8_t { proposal, prevote, precommit };
constexpr StatementKind last_of(StatementKind) {
    return StatementKind::precommit;
}
const char* to_string(StatementKind kind);

// What is said in a slot.
struct Statement {
    // Of a proposal: ProposalClaim::valid_round. A vote has none.
    std::optional<std::uint32_t> valid_round;
    std::optional<Hash> block;  // nothing: for none (`nil`). A proposal names one
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.valid_round, self.block, self.signature);
    }
    friend bool operator==(const Statement&, const Statement&) = default;

    bool fits(StatementKind kind) const;
};
// What its signature covers. REQUIRES: it fits the kind.
Bytes signing_message(const ChainId& chain, StatementKind kind, const Slot& slot,
                      const Statement& statement);

enum class VoteKind : std::uint8_t { prevote, precommit };  // encoded; never change these values
constexpr VoteKind last_of(VoteKind) {
    return VoteKind::precommit;
}
constexpr StatementKind statement_kind(VoteKind kind) {
    return kind == VoteKind::prevote ? StatementKind::prevote : StatementKind::precommit;
}

struct Vote {
    Slot slot;
    VoteKind kind = VoteKind::prevote;
    std::optional<Hash> block;  // nothing: for none
    std::uint16_t seat = 0;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.slot, self.kind, self.block, self.seat, self.signature);
    }
    friend bool operator==(const Vote&, const Vote&) = default;

    static constexpr std::uint32_t kBytesMax = 41 + 1 + 33 + 2 + 64;
};
Statement statement_of(const Vote& vote);
Bytes signing_message(const ChainId& chain, const Vote& vote);
// Of a vote for a block: what certificates are made of.
Bytes precommit_message(const ChainId& chain, const Slot& slot, const Hash& block);

// What the leader of a round signs.
struct ProposalClaim {
    Slot slot;
    // The round whose quorum of prevotes for this block the leader has seen; nothing: none, the
    // block is its own.
    std::optional<std::uint32_t> valid_round;
    Hash block;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.slot, self.valid_round, self.block, self.signature);
    }
    friend bool operator==(const ProposalClaim&, const ProposalClaim&) = default;
    bool is_canonical() const { return !valid_round || *valid_round < slot.round; }
};
Statement statement_of(const ProposalClaim& claim);
Bytes signing_message(const ChainId& chain, const ProposalClaim& claim);

}  // namespace leither::protocol
