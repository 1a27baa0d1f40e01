// Keeps what convicts a bookkeeper, and sees to it that the ledger takes the pledge.
//
// Specification
//   * Each offence met is gathered into a record that proves itself, and is written once: under the
//     ledger's store, outside the tree. It counts as recorded when it is durable.
//   * At most kRecordsMax are kept. Of one seat and term kPerSeatMax, which is three more than the
//     ledger's rule needs; when all places are taken, the oldest that is no fork makes room.
//   * While the rule on evidence would take something, this node reports: once for each head at
//     most, in the nodes' lane, if its key stands for a candidate. Its own candidate it leaves to
//     others.
//   * A node that stands for nobody reports for a member whom it serves, by that member's
//     delegation: each offence once, and not before a time of its own has passed, so that
//     candidates' nodes come first and the others not all together. The time follows from offence
//     and node key.
// Rationale
//   * The rule itself is asked whether a report holds. So a report of somebody else, a released
//     pledge or an ended term end the matter, and a report that was lost is made again.
#pragma once

#include <optional>
#include <vector>

#include "leither/base/log.h"
#include "leither/consensus/mempool.h"
#include "leither/crypto/sign.h"
#include "leither/ledger/evidence_store.h"
#include "leither/node/queries.h"
#include "leither/protocol/delegation.h"

namespace leither::node {

class EvidenceKeeper {
 public:
    static constexpr std::size_t kRecordsMax = 256;
    static constexpr std::size_t kPerSeatMax = 4;

    struct Item {
        Hash id;
        std::uint32_t index = 0;  // in the store
        ledger::OffenceName name;
        // Still to be reported, if it can be; nothing for forks, whose signers have each their own.
        std::optional<protocol::Conflict> open;
        bool is_durable = false;
        std::optional<Pulse> from = {};  // when a node that stands for nobody may report it
        bool is_told = false;            // it has
    };
    // Pulses that a node which stands for nobody waits: at least, and spread over so many more.
    static constexpr std::uint64_t kPatiencePulses = 10;
    static constexpr std::uint64_t kSpreadPulses = 120;

    // With what the store holds.
    static Result<EvidenceKeeper, store::Fault> open(const store::Reader& store,
                                                     const ChainId& chain, crypto::KeyPair node_key,
                                                     Log log);

    // Takes what is new into `batch`. Answers how many records it now holds that were not there.
    Result<std::size_t, store::Fault> note(const ledger::EvidenceSource& source,
                                           const ledger::Offence& offence,
                                           store::WriteBatch& batch);
    // The oldest `count` that were not durable are.
    void on_durable(std::size_t count);
    // The head has moved: what is open is looked at again.
    void on_head() { due_ = true; }
    // The pulse from which take_report() has something to look at, whatever the head.
    std::optional<Pulse> due() const { return wake_; }

    // What a report is made from.
    struct Desk {
        const ledger::Organization& organization;
        tree::Tree& tree;
        consensus::Mempool& mempool;
        const protocol::Delegations& served;  // by this node
    };
    // A report to submit now; nothing most of the time. Asked until the next on_head() it answers
    // at most one. `place`: the block that could hold it first.
    Result<std::optional<protocol::Transaction>, store::Fault> take_report(
        const Desk& desk, const ledger::Place& place);

    // Oldest first.
    const std::vector<Item>& items() const { return items_; }
    EvidenceCounts counts() const;
    const Item* find(const Hash& id) const;
    void check_invariants() const;

 private:
    EvidenceKeeper(const ChainId& chain, crypto::KeyPair node_key, Log log)
        : chain_(chain), node_key_(std::move(node_key)), log_(std::move(log)) {}
    // For whom this node reports, and by which delegation if it stands for nobody.
    struct Reporter {
        Id member;
        std::uint64_t counter = 0;  // the next in the nodes' lane
        std::optional<protocol::SignedDelegation> delegation;
    };
    Result<bool, store::Fault> any_open_in(ledger::State& state);
    Result<std::optional<Reporter>, store::Fault> reporter(const Desk& desk, ledger::State& state,
                                                           const ledger::Place& place) const;
    protocol::Transaction report_of(const Reporter& reporter, const protocol::Evidence& evidence,
                                    Pulse expiry) const;
    bool is_its_turn(Item& item, Pulse now);
    bool has_place_for(const ledger::OffenceName& name) const;
    void make_room(store::WriteBatch& batch);

    ChainId chain_;
    crypto::KeyPair node_key_;
    Log log_;
    std::vector<Item> items_;
    std::uint32_t next_index_ = 0;
    bool due_ = false;
    std::optional<Pulse> wake_;
};

}  // namespace leither::node
