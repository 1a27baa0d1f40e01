// Receipts as files that people can read and programs can prove: JSON with the proven facts spelled
// out beside the proof. Reading one needs no daemon and no wallet.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "leither/base/result.h"
#include "leither/ledger/receipt.h"

namespace leither::app {

// The longest file that is read: the longest chain of the largest committees fits.
inline constexpr std::size_t kReceiptBytesMax = 4 << 20;

using AnyReceipt = std::variant<ledger::Receipt, ledger::ChildReceipt, ledger::EndorsedReceipt>;

// The file's text. Throws CliError if the receipt does not hold: none such is ever written.
std::string receipt_to_text(const AnyReceipt& receipt);

struct ProvenFile {
    std::string facts_json;  // the readable fields, as proven
    std::string words;       // what is proven, for people, and what the file shows beside
};
// Checks form, proof and every readable field. `organization`: the one expected, nothing to accept
// the receipt's own. Throws CliError with the first thing that does not hold.
ProvenFile verify_receipt_text(const std::string& text, std::optional<Id> organization);

}  // namespace leither::app
