#include "leither/io/local_api.h"

#include <utility>

#include <fmt/format.h>

#include "leither/io/os_entropy.h"
#include "leither/web/files.h"

#include "disk_use.h"
#include "web_sessions.h"

namespace leither::io {
namespace {

constexpr std::string_view kRpcPath = "/rpc";
constexpr std::string_view kMetricsPath = "/metrics";
constexpr std::string_view kHealthPath = "/healthz";
constexpr std::string_view kSessionPath = "/session";
constexpr std::string_view kSignOutPath = "/session/end";

// How a page shows its key: in a header, or, where it cannot send headers, as a protocol it offers.
constexpr std::string_view kKeyScheme = "Session";
constexpr std::string_view kKeyProtocol = "leither.key.";
constexpr std::string_view kLinkScheme = "Link";

constexpr const char* kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

// To a WebSocket client whose session has ended: to every request, and instead of every event.
constexpr const char* kSessionEnded =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":10,"message":"the session has ended; )"
    R"(sign in again with: leither dashboard","data":{"name":"session_ended"}}})";

HttpResponse plain(unsigned status, std::string_view text) {
    return {.status = status, .content_type = "text/plain", .body = std::string(text) + "\n"};
}

// A request that a page with a session must have made itself: no other can send this type, or
// Authorization, without being asked by the browser first, and it asks in vain.
bool has_json_type(const RequestHead& head) {
    return head.content_type && head.content_type->starts_with("application/json");
}

// A WebSocket client: each text is a request, subscriptions belong to the connection.
class RpcPeer final : public WebSocketPeer {
 public:
    // Whether the client may still be served; nothing to ask of one that came with the cookie.
    using Admission = std::function<bool(Attention)>;

    RpcPeer(rpc::Dispatcher& dispatcher, SendText push, Admission is_admitted)
        : dispatcher_(dispatcher),
          is_admitted_(std::move(is_admitted)),
          connection_(dispatcher.connect([this, push = std::move(push)](std::string text) {
              push(is_admitted_(Attention::glance) ? std::move(text) : kSessionEnded);
          })) {}
    ~RpcPeer() override { dispatcher_.disconnect(connection_); }

    void on_text(std::string_view text, SendText done) override {
        if (!is_admitted_(Attention::request)) return done(kSessionEnded);
        dispatcher_.handle(text, connection_, std::move(done));
    }

 private:
    rpc::Dispatcher& dispatcher_;
    Admission is_admitted_;
    rpc::ConnectionId connection_;
};

}  // namespace

struct LocalApi::Impl final : HttpHandler, rpc::Front {
    Impl(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& its_loop, Log log,
         Surroundings its_surroundings)
        : address(http.address),
          cookie(http.cookie),
          loop(its_loop),
          surroundings(std::move(its_surroundings)),
          disk(surroundings.data_dir),
          dispatcher(rpc, loop, metrics),
          server(std::move(http), reactor, *this, std::move(log)) {
        dispatcher.set_front(*this);
    }

    // ---- HttpHandler
    Access access(std::string_view path) const override;
    bool admits(const RequestHead& head) override;
    void on_request(HttpRequest&& request, Respond respond) override;
    std::unique_ptr<WebSocketPeer> on_websocket(const RequestHead& head, SendText push) override;

    // ---- rpc::Front
    rpc::DashboardLink dashboard_link() override;
    std::vector<rpc::LogLine> log_lines(std::uint64_t after, std::size_t max) const override;
    std::optional<rpc::DiskUse> disk_use() override { return disk.read(loop.now()); }

    void call(HttpRequest&& request, Respond respond);
    HttpResponse read(const HttpRequest& request);
    HttpResponse sign_in(const RequestHead& head);
    HttpResponse sign_out(const RequestHead& head);
    std::optional<WebSessions::Id> session_of(const RequestHead& head, Attention attention);
    std::string base_url() const;
    std::string cookie_name() const { return fmt::format("leither_session_{}", port); }

    std::string address;
    std::string cookie;
    std::uint16_t port = 0;  // once it listens
    EventLoop& loop;
    Surroundings surroundings;
    OsEntropy entropy;
    WebSessions sessions{SessionLimits{}, entropy};
    DiskMeter disk;
    rpc::Metrics metrics;
    rpc::Dispatcher dispatcher;
    HttpServer server;  // last: its clients use the dispatcher until they are gone
};

Access LocalApi::Impl::access(std::string_view path) const {
    // What is not served needs the cookie too: strangers learn nothing by trying names.
    const bool is_open = path == kMetricsPath || path == kHealthPath || path == kSessionPath ||
                         path == kSignOutPath || web::find(path) != nullptr;
    return is_open ? Access::open : Access::cookie;
}

std::optional<WebSessions::Id> LocalApi::Impl::session_of(const RequestHead& head,
                                                          Attention attention) {
    const auto secret = browser_cookie(head, cookie_name());
    auto key = credential(head, kKeyScheme);
    if (!key && head.protocols) key = word_behind(*head.protocols, kKeyProtocol);
    if (!secret || !key) return std::nullopt;
    return sessions.find({*secret, *key}, loop.now(), attention);
}

