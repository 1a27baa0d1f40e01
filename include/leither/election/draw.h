// Who is elected: an exact draw without replacement, the same everywhere
// (docs/protocol/election.md, with vectors). Integers only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "leither/protocol/election.h"

namespace leither::election {

// Twice pledge x reliability, rounded down, at least the pledge itself: reliability is
// (assigned + done) / (2 x assigned) over the 48 cycles before `cycle`, a half without any work
// assigned. So who never served counts as who never came, and nothing is gained by a new account.
std::uint64_t weight_of(Amount pledge, const protocol::WorkHistory& history, std::uint64_t cycle);

struct Contender {
    Id member;
    std::uint64_t weight = 0;
};

struct Lottery {
    ChainId chain;
    Hash seed;
    std::uint64_t cycle = 0;  // the term that is drawn for
};

// Indices of at most `count` contenders, in the order drawn; nobody twice. REQUIRES: contenders by
// member, rising, each with a weight; their sum is below 2^64 (all pledges are within the supply).
std::vector<std::size_t> draw(const Lottery& lottery, std::span<const Contender> contenders,
                              std::size_t count);

// The seed of the next cycle: from the last one and what has been revealed, by member, rising.
Hash next_seed(const ChainId& chain, const Hash& last, std::span<const Hash> links);

}  // namespace leither::election
