// What a bookkeeper has signed, durable before anybody hears it: whoever crashes and comes back
// says the same again, or nothing.
//
// Specification
//   * Each own vote and proposal is noted before it is sent; a precommit for a block together with
//     the block, which binds its signer until the height is decided.
//   * The log vouches for the cycles that began after it was created, and for heights above the
//     last one noted as decided. For others, or without a log, the node signs nothing: what it has
//     signed before may be lost, or was signed by another copy of it.
//   * Records of a height lie under its version key and leave with the batch that decides it.
// Deviation: a committee of one keeps no log; nothing it signs is told before the block is durable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "leither/consensus/application.h"
#include "leither/protocol/agreement.h"
#include "leither/protocol/takeover.h"

namespace leither::consensus {

// The block that a precommit in `round` binds its signer to.
struct Lock {
    std::uint32_t round = 0;
    // As in Proposal.
    protocol::SeatSignatures prevotes;
    protocol::BlockHeader header;
    std::optional<protocol::Certificate> parent;
    protocol::Transactions transactions;
    static void fields(auto& self, auto&& visit) {
        visit(self.round, self.prevotes, self.header, self.parent, self.transactions);
    }
};
using LogRecord = std::variant<protocol::ProposalClaim, protocol::Vote, Lock>;

// How far the log vouches for what it does not hold.
struct Vouch {
    std::uint64_t from_cycle = 0;
    Sequence decided;  // the newest height it has seen decided
    static void fields(auto& self, auto&& visit) { visit(self.from_cycle, self.decided); }
    friend bool operator==(const Vouch&, const Vouch&) = default;
};

// A promise about the block that this node takes for its term's last: it votes on no other block of
// that term (docs/protocol/election.md).
struct Yield {
    protocol::LastBlock last;
    std::optional<protocol::Transaction> act;  // the takeover that stands on it here
    Pulse from;                                // when it was found to hold
    static void fields(auto& self, auto&& visit) { visit(self.last, self.act, self.from); }
};

// One record for each slot and kind: a second one for the same would be a double signature.
struct SignedSlot {
    std::uint32_t round = 0;
    protocol::StatementKind kind = protocol::StatementKind::proposal;
    friend auto operator<=>(const SignedSlot&, const SignedSlot&) = default;
};

// Everything signed at one height, as found at start.
struct Replay {
    std::map<std::uint32_t, protocol::ProposalClaim> proposals;  // by round
    std::map<SignedSlot, protocol::Vote> votes;
    std::optional<Lock> lock;  // of the highest round
};

namespace vote_log {

// Rounds above are not entered; one takes a pulse or more, so none is.
inline constexpr std::uint32_t kRoundMax = (std::uint32_t{1} << 28) - 1;

void put(store::WriteBatch& batch, Sequence height, const LogRecord& record);
std::uint32_t round_of(const LogRecord& record);
// Erases a decided height's records of one round.
void erase(store::WriteBatch& batch, Sequence height, std::uint32_t round);
void put(store::WriteBatch& batch, const Vouch& vouch);
void erase_vouch(store::WriteBatch& batch);
void put(store::WriteBatch& batch, const Yield& yield);
// The last one; perhaps of a block that is not the head any more.
Result<std::optional<Yield>, store::Fault> read_yield(const store::Reader& store);
// Nothing: there is no log.
Result<std::optional<Vouch>, store::Fault> read_vouch(const store::Reader& store);
Result<Replay, store::Fault> read(const store::Reader& store, Sequence height);

}  // namespace vote_log

}  // namespace leither::consensus
