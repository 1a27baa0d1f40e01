#include "leither/ledger/evidence_record.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::ledger {

namespace {

using election::Trusted;
using protocol::Conflict;
using protocol::Fork;
using protocol::StatementKind;

OffenceKind kind_of(StatementKind kind) {
    switch (kind) {
        case StatementKind::proposal: return OffenceKind::double_proposal;
        case StatementKind::prevote: return OffenceKind::double_prevote;
        case StatementKind::precommit: return OffenceKind::double_precommit;
    }
    UNREACHABLE();
}

struct Name {
    OffenceName operator()(const Conflict& conflict) const {
        const protocol::Slot& slot = conflict.slot;
        return {kind_of(conflict.kind), slot.cycle, slot.height, slot.round, conflict.seat};
    }
    OffenceName operator()(const Fork& fork) const {
        return {OffenceKind::fork, fork.first_certificate.slot.cycle, fork.first.sequence, 0, 0};
    }
};

// The committee of the height behind `before`, and since when it stands.
struct Office {
    Trusted committee;
    std::uint64_t after_time_ms = 0;
};

Result<Office, EvidenceError> office_of(const EvidenceRecord& record, Sequence height,
                                        const std::optional<Trusted>& known) {
    const protocol::Charter& charter = record.charter.charter;
    const election::ChainContext context{protocol::chain_id(charter), charter.supply};
    auto trusted = election::follow(context, known.value_or(election::trusted_from(charter)),
                                    record.committees);
    if (!trusted) return fail(EvidenceError::bad_committees);
    if (height <= Sequence(1)) {
        // The charter's signature stands for the founding: nothing is to be shown.
        if (!record.committees.empty()) return fail(EvidenceError::bad_committees);
        if (record.before || height == Sequence(0)) return fail(EvidenceError::bad_before);
        return Office{*std::move(trusted), charter.time_ms};
    }
    if (!record.before || record.before->header.sequence.next() != height) {
        return fail(EvidenceError::bad_before);
    }
    auto next = election::committee_after(context, *trusted, *record.before);
    if (!next) return fail(EvidenceError::bad_before);
    const std::uint64_t pulse = record.before->header.pulse.value();
    return Office{*std::move(next), charter.time_ms + pulse * charter.params.pulse_ms};
}

// One overload for each kind of offence; fills in who is guilty.
struct Trial {
    const ChainId& chain;
    const Trusted& committee;
    Judgement& judgement;
    using Done = Result<void, EvidenceError>;

    Accused accused(std::uint16_t seat) const { return {seat, committee.seats[seat]}; }
    bool is_here(const protocol::Slot& slot) const {
        return slot.cycle == committee.cycle && slot.branch == Prefix{};
    }

    Done operator()(const Conflict& conflict) const {
        if (!is_here(conflict.slot)) return fail(EvidenceError::wrong_slot);
        if (conflict.seat >= committee.seats.size()) return fail(EvidenceError::unknown_seat);
        if (!is_proven(conflict, chain, committee.seats[conflict.seat].vote_key)) {
            return fail(EvidenceError::not_proven);
        }
        judgement.guilty.push_back(accused(conflict.seat));
        judgement.conflicts.push_back(conflict);
        return {};
    }

    Done operator()(const Fork& fork) const {
        const protocol::Slot& first = fork.first_certificate.slot;
        const protocol::Slot& second = fork.second_certificate.slot;
        if (!is_here(first) || !is_here(second)) return fail(EvidenceError::wrong_slot);
        const std::vector<PublicKey> keys = vote_keys(committee.seats);
        if (!is_proven(fork, chain, keys)) return fail(EvidenceError::not_proven);
        judgement.conflicts = conflicts_in(fork);
        for (const Conflict& conflict : judgement.conflicts) {
            judgement.guilty.push_back(accused(conflict.seat));
        }
        if (first.round == second.round) return {};
        const std::uint32_t both =
            signers_of(fork.first_certificate) & signers_of(fork.second_certificate);
        for (std::uint16_t seat = 0; seat < committee.seats.size(); ++seat) {
            if ((both >> seat & 1) != 0) judgement.answerable.push_back(accused(seat));
        }
        return {};
    }
};

}  // namespace

const char* to_string(OffenceKind kind) {
    switch (kind) {
        case OffenceKind::double_proposal: return "double_proposal";
        case OffenceKind::double_prevote: return "double_prevote";
        case OffenceKind::double_precommit: return "double_precommit";
        case OffenceKind::fork: return "fork";
    }
    UNREACHABLE();
}

