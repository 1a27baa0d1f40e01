#include "leither/base/amount.h"

namespace leither {

std::string format_amount(Amount amount, unsigned decimals) {
    CHECK(decimals <= kDecimalsMax);
    std::string digits = std::to_string(amount.units());
    if (decimals == 0) return digits;
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
    return digits;
}

std::optional<Amount> parse_amount(std::string_view text, unsigned decimals) {
    CHECK(decimals <= kDecimalsMax);
    const auto point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction =
        point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    if (whole.empty() || fraction.size() > decimals) return std::nullopt;
    if (point != std::string_view::npos && fraction.empty()) return std::nullopt;

    std::string digits(whole);
    digits += fraction;
    digits.append(decimals - fraction.size(), '0');
    Uint128 units = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        units = units * 10 + static_cast<unsigned>(c - '0');
        if (units > Amount::kMax) return std::nullopt;
    }
    return Amount::from(static_cast<std::uint64_t>(units));
}

}  // namespace leither
