// Two signatures that one bookkeeper must never give (docs/protocol/election.md). Everything needed
// to judge them is in the value itself.
#pragma once

#include <cstdint>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/protocol/slot.h"

namespace leither::protocol {

enum class StatementKind : std::uint8_t { proposal, prevote, precommit };  // encoded
constexpr StatementKind last_of(StatementKind) {
    return StatementKind::precommit;
}

// What was said in the slot, behind the slot in the signed bytes.
struct Statement {
    Bounded<std::uint8_t, 256> payload;
    Signature signature;
    static void fields(auto& self, auto&& visit) { visit(self.payload, self.signature); }
    friend bool operator==(const Statement&, const Statement&) = default;
};

// One kind of statement, made twice in one slot.
struct Conflict {
    StatementKind kind = StatementKind::precommit;
    Slot slot;
    Statement first;
    Statement second;
    static void fields(auto& self, auto&& visit) {
        visit(self.kind, self.slot, self.first, self.second);
    }
    // The payloads differ, the lesser stands first.
    bool is_canonical() const { return first.payload < second.payload; }
    friend bool operator==(const Conflict&, const Conflict&) = default;
};

// The bytes that a statement's signature covers.
Bytes statement_message(const ChainId& chain, StatementKind kind, const Slot& slot,
                        ByteView payload);
// Whether `key` has made both signatures.
bool is_proven(const Conflict& conflict, const ChainId& chain, const PublicKey& key);

}  // namespace leither::protocol
