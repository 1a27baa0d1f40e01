// The local API as the daemon runs it: /rpc, /metrics, /healthz, the dashboard's files and its
// sessions on one port, for every organization of the program: /rpc is the first place's node,
// /rpc/NAME the one of that place.
//
// The dashboard: GET / and what it loads are open to everybody on this machine and hold nothing of
// anybody. POST /session signs in, with "Authorization: Link TOKEN" or the bearer cookie; POST
// /session/end signs out; GET /session tells whether one is signed in. A session is admitted to
// /rpc beside the cookie (web_sessions.h), and only to pages that came from here.
// All calls on the reactor's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "leither/io/event_loop.h"
#include "leither/io/http_server.h"
#include "leither/io/log_sink.h"
#include "leither/rpc/dispatcher.h"

namespace leither::io {

class PlaceApi;

// The program around the nodes.
struct ApiProgram {
    const LogRing* log = nullptr;             // outlives the API; null: none is shown
    std::shared_ptr<TrafficMeter> line = {};  // null: no network
    std::function<void()> stop = {};          // as SIGTERM would
};

class LocalApi {
 public:
    // `reactor` and `clock` outlive it, and so does what `program` refers to.
    LocalApi(HttpOptions http, Reactor& reactor, WallClock& clock, Log log, ApiProgram program);
    ~LocalApi();

    // Before it listens: the places that `place.*`, /healthz and /metrics tell of. They outlive it.
    void set_places(rpc::Places& places);
    // Listens; the URL for the file `address` ("http://127.0.0.1:7171/rpc"), or what the operator
    // reads.
    Result<std::string, std::string> listen();
    // Ends idle connections now and the others after the response at hand.
    void close();

 private:
    friend class PlaceApi;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct PlaceApiOptions {
    std::string name;      // of the place; empty: the first
    std::string data_dir;  // whose space on disk is told; empty: nobody's
    rpc::Options rpc = {};
};

// One organization's part of the API: the dispatcher in front of its node. While it is there,
// requests for its place go to it; before and behind they are refused, with what the program knows
// of the place.
class PlaceApi final : public Listener {
 public:
    // Becomes the loop's listener. `api` and `loop` outlive it.
    PlaceApi(PlaceApiOptions options, LocalApi& api, EventLoop& loop);
    ~PlaceApi() override;

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

    struct Impl;

 private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
