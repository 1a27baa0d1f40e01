#include "endorsing.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::node {

using protocol::AskEndorsement;
using protocol::EndorsementRefusal;
using protocol::EndorsementReply;
using store::Fault;

namespace {

NetworkFailure refused(std::string_view rule, std::string detail) {
    return {NetworkError::refused, std::move(detail), rule};
}

NetworkFailure term_over() {
    return refused("term_over",
                   "the term that was asked has ended, and its keys are erased: ask again, for the "
                   "newest sequence");
}

}  // namespace

Sequence Endorsing::first_of(const consensus::Term& term) {
    return Sequence(std::max<std::uint64_t>(term.first_height.value(), 1) - 1);
}

Endorsing::Key Endorsing::key_of(const AskEndorsement& ask) {
    return {crypto::id_of(ask.account), ask.cycle, ask.sequence};
}

Result<Endorsing::Effects, Fault> Endorsing::step(Input&& input, const Ground& ground,
                                                  Instant now) {
    Effects fx;
    TRY(std::visit(
        [&](auto&& held) { return on(std::forward<decltype(held)>(held), ground, now, fx); },
        std::move(input)));
    review(ground, now, fx);
    return fx;
}

Endorsing::Effects Endorsing::abandon(const NetworkFailure& why) {
    Effects fx;
    for (auto& [key, gathering] : gatherings_) {
        fx.done.push_back({std::move(gathering.tokens), fail(why)});
    }
    gatherings_.clear();
    return fx;
}

Endorsing::Outcome Endorsing::on(const Tick&, const Ground&, Instant, Effects&) {
    return {};
}

Endorsing::Outcome Endorsing::on(const NodeUp& up, const Ground& ground, Instant now, Effects& fx) {
    neighbours_.insert_or_assign(
        up.node, Neighbour{up.understands, peer::TokenBucket({kAsksPerSecond, kSavedUp}, now)});
    // Perhaps it is who was missing.
    for (const auto& [key, gathering] : gatherings_) ask(gathering, ground, fx);
    return {};
}

Endorsing::Outcome Endorsing::on(const NodeDown& down, const Ground&, Instant, Effects&) {
    neighbours_.erase(down.node);
    return {};
}

// ---- For an owner of ours -----------------------------------------------------------------------

std::optional<NetworkFailure> Endorsing::why_not(const AskEndorsement& ask,
                                                 const Ground& ground) const {
    if (!protocol::is_signed(ask, chain_)) {
        return refused("bad_signature",
                       "the account's own key must sign the question, of this organization's "
                       "chain; sign it with the wallet that holds the key");
    }
    if (ask.cycle != ground.term.cycle || ask.sequence < first_of(ground.term)) return term_over();
    if (ask.sequence > ground.head) {
        return refused("unknown_sequence", fmt::format("the newest sequence here is {}: ask for it",
                                                       ground.head.value()));
    }
    return std::nullopt;
}

Endorsing::Outcome Endorsing::on(Wanted&& wanted, const Ground& ground, Instant now, Effects& fx) {
    const auto refuse = [&](NetworkFailure why) {
        fx.done.push_back({{wanted.token}, fail(std::move(why))});
    };
    if (auto why = why_not(wanted.ask, ground)) {
        refuse(*std::move(why));
        return {};
    }
    const Key key = key_of(wanted.ask);
    const auto known = gatherings_.find(key);
    const bool is_full = known == gatherings_.end() ? gatherings_.size() >= kGatheringsMax
                                                    : known->second.tokens.size() >= kAskersMax;
    if (is_full) {
        refuse({NetworkError::full, "as many endorsements as may be are gathered already"});
        return {};
    }
    if (known != gatherings_.end()) {
        known->second.tokens.push_back(wanted.token);
        return {};
    }
    auto prepared = TRY(ground.prepare(std::get<Id>(key), wanted.ask.sequence));
    if (!prepared) {
        refuse(refused("uncertified",
                       "no certified block of that sequence is here, or the committee is being "
                       "taken over: ask again after the next block"));
        return {};
    }
    Gathering made{wanted.ask, *std::move(prepared), {wanted.token}, {},
                   {},         now + kPatience,      now + kAskAgain};
    if (ground.term.key) {
        const Bytes message = signing_message(chain_, made.prepared.made.claim);
        made.signatures.emplace(*ground.term.seat, ground.term.key->sign(message));
    }
    const auto placed = gatherings_.emplace(key, std::move(made)).first;
    ask(placed->second, ground, fx);
    return {};
}

