#include "app/replay/replay.h"

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/replay/community.h"
#include "app/replay/daemon_process.h"

namespace leither::app {

namespace {

struct ReplayArguments {
    std::string directory;
    std::string generate;
    std::string accounts_from = "balances.csv";
    std::string rate = "max";
    std::uint64_t limit = UINT64_MAX;
    std::uint64_t reconnect_seconds = 30;
    std::uint64_t seed = 1;
    std::size_t receipts = 100;
    bool keep = false;
    bool presign = false;
    std::vector<std::string> daemon_settings;
    std::vector<std::string> also;  // data directories of further daemons
};

[[noreturn]] void refuse_usage(const std::string& message, const std::string& next_step) {
    throw CliError(CliExit::usage, "usage", message, next_step);
}

std::optional<std::uint64_t> rate_of(const std::string& text) {
    if (text == "max") return std::nullopt;
    const auto rate = parse_amount(text, 0);
    if (rate && !rate->is_zero()) return rate->units();
    refuse_usage(fmt::format("\"{}\" is no rate.", text),
                 "Write --rate with transfers a second, or max.");
}

// The history named on the command line; a generated one is written to `scratch` first.
History find_history(const ReplayArguments& arguments, const TemporaryDir& scratch) {
    HistorySource source;
    source.balances = arguments.accounts_from;
    source.limit = arguments.limit;
    source.directory = arguments.directory;
    if (arguments.generate.empty() == arguments.directory.empty()) {
        refuse_usage("Which history?",
                     "Name a directory, or use --generate community:SEED[:ROWS].");
    }
    if (!arguments.generate.empty()) {
        const auto community = parse_community(arguments.generate);
        if (!community) {
            refuse_usage(fmt::format("\"{}\" names no generator.", arguments.generate),
                         "Write --generate community:SEED or community:SEED:ROWS.");
        }
        write_community(*community, scratch.path());
        source.directory = scratch.path();
    }
    return load_history(source);
}

using Links = std::vector<std::unique_ptr<DaemonLink>>;

std::unique_ptr<DaemonLink> link_to(const ReplayArguments& arguments, const GlobalOptions& daemon) {
    return std::make_unique<RpcLink>([daemon] { return find_daemon(daemon); },
                                     std::chrono::seconds(arguments.reconnect_seconds));
}

// A way to each of the daemons, and while that one is away to the others.
Links links_to(const ReplayArguments& arguments, const std::vector<GlobalOptions>& daemons) {
    Links links;
    for (std::size_t home = 0; home < daemons.size(); ++home) {
        if (daemons.size() == 1) {
            links.push_back(link_to(arguments, daemons[home]));
            continue;
        }
        Links row;
        for (std::size_t i = 0; i < daemons.size(); ++i) {
            row.push_back(link_to(arguments, daemons[(home + i) % daemons.size()]));
        }
        links.push_back(std::make_unique<FailoverLink>(
            std::move(row), std::chrono::seconds(arguments.reconnect_seconds)));
    }
    return links;
}

std::vector<GlobalOptions> all_daemons(const ReplayArguments& arguments,
                                       const GlobalOptions& first) {
    std::vector<GlobalOptions> daemons = {first};
    for (const std::string& data_dir : arguments.also) {
        GlobalOptions further;
        further.data_dir = data_dir;
        daemons.push_back(std::move(further));
    }
    if (daemons.size() > protocol::kSeatsMax) {
        refuse_usage("Too many daemons.",
                     fmt::format("There can be at most {} together.", protocol::kSeatsMax));
    }
    return daemons;
}

ReplaySummary replay_through(const ReplayArguments& arguments, const History& history,
                             const GlobalOptions& first) {
    const Links links = links_to(arguments, all_daemons(arguments, first));
    std::vector<DaemonLink*> daemons;
    for (const auto& link : links) daemons.push_back(link.get());
    ReplayOptions options;
    options.seed = arguments.seed;
    options.rate = rate_of(arguments.rate);
    options.sign = arguments.presign ? SignWhen::before_the_clock_starts : SignWhen::as_needed;
    options.receipts = arguments.receipts;
    return Replay(options, history, std::move(daemons)).run();
}

ReplaySummary replay_with_own_daemon(const ReplayArguments& arguments, const History& history) {
    const TemporaryDir dir(arguments.keep ? KeepData::yes : KeepData::no);
    const DaemonProcess daemon(dir.path(), arguments.daemon_settings);
    GlobalOptions options;
    options.data_dir = dir.path().string();
    if (arguments.keep) fmt::print(stderr, "Data directory: {}\n", dir.path().string());
    return replay_through(arguments, history, options);
}

void replay(Session& session, const ReplayArguments& arguments) {
    const TemporaryDir scratch(KeepData::no);
    const History history = find_history(arguments, scratch);
    const GlobalOptions& options = session.options();
    const bool own_daemon = options.data_dir.empty() && options.rpc_url.empty();
    if (own_daemon && !arguments.also.empty()) {
        refuse_usage("--also names further daemons, but which is the first?",
                     "Name its data directory with --data-dir.");
    }
    const ReplaySummary summary = own_daemon ? replay_with_own_daemon(arguments, history)
                                             : replay_through(arguments, history, options);
    session.print(to_json(summary), to_text(summary));
    if (summary.mismatches == 0) return;
    throw CliError(CliExit::refused, "mismatch",
                   fmt::format("{} things are not as expected.", summary.mismatches),
                   "Keep the data directory (--keep) and look at the mismatches above.");
}

}  // namespace

void add_replay_command(CLI::App& cli, Session& session) {
    const auto arguments = std::make_shared<ReplayArguments>();
    auto* command =
        cli.add_subcommand("replay", "Run a payment history through a daemon and check everything");
    command->add_option("DIR", arguments->directory,
                        "Directory with balances.csv, transfers.csv and perhaps expected.csv");
    command
        ->add_option("--generate", arguments->generate,
                     "Make a history: community:SEED or community:SEED:ROWS")
        ->type_name("SPEC");
    command->add_option("--accounts-from", arguments->accounts_from, "Balances file within DIR")
        ->type_name("FILE")
        ->capture_default_str();
    command->add_option("--rate", arguments->rate, "Transfers a second, or max")
        ->capture_default_str();
    command->add_option("--limit", arguments->limit, "Only the first so many transfers");
    command->add_option("--receipts", arguments->receipts, "Receipts to verify")
        ->capture_default_str();
    command->add_option("--seed", arguments->seed, "Seed of all keys")->capture_default_str();
    command
        ->add_option("--reconnect", arguments->reconnect_seconds,
                     "Seconds to wait for a daemon that went away")
        ->check(CLI::Range(0u, 86'400u))
        ->capture_default_str();
    command->add_flag("--presign", arguments->presign,
                      "Sign everything before the clock starts (for benchmarks)");
    command->add_flag("--keep", arguments->keep, "Keep the own daemon's data directory");
    command->add_option("--daemon-set", arguments->daemon_settings, "--set for the own daemon")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        ->add_option(
            "--also", arguments->also,
            "Data directory of a further daemon that keeps the ledger too; may be repeated")
        ->type_name("DATA-DIR")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->footer(
        "Without --data-dir or --rpc it starts a daemon of its own and removes it afterwards.\n"
        "Examples:\n"
        "  leither replay ../shared/data/transfers/g1_libre_currency\n"
        "  leither replay --generate community:7:5000 --rate 200\n"
        "  leither replay history --data-dir ~/empty --limit 1000 --json");
    command->callback([&session, arguments] { replay(session, *arguments); });
}

}  // namespace leither::app
