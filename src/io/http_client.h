// What the server's connections share.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "leither/io/http_server.h"

#include "asio.h"
#include "http_reader.h"

namespace leither::io {

using ClientId = std::uint64_t;

// A connected program, speaking HTTP or, after an upgrade, WebSocket.
class HttpClient {
 public:
    virtual ~HttpClient() = default;
    // Ends the connection after the response at hand, or now if there is none.
    virtual void finish() = 0;
    // Ends it now. The handler is not called any more.
    virtual void abandon() = 0;
};

struct HttpContext {
    HttpContext(HttpOptions given, HttpHandler& its_handler, Log its_log)
        : options(std::move(given)), handler(its_handler), log(std::move(its_log)) {}

    HttpOptions options;
    HttpHandler& handler;
    Log log;
    // Where every connection reads into, one after the other: an idle one needs no buffer.
    std::vector<char> scratch = std::vector<char>(std::size_t{64} << 10);
    std::unordered_map<ClientId, std::shared_ptr<HttpClient>> clients;
};

enum class AfterResponse : std::uint8_t { keep_alive, close };
std::string response_head(const HttpResponse& response, AfterResponse after);

// Both put the client into context.clients[id] and take it out when it ends.
void start_http(std::shared_ptr<HttpContext> context, ClientId id, Tcp::socket socket);
// Takes over from the HTTP connection `id`. False if the handler does not want it.
bool start_websocket(const std::shared_ptr<HttpContext>& context, ClientId id, Tcp::socket& socket,
                     const RequestHead& head, std::shared_ptr<UpgradeRequest> request);

}  // namespace leither::io
