// QR codes for terminals. The only file that knows libqrencode is qr.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace leither::app {

// Two modules a line in half blocks, dark on light whatever the terminal's colours, with the quiet
// zone scanners want. Nothing if the text is too long for any code.
std::optional<std::string> qr_text(std::string_view text);
// The same; throws CliError if no code holds so much.
std::string show_qr(std::string_view text);

}  // namespace leither::app
