// The rules of Algorithm 1; the numbers are its lines.
#include <algorithm>

#include "tendermint_impl.h"

namespace leither::consensus {

using protocol::RoundStep;
using protocol::statement_kind;
using protocol::VoteKind;

// What was signed is said again, and binds. Rounds in which nothing was signed are as if they had
// not been.
Tendermint::Impl::Done Tendermint::Impl::restore(Replay&& replay, Instant now, Effects& fx) {
    signed_ = std::move(replay);
    std::optional<std::uint32_t> last;
    for (const auto& [of, claim] : signed_.proposals) {
        last = std::max(last.value_or(0), of);
        rounds[of].offer = Offer{claim, Timely::yes, {}};
    }
    if (signed_.lock) {
        Lock& lock = *signed_.lock;
        Value value{lock.header, std::move(lock.transactions)};
        const Hash block = protocol::block_hash(setup.chain, value.header);
        locked = valid = block;
        locked_round = valid_round = lock.round;
        valid_prevotes = std::move(lock.prevotes);
        for (auto& [of, held] : rounds) {
            const auto& claim = held.offer->claim;
            if (claim.block == block && claim.valid_round == lock.round) {
                held.offer->prevotes = valid_prevotes;
            }
        }
        blocks[block] = {std::move(value), std::move(lock.parent), std::nullopt};
    }
    for (const auto& [at, vote] : signed_.votes) last = std::max(last.value_or(0), at.round);
    if (!last) return start_round(0, now, fx);

    round = *last;
    step = RoundStep::propose;
    if (signed_.votes.contains({round, What::prevote})) step = RoundStep::prevote;
    if (signed_.votes.contains({round, What::precommit})) {
        step = RoundStep::precommit;
    }
    if (step == RoundStep::propose) {
        propose_timer = now + grown(setup.timeouts.propose, setup.timeouts.propose_step);
    }
    if (setup.term.seat) {
        for (const auto& [at, vote] : signed_.votes) {
            take_own({at.round, at.kind, *setup.term.seat}, fx);
        }
    }
    return {};
}

Tendermint::Impl::Done Tendermint::Impl::decide_alone(Instant now, Effects& fx) {
    const Pulse at = std::max(application.pulse(now), setup.parent.pulse.next());
    Value value = TRY(application.build({at, *setup.term.seat, parent_signers()}));
    const Hash block = protocol::block_hash(setup.chain, value.header);
    protocol::Certificate certificate{slot(0), block, {}};
    const Bytes message = protocol::precommit_message(setup.chain, certificate.slot, block);
    certificate.signatures.push_back({*setup.term.seat, setup.term.key->sign(message)});
    blocks[block] = {std::move(value), setup.parent_certificate, Validity::valid};
    return decide(block, std::move(certificate), fx);
}

Tendermint::Impl::Done Tendermint::Impl::progress(Instant now, Effects& fx) {
    bool acted = true;
    while (acted && step != RoundStep::decided && step != RoundStep::idle) {
        acted = TRY(line_49(fx)) || TRY(line_55(now, fx)) || TRY(line_22(fx)) || TRY(line_28(fx)) ||
                TRY(line_34(now)) || TRY(line_36(fx)) || TRY(line_44(fx)) || TRY(line_47(now));
    }
    return {};
}

// Lines 11-21.
Tendermint::Impl::Done Tendermint::Impl::start_round(std::uint32_t next, Instant now, Effects& fx) {
    CHECK(step == RoundStep::idle || next > round);
    if (next > vote_log::kRoundMax) return {};
    round = next;
    step = RoundStep::propose;
    propose_timer = prevote_timer = precommit_timer = std::nullopt;
    const std::uint32_t oldest = round > kPastRounds ? round - kPastRounds : 0;
    std::erase_if(rounds, [&](const auto& entry) {
        return entry.first < oldest && entry.first != locked_round && entry.first != valid_round;
    });
    drop_blocks();
    const bool leads = is_own(leader(round)) && may_sign() && !rounds[round].offer;
    if (leads) return propose(now, fx);
    // Line 20.
    if (setup.term.seat) {
        propose_timer = now + grown(setup.timeouts.propose, setup.timeouts.propose_step);
    }
    return {};
}

// Lines 14-19. The own proposal is at once as if it had come back.
Tendermint::Impl::Done Tendermint::Impl::propose(Instant now, Effects& fx) {
    Hash block;
    if (valid) {
        block = *valid;
    } else {
        const Pulse at = std::max(application.pulse(now), setup.parent.pulse.next());
        Value value = TRY(application.build({at, *setup.term.seat, parent_signers()}));
        block = protocol::block_hash(setup.chain, value.header);
        blocks[block] = {std::move(value), setup.parent_certificate, Validity::valid};
    }
    protocol::ProposalClaim claim{slot(round), valid_round, block, {}};
    claim.signature = setup.term.key->sign(protocol::signing_message(setup.chain, claim));
    rounds[round].offer = Offer{claim, Timely::yes, valid_prevotes};
    signed_.proposals.emplace(round, claim);
    note(std::move(claim), fx);
    pending.push_back({records, {round, What::proposal, *setup.term.seat}});
    return {};
}

Tendermint::Impl::Acted Tendermint::Impl::line_22(Effects& fx) {
    if (step != RoundStep::propose) return false;
    const auto& offer = rounds[round].offer;
    if (!offer || offer->claim.valid_round || !blocks.contains(offer->claim.block)) return false;
    const Hash block = offer->claim.block;
    const Known& known = blocks.at(block);
    bool accept = offer->timely == Timely::yes && known.value.header.author == leader(round) &&
                  (!locked_round || locked == block);
    if (accept) accept = TRY(is_valid(block));
    if (accept && round == 0 && !is_own(leader(round))) {
        const Pulse at = std::max(known.value.header.pulse, application.pulse(latest));
        accept = !TRY(application.omits(known.value, at));
    }
    cast(VoteKind::prevote, accept ? std::optional(block) : std::nullopt, fx);
    step = RoundStep::prevote;
    return true;
}

Tendermint::Impl::Acted Tendermint::Impl::line_28(Effects& fx) {
    if (step != RoundStep::propose) return false;
    const auto& offer = rounds[round].offer;
    if (!offer || !offer->claim.valid_round || !blocks.contains(offer->claim.block)) return false;
    const Hash block = offer->claim.block;
    const std::uint32_t seen = *offer->claim.valid_round;
    bool accept = !locked_round || *locked_round <= seen || locked == block;
    if (accept) accept = TRY(is_valid(block));
    cast(VoteKind::prevote, accept ? std::optional(block) : std::nullopt, fx);
    step = RoundStep::prevote;
    return true;
}

Tendermint::Impl::Acted Tendermint::Impl::line_34(Instant now) {
    Round& here = rounds[round];
    if (step != RoundStep::prevote || here.prevote_timer) return false;
    if (count(here.prevotes.seats()) < quorum()) return false;
    here.prevote_timer = true;
    if (setup.term.seat) prevote_timer = now + grown(setup.timeouts.vote, setup.timeouts.vote_step);
    return true;
}

// Lines 36-43.
Tendermint::Impl::Acted Tendermint::Impl::line_36(Effects& fx) {
    if (step != RoundStep::prevote && step != RoundStep::precommit) return false;
    Round& here = rounds[round];
    if (here.polka || !here.offer) return false;
    const Hash block = here.offer->claim.block;
    if (count(here.prevotes.seats_for(block)) < quorum()) return false;
    if (!blocks.contains(block) || !TRY(is_valid(block))) return false;
    here.polka = true;
    valid = block;
    valid_round = round;
    valid_prevotes = here.prevotes.signatures_for(block);
    if (step == RoundStep::prevote) {
        // A silent node must not believe itself bound: it has told nobody.
        if (may_sign()) {
            locked = block;
            locked_round = round;
        }
        cast(VoteKind::precommit, block, fx);
        step = RoundStep::precommit;
    }
    return true;
}

Tendermint::Impl::Acted Tendermint::Impl::line_44(Effects& fx) {
    if (step != RoundStep::prevote) return false;
    if (count(rounds[round].prevotes.seats_for(std::nullopt)) < quorum()) return false;
    cast(VoteKind::precommit, std::nullopt, fx);
    step = RoundStep::precommit;
    return true;
}

Tendermint::Impl::Acted Tendermint::Impl::line_47(Instant now) {
    Round& here = rounds[round];
    if (here.precommit_timer || count(here.precommits.seats()) < quorum()) return false;
    here.precommit_timer = true;
    if (setup.term.seat) {
        precommit_timer = now + grown(setup.timeouts.vote, setup.timeouts.vote_step);
    }
    return true;
}

// Lines 49-54.
Tendermint::Impl::Acted Tendermint::Impl::line_49(Effects& fx) {
    for (const auto& [of, held] : rounds) {
        const auto block = held.precommits.block_with(quorum());
        if (!block || !blocks.contains(*block)) continue;
        if (!TRY(is_valid(*block))) {
            if (!alarmed) fx.alarm = Alarm::invalid_decision;
            alarmed = true;
            continue;
        }
        protocol::Certificate certificate{slot(of), *block, held.precommits.signatures_for(*block)};
        TRY(decide(*block, std::move(certificate), fx));
        return true;
    }
    return false;
}

// Lines 55-56: the latest such round.
Tendermint::Impl::Acted Tendermint::Impl::line_55(Instant now, Effects& fx) {
    for (auto it = rounds.rbegin(); it != rounds.rend() && it->first > round; ++it) {
        SeatMask from = it->second.prevotes.seats() | it->second.precommits.seats();
        if (it->second.offer) from |= bit_of_seat(leader(it->first));
        if (count(from) <= faulty()) continue;
        TRY(start_round(it->first, now, fx));
        return true;
    }
    return false;
}

Tendermint::Impl::Done Tendermint::Impl::on(Tick&&, Instant now, Effects& fx) {
    // Lines 57-60.
    if (propose_timer && *propose_timer <= now) {
        propose_timer.reset();
        if (step == RoundStep::propose) {
            cast(VoteKind::prevote, std::nullopt, fx);
            step = RoundStep::prevote;
        }
    }
    // Lines 61-64.
    if (prevote_timer && *prevote_timer <= now) {
        prevote_timer.reset();
        if (step == RoundStep::prevote) {
            cast(VoteKind::precommit, std::nullopt, fx);
            step = RoundStep::precommit;
        }
    }
    // Lines 65-67.
    if (precommit_timer && *precommit_timer <= now) {
        precommit_timer.reset();
        if (step != RoundStep::decided) TRY(start_round(round + 1, now, fx));
    }
    return progress(now, fx);
}

// What has been said for this slot before a restart is not said again, and nothing else is.
void Tendermint::Impl::cast(VoteKind kind, std::optional<Hash> block, Effects& fx) {
    if (!may_sign()) return;
    const SignedSlot at{round, statement_kind(kind)};
    if (signed_.votes.contains(at)) return;
    protocol::Vote vote{slot(round), kind, block, *setup.term.seat, {}};
    vote.signature = setup.term.key->sign(protocol::signing_message(setup.chain, vote));
    if (kind == VoteKind::precommit && block) {
        const Known& known = blocks.at(*block);
        note(
            Lock{round, valid_prevotes, known.value.header, known.parent, known.value.transactions},
            fx);
    }
    signed_.votes.emplace(at, vote);
    note(std::move(vote), fx);
    pending.push_back({records, {round, statement_kind(kind), *setup.term.seat}});
}

void Tendermint::Impl::note(LogRecord&& record, Effects& fx) {
    fx.log.push_back(std::move(record));
    ++records;
}

// An own message that is in the log.
void Tendermint::Impl::take_own(const Item& item, Effects& fx) {
    if (item.what != What::proposal) {
        const auto kind = item.what == What::prevote ? VoteKind::prevote : VoteKind::precommit;
        const protocol::Vote& vote = signed_.votes.at({item.round, item.what});
        rounds[item.round].ballots(kind).put(item.seat, {vote.block, vote.signature});
    }
    fx.news.push_back(item);
}

Tendermint::Impl::Done Tendermint::Impl::on(Logged&& logged, Instant now, Effects& fx) {
    CHECK(logged.records <= records);
    std::vector<Pending> later;
    for (const Pending& own : pending) {
        if (own.record > logged.records) {
            later.push_back(own);
        } else if (own.item.round >= round || rounds.contains(own.item.round)) {
            take_own(own.item, fx);
        }
    }
    pending = std::move(later);
    return progress(now, fx);
}

Tendermint::Impl::Done Tendermint::Impl::on(SetVoice&& set, Instant now, Effects& fx) {
    setup.voice = set.voice;
    return progress(now, fx);
}

Tendermint::Impl::Acted Tendermint::Impl::is_valid(const Hash& block) {
    Known& known = blocks.at(block);
    if (!known.validity) known.validity = TRY(application.check(block, known.value));
    return *known.validity == Validity::valid;
}

Tendermint::Impl::Done Tendermint::Impl::decide(const Hash& block,
                                                protocol::Certificate&& certificate, Effects& fx) {
    Known& known = blocks.at(block);
    fx.decided = Decided{block, std::move(known.value), std::move(certificate)};
    step = RoundStep::decided;
    propose_timer = prevote_timer = precommit_timer = std::nullopt;
    blocks.clear();
    pending.clear();
    return {};
}

void Tendermint::Impl::rebase(Instant now) {
    if (now < latest) {
        const Duration back = latest - now;
        for (auto* timer : {&propose_timer, &prevote_timer, &precommit_timer}) {
            if (*timer) **timer -= back;
        }
    }
    latest = now;
}

}  // namespace leither::consensus
