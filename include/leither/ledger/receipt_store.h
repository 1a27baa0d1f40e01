// Receipts that a node keeps for the accounts of its users, beside the ledger in its store and
// outside the tree, so that pruning leaves them alone (docs/protocol/storage.md).
#pragma once

#include <vector>

#include "leither/ledger/receipt.h"
#include "leither/store/kv.h"

namespace leither::ledger {

// A receipt without what all receipts of one term share, with the block's transactions that
// concern the account.
struct KeptReceipt {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::AccountProof proof;
    protocol::Transactions transactions;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.proof, self.transactions);
    }
};

// From the charter's committee to the one that certifies in `cycle`.
struct KeptChain {
    std::uint64_t cycle = 0;
    election::CycleChain committees;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.committees); }
};

// An account whose receipts are kept. Those of its versions behind `above` and before `below` may
// be missing; above.next() == below: none.
struct ReceiptWatch {
    Id account;
    Sequence above;
    Sequence below;
    static void fields(auto& self, auto&& visit) { visit(self.account, self.above, self.below); }
    bool has_gap() const { return above.next() < below; }
    friend bool operator==(const ReceiptWatch&, const ReceiptWatch&) = default;
};
inline constexpr std::size_t kReceiptWatchesMax = 64;
using ReceiptWatches = Bounded<ReceiptWatch, kReceiptWatchesMax>;

// Keys beside the genesis: from here up to kCyclesIndex. Below lie evidence records.
inline constexpr std::uint32_t kReceiptsIndex = 1U << 30;
// Indexes of both kinds are used in turn; those of chains and of receipts are apart.
inline constexpr std::uint32_t kReceiptIndexesMax = (1U << 29) - 1;
void put_receipt(store::WriteBatch& batch, std::uint32_t index, const KeptReceipt& receipt);
void erase_receipt(store::WriteBatch& batch, std::uint32_t index);
void put_receipt_chain(store::WriteBatch& batch, std::uint32_t index, const KeptChain& chain);
void erase_receipt_chain(store::WriteBatch& batch, std::uint32_t index);
void put_receipt_watches(store::WriteBatch& batch, const ReceiptWatches& watches);

Result<std::optional<KeptReceipt>, store::Fault> read_receipt(const store::Reader& store,
                                                              std::uint32_t index);
Result<std::optional<KeptChain>, store::Fault> read_receipt_chain(const store::Reader& store,
                                                                  std::uint32_t index);
Result<ReceiptWatches, store::Fault> read_receipt_watches(const store::Reader& store);
// Those that are there, rising.
Result<std::vector<std::uint32_t>, store::Fault> receipt_indexes(const store::Reader& store);
Result<std::vector<std::uint32_t>, store::Fault> receipt_chain_indexes(const store::Reader& store);
// Everything above as it is, into another store's batch: for a ledger that is made anew.
Result<void, store::Fault> copy_receipts(const store::Reader& store, store::WriteBatch& batch);

}  // namespace leither::ledger
