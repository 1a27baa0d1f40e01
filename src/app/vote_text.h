// A vote of the members in plain words, out of what the daemon tells of it (docs/rpc.md).
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "app/session.h"

namespace leither::app {

// "vote_pulses becomes 200 pulses (now 60)", "structural reward of 50.00 hour to anna: built it".
std::string subject_text(Session& session, const nlohmann::json& subject);
// "rejected: 1 of 4 members said yes, and at least 2 must (a third)"; of a vote that is open, how
// it stands.
std::string verdict_text(const nlohmann::json& vote);
// What has come of a vote that has passed; empty for others.
std::string effect_text(const nlohmann::json& vote);
// "yes", "no", "not yet", "joined too late", ... for the account that was asked for.
std::string own_text(const nlohmann::json& vote);

}  // namespace leither::app
