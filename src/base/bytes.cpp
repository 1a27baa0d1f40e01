#include "leither/base/bytes.h"

#include <array>

namespace leither {

namespace {

constexpr std::uint8_t kNoDigit = 0xff;

// The value of each character as a digit; transactions arrive as hex by the thousand.
constexpr auto kDigitValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
    for (std::uint8_t i = 0; i < 6; ++i) {
        values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
    }
    return values;
}();

std::uint8_t digit(char c) {
    return kDigitValues[static_cast<unsigned char>(c)];
}

}  // namespace

std::string to_hex(ByteView bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex(bytes.size() * 2, '0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        hex[2 * i] = kDigits[bytes[i] >> 4];
        hex[2 * i + 1] = kDigits[bytes[i] & 15];
    }
    return hex;
}

bool from_hex(std::string_view hex, std::span<std::uint8_t> out) {
    if (hex.size() != 2 * out.size()) return false;
    unsigned seen = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::uint8_t high = digit(hex[2 * i]);
        const std::uint8_t low = digit(hex[2 * i + 1]);
        seen |= high | low;
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return seen < 16;
}

std::optional<Bytes> from_hex(std::string_view hex) {
    Bytes bytes(hex.size() / 2);
    if (!from_hex(hex, std::span(bytes))) return std::nullopt;
    return bytes;
}

}  // namespace leither
