// Whole nodes in a small simulated network of even latency, under the clock of a test's
// organization, and a call for everything that tests do to them. Same seed, same run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "leither/sim/network.h"
#include "leither/sim/node_host.h"

namespace leither::testing {

class NetworkWorld final : public sim::NodeWatcher {
 public:
    // At their own address, or at any of theirs of IPv4.
    enum class Listens : std::uint8_t { at_own_address, anywhere };
    struct Options {
        std::uint64_t seed = 1;
        Duration latency = std::chrono::milliseconds(10);
        Listens listens = Listens::at_own_address;
        Duration disk_latency{};           // until a node hears that a batch is durable
        Duration ledger_latency{};         // the same of the ledger's
        std::vector<Endpoint> peers = {};  // configured at each node
        node::Options node = {};
        std::size_t outbound_target = peer::HubOptions().outbound_target;
    };
    using Answer = Result<node::NetworkAnswer, node::NetworkFailure>;
    explicit NetworkWorld(Options options, Instant start);

    // Adds a node at 10.0.n.1, bootstrapping from the first. Answers its number.
    std::size_t add(const crypto::KeyPair& key);
    void stop(std::size_t host);     // says goodbye, keeps what it wants to keep
    void crash(std::size_t host);    // nobody hears of it
    void restart(std::size_t host);  // what was durable is there again

    // Nothing passes between `these` and all others, until join().
    void part(const std::vector<std::size_t>& these);
    void join();

    // Nobody can dial it, as behind most home routers; datagrams it has asked for come in. Also
    // before it is added.
    void shut_in(std::size_t host);
    void let_in(std::size_t host);

    Instant now() const { return world_.now() + clock_offset_; }
    node::Queries queries(std::size_t host) const { return node(host).queries(); }
    const Endpoint& endpoint(std::size_t host) const {
        return network_.place(hosts_[host].id).endpoint;
    }

    void step(std::size_t host, node::Input&& input) { node(host).tell(std::move(input)); }
    void step(std::size_t host, node::NetworkInput&& input) { node(host).tell(std::move(input)); }
    // Asks and waits at most `patience`; nothing if no reply came.
    std::optional<Answer> ask(std::size_t host, node::NetworkRequest request,
                              Duration patience = std::chrono::seconds(60));
    // The reply to a call that was stepped in, if it has come.
    std::optional<Answer> take_reply(std::size_t host, node::Token token);
    void advance(Duration duration) { world_.run_for(duration); }
    // Advances until `holds`, at most `patience`. Whether it did.
    bool wait(const std::function<bool()>& holds, Duration patience);

    // What passed a host's line since it was added, both ways, as an IP network carries it.
    struct Traffic {
        std::uint64_t datagram_bytes = 0;
        std::uint64_t stream_bytes = 0;
    };
    Traffic traffic(std::size_t host) const;

    // Written to its network's store.
    std::uint64_t batches(std::size_t host) const {
        return node(host).disk().written(sim::Disk::Part::network);
    }
    // How often a deadline has woken it.
    std::uint64_t ticks(std::size_t host) const { return node(host).ticks(); }

    // Also of a node that does not run.
    sim::Disk& disk(std::size_t host) { return node(host).disk(); }

    const std::vector<node::Event>& events(std::size_t host) const { return hosts_[host].events; }

 private:
    struct Host {
        sim::HostId id;
        std::map<node::Token, Answer> replies;
        std::vector<node::Event> events;
    };

    void on_reply(sim::NodeHost& host, node::Reply&& reply) override;
    void on_event(sim::NodeHost& host, node::Event&& event) override;
    sim::NodeHost& node(std::size_t host) {
        return static_cast<sim::NodeHost&>(network_.host(hosts_[host].id));
    }
    const sim::NodeHost& node(std::size_t host) const {
        return static_cast<const sim::NodeHost&>(network_.host(hosts_[host].id));
    }

    Options options_;
    Duration clock_offset_;
    sim::World world_;
    sim::Network network_;
    std::vector<Host> hosts_;
    std::map<std::string, std::size_t> numbers_;  // by name
    std::set<std::size_t> shut_in_;
    std::optional<sim::PartitionId> partition_;
    node::Token last_token_ = 0;
};

}  // namespace leither::testing
