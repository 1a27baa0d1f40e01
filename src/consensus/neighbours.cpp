#include "neighbours.h"

#include <algorithm>
#include <cstdlib>

#include "rounds.h"

namespace leither::consensus {

bool Neighbour::shows(Sequence height, const Tendermint::Item& item) const {
    if (!status || status->height != height) return false;
    for (const protocol::RoundStatus& held : status->rounds) {
        if (held.round != item.round) continue;
        switch (item.what) {
            case Tendermint::What::proposal: return held.has_proposal;
            case Tendermint::What::prevote: return (held.prevotes & bit_of_seat(item.seat)) != 0;
            case Tendermint::What::precommit:
                return (held.precommits & bit_of_seat(item.seat)) != 0;
        }
    }
    return false;
}

void Clocks::note(const Id& node, Pulse theirs, Pulse ours) {
    // Far beyond what matters, so that differences never overflow.
    constexpr std::uint64_t kFar = 1'000'000;
    const bool ahead = theirs > ours;
    const std::uint64_t apart =
        ahead ? theirs.value() - ours.value() : ours.value() - theirs.value();
    const auto bounded = static_cast<std::int64_t>(std::min(apart, kFar));
    samples_[node] = {ahead ? bounded : -bounded, ours};
}

std::int64_t Clocks::median(Pulse ours, std::uint64_t window) const {
    std::vector<std::int64_t> all{0};
    for (const auto& [node, sample] : samples_) {
        const bool is_recent =
            sample.heard <= ours && ours.value() - sample.heard.value() <= window;
        if (is_recent) all.push_back(sample.apart);
    }
    std::ranges::sort(all);
    const std::int64_t upper = all[all.size() / 2];
    const std::int64_t lower = all[(all.size() - 1) / 2];
    return std::abs(lower) < std::abs(upper) ? lower : upper;
}

}  // namespace leither::consensus
