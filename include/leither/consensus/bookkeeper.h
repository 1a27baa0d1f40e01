// Agreement of one: a committee with a single bookkeeper decides by its own signature (protocol
// §5).
//
// Specification
//   * At most one block a pulse; block.pulse rises strictly. A height opens at the first pulse at
//     which a transaction waits or the protocol itself has work: a reward is due, a vote closes,
//     the cycle has ended. An idle pulse does nothing at all.
//   * Reveals and `ready` open a height only at the last pulse at which they are taken.
//   * Once another committee is in office nothing is sealed any more.
//   * What arrives during a pulse waits for the start of the next, so that one block holds all of
//   it.
//   * The certificate is signed only over a fully executed block, and both leave together in one
//     durable batch. Until the host reports that batch durable, nothing of it is visible and no
//     other block is begun; if it fails, the bookkeeper stops for good.
//   * A clock that steps back opens no height until it has caught up with the last block's pulse.
//   * A candidate that does not fit this block stays in the mempool, which judges it on the new
//   head.
// Deviation from Tendermint Algorithm 1: with n = 1 every step collapses into one (lines 14-54).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/consensus/mempool.h"
#include "leither/crypto/sign.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"

namespace leither::consensus {

// The precommit of a committee of one, in the term `cycle`: slot (cycle, root, the header's
// sequence, round 0).
struct Office {
    std::uint64_t cycle = 0;
    std::uint16_t seat = 0;
};
protocol::Certificate certify_alone(const ledger::Organization& organization,
                                    const protocol::BlockHeader& header, const crypto::KeyPair& key,
                                    const Office& office);
// What the block after `seal` names as its parent; its signers are signers_of(seal.certificate).
ledger::Parent parent_of(const ledger::Organization& organization, const ledger::Seal& seal);

// What a sealed pulse brings, told once it is durable.
struct Sealed {
    ledger::Seal seal;
    protocol::Transactions transactions;
    std::vector<Hash> ids;                  // of the transactions, in order
    std::vector<Id> rewarded;               // members whose rewards fell due
    std::vector<Mempool::Dropped> dropped;  // from the mempool, in consequence
};

class Bookkeeper {
 public:
    struct Setup {
        ledger::Organization organization;
        ledger::Seal head;
        crypto::KeyPair key;
        std::uint16_t seat = 0;
        Log log;
    };
    // Reads from the tree what is due next. Tree and mempool outlive the bookkeeper.
    static Result<Bookkeeper, store::Fault> open(Setup setup, tree::Tree& tree, Mempool& mempool);
    Bookkeeper(Bookkeeper&&) noexcept;
    ~Bookkeeper();

    // The mempool has admitted something.
    void on_admitted(Instant now);

    struct Turn {
        std::optional<store::WriteBatch> durable;  // seals a new block
        std::vector<Mempool::Dropped> dropped;     // expired while no block could hold them
    };
    // Opens a height if it is time. REQUIRES: no batch is out.
    Result<Turn, store::Fault> on_tick(Instant now);
    // The batch is durable: its block becomes the head. REQUIRES: a batch is out.
    Result<Sealed, store::Fault> on_durable(Instant now);

    // When to tick next: the start of the pulse that opens a height, nothing without work or while
    // a batch is out.
    std::optional<Instant> next_deadline() const;
    // Where a transaction arriving now would be applied.
    ledger::Place next_place(Instant now) const;
    Pulse pulse(Instant now) const;
    const ledger::Seal& head() const;
    bool is_sealing() const;
    // Whether this node's key is the one that seals the next block.
    bool is_in_office() const;
    void check_invariants() const;

 private:
    struct Impl;
    explicit Bookkeeper(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