OffenceName name_of(const Offence& offence) {
    return std::visit(Name{}, offence);
}

Hash evidence_id(const ChainId& chain, const OffenceName& name) {
    return crypto::tagged_hash(kEvidenceTag, chain, bcs::encode(name));
}

const char* to_string(EvidenceError error) {
    switch (error) {
        case EvidenceError::too_large: return "too_large";
        case EvidenceError::unknown_version: return "unknown_version";
        case EvidenceError::malformed: return "malformed";
        case EvidenceError::wrong_organization: return "wrong_organization";
        case EvidenceError::bad_charter: return "bad_charter";
        case EvidenceError::bad_committees: return "bad_committees";
        case EvidenceError::bad_before: return "bad_before";
        case EvidenceError::wrong_slot: return "wrong_slot";
        case EvidenceError::unknown_seat: return "unknown_seat";
        case EvidenceError::not_proven: return "not_proven";
    }
    UNREACHABLE();
}

Explanation explain(EvidenceError error) {
    constexpr std::string_view kExportAnew =
        "Nobody is convicted by it; ask whoever sent it to export it again.";
    switch (error) {
        case EvidenceError::too_large:
            return {"It is larger than any evidence record may be.", kExportAnew};
        case EvidenceError::unknown_version:
            return {"It is of a later version than this program knows.",
                    "Judge it with the program's newest version."};
        case EvidenceError::malformed:
            return {"Its bytes are no evidence record: damaged, cut off or changed.", kExportAnew};
        case EvidenceError::wrong_organization:
            return {"It is about another organization than the one asked for.",
                    "Compare the organization's id."};
        case EvidenceError::bad_charter:
            return {"The organization's key has not signed its charter.", kExportAnew};
        case EvidenceError::bad_committees:
            return {"The chain of committees from the charter to that height breaks.",
                    "Ask a node that keeps the whole history to export it."};
        case EvidenceError::bad_before:
            return {"It does not prove which committee decided that height.", kExportAnew};
        case EvidenceError::wrong_slot:
            return {"The statements are of another term than that height belongs to.", kExportAnew};
        case EvidenceError::unknown_seat:
            return {"The committee of that height has no such seat.", kExportAnew};
        case EvidenceError::not_proven:
            return {"The signatures do not show two contradictory statements of that committee.",
                    kExportAnew};
    }
    UNREACHABLE();
}

Result<EvidenceRecord, EvidenceError> read_evidence(ByteView bytes) {
    if (bytes.size() > kEvidenceBytesMax) return fail(EvidenceError::too_large);
    if (bytes.empty()) return fail(EvidenceError::malformed);
    if (bytes.front() > EvidenceRecord::kVersion) return fail(EvidenceError::unknown_version);
    auto record = bcs::decode<EvidenceRecord>(bytes);
    if (!record) return fail(EvidenceError::malformed);
    return *std::move(record);
}

Result<Judgement, EvidenceError> judge(const EvidenceRecord& record,
                                       const EvidenceExpectation& expected) {
    if (!record.is_canonical()) return fail(EvidenceError::unknown_version);
    const auto& [charter, signature] = record.charter;
    Judgement judgement;
    judgement.organization = crypto::id_of(charter.organization);
    if (expected.organization && judgement.organization != *expected.organization) {
        return fail(EvidenceError::wrong_organization);
    }
    if (!crypto::verify(charter.organization, signing_message(charter), signature)) {
        return fail(EvidenceError::bad_charter);
    }
    judgement.chain = protocol::chain_id(charter);
    judgement.name = name_of(record.offence);
    const Office office = TRY(office_of(record, judgement.name.height, expected.committee));
    judgement.committee = office.committee.seats.size();
    judgement.after_time_ms = office.after_time_ms;
    TRY(std::visit(Trial{judgement.chain, office.committee, judgement}, record.offence));
    return judgement;
}

bool answers_for(const protocol::Lock& lock, std::uint64_t cycle) {
    return lock.purpose == protocol::LockPurpose::pledge && lock.since < cycle;
}

std::optional<Amount> pledge_at_stake(const protocol::MemberRecord& member, std::uint64_t cycle) {
    const auto lock = std::ranges::find_if(
        member.locks, [cycle](const protocol::Lock& held) { return answers_for(held, cycle); });
    return lock == member.locks.end() ? std::nullopt : std::optional(lock->amount);
}

}  // namespace leither::ledger
