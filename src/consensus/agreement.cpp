#include "leither/consensus/agreement.h"

#include <algorithm>
#include <deque>

#include "agreement_impl.h"

namespace leither::consensus {

using protocol::Certificate;
using protocol::Decision;
using protocol::Heartbeat;
using protocol::Proposal;
using protocol::RoundStep;
using protocol::Status;
using protocol::Vote;
using store::Fault;

const char* to_string(Silence silence) {
    switch (silence) {
        case Silence::none: return "none";
        case Silence::no_seat: return "no_seat";
        case Silence::log: return "log";
        case Silence::clock: return "clock";
        case Silence::yielded: return "yielded";
    }
    UNREACHABLE();
}

// ---- Time --------------------------------------------------------------------------------------

Instant Agreement::Impl::start_of(Pulse pulse) const {
    return instant_from_unix_ms(setup.time_ms + pulse.value() * setup.pulse_ms);
}

std::uint16_t Agreement::Impl::first_leader() const {
    const Term& term = law.term();
    if (next() == term.first_height) return 0;
    const std::size_t seats = term.committee.size();
    const std::size_t author = law.head().header.author % seats;
    return static_cast<std::uint16_t>(author_run < kAuthorRunMax ? author : (author + 1) % seats);
}

// ---- Who may vote ------------------------------------------------------------------------------

Silence Agreement::Impl::reason_for_silence(Instant now) const {
    const Term& term = law.term();
    if (!term.seat) return Silence::no_seat;
    if (has_yielded) return Silence::yielded;
    if (term.committee.size() == 1) return Silence::none;
    if (!vouch || term.cycle < vouch->from_cycle) return Silence::log;
    const std::int64_t apart = clocks.median(law.pulse(now), options.fresh_pulses);
    const bool is_fresh = std::uint64_t(apart < 0 ? -apart : apart) <= kPulsesApart;
    return is_fresh ? Silence::none : Silence::clock;
}

Agreement::Impl::Done Agreement::Impl::judge_silence(Instant now, Effects& fx) {
    const Silence reason = reason_for_silence(now);
    if (reason == silence) return {};
    silence = reason;
    fx.silence = reason;
    const std::string_view name = to_string(reason);
    setup.log.info("voting", "silence={} pulse={}", name, law.pulse(now).value());
    if (!machine) return {};
    const Voice voice = reason == Silence::none ? Voice::speaking : Voice::silent;
    auto told = TRY(machine->step(Tendermint::SetVoice{voice}, now));
    return absorb(std::move(told), std::nullopt, now, fx);
}

void Agreement::Impl::write_vouch(const Vouch& next_vouch, Effects& fx) {
    vouch = next_vouch;
    store::WriteBatch batch;
    vote_log::put(batch, next_vouch);
    write_log(std::move(batch), 0, fx);
}

void Agreement::Impl::write_log(store::WriteBatch&& batch, std::uint64_t records, Effects& fx) {
    if (!fx.log) {
        fx.log.emplace(LogWrite{++log_number, {}});
    }
    fx.log->batch.append(std::move(batch));
    if (records > 0) unlogged.push_back({log_number, next(), records});
}

// What this node cannot vouch for: the cycle in office, and those that may have begun since the
// head, by the clock.
std::uint64_t Agreement::Impl::first_cycle_after(Instant now) const {
    const Term& term = law.term();
    const Pulse present = law.pulse(now);
    if (!term.end || present < *term.end) return term.cycle + 1;
    return term.cycle + 2 + (present.value() - term.end->value()) / term.cycle_pulses;
}

bool Agreement::Impl::is_bookkeeper(const Id& node) const {
    return std::ranges::find(law.term().nodes, node) != law.term().nodes.end();
}

bool Agreement::Impl::is_alone() const {
    return law.term().committee.size() == 1 && law.term().seat;
}

// Whether others may have been seated while this node was away.
bool Agreement::Impl::may_be_replaced(Instant now) const {
    const protocol::BlockHeader& head = law.head().header;
    const Term& term = law.term();
    return setup.listens && head.sequence > Sequence(0) && term.seat &&
           term.committee.size() <= protocol::kTinyCommitteeMax &&
           law.pulse(now).value() >= head.pulse.value() + protocol::kSilentPulses;
}

// ---- Heights -----------------------------------------------------------------------------------

Result<bool, Fault> Agreement::Impl::is_time_to_open(Instant now) {
    const Pulse present = law.pulse(now);
    if (present <= law.head().header.pulse) return false;
    if (listens_until && now < *listens_until) return false;
    if (is_alone() && has_yielded) return false;
    if (heard) return true;
    const Term& term = law.term();
    if (!term.seat) return false;
    if (term.end && present >= *term.end) return true;
    const auto waiting = law.opens_at();
    if (!waiting || present < *waiting) return false;
    return law.has_work(present);
}

Agreement::Impl::Done Agreement::Impl::try_open(Instant now, Effects& fx) {
    if (machine || sealing) return {};
    if (!TRY(is_time_to_open(now))) return {};
    return open(now, fx);
}

Agreement::Impl::Done Agreement::Impl::open(Instant now, Effects& fx) {
    const ledger::Seal& head = law.head();
    const bool on_founding = head.header.sequence == Sequence(0);
    Tendermint::Setup made;
    made.chain = setup.chain;
    made.term = law.term();
    made.parent = head.header;
    if (!on_founding) made.parent_certificate = head.certificate;
    made.first_leader = first_leader();
    made.timeouts = Timeouts::of(setup.pulse_ms);
    made.holds = setup.holds;
    made.voice = silence == Silence::none ? Voice::speaking : Voice::silent;
    machine.emplace(std::move(made), law);
    heard = false;
    status_due = now;
    for (auto& [id, neighbour] : neighbours) neighbour.start_height();
    auto begun = TRY(machine->start(std::exchange(replay, {}), now));
    TRY(absorb(std::move(begun), std::nullopt, now, fx));

    std::vector<Ahead> waiting = std::exchange(ahead, {});
    for (Ahead& message : waiting) {
        if (!machine) break;
        TRY(feed(std::move(message.from), std::move(message.message), now, fx));
    }
    return {};
}

Agreement::Impl::Done Agreement::Impl::feed(const Id& from, Tendermint::Input&& input, Instant now,
                                            Effects& fx) {
    auto taken = TRY(machine->step(std::move(input), now));
    return absorb(std::move(taken), from, now, fx);
}

Agreement::Impl::Done Agreement::Impl::absorb(Tendermint::Effects&& taken,
                                              const std::optional<Id>& from, Instant now,
                                              Effects& fx) {
    if (!taken.log.empty()) {
        store::WriteBatch batch;
        for (const LogRecord& record : taken.log) {
            vote_log::put(batch, next(), record);
            logged_rounds.insert(vote_log::round_of(record));
        }
        write_log(std::move(batch), machine->records(), fx);
    }
    if (taken.blame && from) fx.blamed.push_back({*from, *taken.blame});
    std::ranges::move(taken.evidence, std::back_inserter(fx.evidence));
    if (taken.alarm) TRY(heed(*taken.alarm, now, fx));
    if (!machine) return {};
    if (taken.decided) return seal(*std::move(taken.decided), fx);
    for (const Tendermint::Item& item : taken.news) spread(item, from, now, fx);
    ask_for_proposals(now, fx);
    return {};
}

Agreement::Impl::Done Agreement::Impl::heed(Tendermint::Alarm alarm, Instant now, Effects& fx) {
    switch (alarm) {
        case Tendermint::Alarm::twin: {
            const Vouch disowned{first_cycle_after(now), law.head().header.sequence};
            if (vouch == disowned) return {};  // known: it is silent already
            setup.log.error("twin_met", "height={} cycle={}", next().value(), law.term().cycle);
            write_vouch(disowned, fx);
            return judge_silence(now, fx);
        }
        case Tendermint::Alarm::invalid_decision:
            setup.log.error("decision_invalid", "height={}", next().value());
            fx.objected_to = next();
            return {};
    }
    UNREACHABLE();
}

// The batch that decides a height takes its votes with it.
Agreement::Impl::Done Agreement::Impl::seal(Tendermint::Decided&& decided, Effects& fx) {
    const Sequence height = next();
    store::WriteBatch batch =
        TRY(law.seal(decided.block, std::move(decided.value), decided.certificate));
    if (vouch) {
        vouch->decided = height;
        vote_log::put(batch, *vouch);
    }
    for (const std::uint32_t round : logged_rounds) vote_log::erase(batch, height, round);
    logged_rounds.clear();
    fx.durable = std::move(batch);
    dissent.clear();
    for (std::uint16_t seat = 0; seat < law.term().committee.size(); ++seat) {
        const std::uint32_t round = decided.certificate.slot.round;
        auto vote = machine->vote({round, Tendermint::What::precommit, seat});
        if (vote && vote->block != decided.block) dissent.push_back(*std::move(vote));
    }
    sealing = machine->round();
    machine.reset();
    unlogged.clear();
    asks.clear();
    arrivals.clear();
    return {};
}

Agreement::Impl::Done Agreement::Impl::on(const Persisted&, Instant now, Effects& fx) {
    CHECK(sealing);
    sealing.reset();
    doubted.clear();
    has_yielded = false;
    listens_until.reset();
    const bool was_alone = is_alone();
    const std::uint64_t cycle = law.term().cycle;
    const std::vector<Id> speakers = law.term().nodes;
    const std::uint16_t author = law.head().header.author;
    committee_of_head = law.term().committee;
    TRY(law.commit(now));
    const protocol::BlockHeader& head = law.head().header;
    head_hash = protocol::hash_as_parent(setup.chain, head);
    fx.committed = head.sequence;
    if (law.term().cycle != cycle) {
        author_run = 0;
        ahead.clear();
        heartbeats.clear();
        for (const Id& node : speakers) {
            if (!is_bookkeeper(node)) clocks.forget(node);
        }
        // It alone signed for the cycle before, and has signed nothing in this one.
        if (was_alone && !vouch && !is_alone()) {
            write_vouch({law.term().cycle, head.sequence}, fx);
        }
    } else {
        author_run = author_run > 0 && head.author == author ? author_run + 1 : 1;
    }
    TRY(judge_silence(now, fx));
    TRY(hand_to_followers(now, fx));
    status_due = now;
    heartbeat_after = law.pulse(now);
    heard = !ahead.empty();
    return {};
}

Agreement::Impl::Done Agreement::Impl::on(const Yielded&, Instant now, Effects& fx) {
    has_yielded = true;
    return judge_silence(now, fx);
}

// ---- Messages ----------------------------------------------------------------------------------

Agreement::Impl::Done Agreement::Impl::on(Received&& received, Instant now, Effects& fx) {
    const Id from = received.from;
    if (!neighbours.contains(from)) return {};
    return std::visit([&](auto&& message) { return take(from, std::move(message), now, fx); },
                      std::move(received.message));
}

Agreement::Impl::Done Agreement::Impl::on(Fetched&& fetched, Instant now, Effects& fx) {
    TRY(take(Id{}, std::move(fetched.decision), now, fx));
    std::erase_if(fx.blamed, [](const Blamed& blamed) { return blamed.node == Id{}; });
    return {};
}

// The seat that must have signed it, if it is of the committee in office and of this or the next
// height.
std::optional<std::uint16_t> Agreement::Impl::signer_of(const Vote& vote) const {
    if (vote.seat >= law.term().committee.size()) return std::nullopt;
    return vote.seat;
}

std::optional<std::uint16_t> Agreement::Impl::signer_of(const Proposal& proposal) const {
    const std::size_t seats = law.term().committee.size();
    const auto claim = protocol::claim_of(setup.chain, proposal);
    const Bytes message = protocol::signing_message(setup.chain, claim);
    const auto signed_by = [&](std::size_t seat) {
        return setup.holds(law.term().committee[seat], message, proposal.signature);
    };
    if (!machine && !sealing) {
        const std::size_t leader = (first_leader() + std::uint64_t{claim.slot.round}) % seats;
        return signed_by(leader) ? std::optional(static_cast<std::uint16_t>(leader)) : std::nullopt;
    }
    // Who leads the height after the open one is decided with it: whoever signed will do.
    for (std::uint16_t seat = 0; seat < seats; ++seat) {
        if (signed_by(seat)) return seat;
    }
    return std::nullopt;
}

bool Agreement::Impl::is_signed(const Vote& vote) const {
    return setup.holds(law.term().committee[vote.seat],
                       protocol::signing_message(setup.chain, vote), vote.signature);
}

// A proposal or vote for a height that is not open.
template <class Message>
Agreement::Impl::Done Agreement::Impl::take_ahead(const Id& from, Message&& message, Instant now,
                                                  Effects& fx) {
    if (is_alone() || message.slot.cycle != law.term().cycle || message.slot.branch != Prefix{}) {
        return {};
    }
    const Sequence wanted = machine || sealing ? next().next() : next();
    if (message.slot.height != wanted) return {};
    if constexpr (std::is_same_v<Message, Vote>) {
        // Before its signature is looked at, so that a full queue costs nothing.
        const auto seat = signer_of(message);
        if (!seat || count_ahead<Vote>(*seat) >= kAheadPerSeat) return {};
        for (const Ahead& other : ahead) {
            const auto* vote = std::get_if<Vote>(&other.message);
            if (vote != nullptr && *vote == message) return {};
        }
        if (!is_signed(message)) {
            fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
            return {};
        }
        ahead.push_back({from, *seat, std::move(message)});
    } else {
        if (!message.transactions) return {};
        for (const Ahead& other : ahead) {
            const auto* proposal = std::get_if<Proposal>(&other.message);
            if (proposal != nullptr && proposal->signature == message.signature) return {};
        }
        // Only its signature tells whose it is.
        const auto seat = signer_of(message);
        if (!seat) {
            fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
            return {};
        }
        if (count_ahead<Proposal>(*seat) > 0) return {};
        ahead.push_back({from, *seat, std::move(message)});
    }
    if (machine || sealing) return {};
    heard = true;
    return try_open(now, fx);
}

template <class Message>
std::size_t Agreement::Impl::count_ahead(std::uint16_t seat) const {
    return static_cast<std::size_t>(std::ranges::count_if(ahead, [&](const Ahead& other) {
        return other.seat == seat && std::holds_alternative<Message>(other.message);
    }));
}

Agreement::Impl::Done Agreement::Impl::take(const Id& from, Vote&& vote, Instant now, Effects& fx) {
    if (!machine || vote.slot.height != next()) {
        return take_ahead(from, std::move(vote), now, fx);
    }
    if (vote.slot.cycle == law.term().cycle && vote.seat < law.term().committee.size()) {
        const auto what = protocol::statement_kind(vote.kind);
        note_exchanged(neighbours.at(from), {vote.slot.round, what, vote.seat}, now);
    }
    return feed(from, std::move(vote), now, fx);
}

Agreement::Impl::Done Agreement::Impl::take(const Id& from, Proposal&& proposal, Instant now,
                                            Effects& fx) {
    if (!machine || proposal.slot.height != next()) {
        return take_ahead(from, std::move(proposal), now, fx);
    }
    const std::uint32_t round = proposal.slot.round;
    const bool has_body = proposal.transactions.has_value();
    if (proposal.parent) {
        compare(*proposal.parent, fx);
        TRY(doubt(from, proposal.parent->slot.height, proposal.parent->block, fx));
    }
    TRY(feed(from, std::move(proposal), now, fx));
    if (!machine) return {};
    Neighbour& neighbour = neighbours.at(from);
    note_exchanged(neighbour, {round, Tendermint::What::proposal, machine->leader(round)}, now);
    const auto block = machine->proposed(round);
    if (has_body && block && neighbour.bodies.size() < kBodiesMax) neighbour.bodies.insert(*block);
    return {};
}

Agreement::Impl::Done Agreement::Impl::take(const Id& from, Decision&& decision, Instant now,
                                            Effects& fx) {
    const Sequence height = decision.header.sequence;
    if (height > next()) return note_behind(from, decision, fx);
    if (height == next()) {
        if (sealing || is_alone()) return {};
        const bool may_be = decision.certificate.slot.cycle == law.term().cycle;
        if (!may_be) return {};
        if (!machine) {
            if (!protocol::verify(decision.certificate, setup.chain, decision.header,
                                  law.term().committee, setup.holds)) {
                fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
                return {};
            }
            TRY(open(now, fx));
            if (!machine) return {};
        }
        return feed(from, std::move(decision), now, fx);
    }
    return compare_decided(from, std::move(decision), fx);
}

// A block decided at a height that is decided here: nothing new, or a fork.
Agreement::Impl::Done Agreement::Impl::compare_decided(const Id& from, Decision&& decision,
                                                       Effects& fx) {
    const protocol::BlockHeader& head = law.head().header;
    const Sequence height = decision.header.sequence;
    if (height == head.sequence) compare(decision.certificate, fx);
    if (decision.header == head || forks_told.contains(height)) return {};
    if (forks_told.size() >= kForksToldMax) return {};
    auto ours = TRY(law.decided(height));
    if (!ours || ours->header == decision.header) return {};
    protocol::Fork fork{std::move(ours->header), std::move(ours->certificate), decision.header,
                        std::move(decision.certificate)};
    if (!protocol::is_proven(fork, setup.chain, ours->committee)) {
        // Of another term it may be by a committee that only another branch has seated.
        if (fork.first_certificate.slot.cycle == fork.second_certificate.slot.cycle) {
            fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
        }
        return {};
    }
    setup.log.error("two_decisions", "height={}", height.value());
    forks_told.insert(height);
    std::ranges::move(protocol::conflicts_in(fork), std::back_inserter(fx.evidence));
    // Who stands on the other branch shall know it too.
    fx.sends.push_back({from, Decision{fork.first, fork.first_certificate, std::nullopt}});
    fx.fork = std::move(fork);
    return {};
}

// Somebody has said that another block was decided at this height. Our own, with its certificate,
// lets whoever stands on that block find the fork; the answer then shows it to us.
Agreement::Impl::Done Agreement::Impl::doubt(const Id& from, Sequence height, const Hash& theirs,
                                             Effects& fx) {
    const protocol::BlockHeader& head = law.head().header;
    if (height > head.sequence || forks_told.contains(height)) return {};
    if (height == head.sequence && theirs == head_hash) return {};
    auto ours = TRY(law.decided(height));
    if (!ours || protocol::block_hash(setup.chain, ours->header) == theirs) return {};
    if (!doubted.insert(from).second) return {};
    fx.sends.push_back(
        {from, Decision{std::move(ours->header), std::move(ours->certificate), std::nullopt}});
    return {};
}

void Agreement::Impl::compare(const Certificate& certificate, Effects& fx) {
    // Until the batch is durable, the dissent is on its block and the committee that of the head.
    if (sealing) return;
    const auto convicted = [&](const Vote& spoken) {
        const auto by =
            std::ranges::find(certificate.signatures, spoken.seat, &protocol::SeatSignature::seat);
        if (by == certificate.signatures.end() || certificate.slot != spoken.slot) return false;
        const Vote shown{certificate.slot, protocol::VoteKind::precommit, certificate.block,
                         spoken.seat, by->signature};
        const auto conflict = protocol::conflict_between(spoken, shown);
        if (!conflict || !is_proven(*conflict, setup.chain, committee_of_head[spoken.seat])) {
            return false;
        }
        fx.evidence.push_back(*conflict);
        return true;
    };
    std::erase_if(dissent, convicted);
}

Agreement::Impl::Done Agreement::Impl::note_behind(const Id& from, const Decision& decision,
                                                   Effects& fx) {
    const Sequence height = decision.header.sequence;
    if (behind_told && *behind_told >= height) return {};
    Proof proof = Proof::unchecked;
    if (decision.certificate.slot.cycle == law.term().cycle) {
        if (!protocol::verify(decision.certificate, setup.chain, decision.header,
                              law.term().committee, setup.holds)) {
            fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
            return {};
        }
        proof = Proof::checked;
        behind_told = height;
    }
    fx.behind = Behind{from, height, proof};
    return {};
}

Agreement::Impl::Done Agreement::Impl::take(const Id& from, Heartbeat&& heartbeat, Instant now,
                                            Effects& fx) {
    const Term& term = law.term();
    if (heartbeat.cycle != term.cycle || heartbeat.seat >= term.committee.size()) return {};
    if (term.seat == heartbeat.seat) return {};
    Pulse& newest = heartbeats[heartbeat.seat];
    if (heartbeat.pulse <= newest) return {};
    const PublicKey& key = term.committee[heartbeat.seat];
    if (!setup.holds(key, protocol::signing_message(setup.chain, heartbeat), heartbeat.signature)) {
        fx.blamed.push_back({from, Tendermint::Blame::bad_signature});
        return {};
    }
    newest = heartbeat.pulse;
    const Id& speaker = term.nodes[heartbeat.seat];
    clocks.note(speaker, heartbeat.pulse, law.pulse(now));
    TRY(doubt(from, heartbeat.height, heartbeat.head, fx));
    // Whoever is behind says where it stands, and is helped.
    if (heartbeat.height > law.head().header.sequence) tell_status(from, now, fx);
    // One of a time long gone or to come is news to nobody. So of each seat about one a pulse is
    // passed on, however many it signs.
    const std::int64_t apart = clocks.apart(speaker);
    const bool is_timely = std::uint64_t(apart < 0 ? -apart : apart) <= kPulsesApart;
    for (const auto& [id, neighbour] : neighbours) {
        if (!is_timely) break;
        if (id == from || id == speaker || neighbour.is_connected(heartbeat.seat)) continue;
        fx.sends.push_back({id, heartbeat});
    }
    return judge_silence(now, fx);
}

// ---- Clockwork ---------------------------------------------------------------------------------

Agreement::Impl::Done Agreement::Impl::on(const Tick&, Instant now, Effects& fx) {
    if (machine) {
        const auto due = machine->next_deadline();
        if (due && *due <= now) {
            auto ticked = TRY(machine->step(Tendermint::Tick{}, now));
            TRY(absorb(std::move(ticked), std::nullopt, now, fx));
        }
    }
    if (machine) ask_for_proposals(now, fx);
    return judge_silence(now, fx);
}

Agreement::Impl::Done Agreement::Impl::on(const Logged& logged, Instant now, Effects& fx) {
    CHECK(logged.number <= log_number);
    std::uint64_t records = 0;
    while (!unlogged.empty() && unlogged.front().number <= logged.number) {
        if (unlogged.front().height == next()) records = unlogged.front().records;
        unlogged.pop_front();
    }
    if (!machine || records == 0) return {};
    auto taken = TRY(machine->step(Tendermint::Logged{records}, now));
    return absorb(std::move(taken), std::nullopt, now, fx);
}

Agreement::Impl::Done Agreement::Impl::on(const NodeUp& up, Instant now, Effects& fx) {
    if (neighbours.size() >= options.neighbours_max) return {};
    const auto [at, is_new] = neighbours.try_emplace(up.node);
    if (!is_new) at->second = {};
    tell_status(up.node, now, fx);
    return {};
}

Agreement::Impl::Done Agreement::Impl::on(const NodeDown& down, Instant now, Effects& fx) {
    neighbours.erase(down.node);
    doubted.erase(down.node);
    clocks.forget(down.node);
    return judge_silence(now, fx);
}

bool Agreement::Impl::is_idle_chief() const {
    const Term& term = law.term();
    return !machine && !sealing && silence == Silence::none && term.committee.size() > 1 &&
           term.seat == first_leader();
}

Agreement::Impl::Done Agreement::Impl::beat(Instant now, Effects& fx) {
    if (!is_idle_chief() || now < start_of(next_heartbeat())) return {};
    const ledger::Seal& head = law.head();
    Heartbeat heartbeat{law.term().cycle, head.header.sequence, head_hash,
                        law.pulse(now),   *law.term().seat,     {}};
    heartbeat.signature = law.term().key->sign(protocol::signing_message(setup.chain, heartbeat));
    heartbeat_after = heartbeat.pulse;
    for (const auto& [id, neighbour] : neighbours) fx.sends.push_back({id, heartbeat});
    return {};
}

// ---- The machine -------------------------------------------------------------------------------

Agreement::Agreement(AgreementOptions options, Setup setup, Law& law)
    : impl_(new Impl(options, std::move(setup), law)) {}
Agreement::Agreement(Agreement&&) noexcept = default;
Agreement& Agreement::operator=(Agreement&&) noexcept = default;
Agreement::~Agreement() = default;

Result<Agreement::Effects, Fault> Agreement::start(Instant now) {
    Impl& m = *impl_;
    Effects fx;
    const protocol::BlockHeader& head = m.law.head().header;
    m.head_hash = protocol::hash_as_parent(m.setup.chain, head);
    const Term& term = m.law.term();
    m.committee_of_head =
        head.sequence.next() == term.first_height ? term.previous : term.committee;
    m.heartbeat_after = m.law.pulse(now);
    if (!m.is_alone() && (!m.vouch || m.vouch->decided < head.sequence)) {
        m.setup.log.warn("vote_log_unfit", "head={} log={}", head.sequence.value(),
                         m.vouch ? m.vouch->decided.value() : 0);
        m.write_vouch({m.first_cycle_after(now), head.sequence}, fx);
    }
    if (m.may_be_replaced(now)) {
        m.listens_until = now + m.pulses(10 * m.options.listening_pulses);
        m.setup.log.info("listening", "head_pulse={} pulse={} pulses={}", head.pulse.value(),
                         m.law.pulse(now).value(), m.options.listening_pulses);
    }
    m.silence = m.reason_for_silence(now);
    fx.silence = m.silence;
    for (const auto& [round, claim] : m.replay.proposals) m.logged_rounds.insert(round);
    for (const auto& [at, vote] : m.replay.votes) m.logged_rounds.insert(at.round);
    m.heard = !m.logged_rounds.empty();
    TRY(m.finish(now, fx));
    return fx;
}

Result<Agreement::Effects, Fault> Agreement::step(Input&& input, Instant now) {
    Effects fx;
    TRY(std::visit([&](auto&& event) { return impl_->on(std::move(event), now, fx); },
                   std::move(input)));
    TRY(impl_->finish(now, fx));
    return fx;
}

// What time and the step have made due.
Agreement::Impl::Done Agreement::Impl::finish(Instant now, Effects& fx) {
    // What has just become the head is told first, before the next one is begun.
    if (!fx.committed) TRY(try_open(now, fx));
    TRY(beat(now, fx));
    fetch_block(now, fx);
    tell_statuses(now, fx);
    return {};
}

std::optional<Instant> Agreement::next_deadline() const {
    const Impl& m = *impl_;
    std::optional<Instant> first;
    const auto consider = [&](std::optional<Instant> at) {
        if (at && (!first || *at < *first)) first = at;
    };
    if (m.machine) {
        consider(m.machine->next_deadline());
        consider(m.next_ask());
    } else if (!m.sealing) {
        std::optional<Pulse> opens;
        const Term& term = m.law.term();
        if (term.seat) opens = m.law.opens_at();
        if (term.seat && term.end) opens = opens ? std::min(*opens, *term.end) : *term.end;
        if (m.heard) opens = Pulse(0);
        if (opens && !(m.is_alone() && m.has_yielded)) {
            const Instant at = m.start_of(std::max(*opens, m.law.head().header.pulse.next()));
            consider(m.listens_until ? std::max(at, *m.listens_until) : at);
        }
    }
    consider(m.next_fetch());
    if (m.is_idle_chief() && !m.neighbours.empty()) consider(m.start_of(m.next_heartbeat()));
    if (m.speaks_to_anybody()) consider(m.status_due);
    return first;
}

std::optional<Vouch> Agreement::retire(store::WriteBatch& batch) const {
    CHECK(!impl_->sealing);
    for (const std::uint32_t round : impl_->logged_rounds) {
        vote_log::erase(batch, impl_->next(), round);
    }
    return impl_->vouch;
}

bool Agreement::is_sealing() const {
    return impl_->sealing.has_value();
}

Silence Agreement::silence() const {
    return impl_->silence;
}

Status Agreement::status(Instant now) const {
    return impl_->status(now);
}

void Agreement::check_invariants() const {
    const Impl& m = *impl_;
    if (m.machine) m.machine->check_invariants();
    CHECK(!(m.machine && m.sealing));
    CHECK(!m.machine || m.machine->height() == m.next());
    CHECK(m.neighbours.size() <= m.options.neighbours_max);
    CHECK(m.law.term().nodes.size() == m.law.term().committee.size());
    CHECK(m.ahead.size() <= (kAheadPerSeat + 1) * m.law.term().committee.size());
    CHECK(m.forks_told.size() <= kForksToldMax);
    CHECK(m.doubted.size() <= m.neighbours.size());
    CHECK(m.clocks.size() <= protocol::kSeatsMax);
    CHECK(m.passed_on.size() <= protocol::kSeatsMax);
    for (const auto& [id, neighbour] : m.neighbours) {
        CHECK(neighbour.bodies.size() <= kBodiesMax);
        CHECK(neighbour.exchanged.size() <= kExchangedMax);
    }
}

}  // namespace leither::consensus
