// A supervisors' act that still lacks signatures of some of them, as they hand it on to each other.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/wallet/link.h"
#include "leither/wallet/payment.h"

namespace leither::wallet {

struct Offer {
    ChainId chain;
    protocol::TransactionBody body;
    // As those of the transaction, where they have been given.
    Bounded<std::optional<Signature>, protocol::kCosignersMax + 2> signatures;
    static void fields(auto& self, auto&& visit) { visit(self.chain, self.body, self.signatures); }
    // As many places as the transaction has signatures.
    bool is_canonical() const { return signatures.size() == protocol::signatures_needed(body); }
    // Who has not signed yet.
    std::vector<Id> missing() const;
};
inline constexpr std::string_view kOfferPrefix = "leither:cosign:";

// Signed by `signer`; `cosigners` are yet to sign, and so is the member whom a leave or a role
// concerns. `counterparty` is the signature over their half of the other kinds that have one.
Offer offer(const Draft& draft, protocol::Action action, std::optional<Signature> counterparty,
            const crypto::KeyPair& signer, std::vector<Id> cosigners);
// Whether `key` is one of those who are to sign; adds its signature.
bool cosign(Offer& offer, const crypto::KeyPair& key);
// Once all have signed.
std::optional<protocol::Transaction> completed(const Offer& offer);

std::string to_text(const Offer& offer);
Result<Offer, LinkFault> offer_from_text(std::string_view text);

}  // namespace leither::wallet
