// Where a payment stands and whether it can be relied on, in plain words: the state, the reason for
// it and the next step.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace leither::app {

// Of a finality as the daemon answers it: who has checked the block, and what is missing.
std::string finality_text(const nlohmann::json& finality);
// Of an answer of transaction.status, or of transaction.submit: "is pending: ...", "is secured in
// sequence 7: ...". What was refused or has expired comes with the refusal.
std::string state_text(const nlohmann::json& status);
// The same of a decided state without its subject: "settled at 2026-01-31 12:00:00 UTC unless ...".
std::string standing_text(const nlohmann::json& status);

}  // namespace leither::app
