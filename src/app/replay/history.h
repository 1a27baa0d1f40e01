// A payment history in memory: accounts by index, balances before, transfers in order, and what
// must come of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "leither/base/amount.h"
#include "leither/base/fixed_bytes.h"
#include "leither/protocol/refusal.h"

namespace leither::app {

using AccountIndex = std::uint32_t;

struct HistoryTransfer {
    AccountIndex payer = 0;
    AccountIndex payee = 0;
    Amount amount;
};

struct History {
    std::vector<Id> accounts;      // as the files name them
    std::vector<Amount> balances;  // before the first transfer
    std::vector<HistoryTransfer> transfers;
    // After the last transfer, from expected.csv; nothing if there is none.
    std::optional<std::vector<Amount>> expected;
    Amount total;
};

struct HistorySource {
    std::filesystem::path directory;
    std::filesystem::path balances = "balances.csv";  // relative to `directory`
    std::uint64_t limit = UINT64_MAX;                 // transfers read; fewer ignore expected.csv
};
// Throws CsvError.
History load_history(const HistorySource& source);

// What the rules must make of the transfers, computed without a ledger.
struct Forecast {
    std::vector<std::optional<protocol::Refusal>> refusals;  // one a transfer
    std::vector<Amount> balances;                            // after the last
};
Forecast forecast(const History& history);

// Before which transfers everything earlier must be decided, if payers use different daemons. One
// daemon judges a transfer on top of all before it. Of several, each knows for sure only what is
// decided: there a payer can count on what it held at the last barrier, less what it has paid
// since.
std::vector<bool> barriers(const History& history, const Forecast& forecast);

}  // namespace leither::app
