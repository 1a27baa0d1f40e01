// A whole node as one machine: inputs and time in, effects out. No thread, clock, socket or file;
// the daemon (io::EventLoop) and the simulator are its two hosts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/crypto/sign.h"
#include "leither/node/effects.h"
#include "leither/node/input.h"
#include "leither/node/meddler.h"
#include "leither/node/options.h"
#include "leither/node/queries.h"

namespace leither::node {

// Why a store cannot be opened.
struct OpenError {
    enum class Kind : std::uint8_t {
        fault,         // the store itself
        inconsistent,  // its parts contradict each other: names the sequence and the remedy
        wrong_key,     // the ledger was founded with another node key
        wrong_chain,   // the ledger does not contain the block that the operator has pinned
    };
    Kind kind = Kind::fault;
    std::string detail;
};

// What the node needs for the network. The references and the meddler outlive the node.
struct NetworkSetup {
    NetworkOptions options;
    const store::Reader& store;  // the network's own, apart from the ledger's
    Entropy& entropy;
    Instant now;
    Meddler* meddler = nullptr;  // none: it is honest
};

class Node {
 public:
    // Opens what the store holds, an organization or nothing yet. `store` outlives the node.
    static Result<Node, OpenError> open(Options options, const store::Reader& store,
                                        crypto::KeyPair node_key, Log log);
    // The same with a place in the network. `start_network` is to be called once, before anything
    // else is stepped.
    static Result<Node, OpenError> open(Options options, const store::Reader& store,
                                        crypto::KeyPair node_key, Log log,
                                        const NetworkSetup& network);
    Node(Node&&) noexcept;
    ~Node();

    // REQUIRES: now >= every earlier now (a host whose clock steps back repeats the last).
    Effects step(Input&& input, Instant now);
    Effects step(NetworkInput&& input, Instant now);
    Effects start_network(Instant now);
    // When to step Tick next; nothing while there is nothing to wait for.
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    const PublicKey& node_key() const;
    // Read-only answers; valid until the next step.
    Queries queries() const;

 private:
    explicit Node(std::unique_ptr<NodeImpl> impl);
    std::unique_ptr<NodeImpl> impl_;
};

// Re-executes every stored block from genesis in memory and compares each root with its seal and
// each certificate with its header. For `leitherd --verify` and tests. Calls `progress` now and
// then.
struct Verified {
    Sequence sequence;
    Synopsis root;
    std::uint64_t transactions = 0;
};
Result<Verified, OpenError> verify_store(const store::Reader& store,
                                         const std::function<void(Sequence)>& progress);

}  // namespace leither::node
