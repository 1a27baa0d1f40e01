// Methods of the wallet that the daemon holds which do what a command does (commands/acts.h), for
// its pages: the same code, told by the parameters of docs/rpc.md. What the ledger is asked for is
// submitted, not waited for, except where work is accepted.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "app/session.h"

namespace leither::app {

// Answers what the command prints with --json. Throws CliError, RpcError.
using WalletAct = nlohmann::json (*)(Session& session, const nlohmann::json& params);
// Null if no such method does what a command does.
WalletAct find_wallet_act(std::string_view method);

}  // namespace leither::app
