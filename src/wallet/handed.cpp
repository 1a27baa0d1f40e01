#include "leither/wallet/handed.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

#include "link_text.h"

namespace leither::wallet {

bool HandedPayment::is_canonical() const {
    const auto& body = transaction.body;
    return std::holds_alternative<protocol::Transfer>(body.action) && body.cosigners.empty() &&
           transaction.signatures.size() == protocol::signatures_needed(body) &&
           crypto::id_of(payer) == body.signer;
}

std::string to_text(const HandedPayment& payment) {
    return link_to(kHandedPrefix, payment);
}

Result<HandedPayment, LinkFault> handed_from_text(std::string_view text) {
    return value_of_link<HandedPayment>(kHandedPrefix, text);
}

const protocol::PaymentRequest& request_of(const protocol::Transaction& transaction) {
    const auto* transfer = std::get_if<protocol::Transfer>(&transaction.body.action);
    CHECK(transfer != nullptr);
    return transfer->request;
}

SignedRequest request_in(const HandedPayment& payment) {
    return {payment.chain, request_of(payment.transaction), payment.transaction.signatures.front()};
}

bool is_signed_by_payer(const HandedPayment& payment) {
    return crypto::verify(payment.payer, signing_message(payment.chain, payment.transaction.body),
                          payment.transaction.signatures.back());
}

Pulse hand_in_until(const protocol::Transaction& transaction) {
    return std::min(transaction.body.expiry, request_of(transaction).expiry);
}

}  // namespace leither::wallet
