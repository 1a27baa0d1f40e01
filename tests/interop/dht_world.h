// DHT nodes on real UDP sockets, many in one process: what the daemon's host does for its one node,
// with faults on demand. For tests and figures only.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "leither/base/prng.h"
#include "leither/dht/dht_node.h"
#include "leither/io/os_entropy.h"
#include "leither/io/reactor.h"

namespace leither::interop {

class World {
 public:
    struct Options {
        std::vector<Endpoint> listen;  // one node each; port 0: any
        std::vector<Endpoint> bootstrap;
        dht::Options node;  // own_id is drawn anew for each
        // Of the datagrams that arrive, so many in 1000 are lost, drawn from `seed`.
        std::uint32_t loss_permille = 0;
        std::uint64_t seed = 1;
    };
    using NodeIndex = std::size_t;
    using OnDone = std::function<void(NodeIndex, const dht::Done&)>;

    // Binds and starts every node. Throws std::runtime_error if an address cannot be had. Nodes
    // without bootstrap addresses know the first of them.
    World(io::Reactor& reactor, Options options, OnDone on_done);
    ~World();

    std::size_t size() const { return nodes_.size(); }
    const Endpoint& endpoint(NodeIndex index) const;
    const dht::DhtNode& node(NodeIndex index) const;
    void ask(NodeIndex index, dht::Ask ask);
    // It neither reads nor sends from now on, and nobody is told.
    void silence(NodeIndex index);
    // Moves the clock of all nodes.
    void advance(Duration by);

 private:
    struct Member;

    void add(io::Reactor& reactor, const Endpoint& listen);
    void start(NodeIndex index);
    void step(NodeIndex index, dht::Input&& input);
    void receive(NodeIndex index, const Endpoint& from, ByteView bytes);
    void schedule(NodeIndex index);
    void arm();
    void serve_deadlines();
    Instant now() const;

    struct Timer;
    Options options_;
    OnDone on_done_;
    io::OsEntropy entropy_;
    Prng loss_;
    Duration offset_{0};
    std::unique_ptr<Timer> timer_;
    std::set<std::pair<Instant, NodeIndex>> deadlines_;
    std::vector<std::unique_ptr<Member>> nodes_;
};

}  // namespace leither::interop
