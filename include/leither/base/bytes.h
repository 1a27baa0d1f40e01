// Byte sequences and their hexadecimal form (lower case, no prefix).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leither {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes);

// Nothing if `hex` has an odd length or a character outside [0-9a-fA-F].
std::optional<Bytes> from_hex(std::string_view hex);
// As above, into `out`; false also if the length is not exactly 2 * out.size().
bool from_hex(std::string_view hex, std::span<std::uint8_t> out);

}  // namespace leither
