// A host that runs one whole node with network, as the daemon's host does: two stores on one disk,
// signatures checked by workers, one port for datagrams and streams.
//
// Specification
//   * Durable before told: what a step wants told waits for that step's batch.
//   * The node never sees its clock go back: a step back repeats the last instant, until a restart.
//   * Signature jobs come back after a time of their own, so in any order.
//   * After a fault of its disk the program ends. What cannot be opened ends at once.
//   * Keys and disk outlive crashes, nothing else does. Both begin together, so the disk has a log
//   that vouches for all that the key will sign.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "leither/node/node.h"
#include "leither/sim/dht_host.h"
#include "leither/sim/disk.h"
#include "leither/sim/host.h"
#include "leither/sim/signature_memo.h"

namespace leither::sim {

class NodeHost;

// Told from within a step, in order; must not step any host. What it wants done comes later, by the
// world.
class NodeWatcher {
 public:
    virtual ~NodeWatcher() = default;
    virtual void on_reply(NodeHost&, node::Reply&&) {}
    virtual void on_event(NodeHost&, node::Event&&) {}
    // Its ledger's store holds this batch from now on; also when a crash has shown it to be kept.
    virtual void on_durable(NodeHost&, const store::WriteBatch&) {}
    // It has opened what its disk holds.
    virtual void on_opened(NodeHost&) {}
    // It ends by itself, or could not begin.
    virtual void on_ended(NodeHost&, const std::string& /*why*/) {}
};

class NodeHost final : public Host {
 public:
    struct Options {
        std::string name;  // in the trace
        crypto::KeyPair key;
        node::Options node{};
        node::NetworkOptions network{};
        Disk::Options disk{};
        // Of a signature job, drawn for each.
        Duration check_min = std::chrono::microseconds(200);
        Duration check_max = std::chrono::milliseconds(5);
        Checks checks = Checks::off;
        node::Meddler* meddler = nullptr;  // outlives the host
        // Shared with the other hosts of its world, which it outlives; none: each check is made.
        SignatureMemo* memo = nullptr;
    };

    // `watcher` outlives the host.
    NodeHost(Options options, const Prng& entropy, NodeWatcher& watcher);

    void start(const Wire& wire) override;
    void crash() override { go_down(Going::crashes); }
    void stop() override { go_down(Going::ends); }
    std::optional<Instant> next_deadline() const override;
    void on_deadline() override {
        ++ticks_;
        step(node::Input(node::Tick{}));
    }
    void on_elapsed(std::uint64_t token) override;

    void on_datagram(const Endpoint& from, ByteView bytes) override {
        step(node::NetworkInput(node::DatagramReceived{from, bytes}));
    }
    void on_accepted(StreamId id, const Endpoint& from) override {
        step(node::NetworkInput(peer::Accepted{connection(id), from}));
    }
    void on_opened(StreamId id) override { step(node::NetworkInput(peer::Opened{connection(id)})); }
    void on_received(StreamId id, ByteView bytes) override {
        step(node::NetworkInput(peer::Received{connection(id), bytes}));
    }
    void on_sent(StreamId id, std::size_t queued) override {
        step(node::NetworkInput(peer::Sent{connection(id), queued}));
    }
    // As the daemon's host: who says no more is gone.
    void on_ended(StreamId id) override;
    void on_closed(StreamId id) override { step(node::NetworkInput(peer::Closed{connection(id)})); }

    // It has opened its disk, and neither leaves nor has met a fault.
    bool is_running() const { return node_.has_value() && !is_ending_; }
    // REQUIRES, of all below: is_running.
    void tell(node::Input&& input);
    void tell(node::NetworkInput&& input);
    // Says goodbye, keeps what it wants to keep, and ends.
    void leave();
    node::Queries queries() const { return node_->queries(); }
    // As the node sees it.
    Instant now() const;

    // How often a deadline has woken it.
    std::uint64_t ticks() const { return ticks_; }

    Disk& disk() { return disk_; }
    const Disk& disk() const { return disk_; }
    const store::Reader& ledger() const { return disk_.reader(Disk::Part::ledger); }
    const crypto::KeyPair& key() const { return options_.key; }
    const std::string& name() const { return options_.name; }
    // Into the trace, while it runs or not.
    void note(std::string_view text) const;

 private:
    enum class Going : std::uint8_t { crashes, ends };
    // What is told once a batch is durable.
    struct Told {
        std::vector<node::Reply> replies;
        std::vector<node::Event> events;
    };
    struct Synced {
        Disk::Part part = Disk::Part::ledger;
    };
    // What Wire::after brings back.
    using Pending = std::variant<Synced, node::SignatureJob>;

    static peer::ConnectionId connection(StreamId id) { return peer::ConnectionId(id.value()); }
    static StreamId stream(peer::ConnectionId id) { return StreamId(id.value()); }
    template <class Input>
    void step(Input&& input);
    void carry_out(node::Effects&& effects);
    void carry_out(node::NetworkEffects&& effects);
    void later(Duration delay, Pending&& what);
    void on(const Synced& synced);
    void on(const node::SignatureJob& job);
    bool holds(const PublicKey& key, ByteView message, const Signature& signature);
    void on_ledger_synced(Result<void, store::Fault>&& result);
    // A batch of the ledger's and what is to be in the file of the vote keys before it.
    struct Writing {
        store::WriteBatch batch;
        Disk::Keys keys;
    };
    void write(Writing&& writing);
    void prune_if_free();
    void tell_all(Told&& told);
    void end(const std::string& why);
    void end_when_durable();
    void go_down(Going how);

    Options options_;
    Prng entropy_;
    Prng chance_;
    NodeWatcher& watcher_;
    Disk disk_;
    std::optional<Wire> wire_;
    std::optional<node::Node> node_;
    bool is_ending_ = false;
    mutable Instant latest_;  // shown to the node
    std::uint64_t ticks_ = 0;
    std::map<std::uint64_t, Pending> pending_;
    std::uint64_t last_pending_ = 0;
    std::optional<Told> held_;        // until the ledger's batch is durable
    std::optional<Writing> waiting_;  // while it prunes
    bool is_pruning_ = false;
    std::optional<ledger::Pruning> pruning_;  // to be done
};

}  // namespace leither::sim
