#include "leither/election/work.h"

#include <algorithm>
#include <bit>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/block.h"
#include "leither/protocol/domain_tags.h"

namespace leither::election {

namespace {

using protocol::CycleWork;
using protocol::TallyRecord;

constexpr std::size_t kDepth = 5;
constexpr std::size_t kLines = std::size_t{1} << kDepth;
static_assert(protocol::kSeatsMax <= kLines);
static_assert(decltype(protocol::RewardProof::path)::kMax == kDepth);

Hash line_hash(const ChainId& chain, std::uint64_t cycle, std::uint8_t line,
               const RewardLine& reward) {
    bcs::Writer out;
    bcs::write(out, cycle);
    bcs::write(out, line);
    bcs::write(out, reward.member);
    bcs::write(out, reward.amount);
    return crypto::tagged_hash(protocol::tags::kRewardLine, chain, out.view());
}

Hash node_hash(const ChainId& chain, const Hash& left, const Hash& right) {
    bcs::Writer out;
    bcs::write(out, left);
    bcs::write(out, right);
    return crypto::tagged_hash(protocol::tags::kRewardNode, chain, out.view());
}

std::vector<Hash> bottom_row(const ChainId& chain, std::uint64_t cycle,
                             const std::vector<RewardLine>& lines) {
    CHECK(lines.size() <= kLines);
    std::vector<Hash> row(kLines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        row[i] = line_hash(chain, cycle, static_cast<std::uint8_t>(i), lines[i]);
    }
    return row;
}

std::vector<Hash> row_above(const ChainId& chain, const std::vector<Hash>& row) {
    std::vector<Hash> above;
    for (std::size_t i = 0; i < row.size(); i += 2) {
        above.push_back(node_hash(chain, row[i], row[i + 1]));
    }
    return above;
}

}  // namespace

bool is_possible(std::uint32_t signers, std::size_t seats) {
    CHECK(seats >= 1 && seats <= protocol::kSeatsMax);
    const bool exist = signers >> seats == 0;
    return exist && static_cast<std::size_t>(std::popcount(signers)) >= protocol::quorum(seats);
}

void count(TallyRecord& tally, std::uint32_t signers, std::size_t seats) {
    CHECK(is_possible(signers, seats));
    tally.signed_by.resize(seats);
    for (std::size_t seat = 0; seat < seats; ++seat) tally.signed_by[seat] += signers >> seat & 1;
    ++tally.blocks;
}

CycleWork work_of(const TallyRecord& tally, std::uint64_t cycle, std::size_t seat) {
    const std::uint32_t done = seat < tally.signed_by.size() ? tally.signed_by[seat] : 0;
    return {cycle, tally.blocks, done};
}

void remember(protocol::WorkHistory& history, const CycleWork& work) {
    CHECK(history.empty() || history.back().cycle < work.cycle);
    std::erase_if(history, [&work](const CycleWork& past) {
        return past.cycle + protocol::kHistoryCyclesMax <= work.cycle;
    });
    CHECK(!history.full());
    history.push_back(work);
}

std::vector<RewardLine> reward_lines(const protocol::Seats& seats, const TallyRecord& tally,
                                     std::uint32_t total) {
    std::vector<RewardLine> lines;
    for (std::size_t seat = 0; seat < seats.size(); ++seat) {
        const CycleWork work = work_of(tally, 0, seat);
        const Uint128 whole = Uint128{work.assigned} * seats.size();
        const Uint128 share = whole == 0 ? 0 : Uint128{total} * work.done / whole;
        lines.push_back({seats[seat].member, Amount::of(static_cast<std::uint64_t>(share))});
    }
    return lines;
}

Hash reward_root(const ChainId& chain, std::uint64_t cycle, const std::vector<RewardLine>& lines) {
    std::vector<Hash> row = bottom_row(chain, cycle, lines);
    while (row.size() > 1) row = row_above(chain, row);
    return row.front();
}

protocol::RewardProof prove_reward(const ChainId& chain, std::uint64_t cycle,
                                   const std::vector<RewardLine>& lines, std::size_t line) {
    CHECK(line < lines.size());
    protocol::RewardProof proof;
    proof.line = static_cast<std::uint8_t>(line);
    std::vector<Hash> row = bottom_row(chain, cycle, lines);
    for (std::size_t at = line; row.size() > 1; at /= 2) {
        proof.path.push_back(row[at ^ 1]);
        row = row_above(chain, row);
    }
    return proof;
}

bool is_reward(const ChainId& chain, const protocol::RewardRoot& root, const RewardLine& line,
               const protocol::RewardProof& proof) {
    if (proof.line >= kLines || proof.path.size() != kDepth) return false;
    Hash hash = line_hash(chain, root.cycle, proof.line, line);
    std::size_t at = proof.line;
    for (const Hash& sibling : proof.path) {
        hash = at % 2 == 0 ? node_hash(chain, hash, sibling) : node_hash(chain, sibling, hash);
        at /= 2;
    }
    return hash == root.root;
}

}  // namespace leither::election
