#include "leither/election/draw.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::election {

namespace {

constexpr Uint128 kNumbers = Uint128{1} << 64;

// Number `attempt` of draw `n`: the first eight bytes of a hash, the least significant first.
std::uint64_t number(const Lottery& lottery, std::uint32_t n, std::uint32_t attempt) {
    bcs::Writer out;
    bcs::write(out, lottery.seed);
    bcs::write(out, lottery.cycle);
    bcs::write(out, n);
    bcs::write(out, attempt);
    const Hash hash = crypto::tagged_hash(protocol::tags::kElectionDraw, lottery.chain, out.view());
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{hash.view()[i]} << (8 * i);
    return value;
}

// Below `total`, each value equally likely: numbers behind the last whole multiple are rejected.
// Each is rejected with a chance below one half, so the loop ends.
std::uint64_t below(const Lottery& lottery, std::uint32_t n, std::uint64_t total) {
    const Uint128 accepted = kNumbers - kNumbers % total;
    for (std::uint32_t attempt = 0;; ++attempt) {
        const std::uint64_t value = number(lottery, n, attempt);
        if (value < accepted) return value % total;
    }
}

std::uint64_t total_weight(std::span<const Contender> contenders) {
    Uint128 total = 0;
    for (const Contender& contender : contenders) {
        CHECK(contender.weight > 0);
        total += contender.weight;
    }
    CHECK(total < kNumbers);
    return static_cast<std::uint64_t>(total);
}

}  // namespace

std::uint64_t weight_of(Amount pledge, const protocol::WorkHistory& history, std::uint64_t cycle) {
    std::uint64_t assigned = 0;
    std::uint64_t done = 0;
    for (const protocol::CycleWork& work : history) {
        if (work.cycle >= cycle || work.cycle + protocol::kHistoryCyclesMax < cycle) continue;
        assigned += work.assigned;
        done += work.done;
    }
    if (assigned == 0) return pledge.units();
    CHECK(done <= assigned);
    return static_cast<std::uint64_t>(Uint128{pledge.units()} * (assigned + done) / assigned);
}

std::vector<std::size_t> draw(const Lottery& lottery, std::span<const Contender> contenders,
                              std::size_t count) {
    CHECK(std::ranges::adjacent_find(contenders, std::ranges::greater_equal{},
                                     &Contender::member) == contenders.end());
    std::uint64_t total = total_weight(contenders);
    std::vector<std::size_t> waiting(contenders.size());
    std::iota(waiting.begin(), waiting.end(), std::size_t{0});

    std::vector<std::size_t> drawn;
    for (std::uint32_t n = 0; n < count && !waiting.empty(); ++n) {
        std::uint64_t ticket = below(lottery, n, total);
        auto at = waiting.begin();
        while (ticket >= contenders[*at].weight) ticket -= contenders[*at++].weight;
        total -= contenders[*at].weight;
        drawn.push_back(*at);
        waiting.erase(at);
    }
    return drawn;
}

Hash next_seed(const ChainId& chain, const Hash& last, std::span<const Hash> links) {
    bcs::Writer out;
    bcs::write(out, last);
    out.length(links.size());
    for (const Hash& link : links) out.raw(link.view());
    return crypto::tagged_hash(protocol::tags::kElectionSeed, chain, out.view());
}

}  // namespace leither::election
