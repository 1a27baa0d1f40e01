// Real sockets on loopback; limits in time are set to milliseconds, so nothing waits long.
#include "leither/io/http_server.h"

#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace leither::io {
namespace {

// A client that sends exactly the bytes it is told.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ =
            connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    }
    ~RawClient() { close(descriptor_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connected() const { return connected_; }
    bool send(const std::string& bytes) const {
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    void end_sending() const { shutdown(descriptor_, SHUT_WR); }
    // Until `enough` stands in it, the server closes, or 5 s have passed.
    std::string receive(const std::string& enough = "\x01never") const {
        std::string received;
        while (received.find(enough) == std::string::npos) {
            pollfd poll_for{descriptor_, POLLIN, 0};
            if (poll(&poll_for, 1, 5'000) <= 0) return received + "<timeout>";
            char buffer[4096];
            const auto size = recv(descriptor_, buffer, sizeof(buffer), 0);
            if (size <= 0) break;
            received.append(buffer, static_cast<std::size_t>(size));
        }
        return received;
    }

 private:
    int descriptor_;
    bool connected_ = false;
};

// Echoes bodies and texts. "/late" is answered only when the test says so.
class EchoHandler final : public HttpHandler {
 public:
    Access access(std::string_view path) const override {
        return path == "/open" ? Access::open : Access::cookie;
    }
    void on_request(HttpRequest&& request, Respond respond) override {
        if (request.path == "/file") {
            respond({.status = 200, .body = "content", .etag = "\"1\"", .set_cookie = "a=b"});
        } else if (request.path == "/late") {
            late.push_back(std::move(respond));
        } else {
            respond({.status = 200, .body = "[" + request.body + "]"});
        }
    }
    bool admits(const RequestHead& head) override { return credential(head, "Guest") == "guest"; }
    std::unique_ptr<WebSocketPeer> on_websocket(const RequestHead& head, SendText push) override {
        if (path_of(head.target) != "/rpc") return nullptr;
        class Echo final : public WebSocketPeer {
         public:
            Echo(EchoHandler& owner, SendText its_push)
                : handler(owner), push(std::move(its_push)) {}
            ~Echo() override { ++handler.peers_gone; }
            void on_text(std::string_view text, SendText done) override {
                if (text == "flood") {
                    for (int i = 0; i < 64; ++i) push(std::string(std::size_t{1} << 20, 'x'));
                }
                done("echo:" + std::string(text));
            }
            EchoHandler& handler;
            SendText push;
        };
        return std::make_unique<Echo>(*this, std::move(push));
    }
    std::vector<Respond> late;
    int peers_gone = 0;
};

class ServerTest : public ::testing::Test {
 protected:
    static HttpOptions options() {
        HttpOptions options;
        options.cookie = "secret";
        options.body_bytes_max = 1000;
        options.connections_max = 3;
        return options;
    }
    void start(const HttpOptions& given) {
        server_ = std::make_unique<HttpServer>(given, reactor_, handler_, Log());
        port_ = server_->listen().value();
        thread_ = std::thread([this] { reactor_.run(); });
    }
    // Runs `task` on the server's thread and waits for it.
    void on_server(std::function<void()> task) {
        std::atomic<bool> done = false;
        reactor_.post([&] {
            task();
            done = true;
            done.notify_all();
        });
        done.wait(false);
    }
    // Until "/late" has been asked for.
    void await_late() {
        bool asked = false;
        while (!asked) on_server([&] { asked = !handler_.late.empty(); });
    }
    std::size_t connections() {
        std::size_t count = 0;
        on_server([&] { count = server_->connections(); });
        return count;
    }
    void TearDown() override {
        reactor_.stop();
        if (thread_.joinable()) thread_.join();
        server_.reset();
    }

    static std::string post(const std::string& body, const std::string& more = "",
                            const std::string& path = "/rpc") {
        return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n" +
               more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    std::string answer_to(const std::string& request) {
        const RawClient client(port_);
        client.send(request);
        client.end_sending();
        return client.receive();
    }
    static unsigned status_of(const std::string& response) {
        return response.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(response.substr(9, 3)));
    }

    Reactor reactor_;
    EchoHandler handler_;
    std::unique_ptr<HttpServer> server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST_F(ServerTest, ARequestIsAnsweredAlsoToAClientThatHasEndedSending) {
    start(options());
    const auto response = answer_to(post("hello"));
    EXPECT_EQ(status_of(response), 200u) << response;
    EXPECT_TRUE(response.ends_with("[hello]")) << response;
}

TEST_F(ServerTest, StrangersAreTurnedAwayByStatus) {
    start(options());
    const auto get = [](const std::string& head) {
        return "GET /rpc HTTP/1.1\r\n" + head + "\r\n";
    };
    const std::string cookie = "Authorization: Bearer secret\r\n";
    EXPECT_EQ(status_of(answer_to(get("Host: localhost\r\n"))), 401u);
    EXPECT_EQ(status_of(answer_to(get("Host: localhost\r\nAuthorization: Bearer wrong!\r\n"))),
              401u);
    EXPECT_EQ(status_of(answer_to(get("Host: evil.example\r\n" + cookie))), 403u);
    EXPECT_EQ(
        status_of(answer_to(get("Host: localhost\r\nOrigin: http://evil.example\r\n" + cookie))),
        403u);
    EXPECT_EQ(status_of(answer_to(get(cookie))), 400u);
    EXPECT_EQ(status_of(answer_to("PUT /rpc HTTP/1.1\r\nHost: localhost\r\n\r\n")), 405u);
    EXPECT_EQ(status_of(answer_to("nonsense\r\n\r\n")), 400u);
    EXPECT_EQ(status_of(answer_to("GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n")), 200u);
}

TEST_F(ServerTest, TheHandlerMayAdmitWhoeverHasNoCookie) {
    start(options());
    const auto get = [](const std::string& credential) {
        return "GET /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + credential + "\r\n\r\n";
    };
    EXPECT_EQ(status_of(answer_to(get("Guest guest"))), 200u);
    EXPECT_EQ(status_of(answer_to(get("Guest other"))), 401u);
}

TEST_F(ServerTest, EveryResponseForbidsWhatPagesOfOthersWouldNeed) {
    start(options());
    for (const char* request : {"GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                "GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                "GET /file HTTP/1.1\r\nHost: evil.example\r\n\r\n"}) {
        const auto response = answer_to(request);
        EXPECT_NE(response.find("Content-Security-Policy: default-src 'none'; script-src 'self'; "
                                "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                                "base-uri 'none'; frame-ancestors 'none'; form-action 'none'\r\n"),
                  std::string::npos)
            << response;
        for (const char* line :
             {"X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n"}) {
            EXPECT_NE(response.find(line), std::string::npos) << response;
        }
    }
}

TEST_F(ServerTest, OnlyWhatHasATagMayBeKeptByTheBrowser) {
    start(options());
    const std::string end = "HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n";
    const auto file = answer_to("GET /file " + end);
    EXPECT_NE(file.find("Cache-Control: no-cache\r\nETag: \"1\"\r\nSet-Cookie: a=b\r\n"),
              std::string::npos)
        << file;
    const auto other = answer_to("GET /open " + end);
    EXPECT_NE(other.find("Cache-Control: no-store\r\n"), std::string::npos) << other;
    EXPECT_EQ(other.find("ETag"), std::string::npos);
    EXPECT_EQ(other.find("Set-Cookie"), std::string::npos);
}

TEST_F(ServerTest, ATooLongBodyIsRefusedBeforeItIsRead) {
    start(options());
    EXPECT_EQ(status_of(answer_to(post(std::string(1000, 'x')))), 200u);
    EXPECT_EQ(status_of(answer_to(post(std::string(1001, 'x')))), 413u);
    EXPECT_EQ(status_of(answer_to("GET /open HTTP/1.1\r\nX: " + std::string(20'000, 'x'))), 431u);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
    start(options());
    const RawClient client(port_);
    client.send(post("late", "", "/late") + post("second") +
                post("third", "Connection: close\r\n"));
    await_late();
    on_server([this] { handler_.late.front()({.status = 200, .body = "[first]"}); });
    const auto responses = client.receive();
    const auto first = responses.find("[first]");
    const auto second = responses.find("[second]");
    const auto third = responses.find("[third]");
    EXPECT_TRUE(first < second && second < third && third != std::string::npos) << responses;
}

TEST_F(ServerTest, AnAnswerToAClientThatHasGoneDoesNothing) {
    start(options());
    {
        const RawClient client(port_);
        client.send(post("x", "", "/late"));
        await_late();
    }
    on_server([this] { handler_.late.front()({.status = 200, .body = "[x]"}); });
    on_server([this] { handler_.late.front()({.status = 200, .body = "[again]"}); });
    EXPECT_EQ(status_of(answer_to(post("still alive"))), 200u);
}

TEST_F(ServerTest, AClientThatDripsItsRequestIsTimedOut) {
    auto quick = options();
    quick.request_time_max = std::chrono::milliseconds(50);
    start(quick);
    const RawClient client(port_);
    client.send("POST /rpc HTTP/1.1\r\nHost: loc");
    EXPECT_EQ(status_of(client.receive("\r\n\r\n")), 408u);
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
    auto quick = options();
    quick.idle_time_max = std::chrono::milliseconds(50);
    start(quick);
    const RawClient client(port_);
    EXPECT_EQ(client.receive(), "");
    while (connections() > 0) {
    }
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
    start(options());
    const RawClient a(port_), b(port_), c(port_);
    while (connections() < 3) {
    }
    const RawClient d(port_);
    EXPECT_EQ(status_of(d.receive()), 503u);
    a.send(post("x"));
    EXPECT_EQ(status_of(a.receive("[x]")), 200u);
}

TEST_F(ServerTest, ClosingEndsIdleConnectionsAndFinishesTheOthers) {
    start(options());
    const RawClient idle(port_);
    const RawClient busy(port_);
    busy.send(post("x", "", "/late"));
    await_late();
    on_server([this] { server_->close(); });
    EXPECT_EQ(idle.receive(), "");
    on_server([this] { handler_.late.front()({.status = 200, .body = "[bye]"}); });
    EXPECT_TRUE(busy.receive().ends_with("[bye]"));
    EXPECT_FALSE(RawClient(port_).connected());
}

// ---- WebSocket ---------------------------------------------------------------------------------

constexpr const char* kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

std::string upgrade_request(const std::string& path, const std::string& cookie = "secret") {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + cookie +
           "\r\n" + kUpgrade + "\r\n";
}
// A masked text frame; the mask is zero, which the protocol allows.
std::string frame(const std::string& text) {
    return std::string("\x81") + static_cast<char>(0x80 | text.size()) + std::string(4, '\0') +
           text;
}

TEST_F(ServerTest, AWebSocketEchoesAndEndsWithItsClient) {
    start(options());
    {
        const RawClient client(port_);
        client.send(upgrade_request("/rpc"));
        const auto accepted = client.receive("\r\n\r\n");
        EXPECT_NE(accepted.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << accepted;
        client.send(frame("one") + frame("two"));
        const auto echoes = client.receive("echo:two");
        EXPECT_NE(echoes.find("echo:one"), std::string::npos);
    }
    while (connections() > 0) {
    }
    EXPECT_EQ(handler_.peers_gone, 1);
}

TEST_F(ServerTest, AWebSocketAgreesToTheProtocolItSpeaks) {
    start(options());
    const auto offer = [this](const std::string& protocols) {
        const RawClient client(port_);
        client.send("GET /rpc HTTP/1.1\r\nHost: localhost\r\nAuthorization: Guest guest\r\n" +
                    protocols + kUpgrade + "\r\n");
        return client.receive("\r\n\r\n");
    };
    EXPECT_NE(offer("Sec-WebSocket-Protocol: leither.rpc, leither.key.ab\r\n")
                  .find("Sec-WebSocket-Protocol: leither.rpc\r\n"),
              std::string::npos);
    EXPECT_EQ(offer("Sec-WebSocket-Protocol: chat\r\n").find("Sec-WebSocket-Protocol"),
              std::string::npos);
    EXPECT_EQ(status_of(offer("")), 101u);
}

TEST_F(ServerTest, AWebSocketNeedsCookieAndPath) {
    start(options());
    EXPECT_EQ(status_of(answer_to(upgrade_request("/rpc", "wrong!"))), 401u);
    EXPECT_EQ(status_of(answer_to(upgrade_request("/elsewhere"))), 404u);
}

TEST_F(ServerTest, AWebSocketClientThatDoesNotReadIsDropped) {
    auto small = options();
    small.outbox_bytes_max = std::size_t{4} << 20;
    start(small);
    const RawClient client(port_);
    client.send(upgrade_request("/rpc"));
    client.receive("\r\n\r\n");
    client.send(frame("flood"));
    while (connections() > 0) {
    }
    EXPECT_EQ(handler_.peers_gone, 1);
}

TEST_F(ServerTest, ATooLongWebSocketMessageEndsTheConnection) {
    start(options());
    const RawClient client(port_);
    client.send(upgrade_request("/rpc"));
    client.receive("\r\n\r\n");
    client.send(std::string("\x81\xfe\x10\x00", 4) + std::string(4, '\0') + std::string(4096, 'x'));
    while (connections() > 0) {
    }
    EXPECT_EQ(handler_.peers_gone, 1);
}

TEST_F(ServerTest, TheServerMayGoWhileClientsAreConnected) {
    start(options());
    const RawClient plain(port_);
    const RawClient upgraded(port_);
    upgraded.send(upgrade_request("/rpc"));
    upgraded.receive("\r\n\r\n");
    reactor_.stop();
    thread_.join();
    server_.reset();
    EXPECT_EQ(handler_.peers_gone, 1);
}

}  // namespace
}  // namespace leither::io
