// A deterministic host of one node: virtual time, a store in memory, signature jobs and durable
// batches carried out at once or when the test says so. Every effect goes into one digest, so that
// two runs can be compared.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "leither/base/prng.h"
#include "leither/node/node.h"
#include "leither/store/memory_store.h"

#include "support/node/community.h"

namespace leither::testing {

enum class Checking : std::uint8_t {
    at_once,
    shuffled,  // all jobs of a step, in a random order
    held,      // until check_signatures()
};
enum class Writing : std::uint8_t {
    at_once,
    held,  // until write()
};

struct HostOptions {
    node::Options node = {};
    Checking checking = Checking::at_once;
    Writing writing = Writing::at_once;
    std::uint64_t seed = 1;
    CommunityOptions community = {};
};

class NodeHost {
 public:
    // Opens a node on an empty store, at the start of pulse 0.
    explicit NodeHost(HostOptions options = {});

    const Community& community() const { return community_; }
    store::MemoryStore& store() { return store_; }
    node::Node& node() { return *node_; }
    node::Queries queries() const { return node_->queries(); }
    Instant now() const { return now_; }
    Pulse pulse() const { return queries().pulse(now_); }
    void set_checking(Checking checking) { options_.checking = checking; }
    void set_writing(Writing writing) { options_.writing = writing; }

    // Steps one input and carries out whatever follows at once.
    void step(node::Input input);
    void check_signatures();
    // Writes and syncs the batch that is out, then steps Persisted.
    void write();
    bool is_writing() const { return batch_.has_value(); }

    // Moves time on, stepping Tick at each deadline on the way.
    void advance(Duration duration);
    void pass_pulses(std::uint64_t count);
    // A clock set back; the host repeats the last instant to the node until time has caught up.
    void step_clock_back(Duration duration);

    // Power loss: everything in memory is gone, the store keeps what was synced. False if the node
    // cannot be opened any more (see open_error).
    bool crash();
    bool reopen();
    const std::optional<node::OpenError>& open_error() const { return open_error_; }

    // ---- What the node told, in order
    const std::vector<node::FoundReply>& found_replies() const { return found_replies_; }
    const std::vector<node::SubmitReply>& submit_replies() const { return submit_replies_; }
    const std::vector<node::NetworkReply>& network_replies() const { return network_replies_; }
    const std::vector<node::BlockSealed>& sealed() const { return sealed_; }
    const std::vector<node::TransactionDropped>& dropped() const { return dropped_; }
    const std::optional<store::Fault>& fatal() const { return fatal_; }
    std::uint64_t ticks() const { return ticks_; }
    std::uint64_t prunings() const { return prunings_; }
    const Hash& digest() const { return digest_; }

    // ---- What clients do
    // Founds the community's organization. True if it was accepted and is durable.
    bool found();
    void submit(const std::vector<protocol::Transaction>& transactions);
    // Submits one and returns its verdict. REQUIRES: checking is not held.
    node::Verdict submit_one(const protocol::Transaction& transaction);
    // Counter from the node, expiry 100 pulses ahead.
    Signing signing(const crypto::KeyPair& signer) const;
    node::Verdict pay(std::size_t payer, std::size_t payee, std::uint64_t amount);
    // REQUIRES: the sequence is retained.
    protocol::Transactions block(Sequence sequence) const;
    std::uint64_t balance(const Id& id) const;
    std::uint64_t balance(std::size_t member) const {
        return balance(community_.member(member).id());
    }

 private:
    struct Batch {
        store::WriteBatch writes;
        std::vector<node::Reply> replies;
        std::vector<node::Event> events;
    };

    void carry_out(node::Effects&& effects);
    void answer_jobs(std::vector<node::SignatureJob>&& jobs);
    void tell(std::vector<node::Reply>&& replies, std::vector<node::Event>&& events);
    void prune();
    void note(const node::Effects& effects);

    HostOptions options_;
    Community community_;
    store::MemoryStore store_;
    std::optional<node::Node> node_;
    std::optional<node::OpenError> open_error_;
    Prng prng_;
    Instant now_;
    Instant latest_;  // told to the node last

    std::optional<Batch> batch_;
    std::vector<node::SignatureJob> held_jobs_;
    std::optional<ledger::Pruning> pruning_;
    std::vector<node::FoundReply> found_replies_;
    std::vector<node::NetworkReply> network_replies_;
    std::vector<node::SubmitReply> submit_replies_;
    std::vector<node::BlockSealed> sealed_;
    std::vector<node::TransactionDropped> dropped_;
    std::optional<store::Fault> fatal_;
    std::uint64_t ticks_ = 0;
    std::uint64_t prunings_ = 0;
    node::Token next_token_ = 1;
    Hash digest_;
};

}  // namespace leither::testing
