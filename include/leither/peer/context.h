// What a connection is about, and the bytes with which a dialer says so.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "leither/base/fixed_bytes.h"

namespace leither::peer {

// The organization two nodes have in common: its chain if the dialer knows it, else its bare id. It
// is part of the handshake's prologue, so both sides mean the same one or do not connect.
class Context {
 public:
    enum class Kind : std::uint8_t { chain, organization };  // on the wire; never change these

    constexpr Context() = default;
    static Context of(const ChainId& chain);
    static Context of(const Id& organization);
    static std::optional<Context> from(std::uint8_t kind, ByteView id);

    Kind kind() const { return kind_; }
    // 32 bytes; an organization's id is followed by zeros.
    ByteView id() const { return id_; }
    // What signatures of the handshake are bound to: zero for a bare organization.
    ChainId chain() const;

    friend auto operator<=>(const Context&, const Context&) = default;

 private:
    Kind kind_ = Kind::chain;
    std::array<std::uint8_t, 32> id_{};
};

// How much the dialer knows: XK the responder's static key, XX nothing (first contact).
enum class Pattern : std::uint8_t { xk, xx };  // on the wire; never change these values
const char* to_string(Pattern pattern);

// "LTHR" | version 1 | pattern | kind of context | 32 bytes: sent in the clear by the dialer, then
// the prologue of the handshake (docs/protocol/transport.md).
inline constexpr std::size_t kPreambleBytes = 39;
struct Preamble {
    Pattern pattern = Pattern::xx;
    Context context;

    std::array<std::uint8_t, kPreambleBytes> encode() const;
    // Nothing for other bytes. REQUIRES: bytes.size() == kPreambleBytes.
    static std::optional<Preamble> decode(ByteView bytes);
    friend bool operator==(const Preamble&, const Preamble&) = default;
};

}  // namespace leither::peer
