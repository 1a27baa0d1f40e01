// Requests between people: how one is named, how it is declined, and which word of a letter is
// meant for a program. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leither/wallet/payment.h"

namespace leither::wallet {

// BLAKE2b-256 of what the payee signs. Two identical requests are one: it is paid once.
Hash request_id(const ChainId& chain, const protocol::PaymentRequest& request);
inline Hash request_id(const SignedRequest& signed_) {
    return request_id(signed_.chain, signed_.request);
}
// Whether `key` is the payee's and has signed it.
bool is_signed_by(const SignedRequest& signed_, const PublicKey& key);

// The payer's answer to a request it will not pay: "leither:decline:<hex>". The letter that
// carries it says from whom it is.
struct Decline {
    ChainId chain;
    Hash request;
    protocol::Text reason;
    static void fields(auto& self, auto&& visit) { visit(self.chain, self.request, self.reason); }
    friend bool operator==(const Decline&, const Decline&) = default;
};
std::string to_text(const Decline& decline);
std::optional<Decline> decline_from_text(std::string_view text);

// What a letter's text holds for programs.
enum class TokenKind : std::uint8_t {
    request,      // leither:pay:
    decline,      // leither:decline:
    application,  // leither:join:
    claim,        // leither:claim:
    submission,   // leither:submit:
    other,        // leither: and something this version does not know
};
struct Token {
    TokenKind kind = TokenKind::other;
    std::string_view text;  // of the letter's
};
// The first word that begins with "leither:". Its form behind the kind is not checked.
std::optional<Token> find_token(std::string_view text);

}  // namespace leither::wallet
