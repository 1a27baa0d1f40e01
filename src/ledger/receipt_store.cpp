#include "leither/ledger/receipt_store.h"

#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/ledger/kept_cycles.h"

namespace leither::ledger {

namespace {

using store::Fault;
using store::KeyKind;
using store::version_key;

// Beside the genesis, where nothing is ever pruned, behind the evidence. On disk; never change
// them.
constexpr std::uint32_t kWatches = kReceiptsIndex;
constexpr std::uint32_t kFirstReceipt = kWatches + 1;
constexpr std::uint32_t kFirstChain = 3U << 29;
constexpr std::uint32_t kLastChain = kCyclesIndex - 1;
static_assert(kFirstReceipt + kReceiptIndexesMax <= kFirstChain);
static_assert(kFirstChain + kReceiptIndexesMax <= kLastChain);

Bytes key_of(std::uint32_t index) {
    return version_key(0, KeyKind::genesis, index);
}

template <class T>
Result<std::optional<T>, Fault> read_value(const store::Reader& store, std::uint32_t index,
                                           std::string_view what) {
    const auto bytes = TRY(store.get(key_of(index)));
    if (!bytes) return std::nullopt;
    auto value = bcs::decode<T>(as_bytes(*bytes));
    if (value) return *std::move(value);
    return fail(Fault{Fault::Kind::corrupt, fmt::format("a kept {} does not decode", what)});
}

Result<std::vector<std::uint32_t>, Fault> indexes_in(const store::Reader& store,
                                                     std::uint32_t first, std::uint32_t last) {
    std::vector<std::uint32_t> indexes;
    const auto cursor = store.cursor();
    for (cursor->seek(key_of(first)); cursor->valid(); cursor->next()) {
        const auto key = store::parse_version_key(cursor->key());
        if (!key || key->sequence != 0 || key->kind != KeyKind::genesis) break;
        if (key->index > last) break;
        indexes.push_back(key->index - first);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return indexes;
}

}  // namespace

void put_receipt(store::WriteBatch& batch, std::uint32_t index, const KeptReceipt& receipt) {
    CHECK(index < kReceiptIndexesMax);
    batch.put(key_of(kFirstReceipt + index), bcs::encode(receipt));
}

void erase_receipt(store::WriteBatch& batch, std::uint32_t index) {
    batch.erase(key_of(kFirstReceipt + index));
}

void put_receipt_chain(store::WriteBatch& batch, std::uint32_t index, const KeptChain& chain) {
    CHECK(index < kReceiptIndexesMax);
    batch.put(key_of(kFirstChain + index), bcs::encode(chain));
}

void erase_receipt_chain(store::WriteBatch& batch, std::uint32_t index) {
    batch.erase(key_of(kFirstChain + index));
}

void put_receipt_watches(store::WriteBatch& batch, const ReceiptWatches& watches) {
    batch.put(key_of(kWatches), bcs::encode(watches));
}

Result<std::optional<KeptReceipt>, Fault> read_receipt(const store::Reader& store,
                                                       std::uint32_t index) {
    return read_value<KeptReceipt>(store, kFirstReceipt + index, "receipt");
}

Result<std::optional<KeptChain>, Fault> read_receipt_chain(const store::Reader& store,
                                                           std::uint32_t index) {
    return read_value<KeptChain>(store, kFirstChain + index, "chain of committees");
}

Result<ReceiptWatches, Fault> read_receipt_watches(const store::Reader& store) {
    auto watches = TRY(read_value<ReceiptWatches>(store, kWatches, "list of accounts"));
    return watches ? *std::move(watches) : ReceiptWatches{};
}

Result<std::vector<std::uint32_t>, Fault> receipt_indexes(const store::Reader& store) {
    return indexes_in(store, kFirstReceipt, kFirstChain - 1);
}

Result<std::vector<std::uint32_t>, Fault> receipt_chain_indexes(const store::Reader& store) {
    return indexes_in(store, kFirstChain, kLastChain);
}

Result<void, Fault> copy_receipts(const store::Reader& store, store::WriteBatch& batch) {
    const auto all = TRY(indexes_in(store, 0, kLastChain));
    for (const std::uint32_t index : all) {
        if (index < kReceiptsIndex) continue;
        const auto value = TRY(store.get(key_of(index)));
        if (value) batch.put(key_of(index), Bytes(value->begin(), value->end()));
    }
    return {};
}

}  // namespace leither::ledger
