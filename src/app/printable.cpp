#include "app/printable.h"

#include <fmt/format.h>

#include "leither/base/bytes.h"
#include "leither/codec/bcs.h"

namespace leither::app {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 1;
    bool is_valid = false;
};

// The character `text` begins with. REQUIRES: not empty.
Character first_of(std::string_view text) {
    const auto lead = static_cast<std::uint8_t>(text.front());
    const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const std::string_view whole = text.substr(0, bytes);
    if (whole.size() < bytes || !bcs::is_utf8(as_bytes(whole))) return {};
    if (bytes == 1) return {lead, 1, true};
    char32_t code = lead & (0x7fu >> bytes);
    for (const char c : whole.substr(1))
        code = (code << 6) | (static_cast<std::uint8_t>(c) & 0x3fu);
    return {code, bytes, true};
}

bool within(char32_t code, char32_t first, char32_t last) {
    return code >= first && code <= last;
}

// Has no shape of its own, but an effect on others or on the terminal.
bool is_active(char32_t code) {
    return code < 0x20 || within(code, 0x7f, 0x9f) ||  // controls, among them ESC and CSI
           code == 0xad || code == 0x61c ||            // soft hyphen; Arabic letter mark
           within(code, 0x200b, 0x200f) ||             // of no width; left and right marks
           within(code, 0x2028, 0x202e) ||             // separators, embeddings, overrides
           within(code, 0x2060, 0x206f) ||             // joiners, isolates
           code == 0xfeff || within(code, 0xfff9, 0xfffb) ||
           within(code, 0xe0000, 0xe007f);  // tags
}

}  // namespace

std::string printable(std::string_view text, LineBreaks breaks) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character next = first_of(text);
        const bool breaks_line = next.code == U'\n' || next.code == U'\t';
        if (!next.is_valid) {
            out += fmt::format("\\x{{{:02x}}}", static_cast<std::uint8_t>(text.front()));
        } else if (is_active(next.code) && !(breaks_line && breaks == LineBreaks::kept)) {
            out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(next.code));
        } else {
            out += text.substr(0, next.bytes);
        }
        text.remove_prefix(next.bytes);
    }
    return out;
}

}  // namespace leither::app