std::vector<Id> Endorsing::fellows(const Ground& ground) const {
    std::vector<Id> found;
    for (const Id& node : ground.term.nodes) {
        const auto neighbour = neighbours_.find(node);
        if (neighbour != neighbours_.end() && neighbour->second.understands) found.push_back(node);
    }
    return found;
}

void Endorsing::ask(const Gathering& gathering, const Ground& ground, Effects& fx) const {
    const std::size_t needed = protocol::quorum(ground.term.committee.size());
    if (gathering.signatures.size() >= needed) return;
    const auto bookkeepers = fellows(ground);
    for (const Id& node : bookkeepers) {
        fx.sends.push_back({node, gathering.ask});
    }
    if (!bookkeepers.empty()) return;
    std::size_t guides = 0;
    for (const auto& [node, neighbour] : neighbours_) {
        if (!neighbour.understands || guides == kGuidesMax) continue;
        ++guides;
        fx.sends.push_back({node, gathering.ask});
    }
}

void Endorsing::take(Gathering& gathering, const EndorsementReply& reply, const Ground& ground) {
    const std::size_t seats = ground.term.committee.size();
    if (reply.seat >= seats || gathering.signatures.contains(reply.seat)) return;
    if (const auto* refusal = std::get_if<EndorsementRefusal>(&reply.said)) {
        gathering.refused[reply.seat] = to_string(*refusal);
        return;
    }
    const auto& signature = std::get<Signature>(reply.said);
    const Bytes message = signing_message(chain_, gathering.prepared.made.claim);
    if (crypto::verify(ground.term.committee[reply.seat], message, signature)) {
        gathering.signatures.emplace(reply.seat, signature);
    } else {
        gathering.refused[reply.seat] = "signs another state";
    }
}

// What ends, and who is asked again.
void Endorsing::review(const Ground& ground, Instant now, Effects& fx) {
    const std::size_t needed = protocol::quorum(ground.term.committee.size());
    for (auto it = gatherings_.begin(); it != gatherings_.end();) {
        Gathering& gathering = it->second;
        Done done{{}, fail(NetworkFailure{})};
        if (gathering.ask.cycle != ground.term.cycle) {
            done.outcome = fail(term_over());
        } else if (gathering.signatures.size() >= needed) {
            Gathered gathered{std::move(gathering.prepared), {}};
            for (const auto& [seat, signature] : gathering.signatures) {
                if (gathered.signatures.size() < needed) {
                    gathered.signatures.push_back({seat, signature});
                }
            }
            done.outcome = std::move(gathered);
        } else if (now >= gathering.deadline) {
            done.outcome = fail(too_few(gathering, ground));
        } else {
            if (now >= gathering.again) {
                gathering.again = now + kAskAgain;
                ask(gathering, ground, fx);
            }
            ++it;
            continue;
        }
        done.tokens = std::move(gathering.tokens);
        fx.done.push_back(std::move(done));
        it = gatherings_.erase(it);
    }
}

NetworkFailure Endorsing::too_few(const Gathering& gathering, const Ground& ground) const {
    const std::size_t seats = ground.term.committee.size();
    std::string missing;
    for (std::uint16_t seat = 0; seat < seats; ++seat) {
        if (gathering.signatures.contains(seat)) continue;
        const Id& node = ground.term.nodes[seat];
        const auto why = gathering.refused.find(seat);
        const auto neighbour = neighbours_.find(node);
        std::string_view said = "has not answered";
        if (why != gathering.refused.end()) {
            said = why->second;
        } else if (neighbour == neighbours_.end()) {
            said = "is not connected to this node";
        } else if (!neighbour->second.understands) {
            said = "runs an older program";
        }
        missing +=
            fmt::format("{}{}... {}", missing.empty() ? "" : ", ", node.hex().substr(0, 8), said);
    }
    return refused("too_few_endorsers",
                   fmt::format("{} of {} bookkeepers have signed in {} s, {} are needed: {}; ask "
                               "again when they are there",
                               gathering.signatures.size(), seats,
                               std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(),
                               protocol::quorum(seats), missing));
}

// ---- For others ---------------------------------------------------------------------------------

Endorsing::Outcome Endorsing::on(const Asked& asked, const Ground& ground, Instant now,
                                 Effects& fx) {
    const auto neighbour = neighbours_.find(asked.from);
    if (neighbour == neighbours_.end() || neighbour->second.questions.available(now) == 0) {
        return {};
    }
    neighbour->second.questions.charge(1, now);
    if (!protocol::is_signed(asked.ask, chain_)) {
        fx.blamed.push_back(asked.from);
        return {};
    }
    TRY(answer(asked, ground, fx));
    pass_on(asked, ground, now, fx);
    return {};
}

