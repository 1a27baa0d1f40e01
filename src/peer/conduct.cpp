#include "leither/peer/conduct.h"

#include <algorithm>
#include <cstdlib>

#include "leither/base/check.h"

namespace leither::peer {

std::int32_t Conduct::faded(const Standing& standing, Instant now) const {
    const std::int64_t steps =
        std::max<std::int64_t>((now - standing.at) / options_.fades_every, 0);
    const std::int32_t score = standing.score;
    const auto points = static_cast<std::int32_t>(std::min<std::int64_t>(steps, std::abs(score)));
    return score > 0 ? score - points : score + points;
}

Conduct::Verdict Conduct::judge(const Id& node, std::int32_t points, Instant now) {
    if (!standings_.contains(node)) make_room(now);
    const std::int32_t bounded = std::clamp(points, -2 * kScoreMax, 2 * kScoreMax);
    const std::int32_t score = std::clamp(this->score(node, now) + bounded, -kScoreMax, kScoreMax);
    if (score == -kScoreMax) {
        standings_.erase(node);  // it begins anew when the ban is over
        ban(node, options_.ban, now);
        return Verdict::banned;
    }
    standings_[node] = {score, now};
    return Verdict::tolerated;
}

std::int32_t Conduct::score(const Id& node, Instant now) const {
    const auto at = standings_.find(node);
    return at == standings_.end() ? 0 : faded(at->second, now);
}

void Conduct::make_room(Instant now) {
    if (standings_.size() < options_.nodes_max) return;
    const auto nearest_zero = std::ranges::min_element(
        standings_, {}, [&](const auto& entry) { return std::abs(faded(entry.second, now)); });
    standings_.erase(nearest_zero);
}

void Conduct::ban(const Id& node, Duration duration, Instant now) {
    std::erase_if(bans_, [&](const auto& ban) { return ban.second <= now; });
    if (!bans_.contains(node) && bans_.size() >= options_.bans_max) {
        bans_.erase(
            std::ranges::min_element(bans_, {}, [](const auto& ban) { return ban.second; }));
    }
    const auto [at, is_new] = bans_.emplace(node, now + duration);
    if (!is_new) at->second = std::max(at->second, now + duration);
}

void Conduct::pardon(const Id& node) {
    bans_.erase(node);
    standings_.erase(node);
}

std::optional<Instant> Conduct::banned_until(const Id& node, Instant now) const {
    const auto at = bans_.find(node);
    if (at == bans_.end() || at->second <= now) return std::nullopt;
    return at->second;
}

std::optional<Instant> Conduct::next_pardon(Instant now) const {
    std::optional<Instant> next;
    for (const auto& [node, until] : bans_) {
        if (until > now) next = next ? std::min(*next, until) : until;
    }
    return next;
}

void Conduct::check_invariants() const {
    CHECK(standings_.size() <= options_.nodes_max);
    CHECK(bans_.size() <= options_.bans_max);
    for (const auto& [node, standing] : standings_) {
        CHECK(std::abs(standing.score) <= kScoreMax);
    }
}

}  // namespace leither::peer
