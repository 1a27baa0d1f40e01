#include "leither/consensus/tendermint.h"

#include <algorithm>
#include <set>

#include "tendermint_impl.h"

namespace leither::consensus {

using protocol::Proposal;
using protocol::ProposalClaim;
using protocol::RoundStep;
using protocol::Vote;
using protocol::VoteKind;
using store::Fault;

namespace {

VoteKind kind_of(Tendermint::What what) {
    return what == Tendermint::What::prevote ? VoteKind::prevote : VoteKind::precommit;
}

SignedSlot place_of(const Vote& vote) {
    return {vote.slot.round, protocol::statement_kind(vote.kind)};
}

// Whether this round has anything by `seat`.
bool holds_of(const Round& held, std::uint16_t seat, std::uint16_t leader) {
    return (held.offer && seat == leader) || held.prevotes.of(seat) || held.precommits.of(seat);
}

}  // namespace

// A vote waits about three round trips of a home line, a proposal for the building and sending of a
// full block as well: with pulses of 1 s a round without a leader is over after 0.8 s.
Timeouts Timeouts::of(std::uint32_t pulse_ms) {
    const Duration pulse = std::chrono::milliseconds(pulse_ms);
    return {pulse * 6 / 10, pulse * 3 / 10, pulse * 2 / 10, pulse / 10};
}

protocol::Slot Tendermint::Impl::slot(std::uint32_t of) const {
    return {setup.term.cycle, Prefix{}, height(), of};
}

bool Tendermint::Impl::is_here(const protocol::Slot& at) const {
    return at == slot(at.round) && at.round <= vote_log::kRoundMax;
}

bool Tendermint::Impl::is_signed(std::uint16_t seat, ByteView message,
                                 const Signature& signature) const {
    return setup.holds(setup.term.committee[seat], message, signature);
}

bool Tendermint::Impl::fits(const protocol::BlockHeader& header,
                            const protocol::Transactions& transactions) const {
    return header.transaction_count == transactions.size() &&
           header.transactions == protocol::transactions_hash(setup.chain, transactions);
}

bool Tendermint::Impl::shows_signers(const Proposal& proposal) const {
    if (!setup.parent_certificate) return !proposal.parent && proposal.header.signers == 0;
    if (!proposal.parent) return false;
    const bool first = height() == setup.term.first_height;
    const auto& committee = first ? setup.term.previous : setup.term.committee;
    return protocol::signers_of(*proposal.parent) == proposal.header.signers &&
           protocol::verify(*proposal.parent, setup.chain, setup.parent, committee, setup.holds);
}

bool Tendermint::Impl::shows_prevotes(const Proposal& proposal, const Hash& block) const {
    if (!proposal.valid_round) return proposal.prevotes.empty();
    if (proposal.prevotes.size() < quorum()) return false;
    return std::ranges::all_of(proposal.prevotes, [&](const protocol::SeatSignature& by) {
        if (by.seat >= seats()) return false;
        const Vote vote{slot(*proposal.valid_round), VoteKind::prevote, block, by.seat, {}};
        return is_signed(by.seat, protocol::signing_message(setup.chain, vote), by.signature);
    });
}

// ---- Bounds ------------------------------------------------------------------------------------

std::vector<std::uint32_t> Tendermint::Impl::rounds_to_come(std::uint16_t seat) const {
    std::vector<std::uint32_t> held;
    for (auto it = rounds.upper_bound(round); it != rounds.end(); ++it) {
        if (holds_of(it->second, seat, leader(it->first))) held.push_back(it->first);
    }
    return held;
}

bool Tendermint::Impl::may_hold(std::uint32_t of, std::uint16_t seat) const {
    if (of <= round) return of + kPastRounds >= round || rounds.contains(of);
    const auto held = rounds_to_come(seat);
    return held.size() < kFutureRoundsPerSeat || held.front() < of ||
           std::ranges::binary_search(held, of);
}

void Tendermint::Impl::forget(std::uint16_t seat, std::uint32_t of) {
    Round& held = rounds.at(of);
    held.prevotes.erase(seat);
    held.precommits.erase(seat);
    if (seat == leader(of)) held.offer.reset();
    if (held.is_empty()) rounds.erase(of);
}

// A seat's message for a round to come takes the place of its earliest, so what it says last stays.
// REQUIRES: may_hold.
void Tendermint::Impl::make_room(std::uint32_t of, std::uint16_t seat) {
    if (of <= round) return;
    const auto held = rounds_to_come(seat);
    if (std::ranges::binary_search(held, of)) return;
    if (held.size() >= kFutureRoundsPerSeat) forget(seat, held.front());
}

bool Tendermint::Impl::wants_offer(std::uint32_t of, const Hash& block) const {
    if (of >= round || blocks.contains(block)) return true;
    const auto past = rounds.find(of);
    return past != rounds.end() && count(past->second.precommits.seats_for(block)) > faulty();
}

// Blocks stay that this node may have to propose, execute or decide.
void Tendermint::Impl::drop_blocks() {
    std::set<Hash> wanted;
    if (locked) wanted.insert(*locked);
    if (valid) wanted.insert(*valid);
    for (const auto& [of, held] : rounds) {
        if (!held.offer) continue;
        const Hash& block = held.offer->claim.block;
        const bool is_near = of + 1 >= round;
        if (is_near || count(held.precommits.seats_for(block)) > faulty()) wanted.insert(block);
    }
    std::erase_if(blocks, [&](const auto& entry) { return !wanted.contains(entry.first); });
}

// ---- Messages ----------------------------------------------------------------------------------

Tendermint::Impl::Done Tendermint::Impl::on(Proposal&& proposal, Instant now, Effects& fx) {
    if (!is_here(proposal.slot) || step == RoundStep::decided) return {};
    const std::uint32_t of = proposal.slot.round;
    const std::uint16_t seat = leader(of);
    const ProposalClaim claim = protocol::claim_of(setup.chain, proposal);
    if (!may_hold(of, seat) || !proposal.is_canonical()) return {};
    const auto held = rounds.find(of);
    const bool has_offer = held != rounds.end() && held->second.offer;
    const bool is_same = has_offer && held->second.offer->claim == claim;
    if (is_same && blocks.contains(claim.block)) return {};
    if (!is_signed(seat, protocol::signing_message(setup.chain, claim), claim.signature)) {
        fx.blame = Blame::bad_signature;
        return {};
    }
    const auto conflict = has_offer
                              ? protocol::conflict_between(seat, held->second.offer->claim, claim)
                              : std::nullopt;
    if (is_own(seat)) {
        const auto own = signed_.proposals.find(of);
        if (own == signed_.proposals.end() || own->second != claim) {
            fx.alarm = Alarm::twin;
            return {};
        }
    }
    if (conflict) {
        convict(held->second, *conflict, fx);
        return {};
    }
    if (!wants_offer(of, claim.block)) return {};
    return take_offer(std::move(proposal), claim, now, fx);
}

Tendermint::Impl::Done Tendermint::Impl::take_offer(Proposal&& proposal, const ProposalClaim& claim,
                                                    Instant now, Effects& fx) {
    const std::uint32_t of = claim.slot.round;
    if (!shows_prevotes(proposal, claim.block)) {
        fx.blame = Blame::bad_block;
        return {};
    }
    for (const protocol::SeatSignature& by : proposal.prevotes) {
        const auto past = rounds.find(*proposal.valid_round);
        const Cast* heard = past == rounds.end() ? nullptr : past->second.prevotes.of(by.seat);
        if (heard == nullptr || heard->block == claim.block) continue;
        const protocol::Slot at = slot(*proposal.valid_round);
        convict(past->second, {at, VoteKind::prevote, claim.block, by.seat, by.signature}, *heard,
                fx);
    }
    if (!blocks.contains(claim.block)) {
        if (!proposal.transactions) return {};  // its sender will learn that we lack them
        if (!fits(proposal.header, *proposal.transactions) || !shows_signers(proposal)) {
            fx.blame = Blame::bad_block;
            return {};
        }
    }
    // Of rounds to come one block for each leader: that of its latest.
    if (of > round) {
        for (const std::uint32_t other : rounds_to_come(leader(of))) {
            if (other == of || leader(other) != leader(of) || !rounds.at(other).offer) continue;
            if (other > of) return {};
            rounds.at(other).offer.reset();
            if (rounds.at(other).is_empty()) rounds.erase(other);
        }
        make_room(of, leader(of));
    }
    if (!blocks.contains(claim.block)) {
        blocks[claim.block] = {{proposal.header, *std::move(proposal.transactions)},
                               std::move(proposal.parent),
                               std::nullopt};
    }
    const std::uint64_t stated = proposal.header.pulse.value();
    const std::uint64_t present = application.pulse(now).value();
    const std::uint64_t apart = stated > present ? stated - present : present - stated;
    Round& here = rounds[of];
    if (!here.offer) {
        const Timely timely = apart <= kPulsesApart ? Timely::yes : Timely::no;
        here.offer = Offer{claim, timely, {}};
    }
    here.offer->prevotes = std::move(proposal.prevotes);
    drop_blocks();
    fx.news.push_back({of, What::proposal, leader(of)});
    return progress(now, fx);
}

void Tendermint::Impl::convict(Round& held, const protocol::Conflict& conflict, Effects& fx) {
    SeatMask& told = held.convicted[static_cast<std::size_t>(conflict.kind)];
    if ((told & bit_of_seat(conflict.seat)) == 0) fx.evidence.push_back(conflict);
    told |= bit_of_seat(conflict.seat);
}

// REQUIRES: `first` is another vote of the seat's.
void Tendermint::Impl::convict(Round& held, const Vote& vote, const Cast& first, Effects& fx) {
    const Vote other{vote.slot, vote.kind, first.block, vote.seat, first.signature};
    const auto conflict = protocol::conflict_between(other, vote);
    CHECK(conflict);
    convict(held, *conflict, fx);
}

Tendermint::Impl::Done Tendermint::Impl::on(Vote&& vote, Instant now, Effects& fx) {
    if (!is_here(vote.slot) || vote.seat >= seats() || step == RoundStep::decided) return {};
    const std::uint32_t of = vote.slot.round;
    if (!may_hold(of, vote.seat)) return {};
    const auto held = rounds.find(of);
    const Cast* first =
        held == rounds.end() ? nullptr : held->second.ballots(vote.kind).of(vote.seat);
    if (first != nullptr && first->block == vote.block) return {};
    if (is_own(vote.seat)) {
        const auto own = signed_.votes.find(place_of(vote));
        if (own != signed_.votes.end() && own->second.block == vote.block) return {};
    }
    const Bytes message = protocol::signing_message(setup.chain, vote);
    if (!is_signed(vote.seat, message, vote.signature)) {
        fx.blame = Blame::bad_signature;
        return {};
    }
    if (is_own(vote.seat)) {
        fx.alarm = Alarm::twin;
        return {};
    }
    if (first != nullptr) {
        convict(held->second, vote, *first, fx);
        return {};
    }
    make_room(of, vote.seat);
    rounds[of].ballots(vote.kind).put(vote.seat, {vote.block, vote.signature});
    fx.news.push_back({of, protocol::statement_kind(vote.kind), vote.seat});
    return progress(now, fx);
}

// A certificate counts as the precommits it is made of.
Tendermint::Impl::Done Tendermint::Impl::on(protocol::Decision&& decision, Instant, Effects& fx) {
    if (step == RoundStep::decided || decision.header.sequence != height()) return {};
    if (!is_here(decision.certificate.slot)) return {};
    if (!protocol::verify(decision.certificate, setup.chain, decision.header, setup.term.committee,
                          setup.holds)) {
        fx.blame = Blame::bad_signature;
        return {};
    }
    const Hash block = decision.certificate.block;
    if (!blocks.contains(block)) {
        if (!decision.transactions) return {};
        if (!fits(decision.header, *decision.transactions)) {
            fx.blame = Blame::bad_block;
            return {};
        }
        blocks[block] = {
            {decision.header, *std::move(decision.transactions)}, std::nullopt, std::nullopt};
    }
    if (!TRY(is_valid(block))) {
        if (!alarmed) fx.alarm = Alarm::invalid_decision;
        alarmed = true;
        drop_blocks();
        return {};
    }
    return decide(block, std::move(decision.certificate), fx);
}

// ---- The machine -------------------------------------------------------------------------------

Tendermint::Tendermint(Setup setup, Application& application)
    : impl_(new Impl{std::move(setup), application}) {
    const Term& term = impl_->setup.term;
    CHECK(!term.committee.empty() && term.committee.size() <= protocol::kSeatsMax);
    CHECK(!term.seat || *term.seat < term.committee.size());
    CHECK(term.seat.has_value() == term.key.has_value());
    CHECK(impl_->height() >= term.first_height);
}
Tendermint::Tendermint(Tendermint&&) noexcept = default;
Tendermint& Tendermint::operator=(Tendermint&&) noexcept = default;
Tendermint::~Tendermint() = default;

Result<Tendermint::Effects, Fault> Tendermint::start(Replay&& replay, Instant now) {
    CHECK(impl_->step == RoundStep::idle);
    Effects fx;
    impl_->latest = now;
    if (impl_->seats() == 1 && impl_->may_sign()) {
        TRY(impl_->decide_alone(now, fx));
        return fx;
    }
    TRY(impl_->restore(std::move(replay), now, fx));
    TRY(impl_->progress(now, fx));
    return fx;
}

Result<Tendermint::Effects, Fault> Tendermint::step(Input&& input, Instant now) {
    Effects fx;
    impl_->rebase(now);
    TRY(std::visit([&](auto&& message) { return impl_->on(std::move(message), now, fx); },
                   std::move(input)));
    return fx;
}

std::optional<Instant> Tendermint::next_deadline() const {
    std::optional<Instant> first;
    for (const auto& timer : {impl_->propose_timer, impl_->prevote_timer, impl_->precommit_timer}) {
        if (timer && (!first || *timer < *first)) first = timer;
    }
    return first;
}

Sequence Tendermint::height() const {
    return impl_->height();
}

std::uint32_t Tendermint::round() const {
    return impl_->round;
}

RoundStep Tendermint::step_of_round() const {
    return impl_->step;
}

std::uint16_t Tendermint::leader(std::uint32_t of) const {
    return impl_->leader(of);
}

std::uint64_t Tendermint::records() const {
    return impl_->records;
}

std::optional<Hash> Tendermint::proposed(std::uint32_t of) const {
    const auto held = impl_->rounds.find(of);
    if (held == impl_->rounds.end() || !held->second.offer) return std::nullopt;
    const Hash block = held->second.offer->claim.block;
    return impl_->blocks.contains(block) ? std::optional(block) : std::nullopt;
}

protocol::RoundStatus Tendermint::held(std::uint32_t of) const {
    protocol::RoundStatus status;
    status.round = of;
    const auto held = impl_->rounds.find(of);
    if (held == impl_->rounds.end()) return status;
    status.has_proposal = proposed(of).has_value();
    status.prevotes = held->second.prevotes.seats();
    status.precommits = held->second.precommits.seats();
    return status;
}

std::vector<std::uint32_t> Tendermint::rounds_of_interest() const {
    std::set<std::uint32_t> wanted{impl_->round};
    if (impl_->round > 0) wanted.insert(impl_->round - 1);
    if (impl_->valid_round) wanted.insert(*impl_->valid_round);
    // A past round that could still decide, and the latest one others are in.
    for (const auto& [of, held] : impl_->rounds) {
        const bool may_decide = count(held.precommits.seats()) > impl_->faulty();
        const bool is_last = of == impl_->rounds.rbegin()->first;
        if ((may_decide || is_last) && wanted.size() < protocol::Status::kRoundsMax) {
            wanted.insert(of);
        }
    }
    return {wanted.begin(), wanted.end()};
}

std::optional<Vote> Tendermint::vote(const Item& item) const {
    const auto held = impl_->rounds.find(item.round);
    if (held == impl_->rounds.end()) return std::nullopt;
    const VoteKind kind = kind_of(item.what);
    const Cast* cast = held->second.ballots(kind).of(item.seat);
    if (cast == nullptr) return std::nullopt;
    return Vote{impl_->slot(item.round), kind, cast->block, item.seat, cast->signature};
}

std::optional<Proposal> Tendermint::proposal(std::uint32_t of, Body body) const {
    const auto block = proposed(of);
    if (!block) return std::nullopt;
    // Our own is told only once the log has it.
    for (const auto& own : impl_->pending) {
        if (own.item.what == What::proposal && own.item.round == of) return std::nullopt;
    }
    const Offer& offer = *impl_->rounds.at(of).offer;
    const ProposalClaim& claim = offer.claim;
    const Known& known = impl_->blocks.at(*block);
    // An own one of before a restart, until it comes back.
    if (claim.valid_round && offer.prevotes.empty()) return std::nullopt;
    Proposal proposal{claim.slot,   claim.valid_round, offer.prevotes, known.value.header,
                      known.parent, std::nullopt,      claim.signature};
    if (body == Body::included) proposal.transactions = known.value.transactions;
    return proposal;
}

void Tendermint::check_invariants() const {
    const Impl& m = *impl_;
    CHECK(m.locked.has_value() == m.locked_round.has_value());
    CHECK(m.valid.has_value() == m.valid_round.has_value());
    // Whoever is bound knows a valid value at least as new.
    CHECK(!m.locked_round || (m.valid_round && *m.valid_round >= *m.locked_round));
    CHECK(!m.locked_round || *m.locked_round <= m.round);
    if (m.step == RoundStep::decided) return;
    CHECK(!m.locked || m.blocks.contains(*m.locked));
    CHECK(!m.valid || m.blocks.contains(*m.valid));
    std::map<std::uint16_t, std::size_t> future;
    for (const auto& [of, held] : m.rounds) {
        CHECK(held.prevotes.seats() >> m.seats() == 0 || m.seats() == 32);
        if (of <= m.round) continue;
        for (std::uint16_t seat = 0; seat < m.seats(); ++seat) {
            if (holds_of(held, seat, m.leader(of))) ++future[seat];
        }
    }
    for (const auto& [seat, rounds_held] : future) CHECK(rounds_held <= kFutureRoundsPerSeat);
    CHECK(m.rounds.size() <= kPastRounds + 3 + m.seats() * kFutureRoundsPerSeat);
    CHECK(m.blocks.size() <= m.rounds.size() + 2);
    for (const auto& own : m.pending) CHECK(own.record <= m.records);
}

}  // namespace leither::consensus
