// Transactions that wait for a block.
//
// Specification
//   * A transaction is admitted if its signatures hold (checked by the host before) and the rules
//     accept it on top of the head and everything admitted before it. So a client may send a row of
//     nonces at once, and spend what a waiting transaction brings.
//   * Bounded in number and bytes; a full pool refuses (`mempool_full`), it never drops what it took.
//   * After each block, what did not fit is checked again on the new head; what no longer holds leaves
//     with its refusal. A transaction leaves at its expiry at the latest.
// Not thread-safe. Touches the store only through the tree.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "leither/ledger/rules.h"
#include "leither/protocol/block.h"

namespace leither::consensus {

struct MempoolOptions {
    std::size_t transactions_max = 200'000;
    std::size_t bytes_max = std::size_t{64} << 20;
};

class Mempool {
 public:
    struct Entry {
        Hash id;
        protocol::Transaction transaction;
        std::size_t bytes = 0;
    };
    struct Dropped {
        Hash id;
        protocol::Refused refused;
    };

    Mempool(MempoolOptions options, const ledger::Organization& organization, tree::Tree& tree);

    // Verdict of the rules in `place`, the block that could hold it first. The id if admitted.
    Result<Result<Hash, protocol::Refused>, store::Fault> add(protocol::Transaction transaction,
                                                              std::size_t bytes,
                                                              const ledger::Place& place);
    // What must hold besides the rules. REQUIRES: nothing; loads what it needs.
    Result<Result<std::vector<ledger::SignatureCheck>, protocol::Refused>, store::Fault>
    signature_checks(const protocol::Transaction& transaction);

    // Admission order.
    const std::deque<Entry>& entries() const;
    bool contains(const Hash& id) const;
    std::size_t size() const;
    std::size_t bytes() const;

    // The head has moved by a block holding `committed`; the next block is at `place`.
    Result<std::vector<Dropped>, store::Fault> on_block(const protocol::Transactions& committed,
                                                        const ledger::Place& place);

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace leither::consensus
