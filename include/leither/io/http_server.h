// An HTTP/1.1 and WebSocket server for programs on the same machine. Knows no node and no JSON:
// what a request means is its handler's matter.
//
// Specification
//   * Every request is vetted before its body is read (io/http_guard.h): Host and Origin, then,
//     where the handler wants it, the bearer cookie or what the handler takes in its place.
//   * Every response forbids what a page of ours never needs: scripts, styles and connections of
//     others, inline ones, frames, forms (docs/dashboard.md).
//   * Limits: connections, header bytes, body bytes, time for a request, idle time. A client above
//     one of them is answered with the status that says so, if it can be, and disconnected.
//   * Requests of one connection are answered in order, one at a time; what a client pipelines
//     waits unread. A WebSocket's requests overlap up to `websocket_requests_max`.
//   * A WebSocket client that does not read is disconnected once `outbox_bytes_max` wait for it.
//   * No timer runs while there is no connection.
// All calls and callbacks on the reactor's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "leither/base/log.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/io/http_guard.h"
#include "leither/io/reactor.h"

namespace leither::io {

struct HttpOptions {
    std::string address = "127.0.0.1";  // an IP address
    std::uint16_t port = 0;             // 0: any free one
    std::string cookie = {};
    std::size_t body_bytes_max = std::size_t{2} << 20;
    std::size_t header_bytes_max = std::size_t{8} << 10;
    std::size_t connections_max = 64;
    Duration request_time_max = std::chrono::seconds(30);  // from first byte to last
    Duration idle_time_max = std::chrono::seconds(60);     // between requests, or before the first
    Duration write_time_max = std::chrono::seconds(30);
    std::size_t outbox_bytes_max = std::size_t{4} << 20;
    std::size_t websocket_requests_max = 32;
};

struct HttpRequest {
    RequestHead head;  // its method is "GET" or "POST"
    std::string path;  // without the query
    std::string body;
};
struct HttpResponse {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body = {};
    std::string etag = {};        // if there is one, browsers may keep the body and ask again by it
    std::string set_cookie = {};  // empty: none
};
using Respond = std::function<void(HttpResponse&&)>;
using SendText = std::function<void(std::string)>;

// One WebSocket client, as the handler sees it. Destroyed when the client is gone.
class WebSocketPeer {
 public:
    virtual ~WebSocketPeer() = default;
    // `done` is called exactly once, with the reply or an empty text for none.
    virtual void on_text(std::string_view text, SendText done) = 0;
};

enum class Access : std::uint8_t { open, cookie };

class HttpHandler {
 public:
    virtual ~HttpHandler() = default;
    // Whether a request for `path` must show the cookie.
    virtual Access access(std::string_view path) const = 0;
    // Whether a request that must and does not is let in all the same.
    virtual bool admits(const RequestHead& /*head*/) { return false; }
    // Calls `respond` exactly once, now or later.
    virtual void on_request(HttpRequest&& request, Respond respond) = 0;
    // A client asks to upgrade; null refuses. `push` sends a text unasked; it may be called until
    // the peer is destroyed. Of the protocols that the client offers, `leither.rpc` is agreed to.
    virtual std::unique_ptr<WebSocketPeer> on_websocket(const RequestHead& head, SendText push) = 0;
};

class HttpServer {
 public:
    // `reactor` and `handler` outlive the server.
    HttpServer(HttpOptions options, Reactor& reactor, HttpHandler& handler, Log log);
    ~HttpServer();

    // Listens; the port taken, or what the operator reads.
    Result<std::uint16_t, std::string> listen();
    // Stops listening, ends idle connections now and the others after the response at hand.
    void close();
    std::size_t connections() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
