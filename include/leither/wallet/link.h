// What people hand to each other as text: in a message, as a file or as a QR code. A link is
// "leither:KIND:" and the base32 of BCS and checksum (docs/protocol/joining.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leither::wallet {

// In order of precedence.
enum class LinkFault : std::uint8_t {
    other_kind,    // begins otherwise
    too_long,      // no honest one has so many characters
    damaged,       // a character that does not belong there, or the checksum does not fit
    not_readable,  // whole, but of a later version, or made by somebody else's program
};
const char* to_string(LinkFault fault);
// One sentence with the cause, and what to do.
std::string explain(LinkFault fault, std::string_view what);

// The longest of all kinds.
inline constexpr std::size_t kLinkCharactersMax = 4000;
// For QR codes: the same link in the characters they hold most of.
std::string in_capitals(std::string_view link);

// The first piece of `text`, between white space, that begins with `prefix`; empty if there is
// none. So people may write something around it.
std::string_view find_link(std::string_view text, std::string_view prefix);

}  // namespace leither::wallet
