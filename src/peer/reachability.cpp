// Whether others can dial us, and finding out for them whether they can be dialed.
#include <algorithm>
#include <utility>

#include "leither/base/check.h"

#include "hub_impl.h"

namespace leither::peer {

using protocol::DialBackOutcome;

namespace {

// Times the interval an asker has to keep: by then those who declined may try.
constexpr int kAskAgainAfter = 2;

}  // namespace

// ---- We ask

void Hub::Impl::check_reachability(Instant now, Effects& fx) {
    if (round.is_open()) {
        if (now >= *round.until() || round.is_complete()) conclude_if_complete(now, fx);
        return;
    }
    if (!round_at || now < *round_at) return;
    std::set<IpAddress> blocks;
    std::vector<Link*> asked;
    for (auto& [id, link] : links) {
        if (link.stage != Link::Stage::up || asked.size() >= kDialBackAskedMax) continue;
        const IpAddress& address = link.remote.address;
        // Neighbours of one global block are likely to see the same; local ones have no better.
        if (address.is_global() && !blocks.insert(address.block()).second) continue;
        asked.push_back(&link);
    }
    if (asked.empty()) return;
    // With few to ask, others may be there soon.
    const bool is_thin = asked.size() < kDialBackAskedMax;
    round_at = now + (is_thin ? options.dial_back_every / 6 : options.dial_back_every);
    std::vector<DialBackRound::Question> questions;
    for (Link* link : asked) {
        const std::uint64_t nonce = prng.next();
        const Endpoint ours{link->hello.observed.endpoint().address, options.listen_port};
        questions.push_back({link->session->remote().node, nonce, ours, std::nullopt});
        send(*link, protocol::AskDialBack{options.listen_port, nonce}, now, fx);
    }
    round.begin(std::move(questions), now + options.dial_back_timeout);
}

void Hub::Impl::conclude_if_complete(Instant now, Effects& fx) {
    if (!round.is_open()) return;
    if (!round.is_complete() && now < *round.until()) return;
    Reachability found = round.conclude(now);
    if (found.verdict == Reachability::Verdict::unknown && options.listen_port != 0) {
        round_at = now + kAskAgainAfter * options.dial_back_interval_min;
    }
    // What is known stands until somebody has tried again.
    const bool is_news = found.verdict != Reachability::Verdict::unknown ||
                         reachability.verdict == Reachability::Verdict::unknown;
    if (is_news) reachability = std::move(found);
    fx.events.push_back(DialBackVerdict{reachability});
}

Hub::Impl::Objection Hub::Impl::hear(Link& link, const protocol::DialBackResult& result,
                                     Instant now, Effects& fx) {
    // An answer that comes too late is nobody's fault.
    if (round.answer(link.session->remote().node, result)) conclude_if_complete(now, fx);
    return std::nullopt;
}

// ---- They ask

Hub::Impl::Objection Hub::Impl::hear(Link& link, const protocol::AskDialBack& ask, Instant now,
                                     Effects& fx) {
    const auto running = std::ranges::count_if(
        links, [](const auto& entry) { return entry.second.probe.has_value(); });
    const bool is_too_soon =
        link.asked_us_at && now - *link.asked_us_at < options.dial_back_interval_min;
    const Probe probe{link.id, ask.nonce};
    const bool is_busy = static_cast<std::size_t>(running) >= options.dial_backs_max;
    if (ask.port == 0 || is_too_soon || is_busy) {
        answer_probe(probe, DialBackOutcome::declined, now, fx);
        return std::nullopt;
    }
    link.asked_us_at = now;
    // Only where the connection itself comes from: nobody can point us at a third party.
    const Authenticated& remote = link.session->remote();
    Target target;
    target.context = remote.context;
    target.static_key = remote.static_key;
    target.node = remote.node;
    target.purpose = Target::Purpose::probe;
    dial({link.remote.address, ask.port}, std::move(target), now, fx).probe = probe;
    return std::nullopt;
}

void Hub::Impl::answer_probe(const Probe& probe, DialBackOutcome outcome, Instant now,
                             Effects& fx) {
    Link* asker = find(probe.asker);
    if (asker == nullptr || !asker->is_authenticated()) return;
    send(*asker, protocol::DialBackResult{probe.nonce, outcome}, now, fx);
}

void Hub::Impl::end_probe(const Link& link, CloseReason reason, Instant now, Effects& fx) {
    const bool was_open = link.stage != Link::Stage::dialing;
    const bool was_broken_off =
        reason == CloseReason::stopping || reason == CloseReason::not_needed;
    DialBackOutcome outcome = DialBackOutcome::unreachable;
    if (link.session && link.session->is_established()) {
        outcome = DialBackOutcome::reached;
    } else if (was_broken_off) {
        outcome = DialBackOutcome::declined;
    } else if (was_open) {
        outcome = DialBackOutcome::other_node;
    }
    answer_probe(*link.probe, outcome, now, fx);
}

}  // namespace leither::peer
