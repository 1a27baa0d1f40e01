// Transactions that wait for a block.
//
// Specification
//   * A transaction is admitted if its signatures hold (checked by the host before) and the rules
//     accept it on top of the head and everything admitted before it. So a client may send a row of
//     nonces at once, and spend what a waiting transaction brings.
//   * A takeover is never admitted: it begins a block of its own, which another committee seals.
//   * Bounded in number and bytes; a full pool refuses (`mempool_full`), it never drops what it
//     took.
//   * After each block, what did not fit is checked again on the new head; what no longer holds
//     leaves with its refusal. A transaction leaves at its expiry at the latest.
// Rationale
//   * Rewards that fall due with the next block are not counted in advance: that only ever
//     refuses a payment one pulse too early, and keeps the pool independent of when the next
//     block comes.
// Complexity: add O(log accounts touched) plus the tree reads; on_block O(transactions that
// remain).
//
// Not thread-safe. Touches the store only through the tree.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "leither/ledger/rules.h"
#include "leither/protocol/block.h"

namespace leither::consensus {

struct MempoolOptions {
    // After each block all that remain are checked again, so the maximum also bounds that pause.
    std::size_t transactions_max = 65'536;
    std::size_t bytes_max = std::size_t{32} << 20;
};

class Mempool {
 public:
    struct Entry {
        Hash id;
        protocol::Transaction transaction;
        std::size_t bytes = 0;  // encoded
        Pulse since = {};       // the first that could have held it; set by add()
    };
    struct Dropped {
        Hash id;
        protocol::Refused refused;
    };
    template <class T>
    using Ruled = Result<Result<T, protocol::Refused>, store::Fault>;

    // The tree outlives the mempool.
    Mempool(MempoolOptions options, const ledger::Organization& organization, tree::Tree& tree);
    Mempool(Mempool&&) noexcept;
    ~Mempool();

    // Admits `entry`, or gives the verdict of the rules in `place`, the block that could hold it
    // first. REQUIRES: its signatures hold.
    Ruled<void> add(Entry entry, const ledger::Place& place);
    // These are asked about next: their accounts are looked up faster together.
    void expect(std::span<const Entry> entries);
    // What must hold besides the rules; keys come from what is admitted so far.
    Ruled<std::vector<ledger::SignatureCheck>> signature_checks(
        const protocol::Transaction& transaction);
    // The member as it will stand once everything admitted is committed; nothing if there is none.
    Result<std::optional<protocol::MemberRecord>, store::Fault> member(const Id& id);

    // Admission order.
    const std::deque<Entry>& entries() const;
    bool contains(const Hash& id) const;
    std::size_t size() const;
    std::size_t bytes() const;

    // The records read so far from the present head, for whoever builds a block on it; null if
    // none. Valid until the next call of another function.
    const ledger::State* reads() const;

    // The state after all entries, if executing them in a block at `place` could only lead there:
    // they were all admitted for just this place and within a pulse's limits. Else null. Valid
    // until the next call of another function.
    const ledger::State* executed_at(const ledger::Place& place) const;

    // The tree's head has moved by a block holding the transactions `committed`, or time has
    // passed; the next block is at `place`. Whatever does not hold there any more leaves.
    Result<std::vector<Dropped>, store::Fault> on_block(std::span<const Hash> committed,
                                                        const ledger::Place& place);

    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::consensus
