// Between what was fetched and a ledger's tree.
#pragma once

#include <optional>

#include "leither/ledger/block_store.h"
#include "leither/ledger/state.h"
#include "leither/sync/fetch.h"
#include "leither/sync/follow.h"

namespace leither::sync {

// What a node with this head knows.
Result<Head, store::Fault> head_at(const ledger::Organization& organization, const tree::Tree& tree,
                                   const ledger::Seal& seal);

enum class StateError : std::uint8_t {
    damaged,     // a piece on disk does not decode, or one is missing
    wrong_root,  // the pieces are of another state
};
const char* to_string(StateError error);

// The head of `tree`, which may be empty, made into the state that the pieces in `store` hold, as
// version `sequence`. Nothing is visible before Tree::commit(). Needs memory for the whole state.
// The versions behind the old head and before `sequence` do not exist: the caller retains history
// from `sequence` on. REQUIRES: sequence is above the tree's.
using Built = Result<tree::Tree::Update, StateError>;
Result<Built, store::Fault> build_state(const store::Reader& store, const PieceKeys& keys,
                                        tree::Tree& tree, const protocol::BlockHeader& header);

}  // namespace leither::sync
