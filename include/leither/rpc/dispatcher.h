// JSON-RPC 2.0: request text in, reply text out (docs/rpc.md). Knows no socket.
//
// Specification
//   * Every request text is answered exactly once, perhaps with the empty text (nothing to send:
//     only notifications). Most answers come at once; those of founding, of submitting and of all
//     that asks the network come when the node has replied. A batch is answered when all its calls
//     are.
//   * A request is read strictly: one JSON text, nesting at most 64, no duplicate keys, only the
//     fields that JSON-RPC and the method's row in the method table name.
// Not thread-safe; lives on the node's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "leither/node/effects.h"
#include "leither/rpc/front.h"
#include "leither/rpc/host.h"
#include "leither/rpc/metrics.h"
#include "leither/rpc/places.h"
#include "leither/rpc/wallet_port.h"

namespace leither::rpc {

struct Options {
    std::size_t batch_calls_max = 1'000;
    // Calls that wait for the node at once; more are refused with `busy`.
    std::size_t waiting_calls_max = 4'096;
    std::size_t subscriptions_max = 32;  // per connection
    // A batch whose replies are longer is cut: calls behind are refused with `busy`.
    std::size_t reply_bytes_max = std::size_t{16} << 20;
};

// Takes the reply to one request text.
using Answer = std::function<void(std::string)>;
// Takes the events of one connection's subscriptions.
using Push = std::function<void(std::string)>;
using ConnectionId = std::uint64_t;

class Dispatcher {
 public:
    // `host` and `metrics` outlive the dispatcher.
    Dispatcher(Options options, Host& host, Metrics& metrics);
    ~Dispatcher();

    // Before the first request; it outlives the dispatcher. Without one, the methods that ask it
    // are refused.
    void set_front(Front& front);

    // Before the first request: the program serves several organizations, this dispatcher the one
    // in the place of that name. `places` outlives the dispatcher. Without, `place.*` is refused.
    void set_places(Places& places, std::string name);
    // No node runs in this place: what needs one is refused so.
    void set_absent(PlaceFailure why);

    // A connection that can be told events (WebSocket). `push` is called until disconnect().
    ConnectionId connect(Push push);
    void disconnect(ConnectionId connection);

    // `connection`: where subscriptions of this request belong; nothing for plain HTTP. `answer`
    // may be called after its connection is gone and must then do nothing.
    void handle(std::string_view request, std::optional<ConnectionId> connection, Answer answer);

    // The wallet that `wallet.*` goes to; without one they are refused. It outlives the dispatcher.
    void set_wallet(WalletPort& wallet);
    void on_wallet_reply(node::Token token, const WalletResult& result);

    void on_reply(node::Reply&& reply);
    void on_event(const node::Event& event);
    // Once a second while the host has pulse events on.
    void on_pulse();
    // The node takes no more inputs: answers everything that waits, and every later submission,
    // with the refusal `stopping`.
    void stop();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::rpc
