// Evidence as files that people can read and programs can judge: JSON with the proven facts spelled
// out beside the proof, like a receipt. Judging one needs no daemon and no wallet.
#pragma once

#include <optional>
#include <string>

#include "leither/ledger/evidence_record.h"

namespace leither::app {

// Hexadecimal digits of the largest record, and the readable fields.
inline constexpr std::size_t kEvidenceTextMax = 2 * ledger::kEvidenceBytesMax + (64 << 10);

// The file's text. Throws CliError if the record does not hold: none such is ever written.
std::string evidence_to_text(const ledger::EvidenceRecord& record);

struct JudgedFile {
    ledger::Judgement judgement;
    std::string facts_json;  // the readable fields, as proven
    std::string words;       // who did what, and what it costs, for people
};
// Checks form, proof and every readable field. `organization`: the one expected, nothing to accept
// the record's own. Throws CliError with the first thing that does not hold.
JudgedFile judge_evidence_text(const std::string& text, std::optional<Id> organization);

}  // namespace leither::app
