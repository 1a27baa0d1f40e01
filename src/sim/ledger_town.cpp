#include "ledger_town.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 7400;
constexpr Duration kLookAfterEvery = seconds(5);
constexpr Duration kAct = milliseconds(250);
constexpr Duration kWithoutChief = seconds(3);  // three pulses
constexpr Duration kInTime = seconds(2);        // two
constexpr std::size_t kVictim = 0;              // a client's account
constexpr std::int64_t kCensoredMax = 10;
constexpr std::uint64_t kReceiptOf = 4;  // one block of so many

CommunityOptions community_options(const Settings& settings, const LedgerPlan& plan) {
    CommunityOptions options;
    options.seed = settings.seed;
    options.members = std::max(plan.members + plan.newcomers, plan.clients);
    options.balance = 100'000;
    options.supply = 100'000'000;
    options.bookkeepers = plan.bookkeepers;
    options.params.cycle_pulses = plan.cycle_pulses;
    // What one message between bookkeepers holds.
    options.params.block_bytes_max = 256 << 10;
    options.time_ms = unix_ms(kStart) - 10'000;
    return options;
}

std::string name_of(bool is_bookkeeper, bool is_twin, std::size_t number) {
    const char* kind = is_twin ? "twin" : is_bookkeeper ? "keeper" : "member";
    return fmt::format("{}-{}", kind, number);
}

}  // namespace

LedgerTown::LedgerTown(const Settings& settings, const LedgerPlan& plan)
    : plan_(plan),
      world_(settings.seed, settings.trace),
      network_(world_),
      chance_(world_.stream("scenario")),
      clients_chance_(world_.stream("clients")),
      community_(community_options(settings, plan)),
      checkers_(world_, community_.organization()) {
    residents_.reserve(plan_.bookkeepers + plan_.liars.size() + plan_.members + plan_.newcomers);
    for (std::size_t n = 0; n < plan_.clients; ++n) clients_.push_back({n, {}, std::nullopt, {}});
}

// ---- Nodes

LedgerTown::Resident& LedgerTown::add(const Newcomer& newcomer) {
    const std::size_t index = residents_.size();
    Place place;
    place.endpoint = {IpAddress::v4({20, static_cast<std::uint8_t>(index >> 8),
                                     static_cast<std::uint8_t>(index), 1}),
                      kPort};
    place.line = plan_.line;
    place.accepts = Place::Accepts::streams;
    place.clock_offset = drawn(-plan_.skew_max, plan_.skew_max);
    place.clock_drift_ppm = static_cast<std::int64_t>(chance_.below(
                                static_cast<std::uint64_t>(2 * plan_.drift_ppm_max + 1))) -
                            plan_.drift_ppm_max;

    NodeHost::Options options{
        .name = name_of(newcomer.role == Role::bookkeeper, newcomer.is_twin, newcomer.number),
        .key = newcomer.key};
    options.memo = &memo_;
    if (newcomer.lie) {
        const LiarOptions liar{*newcomer.lie, community_.chain(), newcomer.key,
                               static_cast<std::uint16_t>(newcomer.number),
                               community_.member(kVictim).id()};
        meddlers_.push_back(make_liar(liar, world_.stream("liar", index)));
        options.meddler = meddlers_.back().get();
    }
    options.network.listen = {place.endpoint};
    options.network.dht.families = dht::Families::v4;
    if (index > 0) {
        options.network.bootstrap = {network_.place(residents_.front().host).endpoint};
    }
    by_name_[options.name] = index;
    // Its first steps are seen already.
    const HostId host(static_cast<std::uint32_t>(index));
    checkers_.admit(host, options.name);
    if (newcomer.lie) checkers_.set_dishonest(host);
    residents_.push_back(
        {host, newcomer.role, newcomer.number, newcomer.lie, false, std::nullopt, {}});
    const HostId added = network_.add(
        std::make_unique<NodeHost>(options, world_.stream("host", index), *this), place);
    CHECK(added == host, "only residents are hosts here");
    world_.every(kLookAfterEvery, world_.now() + plan_.settling + 2 * plan_.length,
                 [this, index] { look_after(residents_[index]); });
    return residents_.back();
}

void LedgerTown::found() {
    add_bookkeeper(0);
    node(residents_.front()).tell(node::Found{++last_token_, community_.encoded_genesis()});
    world_.run_for(seconds(2));
    for (std::size_t seat = 1; seat < plan_.bookkeepers; ++seat) add_bookkeeper(seat);
    for (std::size_t n = 0; n < plan_.members; ++n) add_member();
}

void LedgerTown::add_bookkeeper(std::size_t seat) {
    Newcomer newcomer{Role::bookkeeper, seat, community_.node_key(seat)};
    if (seat > 0 && seat <= plan_.liars.size()) newcomer.lie = plan_.liars[seat - 1];
    add(newcomer);
    if (newcomer.lie != Lie::twins) return;
    newcomer.is_twin = true;
    add(newcomer);
}

void LedgerTown::add_member() {
    const std::size_t number = members_++;
    add({Role::member, number, crypto::derive_key({}, 1000 + number)});
}

