// The command line and the daemon's wallet: where keys are sealed and no passphrase is given, an
// unlocked daemon that holds the same wallet does what is asked (docs/cli.md, leither wallet).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "app/session.h"

namespace leither::app {

// Whether to ask it: the session's keys are sealed, no passphrase comes from a descriptor or file,
// and the daemon holds this very directory, unlocked.
bool daemon_signs(Session& session);

}  // namespace leither::app
