// Runs one node::Node on the reactor's thread: steps its inputs and carries out its effects.
// Several share a reactor when a program runs several nodes.
//
// Specification
//   * A durable batch is written and synced on the disk thread, then Persisted is stepped; replies
//     and events of the step that asked for the batch are told only then, before those of
//     Persisted.
//   * The file of the vote keys is replaced on the same thread, before the batch it came with.
//   * Signature jobs are spread over the verify pool; answers come back as inputs.
//   * One timer, armed only while node.next_deadline() names an instant; a second one only while
//     pulse events are on. An idle node wakes nobody.
//   * What the network brings is stepped at once, what the node asks of it carried out at once.
//   * History is erased when no batch is out; a batch may wait behind it.
// All calls on the reactor's thread, unless said otherwise.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leither/base/log.h"
#include "leither/io/network_host.h"
#include "leither/io/reactor.h"
#include "leither/io/wall_clock.h"
#include "leither/node/node.h"
#include "leither/rpc/host.h"
#include "leither/store/kv.h"

namespace leither::io {

// Who is told what comes of a step: the local API.
class Listener {
 public:
    virtual ~Listener() = default;
    virtual void on_reply(node::Reply&& reply) = 0;
    virtual void on_event(const node::Event& event) = 0;
    virtual void on_pulse() = 0;
    // A batch has become durable `took` after it was handed out.
    virtual void on_durable(Duration took) = 0;
    // The loop takes no more inputs and will end soon.
    virtual void on_stopping() = 0;
};

// Threads that check signatures, for all loops of a program; 0: one per core. The reactor outlives
// it.
class VerifyPool;
std::shared_ptr<VerifyPool> make_verify_pool(unsigned threads, Reactor& reactor);

struct EventLoopOptions {
    std::shared_ptr<VerifyPool> verify;  // must be given
    // Where a node that takes part in elections has its vote keys.
    std::string vote_keys_file = {};
    // How long clients have to fetch their last replies after stop().
    Duration drain = std::chrono::milliseconds(100);
    // What stop() asks, of a loop among several: on the reactor's thread. Nothing: it ends itself.
    std::function<void()> stop_all = {};
};

class EventLoop final : public rpc::Host, private NetworkSink {
 public:
    // Everything given outlives the loop. Nobody else steps `node` or writes `store` from now on.
    EventLoop(EventLoopOptions options, Reactor& reactor, node::Node& node, store::Store& store,
              WallClock& clock, Log log);
    ~EventLoop() override;

    // Before begin(). REQUIRES: at most one; it outlives the loop's work.
    void set_listener(Listener& listener);
    // The node takes part in the network from begin() on. As above; the node was opened with
    // network.
    void set_network(NetworkHost& network);

    // Called once, when nothing of the loop is at work any more, with the fault that ended the
    // node, if one did. The loop is not to be destroyed from within.
    using Ended = std::function<void(std::optional<store::Fault>)>;
    void begin(Ended ended);
    // Takes no more inputs, lets the batch that is out become durable, then ends. More than once.
    void finish();
    // begin() of the only loop of its reactor, and the reactor's run() until it has ended.
    std::optional<store::Fault> run();
    // From any thread, at any moment, more than once.
    void stop() override;

    node::Queries queries() const override;
    const PublicKey& node_key() const override;
    Instant now() const override;
    void enqueue(node::Input&& input) override;
    void set_pulse_events(rpc::PulseEvents events) override;
    rpc::ProcessStats process_stats() const override;

 private:
    void step(node::NetworkInput&& input) override;

    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::io
