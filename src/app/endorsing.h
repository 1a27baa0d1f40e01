// Endorsed receipts for the wallet's owner: signed for here, gathered by the daemon.
#pragma once

#include <string>

#include "leither/ledger/receipt.h"

#include "app/session.h"

namespace leither::app {

// Of the newest state. Begins again when the term ends meanwhile. `account`: a key of the wallet,
// by name or id. Throws CliError, RpcError.
ledger::EndorsedReceipt endorse(Session& session, const std::string& account);

}  // namespace leither::app
