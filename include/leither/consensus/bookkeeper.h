// Agreement of one: a committee with a single bookkeeper decides by its own signature (protocol §5).
//
// Specification
//   * At most one block a pulse; block.pulse rises strictly. A height opens at the first pulse at
//     which a transaction waits or a reward is due; an idle pulse does nothing at all.
//   * The certificate is signed only over a fully executed block, and both leave together in one
//     durable batch. Until the host reports that batch durable, nothing of it is visible and no other
//     block is begun; if it fails, the bookkeeper stops for good.
//   * A clock that steps back opens no height until it has caught up with the last block's pulse.
// Deviation from Tendermint Algorithm 1: with n = 1 every step collapses into one (lines 14-54).
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/consensus/mempool.h"
#include "leither/crypto/sign.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"

namespace leither::consensus {

// What a sealed pulse brings, told once it is durable.
struct Sealed {
    ledger::Seal seal;
    protocol::Transactions transactions;
    std::vector<Mempool::Dropped> dropped;  // from the mempool, in consequence
};

class Bookkeeper {
 public:
    Bookkeeper(const ledger::Organization& organization, tree::Tree& tree, Mempool& mempool,
               const ledger::Seal& head, crypto::KeyPair key, std::uint16_t seat, Log log);
    ~Bookkeeper();

    // The batch that seals a new block, or nothing if no height opens now. REQUIRES: no batch is out.
    Result<std::optional<store::WriteBatch>, store::Fault> on_tick(Instant now);
    // REQUIRES: a batch is out.
    Result<Sealed, store::Fault> on_durable(Instant now);

    // When to tick next: the start of the next pulse if there is work, else nothing.
    std::optional<Instant> next_deadline() const;
    // Where a transaction arriving now would be applied.
    ledger::Place next_place(Instant now) const;
    const ledger::Seal& head() const;
    bool is_sealing() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
