#include "leither/protocol/endorsement.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

struct Asked {
    PublicKey account;
    std::uint64_t cycle = 0;
    Sequence sequence;
    static void fields(auto& self, auto&& visit) { visit(self.account, self.cycle, self.sequence); }
};

}  // namespace

const char* to_string(HolderKind kind) {
    switch (kind) {
        case HolderKind::member: return "member";
        case HolderKind::treasury: return "treasury";
        case HolderKind::system: return "system";
    }
    UNREACHABLE();
}

const char* to_string(EndorsementRefusal refusal) {
    switch (refusal) {
        case EndorsementRefusal::behind: return "behind";
        case EndorsementRefusal::other_term: return "other_term";
        case EndorsementRefusal::not_kept: return "not_kept";
    }
    UNREACHABLE();
}

Bytes signing_message(const ChainId& chain, const EndorsementClaim& claim) {
    return crypto::tagged_message(tags::kEndorsement, chain, bcs::encode(claim));
}

Bytes signing_message(const ChainId& chain, const AskEndorsement& ask) {
    const Asked asked{ask.account, ask.cycle, ask.sequence};
    return crypto::tagged_message(tags::kAskEndorsement, chain, bcs::encode(asked));
}

AskEndorsement ask_endorsement(const ChainId& chain, std::uint64_t cycle, Sequence sequence,
                               const crypto::KeyPair& account) {
    AskEndorsement ask{account.public_key(), cycle, sequence, {}};
    ask.signature = account.sign(signing_message(chain, ask));
    return ask;
}

bool is_signed(const AskEndorsement& ask, const ChainId& chain) {
    return crypto::verify(ask.account, signing_message(chain, ask), ask.signature);
}

}  // namespace leither::protocol
