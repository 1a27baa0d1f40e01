#include "leither/io/local_api.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/io/os_entropy.h"
#include "leither/web/files.h"

#include "disk_use.h"
#include "process_stats.h"
#include "traffic_meter.h"
#include "web_sessions.h"

namespace leither::io {
namespace {

constexpr std::string_view kRpcPath = "/rpc";  // and /rpc/NAME
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

// The place that a path of the API names: empty for the first. Nothing: another path.
std::optional<std::string_view> place_in(std::string_view path) {
    if (!path.starts_with(kRpcPath)) return std::nullopt;
    path.remove_prefix(kRpcPath.size());
    if (path.empty()) return path;
    if (path.size() < 2 || path.front() != '/') return std::nullopt;
    return path.substr(1);
}

// A request that a page with a session must have made itself: no other can send this type, or
// Authorization, without being asked by the browser first, and it asks in vain.
bool has_json_type(const RequestHead& head) {
    return head.content_type && head.content_type->starts_with("application/json");
}

// A call that the program asks when no node answers for a place.
class AbsentHost final : public rpc::Host {
 public:
    AbsentHost(Instant now, const std::function<void()>& stop) : now_(now), stop_(stop) {}

    node::Queries queries() const override { UNREACHABLE(); }  // needs a node: refused before
    const PublicKey& node_key() const override { UNREACHABLE(); }
    Instant now() const override { return now_; }
    void enqueue(node::Input&&) override { UNREACHABLE(); }
    void set_pulse_events(rpc::PulseEvents) override {}
    void stop() override { stop_(); }
    rpc::ProcessStats process_stats() const override { UNREACHABLE(); }

 private:
    Instant now_;
    const std::function<void()>& stop_;
};

std::string quoted_or_first(std::string_view place) {
    return place.empty() ? "the first organization" : fmt::format("\"{}\"", place);
}

}  // namespace

struct LocalApi::Impl final : HttpHandler {
    Impl(HttpOptions http, Reactor& reactor, WallClock& its_clock, Log log, ApiProgram its_program)
        : address(http.address),
          cookie(http.cookie),
          clock(its_clock),
          program(std::move(its_program)),
          server(std::move(http), reactor, *this, std::move(log)) {}

    // ---- HttpHandler
    Access access(std::string_view path) const override;
    bool admits(const RequestHead& head) override;
    void on_request(HttpRequest&& request, Respond respond) override;
    std::unique_ptr<WebSocketPeer> on_websocket(const RequestHead& head, SendText push) override;

    HttpResponse read(const HttpRequest& request);
    HttpResponse sign_in(const RequestHead& head);
    HttpResponse sign_out(const RequestHead& head);
    std::optional<WebSessions::Id> session_of(const RequestHead& head, Attention attention);
    std::string base_url() const;
    std::string cookie_name() const { return fmt::format("leither_session_{}", port); }

    // ---- Places
    // Null if no node answers for it.
    std::shared_ptr<PlaceApi::Impl> find(std::string_view place) const;
    // What no node answers.
    void answer_for(std::string_view place, std::string_view request, rpc::Answer answer);
    rpc::PlaceFailure absence_of(std::string_view place) const;
    std::vector<rpc::PlaceStatus> list() const;
    HttpResponse health() const;
    std::string metrics() const;
    rpc::DashboardLink dashboard_link(std::string_view place);

    std::string address;
    std::string cookie;
    std::uint16_t port = 0;  // once it listens
    WallClock& clock;
    ApiProgram program;
    rpc::Places* places = nullptr;
    std::map<std::string, std::weak_ptr<PlaceApi::Impl>, std::less<>> nodes;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    OsEntropy entropy;
    WebSessions sessions{SessionLimits{}, entropy};
    HttpServer server;  // last: its clients use all else until they are gone
};

// Its own while its PlaceApi is there. Clients may hold it a little longer, and then find it ended.
struct PlaceApi::Impl final : rpc::Front {
    Impl(PlaceApiOptions given, LocalApi::Impl& its_api, EventLoop& its_loop)
        : options(std::move(given)),
          api(its_api),
          loop(its_loop),
          disk(options.data_dir),
          dispatcher(std::in_place, options.rpc, loop, metrics) {
        dispatcher->set_front(*this);
        if (api.places != nullptr) dispatcher->set_places(*api.places, options.name);
    }

    // ---- rpc::Front
    rpc::DashboardLink dashboard_link() override { return api.dashboard_link(options.name); }
    std::vector<rpc::LogLine> log_lines(std::uint64_t after, std::size_t max) const override {
        if (api.program.log == nullptr) return {};
        return api.program.log->lines(after, max);
    }
    std::optional<rpc::DiskUse> disk_use() override { return disk.read(loop.now()); }

