#include "app/qr.h"

#include <memory>

#include <qrencode.h>

#include "app/cli_error.h"

namespace leither::app {

namespace {

constexpr int kQuietZone = 4;  // modules, as ISO/IEC 18004 asks
constexpr const char* kBlackOnWhite = "\x1b[30;107m";
constexpr const char* kPlain = "\x1b[0m";

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

bool is_dark(const QRcode& code, int x, int y) {
    const bool is_inside = x >= 0 && y >= 0 && x < code.width && y < code.width;
    return is_inside && (code.data[y * code.width + x] & 1) != 0;
}

const char* block_of(bool upper, bool lower) {
    if (upper && lower) return "\u2588";
    if (upper) return "\u2580";
    return lower ? "\u2584" : " ";
}

}  // namespace

std::optional<std::string> qr_text(std::string_view text) {
    const std::string terminated(text);
    constexpr int kAnyVersion = 0;
    constexpr int kCaseSensitive = 1;
    const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeString(
        terminated.c_str(), kAnyVersion, QR_ECLEVEL_L, QR_MODE_8, kCaseSensitive));
    if (!code) return std::nullopt;
    std::string out;
    for (int y = -kQuietZone; y < code->width + kQuietZone; y += 2) {
        out += kBlackOnWhite;
        for (int x = -kQuietZone; x < code->width + kQuietZone; ++x) {
            out += block_of(is_dark(*code, x, y), is_dark(*code, x, y + 1));
        }
        out += kPlain;
        out += '\n';
    }
    return out;
}

std::string show_qr(std::string_view text) {
    if (auto code = qr_text(text)) return *std::move(code);
    throw CliError(CliExit::refused, "too_long_for_qr", "The text is too long for a QR code.",
                   "Hand it on as text.");
}

}  // namespace leither::app
