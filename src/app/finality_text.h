// Whether a payment can be relied on, in plain words with the next step.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace leither::app {

// Of a finality as the daemon answers it: "final: ...", or "not final: ..." and what to do.
std::string finality_text(const nlohmann::json& finality);

}  // namespace leither::app
