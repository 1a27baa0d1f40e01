// What an act is made of beyond act.h, for commands that say more of it than that it is done.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "app/act.h"
#include "app/payment_words.h"

namespace leither::app {

// Reason or proof of a reward. Throws CliError.
protocol::LongText long_text(const std::string& text, const char* what);

// Submits and waits for commitment if asked to: {id, state, sequence?, finality?}. Throws RpcError
// if it is refused, CliError if waiting ends without a decision.
nlohmann::json decide(Session& session, const protocol::Transaction& transaction,
                      const ActOptions& options);
// Submits, and keeps the signer's receipts from now on: {id, state}.
nlohmann::json submit_act(Session& session, const protocol::Transaction& transaction);
// Waits for the decision on what was submitted as {id, ...}, if that is asked for; as `decide`.
nlohmann::json await_decision(Session& session, nlohmann::json submitted, const Id& signer,
                              const ActOptions& options);

}  // namespace leither::app
