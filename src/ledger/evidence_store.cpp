#include "leither/ledger/evidence_store.h"

#include "leither/codec/bcs.h"
#include "leither/ledger/committees.h"
#include "leither/ledger/receipt_store.h"

namespace leither::ledger {

namespace {

using store::Fault;
using store::KeyKind;
using store::version_key;

// Beside the genesis, where nothing is ever pruned, with room for other things of that kind. On
// disk; never change it.
constexpr std::uint32_t kFirstIndex = 65'536;

Bytes key_of(std::uint32_t index) {
    return version_key(0, KeyKind::genesis, kFirstIndex + index);
}

}  // namespace

Result<std::optional<EvidenceRecord>, Fault> gather_evidence(const EvidenceSource& source,
                                                             const Offence& offence) {
    const Sequence height = name_of(offence).height;
    if (height == Sequence(0)) return std::nullopt;
    EvidenceRecord record;
    record.charter = source.charter;
    record.offence = offence;
    if (height == Sequence(1)) return record;

    const Sequence before(height.value() - 1);
    if (before < source.oldest) return std::nullopt;
    const auto seal = TRY(read_seal(source.store, before));
    if (!seal) return std::nullopt;
    record.committees =
        TRY(committees_up_to(source.organization, source.store, source.tree, *seal, source.oldest));
    auto proof = TRY(source.tree.prove_at(version_of(*seal), source.organization.election));
    record.before = election::CycleLink{seal->header, seal->certificate, std::move(proof)};
    return record;
}

void put_evidence(store::WriteBatch& batch, std::uint32_t index, const EvidenceRecord& record) {
    batch.put(key_of(index), bcs::encode(record));
}

void erase_evidence(store::WriteBatch& batch, std::uint32_t index) {
    batch.erase(key_of(index));
}

Result<std::optional<EvidenceRecord>, Fault> read_evidence_at(const store::Reader& store,
                                                              std::uint32_t index) {
    const auto bytes = TRY(store.get(key_of(index)));
    if (!bytes) return std::nullopt;
    auto record = read_evidence(as_bytes(*bytes));
    if (record) return *std::move(record);
    return fail(Fault{Fault::Kind::corrupt, "an evidence record does not decode"});
}

Result<std::vector<std::uint32_t>, Fault> evidence_indexes(const store::Reader& store) {
    std::vector<std::uint32_t> indexes;
    const auto cursor = store.cursor();
    for (cursor->seek(key_of(0)); cursor->valid(); cursor->next()) {
        const auto key = store::parse_version_key(cursor->key());
        if (!key || key->sequence != 0 || key->kind != KeyKind::genesis) break;
        if (key->index >= kReceiptsIndex) break;
        indexes.push_back(key->index - kFirstIndex);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return indexes;
}

}  // namespace leither::ledger
