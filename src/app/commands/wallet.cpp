// The wallet that the daemon holds: its passphrase, and what it pays by itself.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/passphrase.h"
#include "app/text_table.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct RuleOptions {
    std::string from;
    std::string amount_max;
    std::string per_day;
};

// ---- unlock, lock, status ----------------------------------------------------------------------

std::string locks_text(const json& status) {
    if (status.at("encrypted") != true) return "plain files, readable by whoever reads them";
    if (status.at("locked") == true) return "sealed; unlock them with: leither wallet unlock";
    const json& left = status.at("locks_in_s");
    return left.is_null() ? "sealed, unlocked until the daemon stops"
                          : fmt::format("sealed, unlocked for {} more seconds", left.dump());
}

void show_status(Session& session) {
    const json status = session.call("wallet.status", json::object());
    if (status.at("enabled") != true) {
        return session.print(status,
                             "The daemon holds no wallet (wallet.enabled is false): only leither "
                             "signs, with keys that lie elsewhere.\n");
    }
    TextTable table({{"NAME"}, {"ACCOUNT"}, {"ROLE"}, {"BALANCE", Align::right}});
    for (const json& account : status.at("accounts")) {
        const bool is_member = account.at("member") == true;
        table.add({account.at("name").get<std::string>(), account.at("account").get<std::string>(),
                   is_member ? account.at("role").get<std::string>() : "no member",
                   is_member ? session.format_units(account.at("balance")) : ""});
    }
    session.print(status, format_fields({{"directory", status.at("directory").get<std::string>()},
                                         {"keys", locks_text(status)}}) +
                              (table.empty() ? "" : "\n" + table.text()));
}

void unlock(Session& session) {
    const auto passphrase =
        read_passphrase(session.options().passphrase_fd, AskFor::the_passphrase);
    if (!passphrase) {
        throw CliError(CliExit::local, "no_passphrase", "There is nowhere to ask for a passphrase.",
                       "Run this on a terminal, or give it by --passphrase-fd or "
                       "LEITHER_PASSPHRASE_FILE.");
    }
    session.call("wallet.unlock", {{"passphrase", passphrase->view()}});
    const json status = session.call("wallet.status", json::object());
    session.print(status, fmt::format("The daemon's keys are {}.\n", locks_text(status)));
}

void lock(Session& session) {
    const json done = session.call("wallet.lock", json::object());
    session.print(done, "The daemon can use sealed keys no more.\n");
}

// ---- policy ------------------------------------------------------------------------------------

void show_policy(Session& session) {
    const json policy = WalletDesk(session).policy();
    TextTable table({{"FROM"}, {"AT MOST", Align::right}, {"IN 24 HOURS", Align::right}});
    for (const json& rule : policy.at("rules")) {
        const auto from = Id::parse(rule.at("from").get<std::string>()).value();
        table.add({session.display(from), session.format_units(rule.at("amount_max")),
                   session.format_units(rule.at("per_day"))});
    }
    session.print(policy, table.empty() ? "Nothing is paid without being asked.\n" : table.text());
}

json other_rules(WalletDesk& desk, const Id& from) {
    json rules = json::array();
    for (const json& rule : desk.policy().at("rules")) {
        if (rule.at("from") != from.hex()) rules.push_back(rule);
    }
    return rules;
}

// A daemon that holds this wallet looks at what waits once it is asked anything about it.
void wake_daemon(Session& session) {
    try {
        session.call("wallet.policy", json::object());
    } catch (const RpcError&) {
        return;  // it holds none
    }
}

void set_rule(Session& session, const RuleOptions& options) {
    WalletDesk desk(session);
    const Id from = session.account(options.from);
    const Amount amount_max = session.amount(options.amount_max);
    const Amount per_day = options.per_day.empty() ? amount_max : session.amount(options.per_day);
    json rules = other_rules(desk, from);
    rules.push_back({{"from", from.hex()},
                     {"amount_max", std::to_string(amount_max.units())},
                     {"per_day", std::to_string(per_day.units())}});
    const json done = desk.set_policy(rules);
    wake_daemon(session);
    session.print(
        done,
        fmt::format("Requests of {} are paid by themselves: at most {} each, {} in 24 "
                    "hours, while the daemon holds this wallet unlocked.\n",
                    session.display(from), session.format(amount_max), session.format(per_day)));
}

void remove_rule(Session& session, const RuleOptions& options) {
    WalletDesk desk(session);
    const Id from = session.account(options.from);
    const json rules = other_rules(desk, from);
    if (rules.size() == desk.policy().at("rules").size()) {
        throw CliError(CliExit::refused, "not_found",
                       fmt::format("There is no rule about {}.", session.display(from)),
                       "See them with: leither wallet policy show");
    }
    const json done = desk.set_policy(rules);
    session.print(done, fmt::format("Requests of {} wait for your word from now on.\n",
                                    session.display(from)));
}

void add_policy_commands(CLI::App& group, Session& session) {
    auto* policy = group.add_subcommand("policy", "What is paid without being asked");
    policy->require_subcommand(1);
    const auto options = std::make_shared<RuleOptions>();

    auto* show = policy->add_subcommand("show", "The rules");
    show->footer("Example: leither wallet policy show");
    show->callback([&session] { show_policy(session); });

    auto* set = policy->add_subcommand("set", "Pay requests of one payee up to an amount");
    set->add_option("FROM", options->from, "The payee's account, or a key of this wallet")
        ->required();
    set->add_option("AMOUNT", options->amount_max, "The most that one request may ask")->required();
    set->add_option("--per-day", options->per_day,
                    "The most in 24 hours; default: as much as one request");
    set->footer("Example: leither wallet policy set bea 5 --per-day 20");
    set->callback([&session, options] { set_rule(session, *options); });

    auto* remove = policy->add_subcommand("remove", "Ask again before paying that payee");
    remove->add_option("FROM", options->from, "The payee's account, or a key of this wallet")
        ->required();
    remove->footer("Example: leither wallet policy remove bea");
    remove->callback([&session, options] { remove_rule(session, *options); });
}

}  // namespace

void add_wallet_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("wallet", "The wallet that the daemon holds");
    group->require_subcommand(1);

    auto* status = group->add_subcommand("status", "Its keys and accounts, locked or not");
    status->footer("Example: leither wallet status --json");
    status->callback([&session] { show_status(session); });

    auto* open = group->add_subcommand("unlock", "Let the daemon use sealed keys for a while");
    open->footer(
        "Examples:\n"
        "  leither wallet unlock\n"
        "  leither --passphrase-fd 3 wallet unlock 3< passphrase.txt");
    open->callback([&session] { unlock(session); });

    auto* close = group->add_subcommand("lock", "Let it use them no more");
    close->footer("Example: leither wallet lock");
    close->callback([&session] { lock(session); });

    add_policy_commands(*group, session);
}

}  // namespace leither::app
