// The organization's conversation (docs/protocol/chat.md): each author's lines form a chain, signed
// by the author's account. In the DHT a line is an immutable item, sealed to the read key; a node's
// last lines are named by its head, a mutable item under the node key, salt `chat`.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "leither/base/bounded.h"
#include "leither/protocol/manifest.h"

namespace leither::protocol {

inline constexpr std::string_view kChatSalt = "chat";

struct ChatLine {
    PublicKey author;
    std::uint64_t number = 0;  // of this author's lines, from 1; one more always fits
    Hash previous;             // line_hash of the author's line before; zero at number 1
    std::uint64_t time_ms = 0;
    BoundedText<500> text;
    static void fields(auto& self, auto&& visit) {
        visit(self.author, self.number, self.previous, self.time_ms, self.text);
    }
    // Number 1 and nothing else has no predecessor.
    bool is_canonical() const {
        return number > 0 && number < std::numeric_limits<std::uint64_t>::max() &&
               (number == 1) == previous.is_zero();
    }
    friend bool operator==(const ChatLine&, const ChatLine&) = default;
};
struct SignedLine {
    ChatLine line;
    Signature signature;  // by the author's account
    static void fields(auto& self, auto&& visit) { visit(self.line, self.signature); }
    friend bool operator==(const SignedLine&, const SignedLine&) = default;
};

Hash line_hash(const ChainId& chain, const ChatLine& line);
Bytes signing_message(const ChainId& chain, const ChatLine& line);
// REQUIRES: `author` is the line's.
SignedLine sign(const ChainId& chain, const ChatLine& line, const crypto::KeyPair& author);
// `from_the_future` or `bad_signature`; lines do not expire.
Result<void, RecordError> check(const SignedLine& signed_, const ChainId& chain, Instant now);

// The content of a line's item, the same whoever publishes it. Nothing for a bad read key.
std::optional<Bytes> seal_line(const SignedLine& signed_, const crypto::X25519PublicKey& read_key);
Result<SignedLine, RecordError> open_line(ByteView content, const crypto::X25519KeyPair& read_key);

// Where a line's item is, and what it must be: the target is of SHA-1 only.
struct ChatPointer {
    Id target;
    Hash content;  // BLAKE2b-256
    static void fields(auto& self, auto&& visit) { visit(self.target, self.content); }
    friend bool operator==(const ChatPointer&, const ChatPointer&) = default;
};
inline constexpr std::size_t kChatHeadLines = 16;
struct ChatHead {
    Bounded<ChatPointer, kChatHeadLines> lines;  // oldest first
    static void fields(auto& self, auto&& visit) { visit(self.lines); }
    friend bool operator==(const ChatHead&, const ChatHead&) = default;
};

}  // namespace leither::protocol
