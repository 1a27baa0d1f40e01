#include "leither/protocol/delegation.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

Bytes signing_message(const ChainId& chain, const Delegation& delegation) {
    return crypto::tagged_message(tags::kDelegation, chain, bcs::encode(delegation));
}

Bytes signing_message(const ChainId& chain, const MemberPass& pass) {
    return crypto::tagged_message(tags::kMemberPass, chain, bcs::encode(pass));
}

SignedDelegation sign(const ChainId& chain, const Delegation& delegation,
                      const crypto::KeyPair& account) {
    CHECK(account.public_key() == delegation.account);
    return {delegation, account.sign(signing_message(chain, delegation))};
}

SignedPass sign(const ChainId& chain, const MemberPass& pass, const crypto::KeyPair& keeper) {
    CHECK(keeper.public_key() == pass.keeper);
    return {pass, keeper.sign(signing_message(chain, pass))};
}

Result<void, RecordError> check(const SignedDelegation& signed_, const ChainId& chain,
                                Instant now) {
    const Delegation& delegation = signed_.delegation;
    TRY(check(delegation.validity, kDelegationLifetimeMax, now));
    if (!crypto::verify(delegation.account, signing_message(chain, delegation),
                        signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

Result<void, RecordError> check(const SignedPass& signed_, const ChainId& chain, Instant now) {
    const MemberPass& pass = signed_.pass;
    TRY(check(pass.validity, kMemberPassLifetimeMax, now));
    if (!crypto::verify(pass.keeper, signing_message(chain, pass), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

}  // namespace leither::protocol
