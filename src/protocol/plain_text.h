// What is shown to people without ado.
#pragma once

#include <algorithm>
#include <string_view>

namespace leither::protocol {

// Without control characters of ASCII. That it is UTF-8 the codec has seen to.
inline bool is_plain_text(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

}  // namespace leither::protocol
