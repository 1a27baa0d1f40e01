#include "leither/protocol/election.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "rising.h"

namespace leither::protocol {

namespace {

static_assert(kSeatsMax <= 32);  // one bit a seat

// Pulses before a cycle's end, for cycles of this length or more.
constexpr std::uint32_t kFullCycle = 1'800;
constexpr std::uint32_t kRevealFrom = 600;
constexpr std::uint32_t kLast = 60;
static_assert(kFullCycle / 3 == kRevealFrom && kFullCycle / 30 == kLast);

Id system_id(std::string_view tag, const ChainId& chain) {
    return Id::copy_of(crypto::tagged_hash(tag, chain, {}).view().first(Id::kSize));
}

Pulse before(Pulse end, std::uint32_t pulses) {
    return Pulse(end.value() > pulses ? end.value() - pulses : 0);
}

}  // namespace

std::vector<PublicKey> vote_keys(const Seats& seats) {
    std::vector<PublicKey> keys;
    keys.reserve(seats.size());
    for (const Seat& seat : seats) keys.push_back(seat.vote_key);
    return keys;
}

bool ElectionRecord::is_canonical() const {
    return strictly_rising(rewards, &RewardRoot::cycle);
}

Authority authority_over(const ElectionRecord& record, Sequence sequence) {
    // The genesis is its own cycle block.
    const bool by_former = sequence <= record.first_sequence && record.cycle > 0;
    if (by_former) return {record.cycle - 1, record.former};
    return {record.cycle, record.present};
}

bool CandidateTable::is_canonical() const {
    return strictly_rising(rows, &CandidateRow::member);
}

Amount total_pledge(const CandidateTable& table) {
    std::uint64_t total = 0;
    for (const CandidateRow& row : table.rows) {
        // A table from elsewhere may claim anything: what passes every amount counts as the most.
        const std::uint64_t room = Amount::kMax - total;
        total += std::min(room, row.pledge.units());
    }
    return Amount::of(total);
}

Id election_id(const ChainId& chain) {
    return system_id(tags::kElectionId, chain);
}

Id candidates_id(const ChainId& chain) {
    return system_id(tags::kCandidatesId, chain);
}

Id tally_id(const ChainId& chain) {
    return system_id(tags::kTallyId, chain);
}

Windows windows_of(const ElectionRecord& record, std::uint32_t cycle_pulses) {
    const bool is_short = cycle_pulses < kFullCycle;
    return {before(record.end_pulse, is_short ? cycle_pulses / 3 : kRevealFrom),
            before(record.end_pulse, is_short ? cycle_pulses / 30 : kLast)};
}

Pulse cycle_end_after(Pulse pulse, std::uint32_t cycle_pulses) {
    return Pulse((pulse.value() / cycle_pulses + 1) * cycle_pulses);
}

bool Candidacy::is_canonical() const {
    return strictly_rising(history, &CycleWork::cycle);
}

}  // namespace leither::protocol
