#include "agreement_town.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/consensus/ledger_application.h"

namespace leither::sim {

using consensus::Agreement;
using protocol::PeerMessage;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t kAccounts = 6;
constexpr std::size_t kVictim = 0;  // an account
constexpr std::uint64_t kExpiryPulses = 40;
constexpr std::uint64_t kCheatOf = 20;  // one payment of so many
constexpr std::size_t kPendingMax = 32;
constexpr Duration kPostAgain = seconds(4);
constexpr Duration kRepeated = milliseconds(200);  // what a stream has lost
constexpr std::size_t kBlocksAsked = 8;
constexpr std::uint64_t kDrainPulses = 20;

CommunityOptions community_options(std::uint64_t seed, std::size_t seats) {
    CommunityOptions options;
    options.seed = seed;
    options.members = 1;
    options.bookkeepers = seats;
    options.time_ms = unix_ms(kStart) - 10'000;
    return options;
}

// What the daemon's parts apart from the agreement would take is none of it.
std::optional<protocol::AgreementMessage> about_agreeing(PeerMessage&& message) {
    return std::visit(
        [](auto&& each) -> std::optional<protocol::AgreementMessage> {
            using Kind = std::decay_t<decltype(each)>;
            if constexpr (std::is_constructible_v<protocol::AgreementMessage, Kind&&>) {
                return protocol::AgreementMessage(std::forward<decltype(each)>(each));
            } else {
                return std::nullopt;
            }
        },
        std::move(message));
}

}  // namespace

AgreementTown::AgreementTown(const Settings& settings, const AgreementPlan& plan)
    : plan_(plan),
      world_(settings.seed, settings.trace),
      chance_(world_.stream("scenario")),
      lines_(world_.stream("lines")),
      clients_(world_.stream("clients")),
      community_(community_options(settings.seed, plan.seats)),
      checkers_(world_, community_.organization()),
      counters_(kAccounts) {}

Duration AgreementTown::drawn(Duration from, Duration to) {
    const auto spread = static_cast<std::uint64_t>((to - from).count());
    return from + Duration(static_cast<Duration::rep>(lines_.below(spread + 1)));
}

void AgreementTown::note(const Machine& machine, std::string_view text) {
    world_.note({Kind::note, machine.endpoint, {}, as_bytes(text)});
}

// ---- Machines

void AgreementTown::add(std::uint16_t seat, std::optional<Lie> lie, bool is_twin) {
    const std::size_t index = machines_.size();
    consensus::Term term;
    for (std::size_t n = 0; n < plan_.seats; ++n) {
        term.committee.push_back(community_.node_key(n).public_key());
        term.nodes.push_back(community_.node_key(n).id());
    }
    term.previous = term.committee;
    term.seat = seat;
    term.key = community_.node_key(seat);
    term.first_height = Sequence(1);
    const auto& options = community_.options();
    const StubLaw::Options law{community_.chain(), options.time_ms, options.params.pulse_ms,
                               community_.organization().charter.supply};

    auto machine = std::make_unique<Machine>(Disk::Options{}, world_.stream("disk", index),
                                             StubLaw(law, std::move(term)));
    machine->number = HostId(static_cast<std::uint32_t>(index));
    machine->endpoint = {IpAddress::v4({20, 0, 0, static_cast<std::uint8_t>(index + 1)}), 7400};
    machine->seat = seat;
    machine->lie = lie;
    machine->key = community_.node_key(seat);
    machine->offset = drawn(-plan_.skew_max, plan_.skew_max);
    machine->prefers_twin.resize(plan_.seats);
    if (lie) {
        // As in the stub a payer is not a member: its account is its name.
        const LiarOptions liar{*lie, community_.chain(), machine->key, seat,
                               community_.member(kVictim).id()};
        machine->meddler = make_liar(liar, world_.stream("liar", index));
    }
    store::WriteBatch born = StubLaw::birth(law);
    consensus::vote_log::put(born, consensus::Vouch{});
    machine->disk.put_in(Disk::Part::ledger, born);
    machine->disk.watch([this, host = machine->number](Disk::Part, const store::WriteBatch& batch) {
        checkers_.on_durable(host, batch);
    });
    checkers_.admit(machine->number, fmt::format("{}-{}", is_twin ? "twin" : "seat", seat));
    if (lie) checkers_.set_dishonest(machine->number);
    machines_.push_back(std::move(machine));
}

