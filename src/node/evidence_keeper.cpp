#include "evidence_keeper.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::node {

namespace {

using ledger::OffenceKind;
using ledger::OffenceName;
using protocol::Conflict;
using protocol::Refusal;
using store::Fault;

// Pulses until a report that no block takes is forgotten, and made again.
constexpr std::uint64_t kReportPulses = 60;

std::optional<Conflict> conflict_of(const ledger::Offence& offence) {
    const auto* conflict = std::get_if<Conflict>(&offence);
    return conflict == nullptr ? std::nullopt : std::optional(*conflict);
}

// Whether nothing will ever come of the report.
bool is_final(Refusal refusal) {
    return refusal == Refusal::counterparty_unknown || refusal == Refusal::no_seat ||
           refusal == Refusal::nothing_pledged || refusal == Refusal::bad_evidence;
}

bool accuses(const consensus::Mempool& mempool, const Id& accused) {
    return std::ranges::any_of(mempool.entries(), [&](const consensus::Mempool::Entry& entry) {
        const auto* evidence = std::get_if<protocol::Evidence>(&entry.transaction.body.action);
        return evidence != nullptr && evidence->accused == accused;
    });
}

// The member who sat there in that term, if the ledger still knows.
std::optional<Id> member_of(const protocol::ElectionRecord& record, const Conflict& conflict) {
    const std::uint64_t cycle = conflict.slot.cycle;
    if (cycle != record.cycle && cycle + 1 != record.cycle) return std::nullopt;
    const protocol::Seats& seats = cycle == record.cycle ? record.present : record.former;
    if (conflict.seat >= seats.size()) return std::nullopt;
    return seats[conflict.seat].member;
}

}  // namespace

Result<EvidenceKeeper, Fault> EvidenceKeeper::open(const store::Reader& store, const ChainId& chain,
                                                   crypto::KeyPair node_key, Log log) {
    EvidenceKeeper keeper(chain, std::move(node_key), std::move(log));
    for (const std::uint32_t index : TRY(ledger::evidence_indexes(store))) {
        const auto record = TRY(ledger::read_evidence_at(store, index));
        if (!record) continue;
        const OffenceName name = ledger::name_of(record->offence);
        keeper.items_.push_back({ledger::evidence_id(chain, name), index, name,
                                 conflict_of(record->offence), /*is_durable=*/true});
        keeper.next_index_ = index + 1;
    }
    keeper.due_ = !keeper.items_.empty();
    return keeper;
}

bool EvidenceKeeper::has_place_for(const OffenceName& name) const {
    if (name.kind == OffenceKind::fork) return true;
    const auto of_seat = std::ranges::count_if(items_, [&](const Item& item) {
        return item.name.kind != OffenceKind::fork && item.name.cycle == name.cycle &&
               item.name.seat == name.seat;
    });
    return static_cast<std::size_t>(of_seat) < kPerSeatMax;
}

void EvidenceKeeper::make_room(store::WriteBatch& batch) {
    if (items_.size() < kRecordsMax) return;
    // What is not durable stands in a batch that may still be this one.
    auto oldest = std::ranges::find_if(items_, [](const Item& item) {
        return item.is_durable && item.name.kind != OffenceKind::fork;
    });
    if (oldest == items_.end()) oldest = std::ranges::find(items_, true, &Item::is_durable);
    if (oldest == items_.end()) return;
    ledger::erase_evidence(batch, oldest->index);
    items_.erase(oldest);
}

Result<std::size_t, Fault> EvidenceKeeper::note(const ledger::EvidenceSource& source,
                                                const ledger::Offence& offence,
                                                store::WriteBatch& batch) {
    const OffenceName name = ledger::name_of(offence);
    const Hash id = ledger::evidence_id(chain_, name);
    if (find(id) != nullptr || !has_place_for(name)) return 0;
    const auto record = TRY(ledger::gather_evidence(source, offence));
    if (!record || bcs::encode(*record).size() > ledger::kEvidenceBytesMax) {
        log_.error("evidence_lost", "kind={} height={} oldest={}", ledger::to_string(name.kind),
                   name.height.value(), source.oldest.value());
        return 0;
    }
    make_room(batch);
    if (items_.size() >= kRecordsMax) return 0;
    ledger::put_evidence(batch, next_index_, *record);
    items_.push_back({id, next_index_, name, conflict_of(offence), /*is_durable=*/false});
    ++next_index_;
    due_ = true;
    return 1;
}

void EvidenceKeeper::on_durable(std::size_t count) {
    for (Item& item : items_) {
        if (count == 0) return;
        if (item.is_durable) continue;
        item.is_durable = true;
        --count;
        const OffenceName& name = item.name;
        if (name.kind == OffenceKind::fork) {
            log_.error("fork_recorded", "id={} height={} cycle={}", item.id.hex(),
                       name.height.value(), name.cycle);
        } else {
            log_.warn("conflict_recorded", "id={} kind={} seat={} cycle={} height={} round={}",
                      item.id.hex(), ledger::to_string(name.kind), name.seat, name.cycle,
                      name.height.value(), name.round);
        }
    }
}

EvidenceCounts EvidenceKeeper::counts() const {
    EvidenceCounts counts;
    for (const Item& item : items_) {
        if (item.name.kind == OffenceKind::fork) {
            counts.forks.push_back(item.name.height);
        } else {
            ++counts.conflicts;
        }
    }
    return counts;
}

