#include "leither/io/http_guard.h"

#include <algorithm>
#include <array>

namespace leither::io {
namespace {

constexpr std::array<std::string_view, 3> kLoopbackNames = {"127.0.0.1", "localhost", "[::1]"};

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes the first piece off the front of `list`, without blanks around it.
std::string_view take_piece(std::string_view& list, char separator) {
    const auto end = std::min(list.find(separator), list.size());
    const auto piece = trimmed(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    return piece;
}

}  // namespace

bool is_loopback_authority(std::string_view authority) {
    for (const auto name : kLoopbackNames) {
        if (!starts_with(authority, name)) continue;
        const auto rest = authority.substr(name.size());
        return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
    }
    return false;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    // The length of the cookie is no secret.
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    }
    return difference == 0;
}

std::optional<Denial> check_origin(const RequestHead& head) {
    if (head.method != "GET" && head.method != "POST") {
        return Denial{405, "only GET and POST are served"};
    }
    if (!starts_with(head.target, "/")) return Denial{400, "the target must be a path"};
    if (!head.host) return Denial{400, "a Host header is needed"};
    if (!is_loopback_authority(*head.host)) {
        return Denial{403, "Host must be 127.0.0.1, localhost or [::1]"};
    }
    if (!head.origin) return std::nullopt;
    constexpr std::string_view kScheme = "http://";
    if (!starts_with(*head.origin, kScheme) ||
        !is_loopback_authority(std::string_view(*head.origin).substr(kScheme.size()))) {
        return Denial{403, "Origin must be http:// and a loopback host"};
    }
    return std::nullopt;
}

std::optional<Denial> check_cookie(const RequestHead& head, std::string_view cookie) {
    const auto sent = credential(head, "Bearer");
    // An empty cookie would let everybody in, so it lets nobody in.
    if (cookie.empty() || !sent || !equal_in_constant_time(*sent, cookie)) {
        return Denial{401,
                      "send \"Authorization: Bearer\" and the content of the file cookie in "
                      "the data directory"};
    }
    return std::nullopt;
}

bool is_own_origin(const RequestHead& head) {
    return head.host && head.origin && is_loopback_authority(*head.host) &&
           *head.origin == "http://" + *head.host;
}

std::optional<std::string_view> credential(const RequestHead& head, std::string_view scheme) {
    if (!head.authorization) return std::nullopt;
    const std::string_view sent = *head.authorization;
    if (!starts_with(sent, scheme) || sent.substr(scheme.size(), 1) != " ") return std::nullopt;
    return sent.substr(scheme.size() + 1);
}

std::optional<std::string_view> browser_cookie(const RequestHead& head, std::string_view name) {
    if (!head.cookie) return std::nullopt;
    std::optional<std::string_view> found;
    std::string_view rest = *head.cookie;
    while (!rest.empty()) {
        const auto piece = take_piece(rest, ';');
        if (!starts_with(piece, name) || piece.substr(name.size(), 1) != "=") continue;
        // Somebody else on this host has set one too: which is ours cannot be told.
        if (found) return std::nullopt;
        found = piece.substr(name.size() + 1);
    }
    return found;
}

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        if (take_piece(list, ',') == word) return true;
    }
    return false;
}

std::optional<std::string_view> word_behind(std::string_view list, std::string_view beginning) {
    while (!list.empty()) {
        const auto piece = take_piece(list, ',');
        if (starts_with(piece, beginning)) return piece.substr(beginning.size());
    }
    return std::nullopt;
}

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

}  // namespace leither::io