void AgreementTown::start(Machine& machine) {
    const store::Reader& store = machine.disk.reader(Disk::Part::ledger);
    CHECK(machine.law.open(store).has_value());
    checkers_.on_opened(machine.number, store);
    const ledger::Seal& head = machine.law.head();
    Agreement::Setup setup;
    setup.chain = community_.chain();
    setup.time_ms = community_.options().time_ms;
    setup.pulse_ms = community_.options().params.pulse_ms;
    setup.holds = [this](const PublicKey& key, ByteView message, const Signature& signature) {
        return memo_.holds(key, message, signature);
    };
    setup.author_run = *consensus::author_run(store, head, machine.law.term().first_height);
    setup.vouch = *consensus::vote_log::read_vouch(store);
    setup.replay = *consensus::vote_log::read(store, head.header.sequence.next());
    machine.agreement.emplace(consensus::AgreementOptions{}, std::move(setup), machine.law);
    carry_out(machine, *machine.agreement->start(local(machine)));
    rearm(machine);
}

void AgreementTown::crash(Machine& machine) {
    if (!machine.agreement) return;
    ++crashes_;
    note(machine, "crashes");
    machine.agreement.reset();
    ++machine.life;
    machine.writes.clear();
    machine.fetched.clear();
    machine.timer.reset();
    machine.peers.clear();
    machine.disk.crash();
}

void AgreementTown::input(Machine& machine, Agreement::Input&& input) {
    if (!machine.agreement) return;
    auto fx = machine.agreement->step(std::move(input), local(machine));
    CHECK(fx.has_value(), "a store in memory does not fail");
    if (plan_.checks_invariants) machine.agreement->check_invariants();
    carry_out(machine, *std::move(fx));
    rearm(machine);
}

void AgreementTown::carry_out(Machine& machine, Agreement::Effects&& fx) {
    if (fx.log) write(machine, {std::move(fx.log->batch), fx.log->number});
    if (fx.durable) write(machine, {*std::move(fx.durable), std::nullopt});
    for (Agreement::Send& each : fx.sends) {
        say(machine, each.to,
            std::visit([](auto&& one) { return PeerMessage(std::move(one)); },
                       std::move(each.message)));
    }
    if (fx.behind) machine.wanted = std::max(machine.wanted, fx.behind->height);
    if (machine.lie) return;
    for (const protocol::Conflict& each : fx.evidence) {
        const PublicKey& key = machine.law.term().committee[each.seat];
        CHECK(protocol::is_proven(each, community_.chain(), key));
        ++conflicts_;
        checkers_.on_confiscated(HostId(each.seat), each.slot.height);
    }
    if (fx.fork) {
        checkers_.on_contradiction(machine.number, fx.fork->first.sequence,
                                   "a fork is proven to it");
    }
    if (fx.objected_to) {
        checkers_.on_contradiction(machine.number, *fx.objected_to,
                                   "a quorum has decided what it finds invalid");
    }
}

void AgreementTown::write(Machine& machine, Write&& write) {
    machine.writes.push_back(std::move(write));
    if (machine.writes.size() == 1) write_next(machine);
}

void AgreementTown::write_next(Machine& machine) {
    Write& first = machine.writes.front();
    const Duration takes = machine.disk.write(Disk::Part::ledger, std::move(first.batch));
    world_.after(takes, [this, &machine, life = machine.life] {
        if (machine.life != life) return;
        CHECK(machine.disk.finish(Disk::Part::ledger).has_value());
        const auto log = machine.writes.front().log;
        machine.writes.pop_front();
        if (!machine.writes.empty()) write_next(machine);
        if (log) return input(machine, Agreement::Logged{*log});
        input(machine, Agreement::Persisted{});
        take_fetched(machine);
    });
}

void AgreementTown::rearm(Machine& machine) {
    if (!machine.agreement) return;
    const auto due = machine.agreement->next_deadline();
    if (!due) return machine.timer.reset();
    const Instant at = std::max(*due - machine.offset, world_.now());
    if (machine.timer == at) return;
    machine.timer = at;
    world_.at(at, [this, &machine, at, life = machine.life] {
        if (machine.life != life || machine.timer != at) return;
        machine.timer.reset();
        input(machine, Agreement::Tick{});
    });
}

// ---- Blocks that were missed, as the sync machine fetches them

