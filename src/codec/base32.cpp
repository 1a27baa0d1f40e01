#include "leither/codec/base32.h"

#include <algorithm>

namespace leither {

namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr unsigned kBits = 5;
static_assert(kAlphabet.size() == 1U << kBits);

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

std::optional<unsigned> value_of(char c) {
    const char lower = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    const auto at = kAlphabet.find(lower);
    if (at == std::string_view::npos) return std::nullopt;
    return static_cast<unsigned>(at);
}

}  // namespace

std::string to_base32(ByteView bytes) {
    std::string text;
    text.reserve((bytes.size() * 8 + kBits - 1) / kBits);
    unsigned held = 0;
    unsigned bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = (held << 8 | byte) & 0xfffU;
        bits += 8;
        while (bits >= kBits) {
            bits -= kBits;
            text += kAlphabet[held >> bits & 31U];
        }
    }
    if (bits > 0) text += kAlphabet[held << (kBits - bits) & 31U];
    return text;
}

std::optional<Bytes> from_base32(std::string_view text) {
    const bool is_mixed =
        std::ranges::any_of(text, is_upper) && std::ranges::any_of(text, is_lower);
    // A last character that no byte needs would make a second text of the same bytes.
    const bool is_too_long = text.size() * kBits % 8 >= kBits;
    if (is_mixed || is_too_long) return std::nullopt;
    Bytes bytes;
    bytes.reserve(text.size() * kBits / 8);
    unsigned held = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const auto value = value_of(c);
        if (!value) return std::nullopt;
        held = (held << kBits | *value) & 0xfffU;
        bits += kBits;
        if (bits < 8) continue;
        bits -= 8;
        bytes.push_back(static_cast<std::uint8_t>(held >> bits & 0xffU));
    }
    const bool has_rest = (held & ((1U << bits) - 1)) != 0;
    if (has_rest) return std::nullopt;
    return bytes;
}

}  // namespace leither
