// A payment that both have signed and that is in no node's hands yet: the payer gives it to the
// payee as text, file or QR code, and whoever of them, or for them, first reaches a node of the
// organization hands it in (docs/protocol/transactions.md, "Paying without a node"). Pure.
#pragma once

#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/wallet/link.h"
#include "leither/wallet/payment.h"

namespace leither::wallet {

// With the payer's key, so that who has never heard of the payer can check the signature.
struct HandedPayment {
    ChainId chain;
    PublicKey payer;
    protocol::Transaction transaction;
    static void fields(auto& self, auto&& visit) {
        visit(self.chain, self.payer, self.transaction);
    }
    // A transfer of that payer, signed twice.
    bool is_canonical() const;
};
inline constexpr std::string_view kHandedPrefix = "leither:paid:";
std::string to_text(const HandedPayment& payment);
Result<HandedPayment, LinkFault> handed_from_text(std::string_view text);

// REQUIRES: its action is a transfer.
const protocol::PaymentRequest& request_of(const protocol::Transaction& transaction);
// The payee's half of it.
SignedRequest request_in(const HandedPayment& payment);
bool is_signed_by_payer(const HandedPayment& payment);
// The last pulse of a block that may hold it: transaction and request both expire.
Pulse hand_in_until(const protocol::Transaction& transaction);

}  // namespace leither::wallet
