// Mining rewards of ended terms, worked out again from a node's own history: what the cycle block
// has committed to, line by line, and the proof with which a bookkeeper claims its own.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leither/election/work.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/state.h"

namespace leither::ledger {

struct MiningRewards {
    protocol::RewardRoot root;                // as the head has it, with what is claimed
    std::vector<election::RewardLine> lines;  // line i is seat i

    // The line of a member, nothing if it had no seat.
    std::optional<std::size_t> line_of(const Id& member) const;
    // REQUIRES: line < lines.size().
    bool is_claimed(std::size_t line) const { return (root.claimed >> line & 1) != 0; }
};

enum class MiningError : std::uint8_t {
    unknown,  // the head keeps no root of that term: not over, too long ago, or nothing to share
    pruned,   // the root is there, the history that it came of is not
};

// Which term, and how far back history may be read.
struct EndedTerm {
    std::uint64_t cycle = 0;
    const Seal& head;
    Sequence oldest;  // nothing below it is read
};
// REQUIRES: the head and what follows `oldest` are retained.
Result<Result<MiningRewards, MiningError>, store::Fault> mining_rewards(
    const Organization& organization, const store::Reader& store, const tree::Tree& tree,
    const EndedTerm& term);

// The act that claims a line, for the member's node to sign. REQUIRES: line < lines.size().
protocol::Claim claim_of(const ChainId& chain, const MiningRewards& rewards, std::size_t line);

}  // namespace leither::ledger
