// What must hold in every run of a ledger's nodes, whatever fails around them. Looked at as things
// happen: at each batch that a disk holds, each answer that a client gets.
//
// | checker | claims |
// |---|---|
// | agreement | no two nodes hold different blocks at one sequence |
// | conservation | the root's sum is the supply at every sequence |
// | committed | what a node has held durably it holds for ever; what a client was told is in the
// chain | | no_double_spend | no transaction, and no nonce of a signer, is in the chain twice | |
// receipts | an exported receipt proves the account under the chain's own block | | confiscation |
// nobody honest loses a pledge | | progress | after the faults a block is decided in time |
//
// What nodes say is believed nowhere: blocks are read from what reaches their disks.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "leither/ledger/block_store.h"
#include "leither/ledger/receipt.h"
#include "leither/ledger/state.h"
#include "leither/sim/host.h"
#include "leither/sim/report.h"
#include "leither/sim/world.h"

namespace leither::sim {

class Checkers {
 public:
    enum class Checker : std::uint8_t {
        agreement,
        conservation,
        committed,
        no_double_spend,
        receipts,
        confiscation,
        progress,
    };
    static constexpr std::size_t kCheckers = 7;

    struct Failure {
        Checker checker = Checker::agreement;
        Duration at{0};
        std::vector<std::string> nodes;
        std::optional<Sequence> sequence;
        std::string what;
        // "+12.345678 agreement at sequence 7, nodes keeper-0 and keeper-1: ..."
        std::string text() const;
    };
    // Described one by one; the rest is counted.
    static constexpr std::size_t kFailuresMax = 20;

    // A block as it came to a disk.
    struct Block {
        struct Spent {
            Hash transaction;
            Id signer;
            protocol::Nonce nonce;
        };
        Sequence sequence;
        Hash hash;
        Amount sum;  // of the root
        std::vector<Spent> transactions;
    };

    // Both outlive the checkers.
    Checkers(World& world, const ledger::Organization& organization)
        : world_(world), organization_(organization) {}

    void admit(HostId node, std::string name) { nodes_[node].name = std::move(name); }

    // ---- Nodes
    // A node's ledger holds this batch from now on.
    void on_durable(HostId node, const store::WriteBatch& batch);
    void on_block(HostId node, const Block& block);
    // It has started on this: nothing it was seen to hold may be missing.
    void on_opened(HostId node, const store::Reader& ledger);
    // Its disk was put back to an older state from outside: what it held is forgotten.
    void on_restored(HostId node, const store::Reader& ledger);
    // It has shown or met what no committee of which at most f lie can decide.
    void on_contradiction(HostId node, Sequence sequence, const std::string& what);
    // Reads all that it holds. Slow: for the end.
    void check_store(HostId node, const store::Reader& ledger);

    // ---- Clients
    void on_told_committed(HostId node, const Hash& transaction, Sequence sequence);
    // The client was told, or could prove, that this will never be committed.
    void on_told_over(HostId node, const Hash& transaction);
    // Exported at a node for an account.
    void on_receipt(HostId node, const Id& account, const ledger::Receipt& receipt);

    // ---- Pledges
    void set_dishonest(HostId node) { nodes_[node].is_honest = false; }
    void on_confiscated(HostId owner, Sequence sequence);

    // ---- Progress
    // The faults are over and there is work: within this time a block must be decided.
    void expect_block_within(Duration time, const std::string& why);
    // A new fault: nothing is expected any more.
    void expect_nothing() { ++expectation_; }

    // ---- What came of it
    // The highest sequence that any disk holds.
    std::optional<Sequence> highest() const;
    std::optional<Hash> hash_at(Sequence sequence) const;
    // Whether any disk holds it in a block.
    bool is_committed(const Hash& transaction) const { return committed_.contains(transaction); }
    // In how many blocks, and by how many nodes each.
    std::size_t blocks() const { return chain_.size(); }
    std::size_t transactions() const { return committed_.size(); }
    const std::vector<Failure>& failures() const { return failures_; }
    // The last events before the first failure.
    const std::vector<std::string>& trace() const { return trace_; }
    // A goal each: none has failed.
    void report(Report& report) const;

 private:
    struct Node {
        std::string name;
        bool is_honest = true;
        std::map<Sequence, Hash> held;
    };
    struct Decided {
        Hash hash;
        HostId first;  // who held it first
    };

    void fail(Checker checker, const std::vector<HostId>& nodes, std::optional<Sequence> sequence,
              std::string what);
    void decide(HostId node, const Block& block);
    Block block_of(const protocol::BlockHeader& header,
                   const protocol::Transactions& transactions) const;
    Hash hash_of(const protocol::BlockHeader& header) const;

    World& world_;
    const ledger::Organization& organization_;
    std::map<HostId, Node> nodes_;
    std::map<Sequence, Decided> chain_;
    std::map<Hash, Sequence> committed_;
    std::map<std::pair<Id, protocol::Nonce>, Hash> spent_;
    std::set<Hash> over_;
    std::uint64_t expectation_ = 0;
    std::vector<Failure> failures_;
    std::vector<std::string> trace_;
    std::array<std::uint64_t, kCheckers> counts_{};
};
const char* to_string(Checkers::Checker checker);

}  // namespace leither::sim