bool LocalApi::Impl::admits(const RequestHead& head) {
    if (path_of(head.target) != kRpcPath || !is_own_origin(head)) return false;
    if (head.method == "POST" && !has_json_type(head)) return false;
    return session_of(head, Attention::request).has_value();
}

void LocalApi::Impl::on_request(HttpRequest&& request, Respond respond) {
    if (request.head.method == "GET") return respond(read(request));
    if (request.path == kRpcPath) return call(std::move(request), std::move(respond));
    if (request.path == kSessionPath) return respond(sign_in(request.head));
    if (request.path == kSignOutPath) return respond(sign_out(request.head));
    respond(plain(405, "only GET is served here"));
}

void LocalApi::Impl::call(HttpRequest&& request, Respond respond) {
    dispatcher.handle(request.body, std::nullopt,
                      [respond = std::move(respond)](std::string reply) {
                          const unsigned status = reply.empty() ? 204 : 200;
                          respond({.status = status, .body = std::move(reply)});
                      });
}

HttpResponse LocalApi::Impl::read(const HttpRequest& request) {
    if (request.path == kRpcPath) return plain(405, "POST a request, or upgrade to WebSocket");
    if (request.path == kSignOutPath) return plain(405, "POST to sign out");
    if (request.path == kHealthPath) return plain(200, "ok");
    if (request.path == kMetricsPath) {
        return {.status = 200, .content_type = kPrometheusType, .body = metrics.text(loop)};
    }
    if (request.path == kSessionPath) {
        const bool signed_in = session_of(request.head, Attention::glance).has_value();
        return {.status = 200, .body = fmt::format(R"({{"signed_in":{}}})", signed_in)};
    }
    const web::File* file = web::find(request.path);
    if (file == nullptr) {
        return plain(404, "served here: / (the dashboard), /rpc, /metrics, /healthz");
    }
    const auto& known = request.head.if_none_match;
    if (known && has_word(*known, file->etag)) {
        return {.status = 304, .etag = std::string(file->etag)};
    }
    return {.status = 200,
            .content_type = std::string(file->content_type),
            .body = std::string(file->content),
            .etag = std::string(file->etag)};
}

HttpResponse LocalApi::Impl::sign_in(const RequestHead& head) {
    if (!is_own_origin(head)) return plain(403, "only the dashboard's own page signs in");
    std::optional<SessionSecrets> secrets;
    if (const auto token = credential(head, kLinkScheme)) {
        secrets = sessions.redeem(*token, loop.now());
        if (!secrets) {
            return plain(401,
                         "this link was used already, or is too old: it is good once, for two "
                         "minutes. Get a new one with: leither dashboard");
        }
    } else if (const auto denial = check_cookie(head, cookie)) {
        return plain(denial->status,
                     "this is not what the file cookie in the data directory holds; "
                     "it is new at each start of the daemon: read it again");
    } else {
        secrets = sessions.begin(loop.now());
    }
    return {.status = 200,
            .body = fmt::format(R"({{"key":"{}"}})", secrets->key),
            .set_cookie = fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(),
                                      secrets->secret)};
}

HttpResponse LocalApi::Impl::sign_out(const RequestHead& head) {
    if (!is_own_origin(head)) return plain(403, "only the dashboard's own page signs out");
    const auto session = session_of(head, Attention::glance);
    if (session) sessions.end(*session);
    return {.status = 204,
            .set_cookie =
                fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", cookie_name())};
}

std::unique_ptr<WebSocketPeer> LocalApi::Impl::on_websocket(const RequestHead& head,
                                                            SendText push) {
    if (path_of(head.target) != kRpcPath) return nullptr;
    RpcPeer::Admission is_admitted = [](Attention) { return true; };
    if (check_cookie(head, cookie)) {  // then a session has let it in
        const auto session = session_of(head, Attention::request);
        if (!session) return nullptr;
        is_admitted = [this, id = *session](Attention attention) {
            return sessions.is_alive(id, loop.now(), attention);
        };
    }
    return std::make_unique<RpcPeer>(dispatcher, std::move(push), std::move(is_admitted));
}

std::string LocalApi::Impl::base_url() const {
    const bool version_6 = address.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}", version_6 ? "[" : "", address, version_6 ? "]" : "",
                       port);
}

// The token stands behind #: browsers send that part to nobody.
rpc::DashboardLink LocalApi::Impl::dashboard_link() {
    const auto link = sessions.make_link(loop.now());
    return {fmt::format("{}/#/login/{}", base_url(), link.token), link.expires};
}

std::vector<rpc::LogLine> LocalApi::Impl::log_lines(std::uint64_t after, std::size_t max) const {
    if (surroundings.log == nullptr) return {};
    return surroundings.log->lines(after, max);
}

LocalApi::LocalApi(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& loop, Log log,
                   Surroundings surroundings)
    : impl_(std::make_unique<Impl>(std::move(http), rpc, reactor, loop, std::move(log),
                                   std::move(surroundings))) {
    loop.set_listener(*this);
}
LocalApi::~LocalApi() = default;

Result<std::string, std::string> LocalApi::listen() {
    impl_->port = TRY(impl_->server.listen());
    return impl_->base_url() + std::string(kRpcPath);
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
