// Rebuilds a damaged ledger from what of it is intact (`leitherd --repair`).
//
// Specification
//   * The damaged store is moved aside to `ledger.damaged` and kept; nothing is thrown away.
//   * Every block from the genesis on that can be read, holds and is certified is executed again
//     into a fresh store. The first that does not ends the rebuilding.
// Rationale: tree pages and seals are derived from blocks, so whatever is damaged among them comes
// back; a lost block does not, and all behind it stands on it.
#pragma once

#include <string>

#include "leither/base/number.h"
#include "leither/base/result.h"

#include "app/data_dir.h"

namespace leither::app {

struct Repaired {
    Sequence newest;  // the last sequence of the rebuilt ledger
    // Why rebuilding ended there; empty: it is the newest that the damaged ledger knew of.
    std::string stopped;
};
// The error says why nothing could be rebuilt. REQUIRES: the caller holds the directory's lock.
Result<Repaired, std::string> repair_ledger(const DataDir& dir);

}  // namespace leither::app
