// Who may speak for whom (docs/protocol/organization.md): an account's delegation to the node that
// serves it, and a keeper's pass, which says that an account is a member's.
#pragma once

#include "leither/base/bounded.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/validity.h"

namespace leither::protocol {

// "This node serves my account": it keeps the account's inbox and is, while the account is a
// member's, a member's node. The spending key signs once and stays where it is.
struct Delegation {
    PublicKey account;
    PublicKey node;
    Validity validity;
    static void fields(auto& self, auto&& visit) { visit(self.account, self.node, self.validity); }
    friend bool operator==(const Delegation&, const Delegation&) = default;
};
inline constexpr Duration kDelegationLifetimeMax = std::chrono::hours(24 * 400);

struct SignedDelegation {
    Delegation delegation;
    Signature signature;  // by the account
    static void fields(auto& self, auto&& visit) { visit(self.delegation, self.signature); }
    friend bool operator==(const SignedDelegation&, const SignedDelegation&) = default;
};
inline constexpr std::size_t kSignedDelegationBytes = 144;

// Accounts one node can serve.
inline constexpr std::size_t kServedAccountsMax = 6;
using Delegations = Bounded<SignedDelegation, kServedAccountsMax>;

// "This account is a member's", by a keeper, for those who do not hold the ledger.
struct MemberPass {
    Id account;
    PublicKey keeper;  // a node the manifest names
    Validity validity;
    static void fields(auto& self, auto&& visit) {
        visit(self.account, self.keeper, self.validity);
    }
    friend bool operator==(const MemberPass&, const MemberPass&) = default;
};
// So long at most does a pass outlive a membership.
inline constexpr Duration kMemberPassLifetimeMax = std::chrono::hours(24 * 7);

struct SignedPass {
    MemberPass pass;
    Signature signature;  // by the keeper
    static void fields(auto& self, auto&& visit) { visit(self.pass, self.signature); }
    friend bool operator==(const SignedPass&, const SignedPass&) = default;
};
inline constexpr std::size_t kSignedPassBytes = 132;
using Passes = Bounded<SignedPass, kServedAccountsMax>;

Bytes signing_message(const ChainId& chain, const Delegation& delegation);
Bytes signing_message(const ChainId& chain, const MemberPass& pass);

// REQUIRES: `account` is the delegation's, `keeper` the pass's.
SignedDelegation sign(const ChainId& chain, const Delegation& delegation,
                      const crypto::KeyPair& account);
SignedPass sign(const ChainId& chain, const MemberPass& pass, const crypto::KeyPair& keeper);

Result<void, RecordError> check(const SignedDelegation& signed_, const ChainId& chain, Instant now);
// Whether `keeper` is one is for the reader of the manifest to say.
Result<void, RecordError> check(const SignedPass& signed_, const ChainId& chain, Instant now);

}  // namespace leither::protocol
