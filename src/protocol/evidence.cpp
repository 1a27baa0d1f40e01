#include "leither/protocol/evidence.h"

#include <tuple>

#include "leither/crypto/sign.h"

namespace leither::protocol {

namespace {

// What is said, without who signed it how: a key may sign one thing in many ways.
auto said(const Statement& statement) {
    return std::tie(statement.valid_round, statement.block);
}

std::optional<Conflict> in_order(Conflict conflict) {
    if (said(conflict.second) < said(conflict.first)) std::swap(conflict.first, conflict.second);
    if (!conflict.is_canonical()) return std::nullopt;
    return conflict;
}

}  // namespace

bool Conflict::is_canonical() const {
    return first.fits(kind) && second.fits(kind) && said(first) < said(second);
}

std::optional<Conflict> conflict_between(const Vote& one, const Vote& other) {
    const bool is_same_act =
        one.slot == other.slot && one.kind == other.kind && one.seat == other.seat;
    if (!is_same_act) return std::nullopt;
    return in_order(
        {statement_kind(one.kind), one.slot, one.seat, statement_of(one), statement_of(other)});
}

std::optional<Conflict> conflict_between(std::uint16_t seat, const ProposalClaim& one,
                                         const ProposalClaim& other) {
    if (one.slot != other.slot) return std::nullopt;
    return in_order(
        {StatementKind::proposal, one.slot, seat, statement_of(one), statement_of(other)});
}

bool is_proven(const Conflict& conflict, const ChainId& chain, const PublicKey& key) {
    if (!conflict.is_canonical()) return false;
    const auto holds = [&](const Statement& statement) {
        const Bytes message = signing_message(chain, conflict.kind, conflict.slot, statement);
        return crypto::verify(key, message, statement.signature);
    };
    return holds(conflict.first) && holds(conflict.second);
}

}  // namespace leither::protocol
