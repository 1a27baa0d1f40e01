#include "peers.h"

#include <algorithm>
#include <tuple>

#include "leither/base/check.h"

namespace leither::sync {

using protocol::SyncAsk;

void Peers::up(const Id& node) {
    if (peers_.size() < options_.peers_max) peers_.try_emplace(node);
}

Peers::Unanswered Peers::down(const Id& node) {
    peers_.erase(node);
    return take_questions_of(node);
}

Peer* Peers::find(const Id& node) {
    const auto found = peers_.find(node);
    return found == peers_.end() ? nullptr : &found->second;
}

bool Peers::any(const Fits& fits) const {
    return std::ranges::any_of(
        peers_, [&fits](const auto& entry) { return !entry.second.is_liar && fits(entry.second); });
}

void Peers::for_each(const std::function<void(Peer&)>& each) {
    for (auto& [node, peer] : peers_) each(peer);
}

std::optional<Id> Peers::pick(const Fits& fits, std::size_t asked_max, Instant now) {
    using Rank = std::tuple<std::size_t, unsigned, Instant, std::uint64_t>;
    std::optional<std::pair<Rank, Id>> best;
    for (const auto& [node, peer] : peers_) {
        if (!may_ask(peer, now) || peer.asked >= asked_max || !fits(peer)) continue;
        const Rank rank{peer.asked, peer.failures, peer.asked_at, prng_.next()};
        if (!best || rank < best->first) best.emplace(rank, node);
    }
    if (!best) return std::nullopt;
    return best->second;
}

std::optional<Instant> Peers::rested(const Fits& fits, Instant now) const {
    std::optional<Instant> first;
    for (const auto& [node, peer] : peers_) {
        if (peer.is_liar || peer.not_before <= now || !fits(peer)) continue;
        if (!first || peer.not_before < *first) first = peer.not_before;
    }
    return first;
}

void Peers::ask(const Id& node, SyncAsk question, Instant now) {
    Peer* peer = find(node);
    CHECK(peer != nullptr);
    ++peer->asked;
    peer->asked_at = now;
    // Who was late before is given more time, so that a slow line is not asked in vain for ever.
    const auto patience = static_cast<int>(1 + std::min(peer->late, 3U));
    const Instant until = now + patience * options_.answer_timeout;
    questions_.push_back({node, std::move(question), now, until});
}

bool Peers::answered(const Id& node, const SyncAsk& question, Instant now) {
    const auto is_it = [&](const Question& asked) {
        return asked.to == node && asked.ask == question;
    };
    const auto oldest = std::ranges::find_if(questions_, is_it);
    if (oldest == questions_.end()) return false;
    Peer& peer = peers_.at(node);
    if (now < oldest->since + options_.answer_timeout) peer.late = 0;
    // If it was late and asked again, one answer is enough.
    for (const Question& asked : questions_) {
        if (is_it(asked) && !asked.is_late) --peer.asked;
    }
    std::erase_if(questions_, is_it);
    return true;
}

Peers::Unanswered Peers::expire(Instant now) {
    Unanswered expired;
    std::vector<Id> late;
    for (Question& question : questions_) {
        if (question.is_late || question.until > now) continue;
        question.is_late = true;
        Peer& peer = peers_.at(question.to);
        --peer.asked;
        ++peer.late;
        expired.push_back({question.to, question.ask});
        late.push_back(question.to);
    }
    for (const Id& node : late) forget_oldest_late(node);
    // Several that become late together are one failure.
    std::ranges::sort(late);
    late.erase(std::unique(late.begin(), late.end()), late.end());
    for (const Id& node : late) failed(node, now);
    return expired;
}

void Peers::forget_oldest_late(const Id& node) {
    const auto is_late = [&node](const Question& asked) {
        return asked.to == node && asked.is_late;
    };
    if (static_cast<std::size_t>(std::ranges::count_if(questions_, is_late)) > kLatePerPeerMax) {
        questions_.erase(std::ranges::find_if(questions_, is_late));
    }
}

std::optional<Instant> Peers::deadline() const {
    std::optional<Instant> first;
    for (const Question& question : questions_) {
        if (question.is_late) continue;
        if (!first || question.until < *first) first = question.until;
    }
    return first;
}

Peers::Unanswered Peers::begin_anew(const Id& node) {
    if (Peer* peer = find(node)) {
        peer->failures = 0;
        peer->not_before = Instant{};
        peer->asked = 0;
    }
    return take_questions_of(node);
}

void Peers::did_well(const Id& node) {
    if (Peer* peer = find(node)) peer->failures = 0;
}

void Peers::failed(const Id& node, Instant now) {
    Peer* peer = find(node);
    if (peer == nullptr) return;
    const unsigned doublings = std::min(peer->failures++, 20U);
    const Duration doubled = options_.retry_min * (Duration::rep{1} << doublings);
    const Duration rest = std::min(options_.retry_max, doubled);
    // Three to five quarters of it, so that those who were left together do not return together.
    const auto spread = static_cast<std::uint64_t>(rest.count()) / 2 + 1;
    peer->not_before = now + rest * 3 / 4 + Duration(prng_.below(spread));
}

Peers::Unanswered Peers::drop_liar(const Id& node) {
    if (Peer* peer = find(node)) {
        peer->is_liar = true;
        peer->asked = 0;
    }
    return take_questions_of(node);
}

Peers::Unanswered Peers::take_questions_of(const Id& node) {
    Unanswered open;
    for (const Question& question : questions_) {
        if (question.to == node && !question.is_late) open.push_back({node, question.ask});
    }
    std::erase_if(questions_, [&node](const Question& question) { return question.to == node; });
    return open;
}

void Peers::check_invariants() const {
    CHECK(peers_.size() <= options_.peers_max);
    std::map<Id, std::size_t> open;
    for (const Question& question : questions_) open[question.to] += question.is_late ? 0 : 1;
    for (const auto& [node, count] : open) CHECK(peers_.contains(node));
    for (const auto& [node, peer] : peers_) CHECK(peer.asked == open[node]);
}

}  // namespace leither::sync