    PlaceApiOptions options;
    LocalApi::Impl& api;
    EventLoop& loop;
    DiskMeter disk;
    rpc::Metrics metrics;
    std::optional<rpc::Dispatcher> dispatcher;  // nothing once it has ended
};

namespace {

// A WebSocket client: each text is a request, subscriptions belong to the connection.
class RpcPeer final : public WebSocketPeer {
 public:
    // Whether the client may still be served; nothing to ask of one that came with the cookie.
    using Admission = std::function<bool(Attention)>;
    // What no node answers.
    using Fallback = std::function<void(std::string_view request, rpc::Answer answer)>;

    // `place` null: no node answers.
    RpcPeer(std::shared_ptr<PlaceApi::Impl> place, SendText push, Admission is_admitted,
            Fallback fallback)
        : place_(std::move(place)),
          is_admitted_(std::move(is_admitted)),
          fallback_(std::move(fallback)) {
        if (!is_served()) return;
        connection_ = place_->dispatcher->connect([this, push = std::move(push)](std::string text) {
            push(is_admitted_(Attention::glance) ? std::move(text) : kSessionEnded);
        });
    }
    ~RpcPeer() override {
        if (is_served()) place_->dispatcher->disconnect(*connection_);
    }

    void on_text(std::string_view text, SendText done) override {
        if (!is_admitted_(Attention::request)) return done(kSessionEnded);
        if (!is_served()) return fallback_(text, std::move(done));
        place_->dispatcher->handle(text, connection_, std::move(done));
    }

 private:
    bool is_served() const { return place_ != nullptr && place_->dispatcher.has_value(); }

    std::shared_ptr<PlaceApi::Impl> place_;
    Admission is_admitted_;
    Fallback fallback_;
    std::optional<rpc::ConnectionId> connection_;
};

}  // namespace

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
    return sessions.find({*secret, *key}, clock.now(), attention);
}

bool LocalApi::Impl::admits(const RequestHead& head) {
    if (!place_in(path_of(head.target)) || !is_own_origin(head)) return false;
    if (head.method == "POST" && !has_json_type(head)) return false;
    return session_of(head, Attention::request).has_value();
}

void LocalApi::Impl::on_request(HttpRequest&& request, Respond respond) {
    if (request.head.method == "GET") return respond(read(request));
    if (request.path == kSessionPath) return respond(sign_in(request.head));
    if (request.path == kSignOutPath) return respond(sign_out(request.head));
    const auto place = place_in(request.path);
    if (!place) return respond(plain(405, "only GET is served here"));
    auto answer = [respond = std::move(respond)](std::string reply) {
        const unsigned status = reply.empty() ? 204 : 200;
        respond({.status = status, .body = std::move(reply)});
    };
    if (const auto node = find(*place)) {
        return node->dispatcher->handle(request.body, std::nullopt, std::move(answer));
    }
    answer_for(*place, request.body, std::move(answer));
}

HttpResponse LocalApi::Impl::read(const HttpRequest& request) {
    if (place_in(request.path)) return plain(405, "POST a request, or upgrade to WebSocket");
    if (request.path == kSignOutPath) return plain(405, "POST to sign out");
    if (request.path == kHealthPath) return health();
    if (request.path == kMetricsPath) {
        return {.status = 200, .content_type = kPrometheusType, .body = metrics()};
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
        secrets = sessions.redeem(*token, clock.now());
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
        secrets = sessions.begin(clock.now());
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
    const auto place = place_in(path_of(head.target));
    if (!place) return nullptr;
    RpcPeer::Admission is_admitted = [](Attention) { return true; };
    if (check_cookie(head, cookie)) {  // then a session has let it in
        const auto session = session_of(head, Attention::request);
        if (!session) return nullptr;
        is_admitted = [this, id = *session](Attention attention) {
            return sessions.is_alive(id, clock.now(), attention);
        };
    }
    return std::make_unique<RpcPeer>(
        find(*place), std::move(push), std::move(is_admitted),
        [this, name = std::string(*place)](std::string_view request, rpc::Answer answer) {
            answer_for(name, request, std::move(answer));
        });
}

std::string LocalApi::Impl::base_url() const {
    const bool version_6 = address.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}", version_6 ? "[" : "", address, version_6 ? "]" : "",
                       port);
}

// The token stands behind #: browsers send that part to nobody.
rpc::DashboardLink LocalApi::Impl::dashboard_link(std::string_view place) {
    const auto link = sessions.make_link(clock.now());
    const std::string where = place.empty() ? "" : fmt::format("?org={}", place);
    return {fmt::format("{}/{}#/login/{}", base_url(), where, link.token), link.expires};
}

// ---- Places
// --------------------------------------------------------------------------------------

std::shared_ptr<PlaceApi::Impl> LocalApi::Impl::find(std::string_view place) const {
    const auto found = nodes.find(place);
    return found == nodes.end() ? nullptr : found->second.lock();
}

std::vector<rpc::PlaceStatus> LocalApi::Impl::list() const {
    return places == nullptr ? std::vector<rpc::PlaceStatus>() : places->list();
}

