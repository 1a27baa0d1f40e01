#include <algorithm>

#include "leither/ledger/committees.h"
#include "leither/node/queries.h"

#include "node_impl.h"
#include "queries_detail.h"

namespace leither::node {

Answer<OfficeStatus> Queries::office(Instant now) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const ledger::Organization& organization = org.organization();
    OfficeStatus status;
    status.pulse = org.pulse(now);
    status.election = TRY(view.system<protocol::ElectionRecord>(organization.election));
    status.candidates = TRY(view.system<protocol::CandidateTable>(organization.candidates));
    const auto book = TRY(view.system<protocol::BookkeepingRecord>(organization.bookkeeping));
    status.windows = windows_of(status.election, book.params.cycle_pulses);
    const Office& office = org.office();
    if (const auto& standing = office.standing()) {
        const auto& revealed = standing->candidacy.revealed;
        status.candidate = {standing->member, standing->pledge,
                            revealed && revealed->cycle == status.election.cycle};
    }
    const auto& present = status.election.present;
    const auto seat = std::ranges::find_if(
        present, [&office](const protocol::Seat& one) { return office.vote_key(one).has_value(); });
    if (seat != present.end()) status.seat = static_cast<std::size_t>(seat - present.begin());
    status.silence = to_string(org.silence());
    status.vote_keys = to_string(org.vote_keys());
    const protocol::BlockHeader& head = org.head().header;
    if (head.sequence > Sequence(0)) {
        const auto seats = TRY(
            view.read(ledger::certified_by(organization, view.organization->tree(), org.head())));
        if (head.author < seats.size()) {
            status.author = {head.sequence, head.pulse, head.author, seats[head.author]};
        }
    }
    if (const auto due = office.next_duty()) status.due = {to_string(due->duty), due->pulse};
    return status;
}

Answer<TakeoverStatus> Queries::takeover(Instant now) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const auto& organization = org.organization();
    const auto record = TRY(view.system<protocol::ElectionRecord>(organization.election));
    const auto table = TRY(view.system<protocol::CandidateTable>(organization.candidates));
    const protocol::BlockHeader& head = org.head().header;
    TakeoverStatus status;
    status.pulse = org.pulse(now);
    status.last = {record.cycle, head.sequence, protocol::hash_as_parent(organization.chain, head)};
    status.last_pulse = head.pulse;
    status.seats = record.present.size();
    status.candidates = table.rows.size();
    status.pledge = protocol::total_pledge(table);
    status.countersignatures = protocol::countersignatures_needed(table);
    status.hand_over_from = Pulse(head.pulse.value() + protocol::kSilentPulses);
    status.recovery_from = Pulse(record.end_pulse.value() + protocol::kSilentPulses);
    status.next = record.next.seats;
    const auto row =
        std::ranges::find(table.rows, org.office().node_key(), &protocol::CandidateRow::node_key);
    if (row != table.rows.end()) {
        status.row = static_cast<std::uint16_t>(row - table.rows.begin());
    }
    status.has_yielded = org.yielded().has_value();
    if (org.adopted() != nullptr) status.adopted = *org.adopted();
    return status;
}

// A pledge names a chain of the cycle that it falls in, or of the two before (office.cpp).
Answer<Result<protocol::Registration, LedgerBehind>> Queries::registration(const Id& member,
                                                                           Instant now) const {
    const LedgerView view = TRY(LedgerView::of(*node_));
    const OrgInstance& org = *view.organization;
    const auto election = TRY(view.system<protocol::ElectionRecord>(org.organization().election));
    const auto book = TRY(view.system<protocol::BookkeepingRecord>(org.organization().bookkeeping));
    const std::uint64_t end = election.end_pulse.value();
    const std::uint64_t present = org.pulse(now).value();
    const auto progress = node_->catching_up();
    const bool has_missed = progress && progress->is_behind();
    // The block that ends a cycle may take a while, so time alone says it only a cycle later.
    if (present >= end + (has_missed ? 0 : book.params.cycle_pulses)) {
        const Sequence head = org.head().header.sequence;
        LedgerBehind behind{head, present - end, 0};
        if (has_missed) behind.blocks = progress->claimed->value() - head.value();
        return fail(behind);
    }
    return org.office().registration(member, election.cycle);
}

}  // namespace leither::node
