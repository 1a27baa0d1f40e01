#include "leither/io/http_server.h"

#include <utility>

#include <fmt/format.h>

#include "http_client.h"

namespace leither::io {
namespace {

// How long to wait when the system has no descriptor left for another connection.
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);

void turn_away(Tcp::socket& socket) {
    const HttpResponse response = {503, "text/plain", "too many connections\n"};
    const std::string text = response_head(response, AfterResponse::close) + response.body;
    ErrorCode ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(Tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
    Impl(HttpOptions options, Reactor& reactor, HttpHandler& handler, Log log)
        : context(std::make_shared<HttpContext>(std::move(options), handler, std::move(log))),
          acceptor(reactor.context()),
          pause(reactor.context()) {}

    Result<std::uint16_t, std::string> listen();
    void accept_next();
    void on_accepted(Tcp::socket socket);
    template <class Act>
    void each_client(Act act);

    std::shared_ptr<HttpContext> context;
    Tcp::acceptor acceptor;
    asio::steady_timer pause;
    ClientId last_id = 0;
};

Result<std::uint16_t, std::string> HttpServer::Impl::listen() {
    const auto& options = context->options;
    ErrorCode error;
    const auto address = asio::ip::make_address(options.address, error);
    const Tcp::endpoint endpoint(address, options.port);
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        return fail(fmt::format("cannot listen on {} port {}: {}", options.address, options.port,
                                error.message()));
    }
    accept_next();
    return acceptor.local_endpoint().port();
}

void HttpServer::Impl::accept_next() {
    acceptor.async_accept([self = shared_from_this()](const ErrorCode& error, Tcp::socket socket) {
        if (!self->acceptor.is_open()) return;
        if (!error) {
            self->on_accepted(std::move(socket));
            return self->accept_next();
        }
        self->context->log.warn("accept_failed", "reason=\"{}\"", error.message());
        self->pause.expires_after(kAcceptPause);
        self->pause.async_wait([self](const ErrorCode& cancelled) {
            if (!cancelled) self->accept_next();
        });
    });
}

void HttpServer::Impl::on_accepted(Tcp::socket socket) {
    if (context->clients.size() >= context->options.connections_max) return turn_away(socket);
    ErrorCode ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    start_http(context, ++last_id, std::move(socket));
}

// Clients leave the map while they are being told.
template <class Act>
void HttpServer::Impl::each_client(Act act) {
    const auto clients = context->clients;
    for (const auto& [id, client] : clients) act(*client);
}

HttpServer::HttpServer(HttpOptions options, Reactor& reactor, HttpHandler& handler, Log log)
    : impl_(std::make_shared<Impl>(std::move(options), reactor, handler, std::move(log))) {}

HttpServer::~HttpServer() {
    ErrorCode ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    impl_->each_client([](HttpClient& client) { client.abandon(); });
}

Result<std::uint16_t, std::string> HttpServer::listen() {
    return impl_->listen();
}

void HttpServer::close() {
    ErrorCode ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    impl_->each_client([](HttpClient& client) { client.finish(); });
}

std::size_t HttpServer::connections() const {
    return impl_->context->clients.size();
}

}  // namespace leither::io
