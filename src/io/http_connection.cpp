// One client's HTTP requests, one after the other.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "http_client.h"

namespace leither::io {
namespace {

constexpr Duration kLingerTime = std::chrono::seconds(2);

const char* reason_phrase(unsigned status) {
    switch (status) {
        case 200: return "OK";
        case 204: return "No Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 413: return "Content Too Large";
        case 431: return "Request Header Fields Too Large";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

// What a browser may do with what comes from here: nothing but run our own files.
constexpr std::string_view kPolicy =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "
    "'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

class HttpConnection final : public HttpClient,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
    HttpConnection(std::shared_ptr<HttpContext> context, ClientId id, Tcp::socket socket)
        : context_(std::move(context)),
          id_(id),
          socket_(std::move(socket)),
          deadline_(socket_.get_executor()),
          reader_(limits()) {}

    void start() {
        ErrorCode ignored;
        socket_.non_blocking(true, ignored);
        await_request();
    }
    void finish() override {
        last_ = true;
        if (phase_ == Phase::idle) end();
    }
    void abandon() override { end(); }

 private:
    enum class Phase : std::uint8_t {
        idle,      // between requests
        reading,   // within a request
        handling,  // the handler owes a response
        writing,
        lingering,  // refused and told so; the client may still be sending
        ended,
    };

    RequestReader::Limits limits() const {
        return {context_->options.header_bytes_max, context_->options.body_bytes_max};
    }

    // ---- Reading --------------------------------------------------------------------------------
    void await_request() {
        phase_ = Phase::idle;
        reader_ = RequestReader(limits());
        set_deadline(context_->options.idle_time_max);
        process_unread();
    }
    void await_bytes() {
        socket_.async_wait(Tcp::socket::wait_read,
                           [self = shared_from_this()](const ErrorCode& error) {
                               if (error) return self->end();
                               self->on_readable();
                           });
    }
    void on_readable() {
        if (phase_ == Phase::ended) return;
        ErrorCode error;
        auto& scratch = context_->scratch;
        const auto size = socket_.read_some(asio::buffer(scratch), error);
        if (error == asio::error::would_block) return await_bytes();
        if (error) return end();
        if (phase_ == Phase::lingering) return await_bytes();
        unread_.append(scratch.data(), size);
        process_unread();
    }
    void process_unread() {
        std::string_view bytes = unread_;
        process(bytes);
        unread_.erase(0, unread_.size() - bytes.size());
        if (unread_.empty()) unread_.shrink_to_fit();
        if (phase_ == Phase::idle || phase_ == Phase::reading) await_bytes();
    }
    // Goes on until the request is complete or needs more bytes.
    void process(std::string_view& bytes) {
        if (phase_ == Phase::idle && !bytes.empty()) {
            phase_ = Phase::reading;
            set_deadline(context_->options.request_time_max);
        }
        while (phase_ == Phase::reading) {
            const auto progress = reader_.feed(bytes);
            if (!progress) return deny(progress.error());
            switch (*progress) {
                case RequestReader::Progress::needs_more: return;
                case RequestReader::Progress::head: on_head(); break;
                case RequestReader::Progress::complete: return on_request();
            }
        }
    }
    void on_head() {
        if (const auto denial = vet()) return deny(*denial);
        if (!reader_.expects_continue()) return;
        // 25 bytes into an empty send buffer: it takes them, or the client is beyond help.
        ErrorCode ignored;
        socket_.write_some(asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25), ignored);
    }
    std::optional<Denial> vet() const {
        const auto& head = reader_.head();
        if (auto denial = check_origin(head)) return denial;
        if (context_->handler.access(path_of(head.target)) == Access::open) return std::nullopt;
        auto denial = check_cookie(head, context_->options.cookie);
        if (denial && context_->handler.admits(head)) return std::nullopt;
        return denial;
    }

    // ---- Handling -------------------------------------------------------------------------------
    void on_request() {
        phase_ = Phase::handling;
        deadline_.cancel();
        const RequestHead& head = reader_.head();
        if (reader_.is_websocket_upgrade() && head.method == "GET") return upgrade(head);
        last_ = last_ || !reader_.keep_alive();
        context_->handler.on_request({head, std::string(path_of(head.target)), reader_.take_body()},
                                     [weak = weak_from_this()](HttpResponse&& response) {
                                         const auto self = weak.lock();
                                         if (self && self->phase_ == Phase::handling)
                                             self->respond(std::move(response));
                                     });
    }
    void upgrade(const RequestHead& head) {
        const auto self = shared_from_this();  // context_->clients lets go of us
        if (start_websocket(context_, id_, socket_, head, reader_.take_upgrade())) {
            phase_ = Phase::ended;
        } else {
            deny({404, "no WebSocket here"});
        }
    }
    void deny(const Denial& denial) {
        context_->log.debug("request_denied", "status={}", denial.status);
        last_ = true;
        denied_ = true;
        respond({.status = denial.status,
                 .content_type = "text/plain",
                 .body = std::string(denial.reason) + "\n"});
    }

    // ---- Writing --------------------------------------------------------------------------------
    void respond(HttpResponse&& response) {
        phase_ = Phase::writing;
        set_deadline(context_->options.write_time_max);
        head_text_ =
            response_head(response, last_ ? AfterResponse::close : AfterResponse::keep_alive);
        body_ = std::move(response.body);
        const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head_text_),
                                                           asio::buffer(body_)};
        asio::async_write(socket_, buffers,
                          [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                              if (error || self->phase_ != Phase::writing) return self->end();
                              self->on_written();
                          });
    }
    void on_written() {
        body_ = {};
        if (!last_) return await_request();
        if (denied_) return linger();
        end();
    }
    // Closing with bytes unread would reset the connection and could take our answer with it.
    void linger() {
        phase_ = Phase::lingering;
        ErrorCode ignored;
        socket_.shutdown(Tcp::socket::shutdown_send, ignored);
        set_deadline(kLingerTime);
        await_bytes();
    }

