// The chain of committees as a node keeps it when its history is pruned: what proves each term's
// committee, one entry a cycle at most, beside the genesis (docs/protocol/checkpoints.md).
//
// Rationale: a proof out of the tree needs the version it was made at, which pruning erases, and
// which a ledger that began with a state never had. Kept as links, it leads whoever asks.
#pragma once

#include <functional>
#include <vector>

#include "leither/ledger/committees.h"

namespace leither::ledger {

// What proves the committee of one term.
struct KeptCycle {
    // Whether it is another committee than the one before. If not the entry is a place to begin at,
    // which nobody needs any more once the release delay is over.
    bool changes = true;
    election::Link link;
    static void fields(auto& self, auto&& visit) { visit(self.changes, self.link); }
};
struct TermLink {
    std::uint64_t term = 0;
    KeptCycle kept;
};
// Entries are there for the terms behind `from` up to `to` whose committee has changed, and for the
// newest kAnchorsMax terms of them all.
struct CycleSpan {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    static void fields(auto& self, auto&& visit) { visit(self.from, self.to); }
    bool is_canonical() const { return from <= to; }
    friend bool operator==(const CycleSpan&, const CycleSpan&) = default;
};
// Cycles of a release delay that are kept as places to begin at; the default is 672.
inline constexpr std::uint64_t kAnchorsMax = 4'096;
// Keys beside the genesis: from here on, one a term. Below lie receipts.
inline constexpr std::uint32_t kCyclesIndex = 0x8000'0000;
// Later terms have no key: 120,000 years of half-hour cycles.
inline constexpr std::uint64_t kTermMax = 0x7fff'ffff;

// REQUIRES: 0 < term <= kTermMax.
void put_cycle(store::WriteBatch& batch, const TermLink& cycle);
void erase_cycle(store::WriteBatch& batch, std::uint64_t term);
void put_cycle_span(store::WriteBatch& batch, const CycleSpan& span);
// Nothing: none was ever kept.
Result<std::optional<CycleSpan>, store::Fault> read_cycle_span(const store::Reader& store);
Result<std::optional<KeptCycle>, store::Fault> read_cycle(const store::Reader& store,
                                                          std::uint64_t term);
// Changes of committee in rising order, from `first` on, until `visit` answers false.
Result<void, store::Fault> visit_changes(const store::Reader& store, std::uint64_t first,
                                         const std::function<bool(TermLink&&)>& visit);
// The cycle block with that sequence. Nothing: none is kept.
Result<std::optional<election::CycleLink>, store::Fault> kept_cycle_block(
    const store::Reader& store, Sequence sequence);

// What is retained of the terms behind `after` up to the head's, rising, and three months of
// half-hour cycles at most. `from` tells where it begins: `after`, or a later term.
struct FoundCycles {
    std::vector<TermLink> cycles;
    std::uint64_t from = 0;
};
// REQUIRES: head and what follows `oldest` are retained.
Result<FoundCycles, store::Fault> cycles_behind(const Organization& organization,
                                                const store::Reader& store, const tree::Tree& tree,
                                                const ChainEnds& ends);

// The block that began the head's term, and what candidates sign of it. Nothing: the founding or a
// takeover has begun it, or its state is not retained. REQUIRES: as above.
struct CycleBlock {
    election::CycleLink link;
    protocol::LastBlock name;
    protocol::CandidateTable table;  // as it has left it
};
Result<std::optional<CycleBlock>, store::Fault> newest_cycle_block(const Organization& organization,
                                                                   const store::Reader& store,
                                                                   const tree::Tree& tree,
                                                                   const ChainEnds& ends);

// ---- The newest checkpoint
struct KeptCheckpoint {
    election::Checkpoint checkpoint;
    Amount signed_pledge;  // of the table that the block has left
    Amount pledge;         // of all its rows; zero: the certificate stands alone
    static void fields(auto& self, auto&& visit) {
        visit(self.checkpoint, self.signed_pledge, self.pledge);
    }
};
void put_checkpoint(store::WriteBatch& batch, const KeptCheckpoint& checkpoint);
Result<std::optional<KeptCheckpoint>, store::Fault> read_checkpoint(const store::Reader& store);

}  // namespace leither::ledger