const EvidenceKeeper::Item* EvidenceKeeper::find(const Hash& id) const {
    const auto found = std::ranges::find(items_, id, &Item::id);
    return found == items_.end() ? nullptr : &*found;
}

// Whether the rule may still take something for one of them. What lies too long ago is closed.
Result<bool, Fault> EvidenceKeeper::any_open_in(ledger::State& state) {
    const auto is_open = [](const Item& item) { return item.open.has_value(); };
    if (std::ranges::none_of(items_, is_open)) return false;
    TRY(state.load_system());
    for (Item& item : items_) {
        if (item.open && !member_of(state.election(), *item.open)) item.open.reset();
    }
    return std::ranges::any_of(items_, is_open);
}

// Nobody while other acts wait in the lane: behind them, on the next head.
Result<std::optional<EvidenceKeeper::Reporter>, Fault> EvidenceKeeper::reporter(
    const Desk& desk, ledger::State& state, const ledger::Place& place) const {
    TRY(state.load(desk.organization.candidates));
    const auto& rows = state.candidates().rows;
    const auto own =
        std::ranges::find(rows, node_key_.public_key(), &protocol::CandidateRow::node_key);
    std::optional<Reporter> found;
    if (own != rows.end()) found = Reporter{own->member, 0, std::nullopt};
    for (const protocol::SignedDelegation& served : desk.served) {
        if (found) break;
        const Id account = crypto::id_of(served.delegation.account);
        const protocol::Charter& charter = desk.organization.charter;
        const std::uint64_t end =
            charter.time_ms + (place.pulse.value() + kReportPulses) * charter.params.pulse_ms;
        TRY(state.load(account));
        const bool holds = served.delegation.node == node_key_.public_key() &&
                           served.delegation.validity.expires_ms > end;
        if (holds && state.member(account) != nullptr) found = Reporter{account, 0, served};
    }
    if (!found) return std::nullopt;
    TRY(state.load(found->member));
    CHECK(state.member(found->member) != nullptr);
    found->counter = state.member(found->member)->next_counter(protocol::kNodeLane);
    const auto waiting = TRY(desk.mempool.member(found->member));
    const bool is_first = waiting && waiting->next_counter(protocol::kNodeLane) == found->counter;
    return is_first ? found : std::nullopt;
}

protocol::Transaction EvidenceKeeper::report_of(const Reporter& reporter,
                                                const protocol::Evidence& evidence,
                                                Pulse expiry) const {
    protocol::Transaction report;
    report.body.signer = reporter.member;
    report.body.nonce = {protocol::kNodeLane, reporter.counter};
    report.body.expiry = expiry;
    report.body.action = evidence;
    report.signatures.push_back(node_key_.sign(protocol::signing_message(chain_, report.body)));
    return report;
}

// Of a node that stands for nobody.
bool EvidenceKeeper::is_its_turn(Item& item, Pulse now) {
    if (item.is_told) return false;
    if (!item.from) {
        Bytes told(item.id.view().begin(), item.id.view().end());
        const ByteView key = node_key_.public_key().view();
        told.insert(told.end(), key.begin(), key.end());
        const Hash drawn = crypto::blake2b_256(told);
        const std::uint64_t spread = (drawn[0] + 256U * drawn[1]) % kSpreadPulses;
        item.from = Pulse(now.value() + kPatiencePulses + spread);
    }
    if (now >= *item.from) return true;
    if (!wake_ || *item.from < *wake_) wake_ = item.from;
    return false;
}

Result<std::optional<protocol::Transaction>, Fault> EvidenceKeeper::take_report(
    const Desk& desk, const ledger::Place& place) {
    const bool is_awake = wake_ && place.pulse >= *wake_;
    if (!std::exchange(due_, false) && !is_awake) return std::nullopt;
    wake_.reset();
    ledger::State state(desk.organization, desk.tree);
    if (!TRY(any_open_in(state))) return std::nullopt;
    const auto reporter = TRY(this->reporter(desk, state, place));
    if (!reporter) return std::nullopt;

    for (Item& item : items_) {
        if (!item.open) continue;
        const auto accused = member_of(state.election(), *item.open);
        if (!accused || *accused == reporter->member || accuses(desk.mempool, *accused)) continue;
        const std::uint64_t pulses =
            std::min<std::uint64_t>(kReportPulses, state.bookkeeping().params.expiry_pulses_max);
        const auto report = report_of(*reporter, {*accused, *item.open, reporter->delegation},
                                      Pulse(place.pulse.value() + pulses));
        TRY(state.load(report));
        const auto verdict = ledger::check(state, place, report, ledger::PulseLimit::ignore);
        if (!verdict) {
            if (is_final(verdict.error().code)) item.open.reset();
            continue;
        }
        if (reporter->delegation && !is_its_turn(item, place.pulse)) continue;
        item.is_told = reporter->delegation.has_value();
        log_.info("evidence_reported", "id={} accused_seat={}", item.id.hex(), item.name.seat);
        return report;
    }
    return std::nullopt;
}

void EvidenceKeeper::check_invariants() const {
    CHECK(items_.size() <= kRecordsMax);
    for (const Item& item : items_) CHECK(item.index < next_index_);
}

}  // namespace leither::node
