#include "leither/protocol/vote.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

const char* to_string(StatementKind kind) {
    switch (kind) {
        case StatementKind::proposal: return "proposal";
        case StatementKind::prevote: return "prevote";
        case StatementKind::precommit: return "precommit";
    }
    UNREACHABLE();
}

bool Statement::fits(StatementKind kind) const {
    return kind == StatementKind::proposal ? block.has_value() : !valid_round.has_value();
}

Bytes signing_message(const ChainId& chain, StatementKind kind, const Slot& slot,
                      const Statement& statement) {
    CHECK(statement.fits(kind));
    bcs::Writer out;
    bcs::write(out, slot);
    switch (kind) {
        case StatementKind::proposal:
            bcs::write(out, statement.valid_round);
            bcs::write(out, *statement.block);
            return crypto::tagged_message(tags::kProposal, chain, out.view());
        case StatementKind::prevote:
            bcs::write(out, statement.block);
            return crypto::tagged_message(tags::kPrevote, chain, out.view());
        case StatementKind::precommit:
            if (!statement.block) {
                return crypto::tagged_message(tags::kNilPrecommit, chain, out.view());
            }
            bcs::write(out, *statement.block);
            return crypto::tagged_message(tags::kPrecommit, chain, out.view());
    }
    UNREACHABLE();
}

Statement statement_of(const Vote& vote) {
    return {std::nullopt, vote.block, vote.signature};
}

Bytes signing_message(const ChainId& chain, const Vote& vote) {
    return signing_message(chain, statement_kind(vote.kind), vote.slot, statement_of(vote));
}

Bytes precommit_message(const ChainId& chain, const Slot& slot, const Hash& block) {
    return signing_message(chain, StatementKind::precommit, slot, {std::nullopt, block, {}});
}

Statement statement_of(const ProposalClaim& claim) {
    return {claim.valid_round, claim.block, claim.signature};
}

Bytes signing_message(const ChainId& chain, const ProposalClaim& claim) {
    return signing_message(chain, StatementKind::proposal, claim.slot, statement_of(claim));
}

}  // namespace leither::protocol
