// The command line. One file a command group in commands/.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/version.h"
#include "leither/crypto/sign.h"

#include "app/commands/commands.h"
#include "app/csv.h"
#include "app/offline.h"
#include "app/unsigned_options.h"

namespace {

using namespace leither;
using app::CliExit;
using nlohmann::json;

constexpr const char* kFooter =
    "A first session, beside a running leitherd:\n"
    "  leither org create\n"
    "  leither invite\n"
    "  leither org applications\n"
    "Who has been invited, on a machine of their own:\n"
    "  leither org join leither:invite:qpzr... --from bea\n"
    "Exit codes: 0 ok, 1 refused or does not hold, 2 usage, 3 no daemon, 4 a key or file of ours,\n"
    "5 undecided (docs/cli.md). Each command has --help with examples.";

void declare(CLI::App& cli, app::GlobalOptions& options) {
    cli.set_version_flag("--version", std::string(kVersion));
    cli.fallthrough();  // global options may stand behind the command too
    cli.require_subcommand(1);
    cli.add_option("--data-dir", options.data_dir, "Data directory of the daemon")
        ->type_name("DIR");
    cli.add_option("--org", options.org,
                   "Which of the daemon's organizations, by its name there (leither org list)")
        ->type_name("NAME")
        ->envname("LEITHER_ORG");
    cli.add_option("--rpc", options.rpc_url, "URL of the daemon instead")->type_name("URL");
    cli.add_option("--cookie", options.cookie_file, "Its cookie file")->type_name("FILE");
    cli.add_option("--wallet", options.wallet_dir, "Directory of keys; default: DATA-DIR/wallet")
        ->type_name("DIR");
    cli.add_option("--passphrase-fd", options.passphrase_fd,
                   "Read the wallet's passphrase from this file descriptor")
        ->type_name("N")
        ->check(CLI::Range(0, 1'023));
    cli.add_flag("--json", options.json, "Answer in JSON");
}

std::string first_example(const CLI::App& command) {
    const std::string footer = command.get_footer();
    const auto begin = footer.find("leither ");
    return begin == std::string::npos ? "" : footer.substr(begin, footer.find('\n', begin) - begin);
}

// A group shows an example of each of its commands, unless it says something of its own.
void show_examples(CLI::App& cli) {
    for (CLI::App* group : cli.get_subcommands({})) {
        if (!group->get_footer().empty()) continue;
        std::string examples;
        for (const CLI::App* command : group->get_subcommands({})) {
            const std::string example = first_example(*command);
            if (!example.empty()) examples += "\n  " + example;
        }
        group->footer("Examples:" + examples);
    }
    cli.footer(kFooter);
}

// What went wrong, for people on standard error or for programs on standard output.
struct Complaint {
    CliExit exit = CliExit::ok;
    std::string name;
    std::string message;
    std::string next_step;
    json numbers = json::object();
};

int complain(const app::GlobalOptions& options, const Complaint& complaint) {
    if (options.json) {
        json error = {{"name", complaint.name}, {"message", complaint.message}};
        if (!complaint.next_step.empty()) error["next_step"] = complaint.next_step;
        error.update(complaint.numbers);
        fmt::print("{}\n",
                   json{{"error", error}}.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        fmt::print(stderr, "leither: {}: {}\n", complaint.name, complaint.message);
        if (!complaint.next_step.empty()) fmt::print(stderr, "{}\n", complaint.next_step);
        fmt::print(stderr, "{}", app::place_reminder(options, complaint.next_step));
    }
    return static_cast<int>(complaint.exit);
}

// Refusals whose numbers are amounts: the daemon names them in smallest units.
constexpr std::string_view kAmountRefusals[] = {"insufficient_balance", "balance_not_zero",
                                                "locks_remain",         "treasury_insufficient",
                                                "daily_reward_limit",   "cover_unavailable"};

std::string in_unit(app::Session& session, const app::RpcError::Details& details) {
    const auto actual = Amount::from(details.actual);
    const auto limit = Amount::from(details.limit);
    if (std::ranges::count(kAmountRefusals, details.name) == 0 || !actual || !limit) return "";
    return fmt::format("That is {} against {}.", session.format(*actual), session.format(*limit));
}

Complaint complaint_of(app::Session& session, const app::RpcError::Details& details) {
    constexpr int kInvalidParams = -32602;
    const bool is_usage = details.code == kInvalidParams;
    const std::string unnamed =
        is_usage ? "bad_argument" : fmt::format("rpc_error_{}", details.code);
    Complaint complaint{is_usage ? CliExit::usage : CliExit::refused,
                        details.name.empty() ? unnamed : details.name, details.message, "",
                        json::object()};
    if (details.code == 1) {
        complaint.numbers = {{"actual", details.actual}, {"limit", details.limit}};
        complaint.next_step = in_unit(session, details);
    }
    if (details.name == "vote_needed") {
        complaint.next_step =
            "Propose it with: leither vote propose structural|operation MEMBER AMOUNT --reason "
            "TEXT";
    }
    if (details.name == "too_few_supervisors") {
        complaint.next_step =
            "Collect their signatures: --cosigner KEY for keys of this wallet, --offer for others.";
    }
    if (details.name == "vote_not_open") complaint.next_step = "See: leither vote list";
    if (details.name == "no_organization") {
        constexpr int kOfTheNetwork = 8;
        complaint.next_step = details.code == kOfTheNetwork
                                  ? "Follow one with: leither org follow ORG-ID. Where it was "
                                    "founded, publish it: leither org publish"
                                  : "Found one with: leither org create. Who has joined one waits "
                                    "until members' nodes have given the ledger: see leither org "
                                    "join --status and leither peers";
    }
    return complaint;
}

int run(int argc, char** argv) {
    app::GlobalOptions options;
    app::Session session(options);
    CLI::App cli{"A community's own credit, from the command line.", "leither"};
    declare(cli, options);
    app::add_key_commands(cli, session);
    app::add_contact_commands(cli, session);
    app::add_org_commands(cli, session);
    app::add_invite_commands(cli, session);
    app::add_member_commands(cli, session);
    app::add_cosign_command(cli, session);
    app::add_task_commands(cli, session);
    app::add_payment_commands(cli, session);
    app::add_inbox_commands(cli, session);
    app::add_offline_commands(cli, session);
    app::add_wallet_commands(cli, session);
    app::add_receipt_commands(cli, session);
    app::add_evidence_commands(cli, session);
    app::add_reward_command(cli, session);
    app::add_rewards_command(cli, session);
    app::add_vote_commands(cli, session);
    app::add_pledge_commands(cli, session);
    app::add_committee_command(cli, session);
    app::add_takeover_commands(cli, session);
    app::add_checkpoint_commands(cli, session);
    app::add_node_commands(cli, session);
    app::add_dashboard_command(cli, session);
    app::add_dht_commands(cli, session);
    app::add_message_commands(cli, session);
    app::add_chat_commands(cli, session);
    app::add_app_commands(cli, session);
    app::add_tag_commands(cli, session);
    app::add_contribution_commands(cli, session);
    app::add_backup_commands(cli, session);
    app::add_replay_command(cli, session);
    app::demand_decimal_numbers(cli);
    show_examples(cli);
    try {
        cli.parse(argc, argv);
        app::learn_in_passing(session);
        return static_cast<int>(CliExit::ok);
    } catch (const CLI::ParseError& error) {
        return static_cast<int>(cli.exit(error) == 0 ? CliExit::ok : CliExit::usage);
    } catch (const app::CliError& error) {
        return complain(
            options, {error.exit(), error.name(), error.what(), error.next_step(), json::object()});
    } catch (const app::RpcError& error) {
        return complain(options, complaint_of(session, error.details()));
    } catch (const app::RpcUnreachable& error) {
        return complain(options, {CliExit::unreachable, "unreachable", error.what(),
                                  "See whether it runs, and its log.", json::object()});
    } catch (const app::CsvError& error) {
        return complain(options, {CliExit::local, "bad_file", error.what(),
                                  "Correct the file at that line.", json::object()});
    } catch (const json::exception& error) {
        return complain(options, {CliExit::unreachable, "bad_answer", error.what(),
                                  "Use the versions of leither and leitherd that belong together.",
                                  json::object()});
    } catch (const std::exception& error) {
        return complain(options, {CliExit::local, "failed", error.what(), "", json::object()});
    }
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialise();
    return run(argc, argv);
}
