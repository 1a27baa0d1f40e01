// What ends the daemon, or one of its places, with what the operator reads.
#pragma once

#include <stdexcept>
#include <string>

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

}  // namespace leither::app
