#include "leither/wallet/request.h"

#include <utility>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::wallet {

namespace {

constexpr std::string_view kScheme = "leither:";
// Chain id, request id, 140 bytes and their length take less.
constexpr std::size_t kDeclineTextMax = 512;
constexpr std::string_view kSpaces = " \t\r\n";

constexpr std::pair<std::string_view, TokenKind> kKinds[] = {
    {"leither:pay:", TokenKind::request},       {kDeclinePrefix, TokenKind::decline},
    {"leither:join:", TokenKind::application},  {"leither:claim:", TokenKind::claim},
    {"leither:submit:", TokenKind::submission},
};

}  // namespace

Hash request_id(const ChainId& chain, const protocol::PaymentRequest& request) {
    return crypto::blake2b_256(signing_message(chain, request));
}

bool is_signed_by(const SignedRequest& signed_, const PublicKey& key) {
    return crypto::id_of(key) == signed_.request.payee &&
           crypto::verify(key, signing_message(signed_.chain, signed_.request), signed_.signature);
}

std::string to_text(const Decline& decline) {
    return std::string(kDeclinePrefix) + to_hex(bcs::encode(decline));
}

std::optional<Decline> decline_from_text(std::string_view text) {
    if (text.size() > kDeclineTextMax || !text.starts_with(kDeclinePrefix)) return std::nullopt;
    const auto bytes = from_hex(text.substr(kDeclinePrefix.size()));
    if (!bytes) return std::nullopt;
    auto decline = bcs::decode<Decline>(*bytes);
    if (!decline) return std::nullopt;
    return *std::move(decline);
}

std::optional<Token> find_token(std::string_view text) {
    for (std::size_t begin = 0; begin < text.size();) {
        begin = text.find_first_not_of(kSpaces, begin);
        if (begin == text.npos) break;
        const std::size_t end = std::min(text.find_first_of(kSpaces, begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        begin = end;
        if (!word.starts_with(kScheme)) continue;
        for (const auto& [prefix, kind] : kKinds) {
            if (word.starts_with(prefix)) return Token{kind, word};
        }
        return Token{TokenKind::other, word};
    }
    return std::nullopt;
}

std::string words_around(std::string_view text, const Token& token) {
    const auto trimmed = [](std::string_view part) {
        const std::size_t begin = std::min(part.find_first_not_of(kSpaces), part.size());
        const std::size_t end = part.find_last_not_of(kSpaces);
        return end == part.npos ? std::string_view() : part.substr(begin, end + 1 - begin);
    };
    const auto at = static_cast<std::size_t>(token.text.data() - text.data());
    const auto before = trimmed(text.substr(0, at));
    const auto behind = trimmed(text.substr(at + token.text.size()));
    std::string words(before);
    if (!before.empty() && !behind.empty()) words += '\n';
    words += behind;
    return words;
}

Hash name_of(std::string_view token) {
    return crypto::blake2b_256(as_bytes(token));
}

}  // namespace leither::wallet