void AgreementTown::ask_for_blocks(Machine& machine) {
    const Sequence next = machine.law.head().header.sequence.next();
    if (!machine.agreement || machine.wanted < next || !machine.fetched.empty()) return;
    if (machine.peers.empty()) return;
    auto peer = machine.peers.begin();
    std::advance(peer, static_cast<std::ptrdiff_t>(lines_.below(machine.peers.size())));
    const std::size_t to = peer->second;
    const Id asker = machine.key.id();
    world_.after(drawn(plan_.line.latency_min, plan_.line.latency_max), [this, to, asker, next] {
        Machine& asked = *machines_[to];
        if (!asked.agreement) return;
        protocol::BlocksReply reply;
        reply.from = next;
        reply.head = asked.law.head().header.sequence;
        auto blocks = asked.law.blocks(next, kBlocksAsked);
        CHECK(blocks.has_value());
        for (protocol::DecidedBlock& each : *blocks) reply.blocks.push_back(std::move(each));
        say(asked, asker, std::move(reply));
    });
}

void AgreementTown::take_fetched(Machine& machine) {
    while (machine.agreement && !machine.fetched.empty() && !machine.agreement->is_sealing()) {
        protocol::DecidedBlock block = std::move(machine.fetched.front());
        machine.fetched.pop_front();
        if (block.header.sequence != machine.law.head().header.sequence.next()) continue;
        protocol::Decision decision{block.header, std::move(block.certificate),
                                    std::move(block.transactions)};
        input(machine, Agreement::Fetched{std::move(decision)});
        // Who hands out one that does not hold is not asked for the next.
        if (machine.agreement && !machine.agreement->is_sealing()) machine.fetched.clear();
    }
}

// ---- Lines

bool AgreementTown::are_connected(const Machine& one, const Machine& other) const {
    if (one.seat == other.seat || !one.agreement || !other.agreement) return false;
    if (one.trouble == Trouble::cut_off || other.trouble == Trouble::cut_off) return false;
    // The second of a key stands behind all seats.
    const auto is_chosen = [&](const Machine& by, const Machine& it) {
        const bool has_twin = it.lie == Lie::twins;
        const bool is_second = it.number.value() >= plan_.seats;
        return !has_twin || by.prefers_twin[it.seat] == is_second;
    };
    return is_chosen(one, other) && is_chosen(other, one);
}

void AgreementTown::relink() {
    struct Change {
        std::size_t who = 0;
        std::size_t whom = 0;
        bool is_up = false;
    };
    std::vector<Change> changes;
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        Machine& machine = *machines_[i];
        if (!machine.agreement) continue;
        std::map<Id, std::size_t> now;
        for (std::size_t j = 0; j < machines_.size(); ++j) {
            if (are_connected(machine, *machines_[j])) now[machines_[j]->key.id()] = j;
        }
        for (const auto& [id, index] : machine.peers) {
            const auto still = now.find(id);
            if (still == now.end() || still->second != index) changes.push_back({i, index, false});
        }
        for (const auto& [id, index] : now) {
            const auto before = machine.peers.find(id);
            if (before == machine.peers.end() || before->second != index) {
                changes.push_back({i, index, true});
            }
        }
        machine.peers = std::move(now);
    }
    for (const Change& each : changes) {
        const Id id = machines_[each.whom]->key.id();
        Machine& machine = *machines_[each.who];
        machine.last_arrival.erase(id);
        if (each.is_up) {
            input(machine, Agreement::NodeUp{id});
        } else {
            input(machine, Agreement::NodeDown{id});
        }
    }
}

void AgreementTown::say(Machine& from, const Id& to, PeerMessage&& message) {
    const auto peer = from.peers.find(to);
    if (peer == from.peers.end()) return;
    const std::size_t index = peer->second;
    if (from.meddler == nullptr) return send(from, index, std::move(message));
    for (PeerMessage& each : from.meddler->says(to, std::move(message))) {
        send(from, index, std::move(each));
    }
}

void AgreementTown::send(Machine& from, std::size_t to, PeerMessage&& message) {
    const Line& line = plan_.line;
    const std::size_t sender = from.number.value();
    if (is_calm_) {
        Duration takes = drawn(line.latency_min, line.latency_max);
        if (lines_.chance(line.loss_per_mille, 1000)) takes += kRepeated;
        Instant& last = machines_[to]->last_arrival[from.key.id()];
        last = std::max(last, world_.now() + takes);
        world_.at(last, [this, sender, to, message = std::move(message)]() mutable {
            deliver(sender, to, std::move(message));
        });
        return;
    }
    const bool is_lost = lines_.chance(3 * line.loss_per_mille, 1000);
    const int copies = (is_lost ? 0 : 1) + (lines_.chance(line.loss_per_mille, 1000) ? 1 : 0);
    for (int copy = 0; copy < copies; ++copy) {
        world_.after(
            drawn(line.latency_min, 4 * line.latency_max),
            [this, sender, to, message]() mutable { deliver(sender, to, std::move(message)); });
    }
}

