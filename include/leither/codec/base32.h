// Bytes as text for people, messages and QR codes: five bits a character, in an alphabet without
// what is easily mistaken (that of BIP 173). One text for each value, but for the case of letters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leither/base/bytes.h"

namespace leither {

// Lower case.
std::string to_base32(ByteView bytes);
// In lower or in upper case, never mixed; nothing for any other text.
std::optional<Bytes> from_base32(std::string_view text);

}  // namespace leither
