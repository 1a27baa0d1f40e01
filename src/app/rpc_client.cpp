#include "app/rpc_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace leither::app {

namespace {

using nlohmann::json;

// Longer than any single answer takes, so a stuck daemon is noticed.
constexpr int kPatienceMs = 60'000;
constexpr std::size_t kHeaderBytesMax = 16 << 10;
constexpr std::size_t kBodyBytesMax = 256 << 20;

[[noreturn]] void unreachable(const RpcEndpoint& endpoint, std::string_view cause) {
    throw RpcUnreachable(
        fmt::format("the daemon at {}:{} {}", endpoint.host, endpoint.port, cause));
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

// The value of a header field in `head`, nothing if it is absent.
std::optional<std::string> header_field(const std::string& head, std::string_view name) {
    const std::string wanted = fmt::format("\r\n{}:", name);
    const std::string haystack = lower(head);
    auto begin = haystack.find(wanted);
    if (begin == std::string::npos) return std::nullopt;
    begin += wanted.size();
    const auto end = haystack.find("\r\n", begin);
    std::string value = haystack.substr(begin, end - begin);
    value.erase(0, value.find_first_not_of(' '));
    return value;
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

struct AddressList {
    explicit AddressList(const RpcEndpoint& endpoint) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        const std::string port = std::to_string(endpoint.port);
        if (::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &first) != 0) {
            unreachable(endpoint, "has no such address; check --rpc");
        }
    }
    AddressList(const AddressList&) = delete;
    AddressList& operator=(const AddressList&) = delete;
    ~AddressList() { ::freeaddrinfo(first); }
    addrinfo* first = nullptr;
};

RpcError::Details error_details(const json& error) {
    RpcError::Details details;
    details.code = error.value("code", 0);
    details.message = error.value("message", "the daemon gave no reason");
    const auto data = error.find("data");
    if (data == error.end() || !data->is_object()) return details;
    details.name = data->value("name", "");
    details.actual = data->value("actual", std::uint64_t{0});
    details.limit = data->value("limit", std::uint64_t{0});
    return details;
}

}  // namespace

Result<RpcEndpoint, std::string> parse_rpc_url(const std::string& url) {
    constexpr std::string_view kScheme = "http://";
    const auto refuse = [&url] {
        return fail(fmt::format(
            "\"{}\" is no address of a daemon; write for example http://127.0.0.1:7171/rpc", url));
    };
    if (!url.starts_with(kScheme)) return refuse();
    std::string_view rest = std::string_view(url).substr(kScheme.size());
    RpcEndpoint endpoint;
    if (const auto slash = rest.find('/'); slash != rest.npos) {
        if (slash + 1 < rest.size()) endpoint.path = std::string(rest.substr(slash));
        rest = rest.substr(0, slash);
    }
    const auto colon = rest.rfind(':');
    if (colon == rest.npos) return refuse();
    const auto port = parse_number<std::uint16_t>(rest.substr(colon + 1));
    if (!port || *port == 0) return refuse();
    endpoint.port = *port;
    std::string_view host = rest.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return refuse();
    endpoint.host = std::string(host);
    return endpoint;
}

json result_of(json&& reply) {
    if (const auto error = reply.find("error"); error != reply.end()) {
        throw RpcError(error_details(*error));
    }
    return std::move(reply["result"]);
}

RpcClient::RpcClient(RpcEndpoint endpoint) : endpoint_(std::move(endpoint)) {}

RpcClient::RpcClient(RpcClient&& other) noexcept
    : endpoint_(std::move(other.endpoint_)),
      socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      next_id_(other.next_id_) {}

RpcClient& RpcClient::operator=(RpcClient&& other) noexcept {
    std::swap(endpoint_, other.endpoint_);
    std::swap(socket_, other.socket_);
    std::swap(received_, other.received_);
    next_id_ = other.next_id_;
    return *this;
}

RpcClient::~RpcClient() {
    disconnect();
}

json RpcClient::call(const std::string& method, const json& params) {
    json request = {{"jsonrpc", "2.0"}, {"id", next_id_++}, {"method", method}};
    if (!params.is_null()) request["params"] = params;
    const Response response = post(request.dump());
    json reply = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
    if (response.status == 401 || response.status == 403) {
        unreachable(endpoint_,
                    "does not accept the cookie; it is new at each start: read it again "
                    "with --data-dir or --cookie");
    }
    if (!reply.is_object()) {
        unreachable(endpoint_, fmt::format("answered with HTTP status {} and no JSON-RPC reply",
                                           response.status));
    }
    return result_of(std::move(reply));
}

// A kept connection that the daemon has closed meanwhile is no failure: the request is sent once
// more on a fresh one. Only if nothing came back at all, so no request is ever answered twice.
RpcClient::Response RpcClient::post(const std::string& body) {
    const std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        endpoint_.path, endpoint_.host == "::1" ? "[::1]" : endpoint_.host, endpoint_.port,
        endpoint_.cookie, body.size(), body);
    bool reused = socket_ >= 0;
    for (;;) {
        try {
            if (socket_ < 0) connect();
            send_all(request);
            return receive();
        } catch (const RpcUnreachable&) {
            const bool nothing_came = received_.empty();
            disconnect();
            if (!std::exchange(reused, false) || !nothing_came) throw;
        }
    }
}

void RpcClient::connect() {
    const AddressList addresses(endpoint_);
    for (const addrinfo* at = addresses.first; at != nullptr; at = at->ai_next) {
        socket_ = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (socket_ < 0) continue;
        if (::connect(socket_, at->ai_addr, at->ai_addrlen) == 0) break;
        disconnect();
    }
    if (socket_ < 0) unreachable(endpoint_, "cannot be reached; is leitherd running?");
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void RpcClient::disconnect() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    received_.clear();
}

void RpcClient::send_all(const std::string& bytes) {
    std::string_view left = bytes;
    while (!left.empty()) {
        const ssize_t sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) unreachable(endpoint_, "hung up");
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool RpcClient::receive_some() {
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kPatienceMs);
    if (ready < 0 && errno == EINTR) return true;
    if (ready <= 0) unreachable(endpoint_, "does not answer");
    std::array<char, 64 << 10> chunk;
    const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) return true;
    if (got < 0) unreachable(endpoint_, "hung up");
    received_.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0;
}

RpcClient::Response RpcClient::receive() {
    std::size_t head_end = 0;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (received_.size() > kHeaderBytesMax || !receive_some()) {
            unreachable(endpoint_, "hung up before it answered");
        }
    }
    const std::string head = received_.substr(0, head_end + 2);
    const std::string_view status_line = std::string_view(head).substr(0, head.find("\r\n"));
    const auto status = status_line.size() >= 12 && status_line.starts_with("HTTP/1.")
                            ? parse_number<unsigned>(status_line.substr(9, 3))
                            : std::nullopt;
    const auto length_text = header_field(head, "content-length");
    const auto length = parse_number<std::size_t>(length_text.value_or(""));
    if (!status || !length || *length > kBodyBytesMax) {
        unreachable(endpoint_, "does not speak HTTP as leitherd does; check --rpc");
    }
    const std::size_t body_begin = head_end + 4;
    while (received_.size() < body_begin + *length) {
        if (!receive_some()) unreachable(endpoint_, "hung up in the middle of an answer");
    }
    Response response{*status, received_.substr(body_begin, *length)};
    received_.erase(0, body_begin + *length);
    if (header_field(head, "connection") == "close") disconnect();
    return response;
}

}  // namespace leither::app
