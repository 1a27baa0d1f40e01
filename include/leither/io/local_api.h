// The local API as the daemon runs it: /rpc, /metrics, /healthz, the dashboard's files and its
// sessions on one port, the dispatcher behind.
//
// The dashboard: GET / and what it loads are open to everybody on this machine and hold nothing of
// anybody. POST /session signs in, with "Authorization: Link TOKEN" or the bearer cookie; POST
// /session/end signs out; GET /session tells whether one is signed in. A session is admitted to
// /rpc beside the cookie (web_sessions.h), and only to pages that came from here.
#pragma once

#include <memory>
#include <string>

#include "leither/io/event_loop.h"
#include "leither/io/http_server.h"
#include "leither/io/log_sink.h"
#include "leither/rpc/dispatcher.h"

namespace leither::io {

// What the user is shown beside the node.
struct Surroundings {
    const LogRing* log = nullptr;  // outlives the API
    std::string data_dir = {};     // whose space on disk is told; empty: nobody's
};

class LocalApi final : public Listener {
 public:
    // Becomes the loop's listener. `reactor` and `loop` outlive it.
    LocalApi(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& loop, Log log,
             Surroundings surroundings = {});
    ~LocalApi() override;

    // Listens; the URL for the file `address` ("http://127.0.0.1:7171/rpc"), or what the operator
    // reads.
    Result<std::string, std::string> listen();

    // The wallet that the program holds, which outlives the API; its results; and its own calls,
    // which need no cookie.
    void set_wallet(rpc::WalletPort& wallet);
    void on_wallet_reply(node::Token token, const rpc::WalletResult& result);
    void call(std::string_view request, rpc::Answer answer);

    void on_reply(node::Reply&& reply) override;
    void on_event(const node::Event& event) override;
    void on_pulse() override;
    void on_durable(Duration took) override;
    void on_stopping() override;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
