// Whole nodes on a small virtual network: datagrams and streams with a fixed latency, stores in
// memory, every signature checked for real. Same seed, same run.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "leither/base/prng.h"
#include "leither/node/node.h"
#include "leither/store/memory_store.h"

namespace leither::testing {

class NetworkWorld {
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
    explicit NetworkWorld(Options options, Instant start) : options_(options), now_(start) {}

    // Adds a node at 10.0.n.1, bootstrapping from the first. Answers its number.
    std::size_t add(const crypto::KeyPair& key);
    void stop(std::size_t host);     // says goodbye, keeps what it wants to keep
    void crash(std::size_t host);    // nobody hears of it
    void restart(std::size_t host);  // what was durable is there again

    // Nobody can dial it, as behind most home routers; datagrams it has asked for come in.
    void shut_in(std::size_t host) { shut_in_.insert(host); }
    void let_in(std::size_t host) { shut_in_.erase(host); }

    Instant now() const { return now_; }
    node::Queries queries(std::size_t host) const { return hosts_[host]->node->queries(); }
    Endpoint endpoint(std::size_t host) const { return hosts_[host]->endpoint; }

    void step(std::size_t host, node::Input&& input);
    void step(std::size_t host, node::NetworkInput&& input) {
        step(*hosts_[host], std::move(input));
    }
    // Asks and waits at most `patience`; nothing if no reply came.
    std::optional<Result<node::NetworkAnswer, node::NetworkFailure>> ask(
        std::size_t host, node::NetworkRequest request,
        Duration patience = std::chrono::seconds(60));
    // The reply to a call that was stepped in, if it has come.
    std::optional<Result<node::NetworkAnswer, node::NetworkFailure>> take_reply(std::size_t host,
                                                                                node::Token token);
    void advance(Duration duration);
    // Advances until `holds`, at most `patience`. Whether it did.
    bool wait(const std::function<bool()>& holds, Duration patience);

    // What passed a host's line since it was added, both ways, as an IP network carries it.
    struct Traffic {
        std::uint64_t datagram_bytes = 0;
        std::uint64_t stream_bytes = 0;
    };
    Traffic traffic(std::size_t host) const { return hosts_[host]->traffic; }

    // Written to its network's store.
    std::uint64_t batches(std::size_t host) const { return hosts_[host]->batches; }
    // How often a deadline has woken it.
    std::uint64_t ticks(std::size_t host) const { return hosts_[host]->ticks; }

    const std::vector<node::Event>& events(std::size_t host) const { return hosts_[host]->events; }

 private:
    struct Host {
        std::size_t number = 0;
        std::size_t lives = 0;  // behind it
        crypto::KeyPair key;
        Endpoint endpoint;
        store::MemoryStore ledger;
        store::MemoryStore network;
        Prng entropy;
        std::optional<node::Node> node;
        std::map<node::Token, Result<node::NetworkAnswer, node::NetworkFailure>> replies;
        std::vector<node::Event> events;
        Traffic traffic;
        std::uint64_t ticks = 0;
        std::uint64_t batches = 0;

        Host(std::size_t its_number, const crypto::KeyPair& its_key, std::uint64_t seed)
            : number(its_number), key(its_key), entropy(seed) {}
    };
    using Connection = std::pair<std::size_t, peer::ConnectionId>;

    node::NetworkOptions network_options(const Host& host) const;
    void open(Host& host);
    void after(Duration delay, std::function<void()> what) {
        events_.emplace(now_ + delay, std::move(what));
    }
    void step(Host& host, node::NetworkInput&& input);
    void carry_out(Host& host, node::Effects&& effects);
    void write_ledger(Host& host, store::WriteBatch&& batch);
    void carry_out(Host& host, node::NetworkEffects&& effects);
    void dial(Host& host, const peer::Dial& dial);
    void close(const Connection& from);
    Host* host_at(const Endpoint& endpoint);
    bool is_up(std::size_t host) const { return hosts_[host]->node.has_value(); }

    Options options_;
    Instant now_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::multimap<Instant, std::function<void()>> events_;
    std::map<Connection, Connection> connections_;
    std::uint64_t accepted_ = 0;
    std::set<std::size_t> shut_in_;
    node::Token last_token_ = 0;
};

}  // namespace leither::testing
