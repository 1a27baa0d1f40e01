// Keeps, for the accounts of this node's users, the receipt of each version of their leaf, so that
// a payment of long ago can still be proven when the ledger's history is pruned.
//
// Specification
//   * An account is watched from when somebody asks for it. Each version of it that a block has
//     written gives one receipt, with that block's transactions that concern the account; so does
//     the block in which the account ends.
//   * Receipts are made once the block is durable, and written with the next batch. What a crash
//     takes, or this node has not seen happen, is a gap: versions between two sequences. Gaps are
//     filled from this node's own history, the newest version first, a few with each step. What
//     lies before that history stays a gap, and is told as such.
//   * At most receipts_max of them and bytes_max are kept, chains of committees included. The
//     oldest by sequence go first.
// Rationale
//   * A leaf names the version it replaced, so a gap costs a read for each version in it, however
//     many blocks lie between.
//   * The chain of committees is the same for all of a term, so it is kept once.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/base/log.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/receipt_store.h"
#include "leither/ledger/state.h"
#include "leither/node/options.h"

namespace leither::node {

class ReceiptKeeper {
 public:
    // Receipts that one step makes out of history at most.
    static constexpr std::size_t kStepMax = 16;

    struct Item {
        std::uint32_t index = 0;  // in the store
        Id account;
        Sequence sequence;
        Pulse pulse;
        std::uint64_t cycle = 0;  // whose committee has certified it
        std::size_t bytes = 0;
        std::vector<Hash> transactions;  // ids, in the block's order
        bool is_durable = false;
    };
    // What receipts are made from. `oldest`: no version before it is read.
    struct Source {
        const protocol::SignedCharter& charter;
        const ledger::Organization& organization;
        const store::Reader& store;
        tree::Tree& tree;
        const ledger::Seal& head;
        Sequence oldest;
    };
    // With what the store holds; what has happened since it was written is a gap.
    static Result<ReceiptKeeper, store::Fault> open(const ReceiptOptions& options,
                                                    const store::Reader& store,
                                                    const ChainId& chain, Sequence head, Log log);

    enum class Watch : std::uint8_t { begun, known, full };
    // Watches the account from now on; its history is a gap to be filled.
    Watch watch(const Id& account, Sequence head, store::WriteBatch& batch);
    // Ends it. What is kept stays.
    void unwatch(const Id& account, store::WriteBatch& batch);
    bool is_watched(const Id& account) const;

    // The head has moved by one block, whose transactions these are. Each answers how many receipts
    // the batch now holds that were not there; they are to be told of by on_durable().
    Result<std::size_t, store::Fault> on_head(const Source& source,
                                              const protocol::Transactions& transactions,
                                              store::WriteBatch& batch);
    // Fills gaps from this node's history.
    Result<std::size_t, store::Fault> fill(const Source& source, store::WriteBatch& batch);
    bool has_work() const { return !is_full_stop() && any_gap_here(); }
    // The oldest `count` that were not durable are.
    void on_durable(std::size_t count);

    // ---- Read-only
    const std::map<std::uint32_t, Item>& items() const { return items_; }
    // Newest first, of durable ones.
    std::vector<const Item*> list(const std::optional<Id>& account,
                                  std::optional<Sequence> before) const;
    // Of this account, or of the first that has it.
    const Item* find(const Hash& transaction, const std::optional<Id>& account) const;
    const Item* find(const Id& account, Sequence sequence) const;
    const ledger::ReceiptWatches& watches() const { return watches_; }
    std::size_t bytes() const { return bytes_; }
    // Complete, as a third party judges it. Nothing if the store has lost a part.
    Result<std::optional<ledger::Receipt>, store::Fault> read(
        const Item& item, const store::Reader& store, const protocol::SignedCharter& charter) const;
    void check_invariants() const;

 private:
    struct Chain {
        std::uint32_t index = 0;
        std::size_t bytes = 0;
        std::size_t receipts = 0;  // that need it
    };
    ReceiptKeeper(const ReceiptOptions& options, const ChainId& chain, Log log)
        : options_(options), chain_(chain), log_(std::move(log)) {}

    bool is_full_stop() const { return options_.receipts_max == 0; }
    bool any_gap_here() const;
    void remember(Item&& item);
    Result<std::size_t, store::Fault> make(const Source& source, const ledger::Seal& seal,
                                           const Id& account,
                                           const protocol::Transactions& transactions,
                                           store::WriteBatch& batch);
    Result<std::size_t, store::Fault> fill(const Source& source, ledger::ReceiptWatch& watch,
                                           std::size_t budget, store::WriteBatch& batch);
    std::size_t put(ledger::KeptReceipt&& receipt, store::WriteBatch& batch);
    Result<void, store::Fault> need_chain(const Source& source, const ledger::Seal& seal,
                                          store::WriteBatch& batch);
    Result<std::optional<ledger::KeptChain>, store::Fault> chain_of(
        std::uint64_t cycle, const store::Reader& store) const;
    bool fits(const ledger::KeptReceipt& receipt) const;
    void put_chain(std::uint64_t cycle, election::CycleChain&& committees,
                   store::WriteBatch& batch);
    void make_room(store::WriteBatch& batch);
    void forget(std::uint32_t index, store::WriteBatch& batch);

    ReceiptOptions options_;
    ChainId chain_;
    Log log_;
    ledger::ReceiptWatches watches_;
    // Gaps whose rest lies before this node's history.
    std::set<Id> stuck_;
    std::map<std::uint32_t, Item> items_;  // by index: in the order they were written
    std::set<std::tuple<Sequence, Id, std::uint32_t>> by_age_;
    std::map<std::uint64_t, Chain> chains_;  // by cycle
    // The newest written, which no batch may have made durable yet.
    std::optional<ledger::KeptChain> last_chain_;
    std::deque<std::uint32_t> fresh_;  // not durable, in the order they were written
    std::size_t bytes_ = 0;
    std::uint32_t next_index_ = 0;
    std::uint32_t next_chain_ = 0;
};

}  // namespace leither::node