void AgreementTown::deliver(std::size_t from, std::size_t to, PeerMessage&& message) {
    const Machine& sender = *machines_[from];
    Machine& machine = *machines_[to];
    const auto peer = machine.peers.find(sender.key.id());
    if (!machine.agreement || peer == machine.peers.end() || peer->second != from) return;
    if (sender.trouble == Trouble::unheard || sender.trouble == Trouble::mute) return;
    if (machine.trouble == Trouble::unheard || machine.trouble == Trouble::deaf) return;
    if (machine.meddler != nullptr && !machine.meddler->hears(sender.key.id(), message)) return;
    ++messages_;
    const Bytes kind{static_cast<std::uint8_t>(message.index())};
    world_.note({Kind::datagram, sender.endpoint, machine.endpoint, kind});
    take(machine, sender.key.id(), std::move(message));
}

void AgreementTown::take(Machine& machine, const Id& from, PeerMessage&& message) {
    if (const auto* posted = std::get_if<protocol::TransactionPost>(&message)) {
        for (const protocol::Transaction& each : posted->transactions) post(machine, each);
        return;
    }
    if (auto* reply = std::get_if<protocol::BlocksReply>(&message)) {
        machine.fetched.assign(std::make_move_iterator(reply->blocks.begin()),
                               std::make_move_iterator(reply->blocks.end()));
        return take_fetched(machine);
    }
    auto about = about_agreeing(std::move(message));
    if (about) input(machine, Agreement::Received{from, *std::move(about)});
}

// ---- Payments

AgreementTown::Machine* AgreementTown::any_honest() {
    std::vector<Machine*> some;
    for (const auto& each : machines_) {
        if (each->agreement && !each->lie) some.push_back(each.get());
    }
    return some.empty() ? nullptr : some[clients_.below(some.size())];
}

void AgreementTown::post(Machine& machine, const protocol::Transaction& transaction) {
    if (!machine.law.add(transaction, local(machine))) return;
    const std::map<Id, std::size_t> peers = machine.peers;
    for (const auto& [id, index] : peers) {
        protocol::TransactionPost posted;
        posted.transactions.push_back(transaction);
        say(machine, id, std::move(posted));
    }
    rearm(machine);
}

void AgreementTown::pay() {
    const std::size_t account = clients_.below(kAccounts);
    const std::uint64_t counter = ++counters_[account];
    Machine* first = any_honest();
    if (first == nullptr) return;
    const std::size_t count = clients_.chance(1, kCheatOf) ? 2 : 1;
    for (std::size_t n = 0; n < count; ++n) {
        Payment payment;
        payment.transaction.body.signer = community_.member(account).id();
        payment.transaction.body.nonce = {0, counter};
        // A cheat's two differ in their expiry.
        const Pulse now = first->law.pulse(local(*first));
        payment.transaction.body.expiry = Pulse(now.value() + kExpiryPulses + n);
        payment.transaction.body.action = protocol::Cancel{};
        payment.id = protocol::transaction_id(community_.chain(), payment.transaction.body);
        payment.since = world_.now();
        ++paid_;
        pending_.push_back(payment);
        Machine* entry = any_honest();
        if (entry != nullptr) post(*entry, payment.transaction);
    }
}

// Once a pulse: what is not committed goes to another one, since a crash forgets what waits.
void AgreementTown::work() {
    std::erase_if(pending_, [&](const Payment& each) {
        return checkers_.is_committed(each.id) ||
               world_.now() > each.since + seconds(kExpiryPulses + 5);
    });
    for (const Payment& each : std::vector(pending_)) {
        if (world_.now() < each.since + kPostAgain) continue;
        if (Machine* entry = any_honest()) post(*entry, each.transaction);
    }
    if (pending_.size() < kPendingMax && clients_.chance(1, plan_.pay_of)) pay();
    for (const auto& each : machines_) ask_for_blocks(*each);
}

// ---- Rounds

const char* AgreementTown::name_of(Trouble trouble) {
    switch (trouble) {
        case Trouble::none: return "none";
        case Trouble::down: return "down";
        case Trouble::cut_off: return "cut off";
        case Trouble::unheard: return "unheard";
        case Trouble::mute: return "mute";
        case Trouble::deaf: return "deaf";
    }
    UNREACHABLE();
}

