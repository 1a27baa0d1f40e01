// The daemon's life: open what is on disk, serve until told to stop. Owns nothing below; every part
// is constructed here, top-down, and handed to those that use it.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "app/config_file.h"

namespace leither::app {

// Exit codes of leitherd (docs/operations.md). Service files rely on them: never change these.
enum class DaemonExit : int {
    stopped = 0,      // as asked
    bad_config = 2,   // configuration or command line
    locked = 3,       // another daemon uses the data directory
    environment = 4,  // directory, disk or port: may work later
    damaged = 5,      // the ledger needs the operator: starting again will not help
};

class DaemonFailure : public std::runtime_error {
 public:
    DaemonFailure(DaemonExit exit, const std::string& message)
        : std::runtime_error(message), exit_(exit) {}
    DaemonExit exit() const { return exit_; }

 private:
    DaemonExit exit_;
};

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

// How memory.max is divided.
struct MemoryShares {
    ByteSize tree_cache;
    ByteSize page_cache;
    ByteSize write_buffer;  // the store may fill two
    ByteSize block_cache;
    ByteSize mempool;
};
MemoryShares share_memory(ByteSize memory_max);

}  // namespace leither::app
