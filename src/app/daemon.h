// The daemon's life: open what is on disk, serve until told to stop. Owns nothing below; every part
// is constructed here, top-down, and handed to those that use it.
#pragma once

#include <string>
#include <vector>

#include "app/config_file.h"
#include "app/daemon_failure.h"

namespace leither::app {

// How the configuration was found, to find it again on SIGHUP.
struct ConfigOrigin {
    std::string file;  // empty: none
    std::vector<std::string> overrides;
};

// Runs until SIGTERM, SIGINT or node.stop. Throws DaemonFailure.
void run_daemon(const LoadedConfig& loaded, const ConfigOrigin& origin);

// Re-executes the stored ledger from genesis and reports to standard output. Throws DaemonFailure,
// also if the ledger does not hold.
void verify_ledger(const Config& config);

// Rebuilds a damaged ledger from what of it is intact and reports to standard output. Throws
// DaemonFailure if nothing can be rebuilt.
void repair(const Config& config);

}  // namespace leither::app
