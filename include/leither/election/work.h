// What bookkeepers did in a cycle, and what they earn by it (docs/protocol/election.md).
#pragma once

#include <cstdint>
#include <vector>

#include "leither/protocol/transaction.h"

namespace leither::election {

// `signers` (a header's bitmap of its parent's certificate) names only seats that exist, and a
// quorum of them.
bool is_possible(std::uint32_t signers, std::size_t seats);

// One more block of the cycle, certified by `signers`. REQUIRES: is_possible().
void count(protocol::TallyRecord& tally, std::uint32_t signers, std::size_t seats);
// The part of seat `seat` in the work of the cycle.
protocol::CycleWork work_of(const protocol::TallyRecord& tally, std::uint64_t cycle,
                            std::size_t seat);
// Appends, and forgets what is older than kHistoryCyclesMax cycles. REQUIRES: a later cycle than
// all of the history.
void remember(protocol::WorkHistory& history, const protocol::CycleWork& work);

// What one seat earns; line i of a cycle's rewards is seat i.
struct RewardLine {
    Id member;
    Amount amount;
};
// `total` is shared by the seats in equal parts, each paid by how much of its work was done.
std::vector<RewardLine> reward_lines(const protocol::Seats& seats,
                                     const protocol::TallyRecord& tally, std::uint32_t total);

// The rewards of a cycle as a hash tree of 32 lines, those behind the last seat being zero hashes.
Hash reward_root(const ChainId& chain, std::uint64_t cycle, const std::vector<RewardLine>& lines);
// REQUIRES: line < lines.size().
protocol::RewardProof prove_reward(const ChainId& chain, std::uint64_t cycle,
                                   const std::vector<RewardLine>& lines, std::size_t line);
// Whether the proof's line below `root` is just this member's amount.
bool is_reward(const ChainId& chain, const protocol::RewardRoot& root, const RewardLine& line,
               const protocol::RewardProof& proof);

}  // namespace leither::election
