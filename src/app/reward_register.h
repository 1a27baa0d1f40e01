// What the organization has rewarded, out of what the daemon tells of its ledger.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "app/session.h"

namespace leither::app {

// Items of account.history, newest first, as far back as the daemon remembers: the treasury's
// account is public, and what it was to give stands in its history, with reason, evidence, and who
// recommended it. Mining rewards, which follow from a rule, are not among them.
nlohmann::json rewards_given(Session& session);

}  // namespace leither::app
