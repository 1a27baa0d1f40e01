// A blocking client of the local API (docs/rpc.md): JSON-RPC over HTTP/1.1, one connection kept
// open between calls. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "leither/base/result.h"

namespace leither::app {

// Where a daemon is and what it wants to be shown.
struct RpcEndpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 7171;
    std::string path = "/rpc";
    std::string cookie;
};
// "http://127.0.0.1:7171/rpc"; the error says what is expected. The cookie stays empty.
Result<RpcEndpoint, std::string> parse_rpc_url(const std::string& url);

// The daemon cannot be reached, hung up, or does not speak HTTP. Whether the request took effect is
// unknown.
class RpcUnreachable : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

// The daemon answered with an error.
class RpcError : public std::runtime_error {
 public:
    struct Details {
        int code = 0;
        std::string name;          // `insufficient_balance`, ...; empty if it has none
        std::uint64_t actual = 0;  // of a refusal
        std::uint64_t limit = 0;
        std::string message;
    };
    explicit RpcError(Details details)
        : std::runtime_error(details.message), details_(std::move(details)) {}
    const Details& details() const { return details_; }

 private:
    Details details_;
};

// Whoever brings a call to the daemon: over its socket, or from within.
class RpcCaller {
 public:
    virtual ~RpcCaller() = default;
    // The `result` of one call; `params` is an object. Throws RpcUnreachable or RpcError.
    virtual nlohmann::json call(const std::string& method, const nlohmann::json& params) = 0;
};
// The `result` of a reply. Throws RpcError. REQUIRES: an object.
nlohmann::json result_of(nlohmann::json&& reply);

class RpcClient final : public RpcCaller {
 public:
    explicit RpcClient(RpcEndpoint endpoint);
    RpcClient(RpcClient&& other) noexcept;
    RpcClient& operator=(RpcClient&& other) noexcept;
    ~RpcClient() override;

    nlohmann::json call(const std::string& method, const nlohmann::json& params) override;

    const RpcEndpoint& endpoint() const { return endpoint_; }

 private:
    struct Response {
        unsigned status = 0;
        std::string body;
    };

    Response post(const std::string& body);
    void connect();
    void disconnect();
    void send_all(const std::string& bytes);
    Response receive();
    // Reads more into `received_`; false at the end of the stream.
    bool receive_some();

    RpcEndpoint endpoint_;
    int socket_ = -1;
    std::string received_;  // bytes read and not yet used
    std::uint64_t next_id_ = 1;
};

}  // namespace leither::app
