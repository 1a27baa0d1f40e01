// Handshake patterns as data (rev 34, 7): which keys each message carries and which are combined.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace leither::noise {

// Values are hashed and signed by what lies above; never change them.
enum class Role : std::uint8_t { initiator = 0, responder = 1 };
constexpr Role other(Role role) {
    return role == Role::initiator ? Role::responder : Role::initiator;
}

// e, s: a public key is sent. Two letters: Diffie-Hellman of the initiator's key named first with
// the responder's. psk: a secret both hold already.
enum class Token : std::uint8_t { e, s, ee, es, se, ss, psk };

class TokenList {
 public:
    static constexpr std::size_t kMax = 8;

    constexpr TokenList() = default;
    constexpr TokenList(std::initializer_list<Token> tokens) {
        for (const Token token : tokens) push_back(token);
    }
    // REQUIRES: fewer than kMax tokens.
    constexpr void push_back(Token token) { tokens_[size_++] = token; }
    constexpr const Token* begin() const { return tokens_.data(); }
    constexpr const Token* end() const { return tokens_.data() + size_; }
    constexpr bool empty() const { return size_ == 0; }

 private:
    std::array<Token, kMax> tokens_{};
    std::size_t size_ = 0;
};

struct Pattern {
    static constexpr std::size_t kMessagesMax = 4;

    std::string_view name;         // as in the protocol's name; outlives the pattern
    TokenList known_of_initiator;  // by the responder beforehand
    TokenList known_of_responder;  // by the initiator beforehand
    std::array<TokenList, kMessagesMax> messages;  // in turns, the initiator's first

    constexpr std::size_t message_count() const {
        std::size_t count = 0;
        while (count < kMessagesMax && !messages[count].empty()) ++count;
        return count;
    }
    constexpr bool has_psk() const {
        for (const TokenList& message : messages) {
            for (const Token token : message) {
                if (token == Token::psk) return true;
            }
        }
        return false;
    }
};

// First contact: each learns the other's static key, the initiator's hidden from all but the
// responder.
inline constexpr Pattern kXX{
    .name = "XX",
    .known_of_initiator = {},
    .known_of_responder = {},
    .messages = {TokenList{Token::e}, TokenList{Token::e, Token::ee, Token::s, Token::es},
                 TokenList{Token::s, Token::se}}};

// The initiator knows the responder's static key; nobody else can answer, or learn who asks.
inline constexpr Pattern kXK{
    .name = "XK",
    .known_of_initiator = {},
    .known_of_responder = {Token::s},
    .messages = {TokenList{Token::e, Token::es}, TokenList{Token::e, Token::ee},
                 TokenList{Token::s, Token::se}}};

}  // namespace leither::noise
