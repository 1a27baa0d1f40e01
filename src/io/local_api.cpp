#include "leither/io/local_api.h"

#include <utility>

#include <fmt/format.h>

namespace leither::io {
namespace {

constexpr std::string_view kRpcPath = "/rpc";
constexpr std::string_view kMetricsPath = "/metrics";
constexpr std::string_view kHealthPath = "/healthz";

constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

HttpResponse plain(unsigned status, std::string_view text) {
    return {status, "text/plain", std::string(text) + "\n"};
}

// A WebSocket client: each text is a request, subscriptions belong to the connection.
class RpcPeer final : public WebSocketPeer {
 public:
    RpcPeer(rpc::Dispatcher& dispatcher, SendText push)
        : dispatcher_(dispatcher), connection_(dispatcher.connect(std::move(push))) {}
    ~RpcPeer() override { dispatcher_.disconnect(connection_); }

    void on_text(std::string_view text, SendText done) override {
        dispatcher_.handle(text, connection_, std::move(done));
    }

 private:
    rpc::Dispatcher& dispatcher_;
    rpc::ConnectionId connection_;
};

}  // namespace

struct LocalApi::Impl final : HttpHandler {
    Impl(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& its_loop, Log log)
        : address(http.address),
          loop(its_loop),
          dispatcher(rpc, loop, metrics),
          server(std::move(http), reactor, *this, std::move(log)) {}

    Access access(std::string_view path) const override {
        return path == kMetricsPath || path == kHealthPath ? Access::open : Access::cookie;
    }
    void on_request(HttpRequest&& request, Respond respond) override;
    std::unique_ptr<WebSocketPeer> on_websocket(std::string_view path, SendText push) override;

    std::string address;
    EventLoop& loop;
    rpc::Metrics metrics;
    rpc::Dispatcher dispatcher;
    HttpServer server;  // last: its clients use the dispatcher until they are gone
};

void LocalApi::Impl::on_request(HttpRequest&& request, Respond respond) {
    const bool reads = request.method == "GET";
    if (request.path == kRpcPath) {
        if (reads) return respond(plain(405, "POST a request, or upgrade to WebSocket"));
        return dispatcher.handle(request.body, std::nullopt,
                                 [respond = std::move(respond)](std::string reply) {
                                     const unsigned status = reply.empty() ? 204 : 200;
                                     respond({.status = status, .body = std::move(reply)});
                                 });
    }
    if (request.path != kMetricsPath && request.path != kHealthPath) {
        return respond(plain(404, "served here: /rpc, /metrics, /healthz"));
    }
    if (!reads) return respond(plain(405, "only GET is served here"));
    if (request.path == kHealthPath) return respond(plain(200, "ok"));
    respond({200, kPrometheusType, metrics.text(loop)});
}

std::unique_ptr<WebSocketPeer> LocalApi::Impl::on_websocket(std::string_view path, SendText push) {
    if (path != kRpcPath) return nullptr;
    return std::make_unique<RpcPeer>(dispatcher, std::move(push));
}

LocalApi::LocalApi(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& loop, Log log)
    : impl_(std::make_unique<Impl>(std::move(http), rpc, reactor, loop, std::move(log))) {
    loop.set_listener(*this);
}
LocalApi::~LocalApi() = default;

Result<std::string, std::string> LocalApi::listen() {
    const std::uint16_t port = TRY(impl_->server.listen());
    const bool version_6 = impl_->address.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}{}", version_6 ? "[" : "", impl_->address,
                       version_6 ? "]" : "", port, kRpcPath);
}

void LocalApi::set_wallet(rpc::WalletPort& wallet) {
    impl_->dispatcher.set_wallet(wallet);
}
void LocalApi::on_wallet_reply(node::Token token, const rpc::WalletResult& result) {
    impl_->dispatcher.on_wallet_reply(token, result);
}
void LocalApi::call(std::string_view request, rpc::Answer answer) {
    impl_->dispatcher.handle(request, std::nullopt, std::move(answer));
}

void LocalApi::on_reply(node::Reply&& reply) {
    impl_->dispatcher.on_reply(std::move(reply));
}
void LocalApi::on_event(const node::Event& event) {
    impl_->dispatcher.on_event(event);
}
void LocalApi::on_pulse() {
    impl_->dispatcher.on_pulse();
}
void LocalApi::on_durable(Duration took) {
    impl_->metrics.observe_seal(took);
}

void LocalApi::on_stopping() {
    impl_->dispatcher.stop();
    impl_->server.close();
}

}  // namespace leither::io
