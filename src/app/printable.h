// Text of others on a terminal: nothing in it may move the cursor, colour, ring, or reorder what
// stands around it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leither::app {

enum class LineBreaks : std::uint8_t {
    kept,     // "\n" and tabs stay: a text of its own
    escaped,  // everything stays on one line
};
// Control characters, separators and marks of writing direction are written as "\u{1b}", bytes that
// are no UTF-8 as "\x{ff}".
std::string printable(std::string_view text, LineBreaks breaks);

}  // namespace leither::app
