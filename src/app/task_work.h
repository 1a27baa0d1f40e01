// Work that has been handed in, accepted by whoever holds the supervisor's key: the command line or
// the daemon's wallet.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "app/act.h"

namespace leither::app {

// `text` is a leither:submit: link. Pays, and admits a guest, both or neither: the outcome as
// decide() gives it. Nothing is printed. Throws CliError, RpcError.
nlohmann::json confirm_work(Session& session, const std::string& text, const ActOptions& act);

}  // namespace leither::app
