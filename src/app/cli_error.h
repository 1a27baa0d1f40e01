// Why a command did not do what it was asked, for people and for programs.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace leither::app {

// Exit codes of leither (docs/cli.md). Scripts rely on them: never change these.
enum class CliExit : int {
    ok = 0,
    refused = 1,      // the ledger said no, or what was checked does not hold
    usage = 2,        // the command line is wrong
    unreachable = 3,  // no daemon, or it does not accept us
    local = 4,        // a key, file or directory of ours
    undecided = 5,    // still pending when waiting ended
};

class CliError : public std::runtime_error {
 public:
    // `name` is stable and grep-able; `message` says the cause, `next_step` what to do.
    CliError(CliExit exit, std::string name, const std::string& message, std::string next_step = {})
        : std::runtime_error(message),
          exit_(exit),
          name_(std::move(name)),
          next_step_(std::move(next_step)) {}

    CliExit exit() const { return exit_; }
    const std::string& name() const { return name_; }
    const std::string& next_step() const { return next_step_; }

 private:
    CliExit exit_;
    std::string name_;
    std::string next_step_;
};

}  // namespace leither::app
