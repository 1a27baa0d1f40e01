// The law of a real organization: blocks built from the mempool and executed on the tree.
//
// Specification
//   * What is built or checked is executed once and remembered by hash until the head moves;
//     sealing writes what execution produced.
//   * A height has work from the pulse after something was admitted, and when the protocol itself
//     has: a reward is due, a vote closes, the cycle has ended. Reveals and `ready` that wait are
//     work only in the last tenth of the window in which they are taken.
//   * Who is in office says the election's record as the head leaves it; this node has a seat there
//     if it holds the seat's vote key.
//   * A candidate that does not fit this block stays in the mempool, which judges it on the new
//     head.
//   * Once a takeover is adopted, its seats are the committee of the next height, which is decided
//     by a block of that act alone; whatever else waits comes behind it.
//   * A block omits a transaction if it was held for kPatiencePulses, the block has room for it,
//     and it would hold behind the others.
// Complexity: that of ledger::build, build_on and execute; omits() executes the block once more,
//   and only if something old is missing in it.
//
// Reads the store through the tree; writes leave as batches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "leither/base/log.h"
#include "leither/consensus/application.h"
#include "leither/consensus/mempool.h"
#include "leither/crypto/sign.h"

namespace leither::consensus {

// A founding certificate: the one bookkeeper's precommit, in the first term, by seat 0.
protocol::Certificate certify_founding(const ledger::Organization& organization,
                                       const protocol::BlockHeader& header,
                                       const crypto::KeyPair& key);
// What the block after `seal` stands on.
ledger::Parent parent_of(const ledger::Organization& organization, const ledger::Seal& seal);

// Blocks in a row up to the head by its author, within the term; kAuthorRunMax at most.
Result<std::uint32_t, store::Fault> author_run(const store::Reader& store, const ledger::Seal& head,
                                               Sequence first_height);

// What a sealed pulse brings, told once it is durable.
struct Sealed {
    ledger::Seal seal;
    protocol::Transactions transactions;
    std::vector<Hash> ids;                  // of the transactions, in order
    std::vector<Id> rewarded;               // members whose rewards fell due
    std::vector<Mempool::Dropped> dropped;  // from the mempool, in consequence
};

class LedgerApplication final : public Law {
 public:
    // The key with which this node votes on a seat; nothing: it is somebody else's.
    using VoteKeys = std::function<std::optional<crypto::KeyPair>(const protocol::Seat&)>;
    struct Setup {
        ledger::Organization organization;
        ledger::Seal head;
        VoteKeys vote_keys;
        ledger::SignatureOracle signature_holds;
        Log log;
    };
    // Reads from the tree what is due next, and by whom. Store, tree and mempool outlive it.
    static Result<LedgerApplication, store::Fault> open(Setup setup, const store::Reader& store,
                                                        tree::Tree& tree, Mempool& mempool);
    LedgerApplication(LedgerApplication&&) noexcept;
    ~LedgerApplication() override;

    // The mempool has admitted something.
    void on_admitted(Instant now);
    // Of the block that commit() made the head. REQUIRES: taken once after each.
    Sealed take_sealed();
    // While a height is stuck no block takes leave of what has expired, and whoever asks for an
    // account's nonce would be told one behind it. Once a pulse at most.
    Result<void, store::Fault> forget_passed(Instant now);
    // What has left the mempool because no block could hold it.
    std::vector<Mempool::Dropped> take_dropped();
    // The act stands on the head: from pulse `at` on its seats decide the next height. Another act
    // of the same seats takes its place once it has expired; any other changes nothing. Refused: it
    // does not hold at `at`. REQUIRES: no block is on its way to the disk, `at` is above the
    // head's.
    Result<Result<void, protocol::Refused>, store::Fault> adopt(const protocol::Transaction& act,
                                                                Pulse at);
    // Until the head moves.
    const protocol::Transaction* adopted() const;
    // Where a transaction arriving now would be applied.
    ledger::Place next_place(Instant now) const;
    void check_invariants() const;

    Pulse pulse(Instant now) const override;
    Result<Value, store::Fault> build(const Stamp& stamp) override;
    Result<Validity, store::Fault> check(const Hash& block, const Value& value) override;
    Result<bool, store::Fault> omits(const Value& value, Pulse at) override;
    std::optional<Pulse> opens_at() const override;
    Result<bool, store::Fault> has_work(Pulse at) override;
    Result<store::WriteBatch, store::Fault> seal(const Hash& block, Value&& value,
                                                 const protocol::Certificate& decided) override;
    Result<void, store::Fault> commit(Instant now) override;
    const Term& term() const override;
    const ledger::Seal& head() const override;
    Result<std::optional<protocol::Transactions>, store::Fault> head_transactions() override;
    Result<std::optional<DecidedHeight>, store::Fault> decided(Sequence height) override;

 private:
    struct Impl;
    explicit LedgerApplication(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
