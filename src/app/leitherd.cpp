// The daemon's command line. What it does lies in daemon.h.
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "leither/base/version.h"
#include "leither/crypto/sign.h"

#include "app/daemon.h"

namespace {

using namespace leither;
using app::DaemonExit;

struct Arguments {
    app::ConfigOrigin origin;
    std::string data_dir;
    bool check_config = false;
    bool print_config = false;
    bool verify = false;
    bool repair = false;
};

constexpr const char* kFooter =
    "Examples:\n"
    "  leitherd --data-dir ~/credit\n"
    "  leitherd --config /etc/leither/leitherd.json --set log.level=debug\n"
    "  leitherd --config leitherd.json --print-config\n"
    "Signals: SIGTERM and SIGINT stop, SIGHUP reads the configuration again.\n"
    "Exit codes: 0 stopped as asked, 2 configuration, 3 directory in use, 4 directory, disk or\n"
    "port, 5 damaged ledger (docs/operations.md).";

void declare(CLI::App& cli, Arguments& arguments) {
    cli.set_version_flag("--version", std::string(kVersion));
    cli.footer(kFooter);
    cli.add_option("--config", arguments.origin.file, "Configuration file: JSON with comments")
        ->type_name("FILE");
    cli.add_option("--data-dir", arguments.data_dir, "As --set data_dir=DIR")->type_name("DIR");
    cli.add_option("--set", arguments.origin.overrides, "Override a key; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    cli.add_flag("--check-config", arguments.check_config, "Check the configuration and exit");
    cli.add_flag("--print-config", arguments.print_config,
                 "Print every value with its source and exit");
    cli.add_flag("--verify", arguments.verify,
                 "Re-execute the stored ledger from its genesis, compare every root and exit");
    cli.add_flag("--repair", arguments.repair,
                 "Rebuild a damaged ledger from its intact blocks and exit");
}

int exit_code(DaemonExit exit) {
    return static_cast<int>(exit);
}

int run(const Arguments& arguments) {
    const auto loaded = app::load_config_file(arguments.origin.file, arguments.origin.overrides);
    if (!loaded) {
        for (const auto& fault : loaded.error()) fmt::print(stderr, "leitherd: {}\n", fault);
        return exit_code(DaemonExit::bad_config);
    }
    if (arguments.print_config) fmt::print("{}", app::describe(*loaded));
    if (arguments.check_config) fmt::print("The configuration is in order.\n");
    if (arguments.print_config || arguments.check_config) return exit_code(DaemonExit::stopped);
    if (arguments.verify) {
        app::verify_ledger(loaded->config);
    } else if (arguments.repair) {
        app::repair(loaded->config);
    } else {
        app::run_daemon(*loaded, arguments.origin);
    }
    return exit_code(DaemonExit::stopped);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a client that hangs up is an error code, not our end
    crypto::initialise();

    CLI::App cli{"Keeps an organization's ledger on this machine.", "leitherd"};
    Arguments arguments;
    declare(cli, arguments);
    try {
        cli.parse(argc, argv);
        if (!arguments.data_dir.empty()) {
            arguments.origin.overrides.push_back("data_dir=" + arguments.data_dir);
        }
        return run(arguments);
    } catch (const CLI::ParseError& error) {
        return cli.exit(error) == 0 ? exit_code(DaemonExit::stopped)
                                    : exit_code(DaemonExit::bad_config);
    } catch (const app::DaemonFailure& failure) {
        fmt::print(stderr, "leitherd: {}\n", failure.what());
        return exit_code(failure.exit());
    } catch (const std::exception& error) {
        fmt::print(stderr, "leitherd: {}\n", error.what());
        return exit_code(DaemonExit::environment);
    }
}
