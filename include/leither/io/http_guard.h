// Who may speak to the local API, as pure functions of a request's head. A web page in the user's
// own browser can reach loopback ports; what it cannot do is forge Host and Origin or read the
// cookie file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leither::io {

// What the checks look at. Absent headers are nullopt.
struct RequestHead {
    std::string method;
    std::string target;
    unsigned version = 11;  // 10 or 11
    std::optional<std::string> host;
    std::optional<std::string> origin;
    std::optional<std::string> authorization;
    std::optional<std::string> cookie = {};  // the Cookie header, whole
    std::optional<std::string> content_type = {};
    std::optional<std::string> if_none_match = {};
    std::optional<std::string> protocols = {};  // Sec-WebSocket-Protocol
};

// Why a request is not served: an HTTP status and a sentence with the remedy.
struct Denial {
    unsigned status = 400;
    std::string_view reason;
};

// A loopback name (127.0.0.1, localhost, [::1]) with or without port.
bool is_loopback_authority(std::string_view authority);
// Compares without telling by its duration how much agrees.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// Method, target, Host and Origin; nothing if they are in order.
std::optional<Denial> check_origin(const RequestHead& head);
// Whether the page that asks was served by us: Origin is sent and names our very Host, port and
// all. A page of another program on this machine has a loopback Origin too, but not this one.
bool is_own_origin(const RequestHead& head);
// The bearer cookie.
std::optional<Denial> check_cookie(const RequestHead& head, std::string_view cookie);
// What stands behind `scheme` and a space in Authorization; nothing if another scheme does.
std::optional<std::string_view> credential(const RequestHead& head, std::string_view scheme);
// The browser's cookie of that name; nothing if there is none, or more than one.
std::optional<std::string_view> browser_cookie(const RequestHead& head, std::string_view name);
// Whether a comma-separated header names `word`; and the rest of its first word with that
// beginning.
bool has_word(std::string_view list, std::string_view word);
std::optional<std::string_view> word_behind(std::string_view list, std::string_view beginning);
// The target without its query.
std::string_view path_of(std::string_view target);

}  // namespace leither::io
