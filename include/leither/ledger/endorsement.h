// What of the tree an endorsed receipt shows, out of a node's own ledger
// (docs/protocol/receipts.md, "Endorsed form").
//
// Specification
//   * Shown are the synopses of one branch and of what hangs beside the path above it; each of them
//     holds at least kOpaqueAccountsMin accounts. The branch is the deepest for which that is so,
//     or the whole tree.
//   * So no two endorsed receipts of one sequence show a node of the tree and all but a few of the
//     accounts below it: a node is shown only if its sibling may be.
// Complexity: up to kOpaqueAccountsMin leaves read at each node on the account's path.
#pragma once

#include "leither/ledger/block_store.h"
#include "leither/ledger/state.h"
#include "leither/protocol/endorsement.h"

namespace leither::ledger {

inline constexpr std::size_t kOpaqueAccountsMin = 64;

// The branch that is shown for an account, whether there is one or not. REQUIRES: the version is
// retained.
Result<Prefix, store::Fault> branch_to_show(const tree::Tree& tree, const tree::Version& version,
                                            const Id& account);

struct Endorsable {
    protocol::EndorsementClaim claim;
    tree::Path path;  // above the branch
};
// What the committee in office in term `cycle` has to say of an account at `seal`'s sequence.
// REQUIRES: the version is retained.
Result<Endorsable, store::Fault> endorsable(const Organization& organization,
                                            const tree::Tree& tree, const Seal& seal,
                                            std::uint64_t cycle, const Id& account);

}  // namespace leither::ledger