Endorsing::Outcome Endorsing::answer(const Asked& asked, const Ground& ground, Effects& fx) {
    const consensus::Term& term = ground.term;
    if (!term.key) return {};
    const Key key = key_of(asked.ask);
    EndorsementReply reply{std::get<Id>(key), asked.ask.cycle, asked.ask.sequence, *term.seat, {}};
    std::erase_if(answers_, [&](const auto& one) { return std::get<1>(one.first) != term.cycle; });
    const auto known = answers_.find(key);
    if (asked.ask.cycle != term.cycle || asked.ask.sequence < first_of(term)) {
        reply.said = EndorsementRefusal::other_term;
    } else if (asked.ask.sequence > ground.head) {
        reply.said = EndorsementRefusal::behind;
    } else if (known != answers_.end()) {
        reply.said = known->second;
    } else if (const auto prepared = TRY(ground.prepare(reply.account, reply.sequence))) {
        const Signature signature = term.key->sign(signing_message(chain_, prepared->made.claim));
        if (answers_.size() >= kAnswersMax) answers_.erase(answers_.begin());
        answers_.emplace(key, signature);
        reply.said = signature;
    } else {
        reply.said = EndorsementRefusal::not_kept;
    }
    fx.sends.push_back({asked.from, reply});
    return {};
}

void Endorsing::pass_on(const Asked& asked, const Ground& ground, Instant now, Effects& fx) {
    const auto& nodes = ground.term.nodes;
    const bool from_fellow = std::ranges::find(nodes, asked.from) != nodes.end();
    if (from_fellow || asked.ask.cycle != ground.term.cycle) return;
    const auto bookkeepers = fellows(ground);
    if (bookkeepers.empty()) return;
    std::erase_if(relays_, [now](const auto& one) { return one.second.until <= now; });
    const Key key = key_of(asked.ask);
    if (!relays_.contains(key) && relays_.size() >= kRelaysMax) return;
    Relay& relay = relays_[key];
    if (relay.askers.size() >= kAskersMax && !relay.askers.contains(asked.from)) return;
    relay.askers.insert(asked.from);
    relay.passed.clear();  // it asks again, so it may have missed them
    relay.until = now + kPatience;
    for (const Id& node : bookkeepers) fx.sends.push_back({node, asked.ask});
}

void Endorsing::pass_back(const Answered& answered, const Ground& ground, Effects& fx) {
    const EndorsementReply& reply = answered.reply;
    const auto relay = relays_.find({reply.account, reply.cycle, reply.sequence});
    if (relay == relays_.end() || reply.cycle != ground.term.cycle) return;
    const auto& nodes = ground.term.nodes;
    const bool is_of_committee = std::ranges::find(nodes, answered.from) != nodes.end();
    if (reply.seat >= nodes.size() || !is_of_committee) return;
    if (!relay->second.passed.insert(reply.seat).second) return;
    for (const Id& asker : relay->second.askers) {
        const auto neighbour = neighbours_.find(asker);
        if (neighbour != neighbours_.end()) fx.sends.push_back({asker, reply});
    }
}

Endorsing::Outcome Endorsing::on(const Answered& answered, const Ground& ground, Instant,
                                 Effects& fx) {
    if (!neighbours_.contains(answered.from)) return {};
    const EndorsementReply& reply = answered.reply;
    pass_back(answered, ground, fx);
    const auto gathering = gatherings_.find({reply.account, reply.cycle, reply.sequence});
    if (gathering != gatherings_.end() && reply.cycle == ground.term.cycle) {
        take(gathering->second, reply, ground);
    }
    return {};
}

std::optional<Instant> Endorsing::next_deadline() const {
    std::optional<Instant> next;
    for (const auto& [key, gathering] : gatherings_) {
        const Instant at = std::min(gathering.again, gathering.deadline);
        next = next ? std::min(*next, at) : at;
    }
    return next;
}

void Endorsing::check_invariants() const {
    CHECK(gatherings_.size() <= kGatheringsMax);
    CHECK(relays_.size() <= kRelaysMax);
    CHECK(answers_.size() <= kAnswersMax);
    for (const auto& [key, gathering] : gatherings_) {
        CHECK(!gathering.tokens.empty() && gathering.tokens.size() <= kAskersMax);
        CHECK(gathering.ask.sequence == gathering.prepared.seal.header.sequence);
    }
    for (const auto& [key, relay] : relays_) CHECK(relay.askers.size() <= kAskersMax);
}

}  // namespace leither::node
