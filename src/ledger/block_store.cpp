#include "leither/ledger/block_store.h"

#include <fmt/format.h>

#include "leither/codec/bcs.h"

namespace leither::ledger {

namespace {

using protocol::Genesis;
using protocol::Transactions;
using store::Fault;
using store::KeyKind;
using store::version_key;

// Beside the genesis, where nothing is ever erased: the sequence pruning has reached.
constexpr std::uint32_t kGenesisIndex = 0;
constexpr std::uint32_t kRetainedFromIndex = 1;

template <class T>
Result<std::optional<T>, Fault> read_value(const store::Reader& store, ByteView key,
                                           std::string_view what) {
    const auto bytes = TRY(store.get(key));
    if (!bytes) return std::nullopt;
    auto value = bcs::decode<T>(as_bytes(*bytes));
    if (!value) {
        return fail(Fault{Fault::Kind::corrupt, fmt::format("the stored {} does not decode: {}",
                                                            what, bcs::to_string(value.error()))});
    }
    return *std::move(value);
}

Result<Seal, Fault> read_existing_seal(const store::Reader& store, Sequence sequence) {
    auto seal = TRY(read_seal(store, sequence));
    if (!seal) {
        return fail(Fault{Fault::Kind::corrupt,
                          fmt::format("the seal of sequence {} is missing", sequence.value())});
    }
    return *std::move(seal);
}

// The oldest sequence that stays readable, once anything was pruned.
Result<std::optional<Sequence>, Fault> retained_from(const store::Reader& store) {
    return read_value<Sequence>(store, version_key(0, KeyKind::genesis, kRetainedFromIndex),
                                "start of the history");
}

// The newest sequence any batch was written at, which always holds its seal. Votes may lie behind
// it: those on the height that is not decided yet.
Result<std::optional<Sequence>, Fault> newest_sequence(const store::Reader& store) {
    const auto cursor = store.cursor();
    for (cursor->seek_to_last(); cursor->valid(); cursor->prev()) {
        const auto key = store::parse_version_key(cursor->key());
        if (!key) return fail(Fault{Fault::Kind::corrupt, "the last key in the store is not ours"});
        if (key->kind != KeyKind::vote) return Sequence(key->sequence);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return std::nullopt;
}

}  // namespace

tree::Version version_of(const Seal& seal) {
    return {seal.header.sequence, seal.header.root, seal.root_location};
}

void put_genesis(store::WriteBatch& batch, const Genesis& genesis) {
    batch.put(version_key(0, KeyKind::genesis, kGenesisIndex), bcs::encode(genesis));
}

void put_seal(store::WriteBatch& batch, const Seal& seal) {
    batch.put(version_key(seal.header.sequence.value(), KeyKind::seal), bcs::encode(seal));
}

void put_block(store::WriteBatch& batch, Sequence sequence, const Transactions& transactions) {
    batch.put(version_key(sequence.value(), KeyKind::block), bcs::encode(transactions));
}

void put_retained_from(store::WriteBatch& batch, Sequence sequence) {
    batch.put(version_key(0, KeyKind::genesis, kRetainedFromIndex), bcs::encode(sequence));
}

Result<std::optional<Genesis>, Fault> read_genesis(const store::Reader& store) {
    return read_value<Genesis>(store, version_key(0, KeyKind::genesis, kGenesisIndex), "genesis");
}

Result<std::optional<Seal>, Fault> read_seal(const store::Reader& store, Sequence sequence) {
    return read_value<Seal>(store, version_key(sequence.value(), KeyKind::seal), "seal");
}

Result<std::optional<Transactions>, Fault> read_block(const store::Reader& store,
                                                      Sequence sequence) {
    return read_value<Transactions>(store, version_key(sequence.value(), KeyKind::block), "block");
}

Result<std::optional<Span>, Fault> read_span(const store::Reader& store) {
    const auto newest = TRY(newest_sequence(store));
    if (!newest) return std::nullopt;
    const auto from = TRY(retained_from(store));
    Seal oldest = TRY(read_existing_seal(store, from.value_or(Sequence(0))));
    Seal head = TRY(read_existing_seal(store, *newest));
    return Span{std::move(oldest), std::move(head)};
}

Result<void, Fault> prune(store::Store& store, const Pruning& pruning) {
    CHECK(pruning.erase_below <= pruning.retained_from);
    // Asked for before the state was replaced by a later one, and carried out behind it.
    const auto noted = TRY(retained_from(store));
    if (!noted || *noted < pruning.retained_from) {
        store::WriteBatch batch;
        put_retained_from(batch, pruning.retained_from);
        TRY(store.write(batch));
    }
    if (pruning.erase_below == Sequence(0)) return {};
    // Around the genesis: everything of sequence 0 before it, then the sequences after it.
    TRY(store.erase_range(version_key(0, KeyKind::seal), version_key(0, KeyKind::genesis)));
    return store.erase_range(version_key(1, KeyKind::seal),
                             version_key(pruning.erase_below.value(), KeyKind::seal));
}

}  // namespace leither::ledger
