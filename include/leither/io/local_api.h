// The local API as the daemon runs it: /rpc, /metrics and /healthz on one port, the dispatcher
// behind.
#pragma once

#include <memory>
#include <string>

#include "leither/io/event_loop.h"
#include "leither/io/http_server.h"
#include "leither/rpc/dispatcher.h"

namespace leither::io {

class LocalApi final : public Listener {
 public:
    // Becomes the loop's listener. `reactor` and `loop` outlive it.
    LocalApi(HttpOptions http, rpc::Options rpc, Reactor& reactor, EventLoop& loop, Log log);
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
