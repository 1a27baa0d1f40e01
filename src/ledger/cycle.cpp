#include "leither/ledger/cycle.h"

#include <algorithm>

#include "leither/crypto/hash.h"
#include "leither/election/cycle_chain.h"
#include "leither/election/draw.h"
#include "leither/election/work.h"
#include "leither/ledger/rules.h"
#include "leither/protocol/domain_tags.h"

#include "rules/leaf.h"

namespace leither::ledger {

namespace {

using protocol::CandidateRow;
using protocol::CandidateTable;
using protocol::Committee;
using protocol::ElectionRecord;
using protocol::MemberRecord;
using protocol::Seat;
using protocol::Seats;
using protocol::TallyRecord;
using store::Fault;

constexpr std::uint64_t kSlackPulsesMin = 3;

// Who has revealed in the cycle that ends, with what competes.
struct Field {
    std::vector<election::Contender> contenders;
    std::vector<Seat> seats;
    std::vector<Hash> links;
};

const CandidateRow* row_of(const CandidateTable& table, const Id& member) {
    const auto at = std::ranges::lower_bound(table.rows, member, {}, &CandidateRow::member);
    return at != table.rows.end() && at->member == member ? &*at : nullptr;
}

Result<void, Fault> load_candidates(State& state) {
    TRY(state.load(state.organization().candidates));
    const CandidateTable table = state.candidates();
    for (const CandidateRow& row : table.rows) TRY(state.load(row.member));
    // A seat may be of somebody who stands no more.
    const Seats seats = state.election().present;
    for (const Seat& seat : seats) TRY(state.load(seat.member));
    return {};
}

Field field_of(const State& state) {
    const std::uint64_t cycle = state.election().cycle;
    Field field;
    for (const CandidateRow& row : state.candidates().rows) {
        const protocol::Candidacy& candidacy = *state.member(row.member)->candidacy;
        if (!candidacy.revealed || candidacy.revealed->cycle != cycle) continue;
        field.contenders.push_back(
            {row.member, election::weight_of(row.pledge, candidacy.history, cycle + 1)});
        field.seats.push_back({row.member, row.node_key, candidacy.revealed->vote_key});
        field.links.push_back(candidacy.last_link);
    }
    return field;
}

// Everybody up to the number of seats, and as many spares.
Committee elect(const Field& field, const election::Lottery& lottery, std::size_t least) {
    Committee committee;
    if (field.contenders.size() < least) return committee;
    for (const std::size_t drawn :
         election::draw(lottery, field.contenders, 2 * protocol::kSeatsMax)) {
        Seats& to = committee.seats.full() ? committee.spares : committee.seats;
        to.push_back(field.seats[drawn]);
    }
    return committee;
}

// The next committee as it takes office: whoever is not there is replaced by the first spare that
// is. Nobody if too few are left.
Seats in_office(const ElectionRecord& record, const CandidateTable& table, std::size_t least) {
    const auto is_there = [&](const Seat& seat, std::size_t bit) {
        const CandidateRow* row = row_of(table, seat.member);
        return (record.ready >> bit & 1) != 0 && row != nullptr && row->node_key == seat.node_key;
    };
    std::vector<Seat> spares;
    for (std::size_t i = 0; i < record.next.spares.size(); ++i) {
        if (is_there(record.next.spares[i], 32 + i)) spares.push_back(record.next.spares[i]);
    }
    auto spare = spares.begin();
    Seats seats;
    for (std::size_t i = 0; i < record.next.seats.size(); ++i) {
        if (is_there(record.next.seats[i], i)) {
            seats.push_back(record.next.seats[i]);
        } else if (spare != spares.end()) {
            seats.push_back(*spare++);
        }
    }
    return seats.size() < least ? Seats{} : seats;
}

// Each seat's work goes into its member's leaf, as long as the same node stands for it.
void record_work(State& state, const TallyRecord& tally, const Hash& cause) {
    if (tally.blocks == 0) return;
    const Seats seats = state.election().present;
    for (std::size_t i = 0; i < seats.size(); ++i) {
        const MemberRecord* member = state.member(seats[i].member);
        if (member == nullptr || !member->candidacy ||
            member->candidacy->node_key != seats[i].node_key) {
            continue;
        }
        const auto work = election::work_of(tally, state.election().cycle, i);
        election::remember(rules::touch(state, seats[i].member, cause).candidacy->history, work);
    }
}

void commit_rewards(State& state, const TallyRecord& tally) {
    const std::uint32_t total = state.bookkeeping().params.mining_reward_per_cycle;
    ElectionRecord& record = state.election_for_change();
    std::erase_if(record.rewards, [&record](const protocol::RewardRoot& root) {
        return root.cycle + protocol::kRewardRootsMax <= record.cycle;
    });
    if (total == 0 || tally.blocks == 0) return;
    const auto lines = election::reward_lines(record.present, tally, total);
    const Hash root = election::reward_root(state.organization().chain, record.cycle, lines);
    record.rewards.push_back({record.cycle, root, 0});
}

void bring_changes_into_force(State& state, std::uint64_t cycle) {
    const auto& waiting = state.bookkeeping().changes;
    if (waiting.empty() || waiting.front().cycle > cycle) return;
    auto& book = state.bookkeeping_for_change();
    while (!book.changes.empty() && book.changes.front().cycle <= cycle) {
        const protocol::ParamChange& change = book.changes.front().change;
        book.params.*protocol::kParamTable[change.param].member = change.value;
        book.changes.erase(book.changes.begin());
    }
}

// What all beginnings of a term have in common. Nobody among `seats`: whoever is in office goes on.
ElectionRecord& begin_term(State& state, const Place& place, const Seats& seats,
                           Committee elected) {
    state.tally_for_change() = {};
    ElectionRecord& record = state.election_for_change();
    record.former = record.present;
    if (!seats.empty()) record.present = seats;
    record.next = std::exchange(record.after_next, std::move(elected));
    record.ready = 0;
    ++record.cycle;
    record.first_pulse = place.pulse;
    bring_changes_into_force(state, record.cycle);
    record.end_pulse =
        protocol::cycle_end_after(place.pulse, state.bookkeeping().params.cycle_pulses);
    return record;
}

}  // namespace

protocol::Authority next_authority(const State& state) {
    return {state.election().cycle, state.election().present};
}

Result<Result<void, protocol::CertificateError>, Fault> verify_head(
    const Organization& organization, tree::Tree& tree, const protocol::BlockHeader& header,
    const protocol::Certificate& certificate) {
    using Verdict = Result<void, protocol::CertificateError>;
    if (header.sequence == Sequence(0) && certificate.signatures.empty()) return Verdict();
    State state(organization, tree);
    TRY(state.load_system());
    const auto authority = authority_over(state.election(), header.sequence);
    if (certificate.slot.cycle != authority.cycle) {
        return Verdict(fail(protocol::CertificateError::wrong_block));
    }
    return protocol::verify(certificate, organization.chain, header, vote_keys(authority.seats));
}

bool must_seal(const State& state, Pulse pulse) {
    return next_due(state) <= pulse;
}

NodeActs node_acts(const State& state) {
    const auto [from, last] = windows_of(state.election(), state.bookkeeping().params.cycle_pulses);
    const std::uint64_t window = last.value() - from.value();
    const std::uint64_t slack = std::min(window, std::max(kSlackPulsesMin, window / 10));
    return {Pulse(last.value() - slack), last};
}

std::size_t seats_min(const protocol::Charter& charter) {
    return std::min<std::size_t>(4, charter.bookkeepers.size());
}

ElectionRecord first_election(const protocol::Charter& charter, const ChainId& chain) {
    ElectionRecord record;
    record.end_pulse = protocol::cycle_end_after(Pulse(0), charter.params.cycle_pulses);
    record.seed = crypto::tagged_hash(protocol::tags::kElectionSeed, chain, {});
    record.present = election::trusted_from(charter).seats;
    record.former = record.present;
    return record;
}

TallyRecord tally_after(const State& state, Sequence sequence, std::uint32_t signers) {
    return tally_after(state.election(), state.tally(), sequence, signers);
}

TallyRecord tally_after(const ElectionRecord& record, const TallyRecord& before, Sequence sequence,
                        std::uint32_t signers) {
    TallyRecord tally = before;
    if (sequence <= record.first_sequence.next()) return tally;
    election::count(tally, signers, record.present.size());
    return tally;
}

Result<void, Fault> begin_cycle(State& state, const Place& place, std::uint32_t signers) {
    CHECK(state.election().end_pulse <= place.pulse);
    const Organization& organization = state.organization();
    TRY(load_candidates(state));
    const std::size_t least = seats_min(organization.charter);
    const TallyRecord tally = tally_after(state, place.sequence, signers);

    const Hash cause = crypto::tagged_hash(protocol::tags::kElectionSeed, organization.chain,
                                           state.election().seed.view());
    record_work(state, tally, cause);
    const Field field = field_of(state);
    const Hash seed = election::next_seed(organization.chain, state.election().seed, field.links);
    const std::uint64_t drawn_for = state.election().cycle + protocol::kElectedAhead;
    Committee elected = elect(field, {organization.chain, seed, drawn_for}, least);
    commit_rewards(state, tally);

    const Seats seats = in_office(state.election(), state.candidates(), least);
    ElectionRecord& record = begin_term(state, place, seats, std::move(elected));
    record.first_sequence = place.sequence;
    record.seed = seed;
    return {};
}

void take_over(State& state, const Place& place, Seats seats) {
    CHECK(!seats.empty());
    ElectionRecord& record = begin_term(state, place, seats, {});
    // This very block is theirs already.
    record.first_sequence = Sequence(place.sequence.value() - 1);
}

}  // namespace leither::ledger
