// Brings a row of transactions to a daemon in order and follows each until it is decided, through
// full mempools, lost connections and restarts of the daemon.
//
// Specification
//   * Transactions are submitted in the order given; one that must wait (mempool_full, stopping)
//     holds up all behind it, since they may depend on it.
//   * What is committed is learnt from the blocks, not from the replies: only a sealed block
//     counts.
//   * When the connection is lost, the courier waits for the daemon, reads the blocks sealed
//     meanwhile, and submits everything else that is undecided again, in order.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "leither/protocol/block.h"

#include "app/replay/signer.h"
#include "app/rpc_client.h"

namespace leither::app {

// The way to a daemon that may go away and come back. Tests bring a daemon of their own.
class DaemonLink {
 public:
    virtual ~DaemonLink() = default;
    // Throws RpcUnreachable, RpcError.
    virtual nlohmann::json call(const std::string& method, const nlohmann::json& params) = 0;
    // Looks for the daemon anew: its `node.status`. Throws RpcUnreachable, RpcError or CliError.
    virtual nlohmann::json look_again() = 0;
    // Returns once the daemon answers again; throws the last fault when patience ends.
    virtual void await_return() = 0;
    // How often it went away.
    virtual std::uint64_t reconnects() const = 0;
    // Lets some time pass before the next attempt or look.
    virtual void pause() = 0;

    // A question: asked again once the daemon is back.
    nlohmann::json ask(const std::string& method, const nlohmann::json& params);
};

class RpcLink final : public DaemonLink {
 public:
    // `find` tells where the daemon is now; it may throw while it is away.
    RpcLink(std::function<RpcEndpoint()> find, std::chrono::seconds patience)
        : find_(std::move(find)), patience_(patience) {}

    nlohmann::json call(const std::string& method, const nlohmann::json& params) override;
    nlohmann::json look_again() override;
    void await_return() override;
    std::uint64_t reconnects() const override { return reconnects_; }
    void pause() override;

 private:
    std::function<RpcEndpoint()> find_;
    std::chrono::seconds patience_;
    std::optional<RpcClient> client_;
    std::uint64_t reconnects_ = 0;
};

// Several daemons that keep one ledger: calls go to the first, and while it is away to the next
// that stands where this link has seen the ledger stand. Once the first has caught up, back to it.
//
// Whichever way it changes, that counts as a reconnect: what waits at one daemon need not wait at
// another yet, so the courier reads the blocks and submits again what is undecided.
class FailoverLink final : public DaemonLink {
 public:
    // REQUIRES: at least one daemon.
    FailoverLink(std::vector<std::unique_ptr<DaemonLink>> daemons, std::chrono::seconds patience)
        : daemons_(std::move(daemons)), patience_(patience) {}

    nlohmann::json call(const std::string& method, const nlohmann::json& params) override;
    nlohmann::json look_again() override { return daemons_[at_]->look_again(); }
    // Looks at all in turn, with a pause between the rounds.
    void await_return() override;
    std::uint64_t reconnects() const override { return reconnects_; }
    void pause() override { daemons_[at_]->pause(); }

 private:
    // Changes to that daemon if it is there and has what we have seen.
    bool try_daemon(std::size_t index);
    void look_home();
    void note(const nlohmann::json& status);

    std::vector<std::unique_ptr<DaemonLink>> daemons_;
    std::chrono::seconds patience_;
    std::size_t at_ = 0;
    std::uint64_t looks_away_ = 0;
    std::uint64_t sequence_seen_ = 0;
    std::uint64_t reconnects_ = 0;
};

// What became of one transaction.
struct Delivery {
    std::uint64_t row = 0;
    std::string refusal;       // empty: committed
    Sequence sequence;         // of its block
    std::uint64_t pulses = 0;  // from submission to its block

    static Delivery refused(std::uint64_t row, std::string name) {
        return {row, std::move(name), Sequence(), 0};
    }
    static Delivery committed(std::uint64_t row, Sequence sequence, std::uint64_t pulses) {
        return {row, {}, sequence, pulses};
    }
};

class Courier {
 public:
    using OnDelivered = std::function<void(const Delivery&)>;
    // Link and charter outlive the courier.
    Courier(DaemonLink& link, const protocol::Charter& charter, OnDelivered on_delivered);

    // Submits; returns when all have been admitted or refused.
    void submit(std::vector<SignedTransaction> transactions);
    // Returns when everything submitted is decided.
    void finish();
    // Returns when the block of that sequence, which another daemon has, was read from this one.
    void read_up_to(Sequence sequence);

    std::uint64_t delivered() const { return delivered_; }
    // The last sequence whose block was read.
    Sequence head() const { return head_; }

 private:
    enum class State : std::uint8_t { unsent, admitted, decided };
    struct Open {
        SignedTransaction transaction;
        State state = State::unsent;
        std::optional<Pulse> submitted;
    };
    struct HashOfId {
        std::size_t operator()(const Hash& id) const;
    };

    void send_unsent();
    // Some transactions of the row, in order; moves first_unsent_ to the first that must wait.
    void send_once();
    std::vector<std::size_t> next_batch();
    void take_verdicts(const std::vector<std::size_t>& batch, const nlohmann::json& verdicts);
    void poll_blocks();
    void poll_blocks_if_due();
    void read_block(Sequence sequence);
    // After a restart of the daemon: reads what it sealed and takes back what it has forgotten.
    void notice_restart();
    // Looks after transactions that no block brings.
    void ask_after_stragglers();
    void decide(std::size_t index, Delivery delivery);
    Open& at(std::size_t index) { return open_[index - base_]; }
    std::size_t end() const { return base_ + open_.size(); }
    Pulse pulse_now() const;

    DaemonLink& link_;
    const protocol::Charter& charter_;
    OnDelivered on_delivered_;
    // Everything submitted since the first that is not decided yet; indexes count from the start.
    std::deque<Open> open_;
    std::size_t base_ = 0;
    std::size_t first_unsent_ = 0;
    std::unordered_map<Hash, std::size_t, HashOfId> by_id_;
    Sequence head_;
    std::uint64_t delivered_ = 0;
    std::uint64_t reconnects_seen_ = 0;
    std::chrono::steady_clock::time_point polled_{};
};

}  // namespace leither::app