    // ---- Ending ---------------------------------------------------------------------------------
    void set_deadline(Duration time) {
        deadline_.expires_after(time);
        deadline_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
            const auto self = weak.lock();
            if (self && !error) self->on_deadline();
        });
    }
    void on_deadline() {
        if (phase_ == Phase::reading) return deny({408, "the request took too long"});
        end();
    }
    void end() {
        if (std::exchange(phase_, Phase::ended) == Phase::ended) return;
        deadline_.cancel();
        ErrorCode ignored;
        socket_.close(ignored);
        context_->clients.erase(id_);
    }

    std::shared_ptr<HttpContext> context_;
    ClientId id_;
    Tcp::socket socket_;
    asio::steady_timer deadline_;
    RequestReader reader_;
    std::string unread_;
    std::string head_text_;
    std::string body_;
    Phase phase_ = Phase::idle;
    bool last_ = false;    // close after this response
    bool denied_ = false;  // the rest of the request has not been read
};

}  // namespace

std::string response_head(const HttpResponse& response, AfterResponse after) {
    const bool has_body = response.status != 204 && response.status != 304;
    std::string head =
        fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
    if (has_body) {
        head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                            response.body.size());
    }
    // no-cache: kept, but not used without asking us.
    head += response.etag.empty()
                ? std::string("Cache-Control: no-store\r\n")
                : fmt::format("Cache-Control: no-cache\r\nETag: {}\r\n", response.etag);
    if (!response.set_cookie.empty()) {
        head += fmt::format("Set-Cookie: {}\r\n", response.set_cookie);
    }
    head += kPolicy;
    if (after == AfterResponse::close) head += "Connection: close\r\n";
    return head += "\r\n";
}

void start_http(std::shared_ptr<HttpContext> context, ClientId id, Tcp::socket socket) {
    auto& clients = context->clients;
    const auto connection =
        std::make_shared<HttpConnection>(std::move(context), id, std::move(socket));
    clients[id] = connection;
    connection->start();
}

}  // namespace leither::io
