// What neighbours are sent.
#include <algorithm>

#include "agreement_impl.h"
#include "rounds.h"

namespace leither::consensus {

using protocol::Interest;
using protocol::RoundStep;
using protocol::Status;

namespace {

// In tenths of a pulse.
constexpr std::uint64_t kAgain = 5;      // before something is sent again, or asked of another
constexpr std::uint64_t kHeadStart = 3;  // that a seat has to send its message to who it knows

// Whether it says anything but another time.
bool is_news(const Status& status, const std::optional<Status>& told) {
    if (!told) return true;
    Status same = *told;
    same.pulse = status.pulse;
    same.wanted = status.wanted;
    return same != status;
}

}  // namespace

Status Agreement::Impl::status(Instant now) const {
    Status status;
    status.cycle = law.term().cycle;
    status.height = next();
    status.pulse = law.pulse(now);
    const bool has_seat = law.term().seat.has_value();
    status.interest = has_seat ? Interest::votes : options.interest;
    for (std::uint16_t seat = 0; seat < law.term().committee.size(); ++seat) {
        if (neighbours.contains(law.term().nodes[seat])) status.connected |= bit_of_seat(seat);
    }
    if (sealing) {
        status.round = *sealing;
        status.step = RoundStep::decided;
    }
    if (!machine) return status;
    status.round = machine->round();
    status.step = machine->step_of_round();
    for (const std::uint32_t round : machine->rounds_of_interest()) {
        if (!status.rounds.full()) status.rounds.push_back(machine->held(round));
    }
    return status;
}

bool Agreement::Impl::speaks_to_anybody() const {
    return !neighbours.empty() && status_due.has_value();
}

void Agreement::Impl::note_exchanged(Neighbour& neighbour, const Tendermint::Item& item,
                                     Instant now) {
    // Full only if rounds go on and on: then some messages may go twice.
    if (neighbour.exchanged.size() >= kExchangedMax) neighbour.exchanged.clear();
    neighbour.exchanged[item] = now;
}

// Own messages go out at once; others' votes to those who are not connected to the voter. What is
// lost on the way is found by the statuses.
void Agreement::Impl::spread(const Tendermint::Item& item, const std::optional<Id>& from,
                             Instant now, Effects& fx) {
    if (arrivals.size() >= kExchangedMax) arrivals.clear();
    arrivals.emplace(item, now);
    if (from && neighbours.contains(*from)) note_exchanged(neighbours.at(*from), item, now);
    const Instant soon = now + pulses(1) / 2;
    status_due = std::min(status_due.value_or(soon), soon);
    const bool is_own = law.term().seat == item.seat;
    if (!is_own && item.what == Tendermint::What::proposal) return;
    if (!is_own && !may_pass_on(item.seat, now)) return;
    for (auto& [id, neighbour] : neighbours) {
        if (!is_own && (id == law.term().nodes[item.seat] || neighbour.is_connected(item.seat)))
            continue;
        const bool is_near = neighbour.status && (neighbour.status->height == next() ||
                                                  neighbour.status->height.next() == next());
        if (!is_near || !neighbour.wants_votes() || neighbour.exchanged.contains(item)) continue;
        if (item.what == Tendermint::What::proposal) {
            send_proposal(id, item.round, now, fx);
        } else {
            send_vote(id, item, now, fx);
        }
    }
}

// A seat may sign as many votes as there are rounds. Who passed them all on would be held to say
// too much itself; what is left out the statuses show.
bool Agreement::Impl::may_pass_on(std::uint16_t seat, Instant now) {
    PassedOn& so_far = passed_on[seat];
    const Pulse present = law.pulse(now);
    if (so_far.pulse != present) so_far = {present, 0};
    return ++so_far.votes <= kPassedOnPerPulse;
}

Instant Agreement::Impl::arrived(const Tendermint::Item& item) const {
    const auto at = arrivals.find(item);
    return at == arrivals.end() ? Instant{} : at->second;
}

void Agreement::Impl::send_vote(const Id& to, const Tendermint::Item& item, Instant now,
                                Effects& fx) {
    auto vote = machine->vote(item);
    if (!vote) return;
    note_exchanged(neighbours.at(to), item, now);
    fx.sends.push_back({to, *std::move(vote)});
}

// Without its transactions for who has them, unless it was sent before and did not do.
void Agreement::Impl::send_proposal(const Id& to, std::uint32_t round, Instant now, Effects& fx) {
    Neighbour& neighbour = neighbours.at(to);
    const auto block = machine->proposed(round);
    if (!block) return;
    const Tendermint::Item item{round, Tendermint::What::proposal, machine->leader(round)};
    const bool has_body = neighbour.bodies.contains(*block) && !neighbour.exchanged.contains(item);
    auto proposal = machine->proposal(
        round, has_body ? Tendermint::Body::left_out : Tendermint::Body::included);
    if (!proposal) return;
    note_exchanged(neighbour, item, now);
    if (neighbour.bodies.size() < kBodiesMax) neighbour.bodies.insert(*block);
    fx.sends.push_back({to, *std::move(proposal)});
}

void Agreement::Impl::tell_status(const Id& to, Instant now, Effects& fx) {
    Neighbour& neighbour = neighbours.at(to);
    neighbour.told = status(now);
    neighbour.told_at = now;
    fx.sends.push_back({to, *neighbour.told});
}

// While a height is open: what is new soon, and all of it once a pulse.
void Agreement::Impl::tell_statuses(Instant now, Effects& fx) {
    if (!status_due || now < *status_due) return;
    const Status present = status(now);
    for (auto& [id, neighbour] : neighbours) {
        const bool is_late = machine && now - neighbour.told_at >= pulses(10);
        const bool follows = neighbour.status && !neighbour.wants_votes();
        if (follows && (machine || sealing)) continue;
        if (is_late || is_news(present, neighbour.told)) tell_status(id, now, fx);
    }
    status_due = machine ? std::optional(now + pulses(10)) : std::nullopt;
}

Agreement::Impl::Done Agreement::Impl::take(const Id& from, Status&& theirs, Instant now,
                                            Effects& fx) {
    Neighbour& neighbour = neighbours.at(from);
    // Members' nodes may be many, and anybody's: only those who answer for the ledger count.
    if (is_bookkeeper(from)) clocks.note(from, theirs.pulse, law.pulse(now));
    const bool is_first = !neighbour.status;
    neighbour.status = std::move(theirs);
    const Status& status = *neighbour.status;
    if (status.height < next()) {
        // Who is new here may have missed the news.
        if (is_first && !status.wanted) neighbour.status->wanted = 0;
        TRY(help(from, now, fx));
    }
    if (status.height > next() && asks_by_turns()) await_block(now);
    const bool may_help_us =
        !asks_by_turns() && status.height > next() && now - neighbour.told_at >= pulses(kAgain);
    if (may_help_us || (is_first && !neighbour.told)) tell_status(from, now, fx);
    if (machine && status.height == next() && status.cycle == law.term().cycle) {
        supply(from, now, fx);
        ask_for_proposals(now, fx);
    }
    return judge_silence(now, fx);
}

// What a neighbour at the open height lacks.
void Agreement::Impl::supply(const Id& to, Instant now, Effects& fx) {
    Neighbour& neighbour = neighbours.at(to);
    const Status& theirs = *neighbour.status;
    if (theirs.step == RoundStep::decided) return;
    std::set<std::uint32_t> rounds;
    for (const protocol::RoundStatus& held : theirs.rounds) {
        rounds.insert(held.round);
        const auto block = machine->proposed(held.round);
        if (held.has_proposal && block && neighbour.bodies.size() < kBodiesMax) {
            neighbour.bodies.insert(*block);
        }
    }
    if (machine->round() >= theirs.round) rounds.insert(machine->round());
    if (theirs.wanted && machine->proposed(*theirs.wanted)) {
        const auto [last, is_first] = neighbour.answered.try_emplace(*theirs.wanted, now);
        if (is_first || now - last->second >= pulses(kAgain)) {
            last->second = now;
            send_proposal(to, *theirs.wanted, now, fx);
        }
    }
    if (!neighbour.wants_votes()) return;
    for (const std::uint32_t round : rounds) {
        // Our own proposal, if it was lost on its way.
        const std::uint16_t leader = machine->leader(round);
        std::vector<Tendermint::Item> items;
        if (law.term().seat == leader) items.push_back({round, Tendermint::What::proposal, leader});
        const protocol::RoundStatus held = machine->held(round);
        for (std::uint16_t seat = 0; seat < law.term().committee.size(); ++seat) {
            const SeatMask bit = bit_of_seat(seat);
            if (held.prevotes & bit) items.push_back({round, Tendermint::What::prevote, seat});
            if (held.precommits & bit) items.push_back({round, Tendermint::What::precommit, seat});
        }
        for (const Tendermint::Item& item : items) {
            if (neighbour.shows(next(), item)) continue;
            const auto before = neighbour.exchanged.find(item);
            const bool was_sent = before != neighbour.exchanged.end();
            if (was_sent && now - before->second < pulses(kAgain)) continue;
            // The voter's own may still be on its way.
            const bool is_direct =
                law.term().seat != item.seat && neighbour.is_connected(item.seat);
            if (is_direct && now - arrived(item) < pulses(kHeadStart)) continue;
            if (item.what == Tendermint::What::proposal) {
                if (round >= theirs.round) send_proposal(to, round, now, fx);
            } else {
                send_vote(to, item, now, fx);
            }
        }
    }
}

// For a neighbour whose height is behind: the block it waits for, or the proof that it is late.
Agreement::Impl::Done Agreement::Impl::hand_decision(const Id& to, Instant now, Effects& fx) {
    const ledger::Seal& head = law.head();
    if (head.header.sequence == Sequence(0)) return {};
    Neighbour& neighbour = neighbours.at(to);
    const bool is_next = neighbour.status && neighbour.status->height == head.header.sequence;
    const Duration apart = is_next ? pulses(kAgain) : pulses(10 * options.proof_pulses);
    if (neighbour.decision_at && now - *neighbour.decision_at < apart) return {};
    neighbour.decision_at = now;
    protocol::Decision decision{head.header, head.certificate, std::nullopt};
    if (is_next) decision.transactions = TRY(law.head_transactions());
    fx.sends.push_back({to, std::move(decision)});
    return {};
}

// ---- The decided block, down to those who do not hear the votes
//
// Each follower that is connected to bookkeepers has one of them as its parent for this block; a
// parent gives the block to the first of its children, in an order that the block's hash decides.
// All others hear by a status who has it, and ask one holder at a time: first those without a seat,
// in an order of their own. So a follower gets one copy, and nobody gives out more than a few.

namespace {

// Another order of the nodes for each `salt`.
Id distance(const Id& node, const Id& salt) {
    Id apart;
    for (std::size_t i = 0; i < Id::kSize; ++i) apart[i] = node[i] ^ salt[i];
    return apart;
}

Id salt_of(const Hash& block) {
    Id salt;
    for (std::size_t i = 0; i < Id::kSize; ++i) salt[i] = block[i];
    return salt;
}

}  // namespace

// Among the seats that the follower is connected to, the block's hash chooses.
bool Agreement::Impl::is_parent_of(const Neighbour& follower, const Id& id) const {
    const auto& own = law.term().seat;
    // With a new term the seats are others than the follower has told of.
    if (!own || follower.status->cycle != law.term().cycle || !follower.is_connected(*own)) {
        return own.has_value();
    }
    std::vector<std::uint16_t> seats;
    for (std::uint16_t seat = 0; seat < law.term().committee.size(); ++seat) {
        if (follower.is_connected(seat)) seats.push_back(seat);
    }
    const Id mixed = distance(id, salt_of(head_hash));
    const std::size_t lot = std::size_t{mixed[8]} << 8 | mixed[9];
    return seats[lot % seats.size()] == *own;
}

Agreement::Impl::Done Agreement::Impl::hand_to_followers(Instant now, Effects& fx) {
    handed = {now, 0};
    fetch.reset();
    std::map<Id, Id> children;  // by distance
    for (auto& [id, neighbour] : neighbours) {
        neighbour.decision_at.reset();
        if (!neighbour.status) continue;
        if (neighbour.status->height > next() && asks_by_turns()) await_block(now);
        const bool lacks_it = neighbour.status->height == law.head().header.sequence;
        if (!lacks_it || neighbour.wants_votes() || !is_parent_of(neighbour, id)) continue;
        children.emplace(distance(id, salt_of(head_hash)), id);
    }
    for (const auto& [apart, id] : children) {
        if (!takes_turn(now)) break;
        TRY(hand_decision(id, now, fx));
    }
    return {};
}

// Whether another copy of the head's block may go to a follower now.
bool Agreement::Impl::takes_turn(Instant now) {
    if (now - handed.since >= pulses(kAgain)) handed = {now, 0};
    if (handed.copies >= kFanoutMax) return false;
    ++handed.copies;
    return true;
}

// For a neighbour whose height is behind.
Agreement::Impl::Done Agreement::Impl::help(const Id& from, Instant now, Effects& fx) {
    Neighbour& neighbour = neighbours.at(from);
    const bool wants_block =
        !neighbour.wants_votes() && neighbour.status->height == law.head().header.sequence;
    if (!wants_block) return hand_decision(from, now, fx);
    if (!neighbour.status->wanted) {
        // It may not have heard that the block is here.
        const bool knows = neighbour.told && neighbour.told->height == next();
        if (!knows) tell_status(from, now, fx);
        return {};
    }
    const bool has_had_it = neighbour.decision_at && now - *neighbour.decision_at < pulses(kAgain);
    if (has_had_it || !takes_turn(now)) return {};
    return hand_decision(from, now, fx);
}

// Somebody has the next block. A bookkeeper that we are connected to may be about to give it.
void Agreement::Impl::await_block(Instant now) {
    if (fetch) return;
    const bool may_be_given = std::ranges::any_of(
        law.term().nodes, [this](const Id& node) { return neighbours.contains(node); });
    fetch = Ask{may_be_given ? now + pulses(kHeadStart) : now, 0};
}

std::vector<Id> Agreement::Impl::holders_of_block() const {
    // Other neighbours, another order: so nodes that ask for one block ask different holders.
    Id salt = salt_of(head_hash);
    for (const auto& [id, neighbour] : neighbours) salt = distance(id, salt);
    std::map<std::pair<bool, Id>, Id> in_order;
    for (const auto& [id, neighbour] : neighbours) {
        if (!neighbour.status || neighbour.status->height <= next()) continue;
        const bool has_seat = std::ranges::count(law.term().nodes, id) > 0;
        in_order.emplace(std::pair(has_seat, distance(id, salt)), id);
    }
    std::vector<Id> holders;
    for (const auto& [order, id] : in_order) holders.push_back(id);
    return holders;
}

void Agreement::Impl::fetch_block(Instant now, Effects& fx) {
    if (!fetch || sealing || now < fetch->at) return;
    const auto holders = holders_of_block();
    if (holders.empty() || !asks_by_turns()) {
        fetch.reset();
        return;
    }
    const Id& holder = holders[fetch->tries % holders.size()];
    Status wish = status(now);
    wish.wanted = 0;
    neighbours.at(holder).told = wish;
    neighbours.at(holder).told_at = now;
    fx.sends.push_back({holder, std::move(wish)});
    fetch = Ask{now + pulses(kAgain), fetch->tries + 1};
}

std::optional<Instant> Agreement::Impl::next_fetch() const {
    return fetch && !sealing ? std::optional(fetch->at) : std::nullopt;
}

std::vector<Id> Agreement::Impl::holders_of(std::uint32_t round) const {
    std::vector<Id> holders;
    const Tendermint::Item item{round, Tendermint::What::proposal, 0};
    for (const auto& [id, neighbour] : neighbours) {
        if (neighbour.shows(next(), item)) holders.push_back(id);
    }
    return holders;
}

void Agreement::Impl::ask_for_proposals(Instant now, Effects& fx) {
    if (!machine) return;
    std::map<std::uint32_t, Ask> open_asks;
    for (const std::uint32_t round : machine->rounds_of_interest()) {
        if (machine->held(round).has_proposal) continue;
        const auto holders = holders_of(round);
        if (holders.empty()) continue;
        const auto before = asks.find(round);
        Ask ask;
        if (before != asks.end()) {
            ask = before->second;
        } else {
            const Id& leader = law.term().nodes[machine->leader(round)];
            ask.at = neighbours.contains(leader) ? now + pulses(kHeadStart) : now;
        }
        if (ask.at <= now) {
            const Id& holder = holders[ask.tries % holders.size()];
            Status wish = status(now);
            wish.wanted = round;
            neighbours.at(holder).told = wish;
            neighbours.at(holder).told_at = now;
            fx.sends.push_back({holder, std::move(wish)});
            ask = {now + pulses(kAgain), ask.tries + 1};
        }
        open_asks.emplace(round, ask);
    }
    asks = std::move(open_asks);
}

std::optional<Instant> Agreement::Impl::next_ask() const {
    std::optional<Instant> first;
    for (const auto& [round, ask] : asks) {
        if (!first || ask.at < *first) first = ask.at;
    }
    return first;
}

}  // namespace leither::consensus
