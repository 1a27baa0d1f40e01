// Which sequences stay readable, and when what lies behind them is erased.
//
// Specification
//   * Kept is every version that was in force at some pulse of the last `pulses` pulses, counted
//     from the head; `pulses` is raised to publicity + 1,200 + 2 cycles, which audits and disputes
//     need (protocol §3). 0 keeps everything.
//   * The window follows the head by a bounded number of sequences a block, so that a node opened
//     with a shorter window catches up without a pause.
//   * Erasing costs the store a rewrite of its oldest tables, so it is asked for only when a chunk
//     of at least an eighth of the window has come free.
#pragma once

#include <optional>

#include "leither/base/log.h"
#include "leither/ledger/block_store.h"

namespace leither::node {

class HistoryWindow {
 public:
    HistoryWindow(std::uint64_t pulses, const protocol::Params& params, Sequence oldest,
                  const Log& log);

    // The oldest sequence that may be asked for.
    Sequence oldest() const { return oldest_; }
    // The head has moved: lets old versions go.
    Result<void, store::Fault> on_sealed(const store::Reader& store, tree::Tree& tree,
                                         const protocol::BlockHeader& head);
    // What to erase now, if it is worth it. Asked for once: it counts as erased.
    std::optional<ledger::Pruning> take_pruning(const tree::Tree& tree);

 private:
    std::uint64_t pulses_ = 0;  // 0: everything
    Sequence oldest_;
    Sequence erased_below_;
};

}  // namespace leither::node
