// Evidence out of a node's own history, and where a node keeps it: beside the ledger in its store,
// outside the tree (docs/protocol/storage.md).
#pragma once

#include "leither/ledger/block_store.h"
#include "leither/ledger/evidence_record.h"
#include "leither/ledger/state.h"

namespace leither::ledger {

// What a record is gathered from. `oldest`: no version before it is read.
struct EvidenceSource {
    const protocol::SignedCharter& charter;
    const Organization& organization;
    const store::Reader& store;
    const tree::Tree& tree;
    Sequence oldest;
};
// With everything a third party needs. Nothing if the block before is not kept any more, or the
// offence is of no height that could be. If history is cut off before the charter's committee, the
// record convinces only who trusts a later one.
Result<std::optional<EvidenceRecord>, store::Fault> gather_evidence(const EvidenceSource& source,
                                                                    const Offence& offence);

// By the order in which they were put; indexes are never used again.
void put_evidence(store::WriteBatch& batch, std::uint32_t index, const EvidenceRecord& record);
void erase_evidence(store::WriteBatch& batch, std::uint32_t index);
Result<std::optional<EvidenceRecord>, store::Fault> read_evidence_at(const store::Reader& store,
                                                                     std::uint32_t index);
// Those that are there, rising.
Result<std::vector<std::uint32_t>, store::Fault> evidence_indexes(const store::Reader& store);

}  // namespace leither::ledger
