// The other side of catching up: what a node answers from its own store and tree. Pure functions;
// each reads a bounded amount per request, whatever is asked.
//
// Who may ask is for the caller: blocks and state hold accounts' details, so they go to members'
// nodes only (docs/protocol/sync.md).
#pragma once

#include "leither/ledger/block_store.h"
#include "leither/ledger/state.h"
#include "leither/protocol/sync_messages.h"
#include "leither/sync/follow.h"

namespace leither::sync {

// Terms that one chain leads through at most; their seals and records are read.
inline constexpr std::uint64_t kTermsPerReply = election::kLinksMax;

// What is answered from; all outlive the call.
struct Source {
    const ledger::Organization& organization;
    const store::Reader& store;
    const tree::Tree& tree;
    ledger::Span span;  // what is retained
    // The newest this node has, if any.
    const election::Checkpoint* checkpoint = nullptr;
};

Result<protocol::BlocksReply, store::Fault> answer(const Source& source,
                                                   const protocol::AskBlocks& ask);
Result<protocol::GenesisReply, store::Fault> answer(const Source& source,
                                                    const protocol::AskGenesis& ask);
Result<protocol::ChainReply, store::Fault> answer(const Source& source,
                                                  const protocol::AskChain& ask);
Result<protocol::PieceReply, store::Fault> answer(const Source& source,
                                                  const protocol::AskPiece& ask);
Result<protocol::SyncReply, store::Fault> answer(const Source& source,
                                                 const protocol::SyncAsk& ask);

}  // namespace leither::sync