rpc::PlaceFailure LocalApi::Impl::absence_of(std::string_view place) const {
    for (const auto& one : list()) {
        if (one.name != place) continue;
        if (one.state == rpc::PlaceState::failed) {
            return {"place_failed", quoted_or_first(place) + " is not served: " + one.detail};
        }
        return {"place_closed", quoted_or_first(place) +
                                    " is closed; open it again with: leither "
                                    "org open " +
                                    std::string(place)};
    }
    return {"no_such_place",
            "this daemon has no organization under that name; see: leither org "
            "list"};
}

void LocalApi::Impl::answer_for(std::string_view place, std::string_view request,
                                rpc::Answer answer) {
    struct ProgramFront final : rpc::Front {
        ProgramFront(Impl& its_api, std::string_view its_place) : api(its_api), name(its_place) {}
        rpc::DashboardLink dashboard_link() override { return api.dashboard_link(name); }
        std::vector<rpc::LogLine> log_lines(std::uint64_t after, std::size_t max) const override {
            if (api.program.log == nullptr) return {};
            return api.program.log->lines(after, max);
        }
        std::optional<rpc::DiskUse> disk_use() override { return std::nullopt; }
        Impl& api;
        std::string_view name;
    };
    // All that it answers, it answers at once.
    AbsentHost host(clock.now(), program.stop);
    ProgramFront front(*this, place);
    rpc::Metrics uncounted;
    rpc::Dispatcher dispatcher({}, host, uncounted);
    dispatcher.set_front(front);
    if (places != nullptr) dispatcher.set_places(*places, std::string(place));
    dispatcher.set_absent(absence_of(place));
    dispatcher.handle(request, std::nullopt, std::move(answer));
}

// As the worst of all fares.
HttpResponse LocalApi::Impl::health() const {
    std::string failed;
    for (const auto& place : list()) {
        if (place.state != rpc::PlaceState::failed) continue;
        failed += fmt::format("failed: {}: {}\n", quoted_or_first(place.name), place.detail);
    }
    if (failed.empty()) return plain(200, "ok");
    failed.pop_back();  // plain() ends the text
    return plain(503, failed);
}

std::string LocalApi::Impl::metrics() const {
    std::vector<rpc::Metered> metered;
    std::vector<std::shared_ptr<PlaceApi::Impl>> held;
    for (const auto& [name, node] : nodes) {
        held.push_back(node.lock());
        if (held.back() == nullptr) continue;
        metered.push_back({name, &held.back()->metrics, &held.back()->loop});
    }
    const auto uptime = std::chrono::steady_clock::now() - started;
    auto stats = read_process_stats(std::chrono::duration_cast<Duration>(uptime));
    if (program.line) stats.line = rpc::LineStats{program.line->usage(), program.line->caps()};
    return rpc::exposition(metered, stats, list());
}

// ---- The API
// -------------------------------------------------------------------------------------

LocalApi::LocalApi(HttpOptions http, Reactor& reactor, WallClock& clock, Log log,
                   ApiProgram program)
    : impl_(std::make_unique<Impl>(std::move(http), reactor, clock, std::move(log),
                                   std::move(program))) {}
LocalApi::~LocalApi() = default;

void LocalApi::set_places(rpc::Places& places) {
    impl_->places = &places;
}
Result<std::string, std::string> LocalApi::listen() {
    impl_->port = TRY(impl_->server.listen());
    return impl_->base_url() + std::string(kRpcPath);
}
void LocalApi::close() {
    impl_->server.close();
}

PlaceApi::PlaceApi(PlaceApiOptions options, LocalApi& api, EventLoop& loop)
    : impl_(std::make_shared<Impl>(std::move(options), *api.impl_, loop)) {
    CHECK(api.impl_->find(impl_->options.name) == nullptr);
    api.impl_->nodes.insert_or_assign(impl_->options.name, impl_);
    loop.set_listener(*this);
}
PlaceApi::~PlaceApi() {
    impl_->api.nodes.erase(impl_->options.name);
    impl_->dispatcher.reset();
}

void PlaceApi::set_wallet(rpc::WalletPort& wallet) {
    impl_->dispatcher->set_wallet(wallet);
}
void PlaceApi::on_wallet_reply(node::Token token, const rpc::WalletResult& result) {
    impl_->dispatcher->on_wallet_reply(token, result);
}
void PlaceApi::call(std::string_view request, rpc::Answer answer) {
    impl_->dispatcher->handle(request, std::nullopt, std::move(answer));
}

void PlaceApi::on_reply(node::Reply&& reply) {
    impl_->dispatcher->on_reply(std::move(reply));
}
void PlaceApi::on_event(const node::Event& event) {
    impl_->dispatcher->on_event(event);
}
void PlaceApi::on_pulse() {
    impl_->dispatcher->on_pulse();
}
void PlaceApi::on_durable(Duration took) {
    impl_->metrics.observe_seal(took);
}
void PlaceApi::on_stopping() {
    impl_->dispatcher->stop();
}

}  // namespace leither::io
