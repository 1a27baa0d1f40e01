// From what a node trusts to what it may take next: runs of decided blocks behind a head, and
// chains of committees. Pure: neither store nor clock (docs/protocol/sync.md).
//
// A block is taken because the committee that its sequence belongs to has decided it; who sent it
// does not matter. Whether its transactions lead to its root is for whoever executes it.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "leither/election/cycle_chain.h"
#include "leither/protocol/sync_messages.h"

namespace leither::sync {

using election::ChainContext;
using election::ChainError;
using election::Trusted;
using protocol::DecidedBlock;

// The last block a verifier knows, and who certifies the next as far as it knows.
struct Head {
    Sequence sequence;
    Hash hash;  // what the next header names as its parent
    Pulse pulse;
    Trusted committee;
};
// Of a ledger that nothing but its charter is known of: sequence 0.
Head founding_head(const protocol::Charter& charter);
ChainContext context_of(const protocol::Charter& charter);

// ---- Blocks
enum class FollowError : std::uint8_t {
    not_next,          // not the sequence, parent or rising pulse that follow
    bad_transactions,  // not those that the header commits to
    bad_certificate,   // not decided by the committee of its term
};
const char* to_string(FollowError error);

struct Followed {
    std::size_t blocks = 0;  // that hold, from the first
    Head head;               // behind these
    // The next one is of this later term, whose committee neither goes on from the known one nor is
    // proven by a link: nothing is said about it.
    std::optional<std::uint64_t> unknown_term;
};
// `links` prove the committees that take over within the run, in order; those that lead no further
// than the head's committee are passed over.
Result<Followed, FollowError> follow(const ChainContext& context, Head head,
                                     std::span<const DecidedBlock> run,
                                     std::span<const election::Link> links = {});

// ---- Committees
// What ChainReply carries.
struct Chain {
    election::CycleChain links;  // from the asker's committee, each to a later one
    // A block of the committee they lead to: the sender's head, or as far as one reply goes.
    // Nothing: the sender cannot say.
    std::optional<election::CycleLink> end;
    // A later start than the links'. Asked for an anchor that the sender keeps: that block, without
    // signatures, and the links go on from there. Else its newest checkpoint, for who trusts a
    // table whose candidates have signed it.
    std::optional<election::Checkpoint> checkpoint;
    static void fields(auto& self, auto&& visit) { visit(self.links, self.end, self.checkpoint); }
};

// A block proven to be decided, and who certifies what comes behind it.
struct Proven {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    Trusted committee;
};
struct Learned {
    Trusted committee;          // the newest
    std::optional<Proven> end;  // of the chain
    // What has proven each committee that is another than the one before, by its term. Where a
    // checkpoint was taken, its block comes first.
    std::vector<std::pair<std::uint64_t, election::Link>> changes;
    bool from_checkpoint = false;  // the way begins there, not at the committee that was trusted
};
// `table`: of candidates, as the state of a block that the verifier trusts has it; null: it has
// none, and takes no checkpoint.
Result<Learned, ChainError> learn(const ChainContext& context, const Trusted& trusted,
                                  const Chain& chain, const protocol::CandidateTable* table);

}  // namespace leither::sync
