#include "leither/protocol/evidence.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

std::string_view tag_of(StatementKind kind) {
    switch (kind) {
        case StatementKind::proposal: return tags::kProposal;
        case StatementKind::prevote: return tags::kPrevote;
        case StatementKind::precommit: return tags::kPrecommit;
    }
    UNREACHABLE();
}

}  // namespace

Bytes statement_message(const ChainId& chain, StatementKind kind, const Slot& slot,
                        ByteView payload) {
    bcs::Writer out;
    bcs::write(out, slot);
    out.raw(payload);
    return crypto::tagged_message(tag_of(kind), chain, out.view());
}

bool is_proven(const Conflict& conflict, const ChainId& chain, const PublicKey& key) {
    if (!conflict.is_canonical()) return false;
    const auto holds = [&](const Statement& statement) {
        const Bytes message =
            statement_message(chain, conflict.kind, conflict.slot, statement.payload);
        return crypto::verify(key, message, statement.signature);
    };
    return holds(conflict.first) && holds(conflict.second);
}

}  // namespace leither::protocol
