// The part of a proof above a branch that stays closed (docs/protocol/proofs.md, "Above a branch").
#pragma once

#include "leither/tree/proof.h"

namespace leither::tree {

// Whether the path leads from a node on the way to `prefix`, of that synopsis, to the root. What
// lies below the node shows nothing of itself: that it is the whole branch is for somebody else to
// say.
Result<void, ProofError> verify_above(const Prefix& prefix, const Path& path,
                                      const Synopsis& synopsis, const Synopsis& root,
                                      Amount supply);

}  // namespace leither::tree
