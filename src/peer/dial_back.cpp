#include "dial_back.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::peer {

namespace {

using protocol::DialBackOutcome;
using Verdict = Reachability::Verdict;

std::size_t count(const std::vector<Reachability::Evidence>& evidence, DialBackOutcome outcome) {
    return static_cast<std::size_t>(
        std::ranges::count(evidence, outcome, &Reachability::Evidence::outcome));
}

std::size_t tried(const std::vector<Reachability::Evidence>& evidence) {
    return evidence.size() - count(evidence, DialBackOutcome::declined);
}

// One that got through settles it, unless more say the contrary: a false "no" is cheap to tell.
Verdict verdict_of(const std::vector<Reachability::Evidence>& evidence) {
    const std::size_t reached = count(evidence, DialBackOutcome::reached);
    const std::size_t failed = tried(evidence) - reached;
    if (reached > 0 && reached >= failed) return Verdict::reachable;
    return failed > 0 ? Verdict::not_reachable : Verdict::unknown;
}

}  // namespace

const char* to_string(Reachability::Verdict verdict) {
    switch (verdict) {
        case Verdict::unknown: return "unknown";
        case Verdict::reachable: return "reachable";
        case Verdict::not_reachable: return "not_reachable";
    }
    UNREACHABLE();
}

std::string Reachability::text() const {
    if (!as_of) return "unknown: no other node has been asked yet whether it can connect";
    if (verdict == Verdict::unknown) {
        return fmt::format("unknown: {} nodes were asked to connect, none has tried",
                           evidence.size() + unanswered);
    }
    const std::size_t reached = count(evidence, DialBackOutcome::reached);
    const std::string outcome = fmt::format("{} of {} nodes could connect to {}", reached,
                                            tried(evidence), evidence.front().endpoint.text());
    if (verdict == Verdict::reachable) return "reachable: " + outcome;
    return "not reachable: " + outcome +
           "; a router or firewall does not let the port through. The node takes part fully by "
           "dialing others";
}

void DialBackRound::begin(std::vector<Question> questions, Instant until) {
    CHECK(questions.size() <= kDialBackAskedMax);
    questions_ = std::move(questions);
    until_ = until;
}

bool DialBackRound::answer(const Id& node, const protocol::DialBackResult& result) {
    const auto question = std::ranges::find_if(questions_, [&](const Question& asked) {
        return asked.node == node && asked.nonce == result.nonce && !asked.outcome;
    });
    if (question == questions_.end()) return false;
    question->outcome = result.outcome;
    return true;
}

void DialBackRound::give_up(const Id& node) {
    for (Question& question : questions_) {
        if (question.node == node && !question.outcome) {
            question.outcome = DialBackOutcome::declined;
        }
    }
}

bool DialBackRound::is_complete() const {
    return std::ranges::all_of(questions_,
                               [](const auto& asked) { return asked.outcome.has_value(); });
}

Reachability DialBackRound::conclude(Instant now) {
    Reachability reachability;
    reachability.as_of = now;
    for (const Question& question : questions_) {
        if (question.outcome) {
            reachability.evidence.push_back({question.node, question.endpoint, *question.outcome});
        } else {
            ++reachability.unanswered;
        }
    }
    reachability.verdict = verdict_of(reachability.evidence);
    // A late answer, after `until`, finds no question of this round.
    questions_.clear();
    until_.reset();
    return reachability;
}

}  // namespace leither::peer
