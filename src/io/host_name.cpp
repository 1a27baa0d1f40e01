#include "leither/io/host_name.h"

#include <algorithm>
#include <charconv>

namespace leither::io {
namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_label(std::string_view label) {
    const auto is_allowed = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    };
    return !label.empty() && label.size() <= kLabelBytesMax &&
           std::ranges::all_of(label, is_allowed) && label.front() != '-' && label.back() != '-';
}

bool is_host(std::string_view host) {
    if (host.empty() || host.size() > kHostBytesMax) return false;
    for (;;) {
        const std::size_t dot = host.find('.');
        const std::string_view label = host.substr(0, dot);
        if (!is_label(label)) return false;
        if (dot == std::string_view::npos) return !std::ranges::all_of(label, is_digit);
        host.remove_prefix(dot + 1);
    }
}

}  // namespace

std::optional<HostName> HostName::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return std::nullopt;
    const std::string_view digits = text.substr(colon + 1);
    HostName name{std::string(text.substr(0, colon)), 0};
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), name.port);
    const bool is_whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    if (!is_whole || digits.starts_with('0')) return std::nullopt;
    return name;
}

}  // namespace leither::io