void LedgerTown::look_after(const Resident& it) {
    if (!is_running(it)) return;
    NodeHost& host = node(it);
    const auto call = [&](node::NetworkRequest&& request) {
        host.tell(node::NetworkCall{++last_token_, std::move(request)});
    };
    const auto status = host.queries().network(host.now());
    const bool has_manifest = host.queries().manifest().has_value();
    if (it.role == Role::bookkeeper && it.number == 0) {
        if (!has_manifest && host.queries().manifest_draft()) {
            call(community_.manifest(host.queries(), host.now()));
        }
        return;
    }
    if (!status || !status->community) {
        call(node::FollowOrganization{community_.organization().treasury});
    } else if (it.role == Role::member && has_manifest && status->community->accounts.empty()) {
        call(
            community_.delegate(community_.member(it.number), host.key().public_key(), host.now()));
    }
}

NodeHost* LedgerTown::any_entry() {
    std::vector<NodeHost*> entries;
    for (const Resident& each : residents_) {
        if (each.lie) continue;
        if (is_running(each) && node(each).queries().genesis()) entries.push_back(&node(each));
    }
    if (entries.empty()) return nullptr;
    return entries[clients_chance_.below(entries.size())];
}

void LedgerTown::on_reply(NodeHost& host, node::Reply&& reply) {
    const auto* submitted = std::get_if<node::SubmitReply>(&reply);
    if (submitted == nullptr) return;
    for (const node::Verdict& verdict : submitted->verdicts) {
        if (!verdict)
            host.note(fmt::format("refuses: {}", protocol::to_string(verdict.error().code)));
    }
}

void LedgerTown::on_event(NodeHost& host, node::Event&& event) {
    const auto* sealed = std::get_if<node::BlockSealed>(&event);
    if (sealed == nullptr) return;
    const protocol::BlockHeader& header = sealed->seal.header;
    host.note(fmt::format("tells sequence {} of pulse {}, {} transactions", header.sequence.value(),
                          header.pulse.value(), header.transaction_count));
    if (header.sequence == checkers_.highest()) author_ = header.author;
    for (const Hash& each : sealed->transactions) {
        const auto awaited = awaited_.find(each);
        if (awaited != awaited_.end() && awaited->second.entry == resident(host).host) {
            if (awaited->second.calm == calm_now_) {
                times_taken_.push_back(world_.now() - awaited->second.since);
            }
            awaited_.erase(awaited);
        }
        committed(host, each, header.sequence, header.pulse);
    }
    if (chance_.chance(1, kReceiptOf)) sample_receipt(host, *sealed);
}

void LedgerTown::sample_receipt(NodeHost& host, const node::BlockSealed& sealed) {
    if (sealed.accounts.empty()) return;
    const Id account = sealed.accounts[chance_.below(sealed.accounts.size())];
    const auto receipt = host.queries().receipt(account, sealed.seal.header.sequence);
    if (!receipt) return;
    ++receipts_;
    checkers_.on_receipt(resident(host).host, account, *receipt);
}

void LedgerTown::on_durable(NodeHost& host, const store::WriteBatch& batch) {
    checkers_.on_durable(resident(host).host, batch);
}

void LedgerTown::on_opened(NodeHost& host) {
    checkers_.on_opened(resident(host).host, host.ledger());
}

void LedgerTown::on_ended(NodeHost&, const std::string&) {
    ++ended_by_fault_;
}

// ---- The run

Report LedgerTown::run() {
    found();
    world_.run_for(plan_.settling);
    const Instant end = world_.now() + plan_.length;
    for (std::size_t n = 0; n < clients_.size(); ++n) {
        world_.every(kAct, end, [this, n] { act(clients_[n]); });
    }
    world_.run_for(plan_.calm_min);
    Duration longest = plan_.trouble_max + plan_.clock_step_max + plan_.calm_min;
    if (plan_.chief == LedgerPlan::Chief::crashes) longest += 2 * plan_.calm_min;
    if (plan_.quorum == LedgerPlan::Quorum::is_lost) longest += 2 * plan_.trouble_max;
    while (world_.now() + longest + pulses(plan_.progress_pulses) < end) {
        for (std::size_t n = 0; n < plan_.newcomers_a_round; ++n) {
            if (members_ < plan_.members + plan_.newcomers) add_member();
        }
        if (plan_.chief == LedgerPlan::Chief::crashes) crash_chief();
        if (plan_.quorum == LedgerPlan::Quorum::is_lost) lose_quorum();
        round();
    }
    world_.run_until(end);
    checkers_.expect_nothing();
    // What is under way ends.
    world_.run_for(pulses(plan_.progress_pulses));
    if (plan_.idle > Duration(0)) rest();
    Report report;
    conclude(report);
    return report;
}

LedgerTown::Rest LedgerTown::counted() const {
    Rest sum;
    for (const Resident& each : residents_) {
        sum.ledger_writes += node(each).disk().written(Disk::Part::ledger);
        sum.network_writes += node(each).disk().written(Disk::Part::network);
        const Traffic& traffic = network_.traffic(each.host);
        sum.sent_bytes += traffic.sent_bytes + traffic.streams_sent.bytes;
    }
    return sum;
}

