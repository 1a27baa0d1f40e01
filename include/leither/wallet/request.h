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

inline constexpr std::string_view kDeclinePrefix = "leither:decline:";
// The answer to what one will not do: "leither:decline:<hex>". The letter that carries it says from
// whom it is.
struct Decline {
    ChainId chain;
    Hash request;  // its id; of anything else, name_of() its text
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
    other,        // leither: and something else
};
struct Token {
    TokenKind kind = TokenKind::other;
    std::string_view text;  // of the letter's
};
// The first word that begins with "leither:". Its form behind the kind is not checked.
std::optional<Token> find_token(std::string_view text);
// What else the text says, for people. REQUIRES: `token` is the text's.
std::string words_around(std::string_view text, const Token& token);
// What a decline calls anything but a request: BLAKE2b-256 of its text.
Hash name_of(std::string_view token);

}  // namespace leither::wallet
