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
    constexpr std::string_view kScheme = "Bearer ";
    const std::string_view sent = head.authorization ? *head.authorization : std::string_view();
    // An empty cookie would let everybody in, so it lets nobody in.
    if (cookie.empty() || !starts_with(sent, kScheme) ||
        !equal_in_constant_time(sent.substr(kScheme.size()), cookie)) {
        return Denial{401,
                      "send \"Authorization: Bearer\" and the content of the file cookie in "
                      "the data directory"};
    }
    return std::nullopt;
}

std::string_view path_of(std::string_view target) {
    return target.substr(0, target.find('?'));
}

}  // namespace leither::io