void LedgerTown::rest() {
    const Rest before = counted();
    world_.run_for(plan_.idle);
    const Rest after = counted();
    at_rest_ = {after.ledger_writes - before.ledger_writes,
                after.network_writes - before.network_writes, after.sent_bytes - before.sent_bytes};
}

void LedgerTown::report_times(Report& report) const {
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    std::vector<Duration> times = times_taken_;
    std::ranges::sort(times);
    const auto in_time = std::ranges::upper_bound(times, kInTime) - times.begin();
    const std::int64_t told = per_mille(static_cast<std::uint64_t>(in_time), times.size());
    if (plan_.told_in_time_per_mille) {
        report.at_least("told within 2 s, in calm", *plan_.told_in_time_per_mille, told,
                        Unit::per_mille);
    } else {
        report.add("told within 2 s, in calm", told, Unit::per_mille);
    }
    const auto at = [&](std::size_t thousandths) {
        const std::size_t rank = (times.size() * thousandths + 999) / 1000;
        return times.empty() ? 0 : times[rank - 1].count();
    };
    report.add("time until told, median", at(500), Unit::micros);
    report.add("time until told, p99", at(990), Unit::micros);
    report.add("time until told, p99.9", at(999), Unit::micros);
    report.add("time until told, most", at(1000), Unit::micros);
    if (plan_.quorum == LedgerPlan::Quorum::is_lost) {
        report.at_most("blocks decided without a quorum", 0, number(decided_while_halted_));
        report.add("times without a quorum", number(halted_));
        report.at_most("a quorum back, next block, most", pulses(plan_.progress_pulses).count(),
                       without_quorum_.most(), Unit::micros);
        report.add("a quorum back, next block, mean", without_quorum_.mean(), Unit::micros);
    }
    if (plan_.idle > Duration(0)) {
        const std::uint64_t a_second =
            residents_.size() * static_cast<std::uint64_t>(plan_.idle / seconds(1));
        report.at_most("idle: batches of all ledgers", 0, number(at_rest_.ledger_writes));
        report.add("idle: other batches, a node and hour",
                   number(at_rest_.network_writes * 3600 * 100 / a_second), Unit::hundredths);
        report.add("idle: sent, a node and second", number(at_rest_.sent_bytes / a_second),
                   Unit::bytes);
    }
}

void LedgerTown::conclude(Report& report) {
    for (const Resident& each : residents_) checkers_.check_store(each.host, node(each).ledger());
    const auto verified = node::verify_store(node(residents_.front()).ledger(), [](Sequence) {});
    std::uint64_t running = 0;
    std::uint64_t connected = 0;
    std::uint64_t at_the_head = 0;
    std::uint64_t honest = 0;
    for (const Resident& each : residents_) {
        if (each.lie) continue;
        ++honest;
        if (!is_running(each)) continue;
        ++running;
        const auto status = node(each).queries().status();
        if (status && status->head.sequence == checkers_.highest()) ++at_the_head;
        if (!node(each).queries().peers(node(each).now()).empty()) ++connected;
    }

    checkers_.report(report);
    report.at_least("executes again from genesis", 1, verified ? 1 : 0);
    report.at_least("nodes running at the end", 1000, per_mille(running, honest), Unit::per_mille);
    report.at_least("nodes at the head at the end", 1000, per_mille(at_the_head, honest),
                    Unit::per_mille);
    report.at_least("committed within 2 pulses, in calm", plan_.in_time_per_mille,
                    per_mille(in_calm_in_time_, in_calm_), Unit::per_mille);
    report_times(report);
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    report.add("of payments", number(in_calm_));
    report.add("pulses to commit, mean", pulses_taken_.mean_hundredths(), Unit::hundredths);
    report.add("pulses to commit, p99", pulses_taken_.percentile(99));
    if (censored_taken_.size() > 0) {
        report.at_most("pulses for who is censored, most", kCensoredMax, censored_taken_.most());
    }
    if (without_chief_.size() > 0) {
        report.at_most("the chief gone, next block, most", kWithoutChief.count(),
                       without_chief_.most(), Unit::micros);
        report.add("the chief gone, next block, mean", without_chief_.mean(), Unit::micros);
        report.add("times the chief was gone", number(without_chief_.size()));
    }
    report.add("blocks", number(checkers_.blocks()));
    report.add("payments signed", number(signed_));
    report.add("payments told committed", number(told_committed_));
    report.add("payments told over", number(told_over_));
    report.add("receipts verified", number(receipts_));
    for (std::size_t i = 0; i < kTroubles; ++i) {
        if (troubles_[i] == 0) continue;
        report.add(fmt::format("times {}", sim::to_string(static_cast<Trouble>(i))),
                   number(troubles_[i]));
    }
    report.add("nodes ended by a fault", number(ended_by_fault_));
    report.add("nodes with a peer at the end", per_mille(connected, honest), Unit::per_mille);
    report.hash = world_.hash();
    report.happenings = world_.happenings();
    report.elapsed = world_.elapsed();
}

}  // namespace leither::sim