void AgreementTown::begin(Machine& machine, Trouble what, Duration length) {
    machine.trouble = what;
    if (what == Trouble::down) {
        crash(machine);
    } else {
        note(machine, fmt::format("is in trouble: {}", name_of(what)));
    }
    relink();
    world_.after(length, [this, &machine, round = round_] {
        if (round != round_) return;
        machine.trouble = Trouble::none;
        if (!machine.agreement) start(machine);
        relink();
    });
}

void AgreementTown::round() {
    checkers_.expect_nothing();
    is_calm_ = false;
    ++round_;
    for (const auto& each : machines_) {
        for (std::size_t seat = 0; seat < plan_.seats; ++seat) {
            each->prefers_twin[seat] = chance_.chance(1, 2);
        }
    }
    relink();
    std::vector<Machine*> honest;
    for (const auto& each : machines_) {
        if (!each->lie) honest.push_back(each.get());
    }
    chance_.shuffle(std::span(honest));
    const std::size_t impaired = plan_.impaired_max > 0 ? 1 + chance_.below(plan_.impaired_max) : 0;
    constexpr std::uint64_t kKinds = 5;
    const Instant start_of_round = world_.now();
    for (std::size_t n = 0; n < impaired; ++n) {
        const auto what = static_cast<Trouble>(1 + chance_.below(kKinds));
        const auto most = static_cast<std::uint64_t>(plan_.trouble_max / seconds(1));
        begin(*honest[n], what, seconds(1 + chance_.below(most)));
    }
    world_.run_until(start_of_round + plan_.trouble_max);
    is_calm_ = true;
    ++round_;
    for (const auto& each : machines_) {
        each->trouble = Trouble::none;
        if (!each->agreement) start(*each);
    }
    relink();
    pay();
    const Duration patience = seconds(plan_.progress_pulses);
    checkers_.expect_block_within(patience, "although all is well again");
    world_.run_for(patience + plan_.calm_min);
}

Report AgreementTown::run() {
    for (std::uint16_t seat = 0; seat < plan_.seats; ++seat) {
        std::optional<Lie> lie;
        if (seat > 0 && seat <= plan_.liars.size()) lie = plan_.liars[seat - 1u];
        add(seat, lie, false);
    }
    for (std::uint16_t seat = 0; seat < plan_.seats; ++seat) {
        if (machines_[seat]->lie == Lie::twins) add(seat, Lie::twins, true);
    }
    for (const auto& each : machines_) start(*each);
    relink();
    const Instant end = world_.now() + plan_.length;
    world_.every(seconds(1), end, [this] { work(); });
    const Duration one_round = plan_.trouble_max + seconds(plan_.progress_pulses) + plan_.calm_min;
    world_.run_for(plan_.calm_min / 2);
    while (world_.now() + one_round <= end) round();
    world_.run_until(end);
    checkers_.expect_nothing();
    plan_.pay_of = UINT64_MAX;
    world_.every(seconds(1), end + seconds(kDrainPulses), [this] { work(); });
    world_.run_for(seconds(kDrainPulses));
    Report report;
    conclude(report);
    return report;
}

void AgreementTown::conclude(Report& report) {
    std::uint64_t honest = 0;
    std::uint64_t at_the_head = 0;
    for (const auto& each : machines_) {
        checkers_.check_store(each->number, each->disk.reader(Disk::Part::ledger));
        if (each->lie) continue;
        ++honest;
        if (each->law.head().header.sequence == checkers_.highest()) ++at_the_head;
    }
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    checkers_.report(report);
    report.at_least("honest at the head at the end", 1000, per_mille(at_the_head, honest),
                    Unit::per_mille);
    report.add("seats", number(plan_.seats));
    for (std::size_t n = 0; n < plan_.liars.size(); ++n) {
        report.add(fmt::format("seat {}: {}", n + 1, sim::to_string(plan_.liars[n])), 1);
    }
    report.add("blocks", number(checkers_.blocks()));
    report.add("payments", number(paid_));
    report.add("payments committed", number(checkers_.transactions()));
    report.add("double signatures shown", number(conflicts_));
    report.add("crashes", number(crashes_));
    report.add("messages", number(messages_));
    report.add("signatures checked", number(memo_.checked()));
    report.hash = world_.hash();
    report.happenings = world_.happenings();
    report.elapsed = world_.elapsed();
}

}  // namespace leither::sim
