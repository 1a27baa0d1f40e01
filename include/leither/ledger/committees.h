// The chain of committees that a receipt carries, out of a node's own history.
#pragma once

#include "leither/election/cycle_chain.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/state.h"

namespace leither::ledger {

// What `seal`'s block has left of the election. REQUIRES: its version is retained.
Result<protocol::ElectionRecord, store::Fault> election_at(const Organization& organization,
                                                           const tree::Tree& tree,
                                                           const Seal& seal);
// The seats that certified `seal`'s block. REQUIRES: its version is retained.
Result<protocol::Seats, store::Fault> certified_by(const Organization& organization,
                                                   const tree::Tree& tree, const Seal& seal);

// Links from the charter's committee to the one that certified `target`; none while the charter's
// own serves, whatever has happened in between. At most election::kLinksMax of the newest, none
// older than `oldest`: a chain that is cut off there convinces only who trusts a later committee.
// REQUIRES: target and what follows `oldest` are retained.
Result<election::CycleChain, store::Fault> committees_up_to(const Organization& organization,
                                                            const store::Reader& store,
                                                            const tree::Tree& tree,
                                                            const Seal& target, Sequence oldest);

// The same to the committee that stands on `target` and decides behind it, which its own block
// proves if it was a cycle block.
Result<election::CycleChain, store::Fault> committees_behind(const Organization& organization,
                                                             const store::Reader& store,
                                                             const tree::Tree& tree,
                                                             const Seal& target, Sequence oldest);

// Where a chain ends, and where it begins.
struct ChainEnds {
    const Seal& target;
    Sequence oldest;                // no link is older
    std::uint64_t after_cycle = 0;  // of the committee it begins with
};
// Links from the committee of term `after_cycle`, whoever that was, to the one that certified the
// target; at most election::kLinksMax of the newest. REQUIRES: as above.
Result<election::CycleChain, store::Fault> committees_between(const Organization& organization,
                                                              const store::Reader& store,
                                                              const tree::Tree& tree,
                                                              const ChainEnds& ends);

}  // namespace leither::ledger
