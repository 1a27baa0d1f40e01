#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/decision.h"
#include "app/text_table.h"
#include "app/wallet_agent.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct PaymentOptions {
    std::string amount;
    std::string to;
    std::string from;
    std::string payer;
    std::string reference;
    std::string expires = "10m";
    bool who_sees = false;
    ActOptions act;
};
struct AccountOptions {
    std::string account;
    std::optional<std::uint64_t> sequence;
    std::uint64_t limit = 50;
};

WalletDesk::Order order_of(Session& session, const PaymentOptions& options) {
    return {options.to, session.amount(options.amount), options.reference,
            pulses_of(session, options.expires), options.payer};
}

json ask_daemon_for_request(Session& session, const PaymentOptions& options) {
    const auto order = order_of(session, options);
    const std::uint64_t pulse_ms = session.organization().charter.params.pulse_ms;
    json params = {{"account", order.account},
                   {"amount", std::to_string(order.amount.units())},
                   {"expires_s", order.expires_pulses * pulse_ms / 1000}};
    if (!order.reference.empty()) params["reference"] = order.reference;
    if (!order.payer.empty()) params["payer"] = session.account(order.payer).hex();
    return session.call("wallet.request", params);
}

void request(Session& session, const PaymentOptions& options) {
    json made = daemon_signs(session) ? ask_daemon_for_request(session, options)
                                      : WalletDesk(session).request(order_of(session, options));
    const auto text = made.at("text").get<std::string>();
    made["request"] = text;
    session.print(made,
                  made.contains("letter")
                      ? fmt::format("On its way to {}. What becomes of it: leither requests\n{}\n",
                                    session.display(session.account(options.payer)),
                                    made.at("id").get<std::string>())
                      : fmt::format("{}\nHand this to the payer, who runs: leither pay TEXT --from "
                                    "KEY\n",
                                    text));
}

bool is_text(const PaymentOptions& options) {
    return options.to.find("leither:") != std::string::npos;
}

// A request handed over as text. Throws CliError.
wallet::SignedRequest request_in(Session& session, const PaymentOptions& options) {
    const auto token = wallet::find_token(options.to);
    const auto request = token ? wallet::request_from_text(token->text) : std::nullopt;
    if (!request || request->chain != session.organization().chain) {
        throw CliError(
            CliExit::usage, "bad_request",
            request ? "The request is for another organization." : "This is no payment request.",
            "Ask the payee for the text that leither request prints.");
    }
    if (!options.amount.empty() && session.amount(options.amount) != request->request.amount) {
        throw CliError(
            CliExit::usage, "amount_mismatch",
            fmt::format("The request asks for {}.", session.format(request->request.amount)),
            "Leave the amount out, or ask for another request.");
    }
    return *request;
}

// What is to be paid to whom.
struct Sum {
    Id payee;
    Amount amount;
};
Sum sum_of(Session& session, const PaymentOptions& options) {
    if (is_text(options)) {
        const auto request = request_in(session, options).request;
        return {request.payee, request.amount};
    }
    if (options.amount.empty()) {
        throw CliError(CliExit::usage, "missing_amount", "How much shall be paid?",
                       "Write: leither pay KEY AMOUNT --from KEY");
    }
    return {session.account(options.to), session.amount(options.amount)};
}

void show_audience(Session& session, const Sum& sum, const Id& payer) {
    const json audience = WalletDesk(session).who_sees(sum.payee, payer);
    TextTable table({{"WHO"}, {"SEES OF IT"}});
    for (const json& one : audience) {
        table.add({one.at("who").get<std::string>(), one.at("what").get<std::string>()});
    }
    session.print(audience, fmt::format("{} to {}, not paid yet:\n{}", session.format(sum.amount),
                                        session.display(sum.payee), table.text()));
}

json pay_now(Session& session, const PaymentOptions& options) {
    if (!daemon_signs(session)) {
        WalletDesk desk(session);
        return is_text(options) ? desk.pay(options.from, options.to)
                                : desk.pay_own(options.from, order_of(session, options));
    }
    json params = {{"account", options.from}};
    if (is_text(options)) {
        params["text"] = options.to;
    } else {
        params["payee"] = options.to;
        params["amount"] = std::to_string(session.amount(options.amount).units());
        if (!options.reference.empty()) params["reference"] = options.reference;
    }
    return session.call("wallet.pay", params);
}

void pay(Session& session, const PaymentOptions& options) {
    const Sum sum = sum_of(session, options);
    const Id payer = session.account(options.from);
    if (options.who_sees) return show_audience(session, sum, payer);
    const json result = await_decision(session, pay_now(session, options), payer, options.act);
    session.print(result, fmt::format("Paid {} to {}.\n{} {}.\n", session.format(sum.amount),
                                      session.display(sum.payee),
                                      result.at("id").get<std::string>(), state_text(result)));
}

struct TransactionOptions {
    std::string id;
    std::string signer;
};

void show(Session& session, const TransactionOptions& options) {
    json params = {{"id", options.id}};
    if (!options.signer.empty()) params["signer"] = session.account(options.signer).hex();
    const json status = session.call("transaction.status", params);
    const auto state = status.at("state").get<std::string>();
    if (state == "unknown") {
        throw CliError(CliExit::refused, "not_found",
                       fmt::format("This node knows no transaction {}.", options.id),
                       "Name its signer: leither transaction show ID --signer ACCOUNT");
    }
    const std::string text =
        state == "refused" ? "was refused: " + status.at("refusal").at("message").get<std::string>()
                           : state_text(status);
    session.print(status, fmt::format("{} {}\n", options.id, text));
}

std::string history_cell(Session& session, const json& item) {
    const auto amount = item.find("amount");
    if (amount == item.end() || !amount->is_string()) return "";
    const auto direction = item.value("direction", "none");
    const char* sign = direction == "in" ? "+" : direction == "out" ? "-" : "";
    return sign + session.format_units(*amount);
}

void history(Session& session, const AccountOptions& options) {
    json params = {{"account", session.account(options.account).hex()}, {"limit", options.limit}};
    if (options.sequence) params["before"] = *options.sequence;
    const json page = session.call("account.history", params);
    TextTable table({{"SEQUENCE", Align::right},
                     {"TIME"},
                     {"KIND"},
                     {"AMOUNT", Align::right},
                     {"WITH"},
                     {"REFERENCE"}});
    for (const json& item : page.at("items")) {
        const auto with = Id::parse(item.value("counterparty", ""));
        table.add({item.at("sequence").dump(), format_time(item.at("time_ms").get<std::uint64_t>()),
                   item.at("kind").get<std::string>(), history_cell(session, item),
                   with ? session.display(*with) : "", item.value("reference", "")});
    }
    std::string text = table.text();
    if (const auto next = page.find("next"); next != page.end() && next->is_number()) {
        text += fmt::format("Older ones follow: --before {}\n", next->dump());
    }
    if (page.value("pruned", false)) text += "Older ones lie behind the history window.\n";
    session.print(page, text);
}

void balance(Session& session, const AccountOptions& options) {
    json params = {{"account", session.account(options.account).hex()}};
    if (options.sequence) params["sequence"] = *options.sequence;
    const json answer = session.call("account.get", params);
    const json& record = answer.at("record");
    const std::string moment = fmt::format("at sequence {}", answer.at("sequence").dump());
    if (record.is_null()) {
        throw CliError(CliExit::refused, "not_found",
                       fmt::format("Account {} does not exist {}.", options.account, moment),
                       "Check the account number, or the sequence.");
    }
    std::string text = session.format_units(record.value("balance", json("0")));
    if (record.at("sum") != record.value("balance", json("0"))) {
        text += fmt::format(", with what is locked {}", session.format_units(record.at("sum")));
    }
    session.print(answer, fmt::format("{} {}\n", text, moment));
}

}  // namespace

void add_payment_commands(CLI::App& cli, Session& session) {
    const auto payment = std::make_shared<PaymentOptions>();
    const auto account = std::make_shared<AccountOptions>();

    auto* ask = cli.add_subcommand("request", "Ask for a payment (the payee signs first)");
    ask->add_option("AMOUNT", payment->amount, "How much")->required();
    ask->add_option("--to", payment->to, "Key of the payee")->required()->type_name("KEY");
    ask->add_option("--reference", payment->reference, "What it is for");
    ask->add_option("--expires", payment->expires, "How long the request holds")
        ->capture_default_str();
    ask->add_option("--payer", payment->payer, "Send it to this account, as a sealed letter")
        ->type_name("ACCOUNT");
    ask->footer(
        "Examples:\n"
        "  leither request 12.50 --to bea --reference \"two loaves\"\n"
        "  leither request 12.50 --to bea --payer 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8 "
        "--expires 2d");
    ask->callback([&session, payment] { request(session, *payment); });

    auto* send = cli.add_subcommand("pay", "Pay a request, or another key of this wallet");
    send->add_option("TO", payment->to, "leither:pay:... text, or a key of this wallet")
        ->required();
    send->add_option("AMOUNT", payment->amount, "How much, if TO is a key");
    send->add_option("--from", payment->from, "Key of the payer")->required()->type_name("KEY");
    send->add_option("--reference", payment->reference, "What it is for, if TO is a key");
    send->add_flag("--who-sees", payment->who_sees,
                   "Only say who would see what of it, and pay nothing");
    add_wait_option(*send, payment->act);
    send->footer(
        "Examples:\n"
        "  leither pay leither:pay:3f2a... --from anna\n"
        "  leither pay leither:pay:3f2a... --from anna --who-sees\n"
        "  leither pay bea 12.50 --from anna --final");
    send->callback([&session, payment] { pay(session, *payment); });

    auto* transactions = cli.add_subcommand("transaction", "One transaction");
    transactions->require_subcommand(1);
    const auto transaction = std::make_shared<TransactionOptions>();
    auto* shown =
        transactions->add_subcommand("show", "What became of it, and whether it is final");
    shown->add_option("ID", transaction->id, "Its id, as leither pay prints it")->required();
    shown->add_option("--signer", transaction->signer, "Who signed it, to find an older one")
        ->type_name("ACCOUNT");
    shown->footer("Example: leither transaction show 3f2a... --signer anna");
    shown->callback([&session, transaction] { show(session, *transaction); });

    auto* past = cli.add_subcommand("history", "What happened on an account, newest first");
    past->add_option("ACCOUNT", account->account, "Key name or account number")->required();
    past->add_option("--limit", account->limit, "At most so many")->capture_default_str();
    past->add_option("--before", account->sequence, "Only before this sequence");
    past->footer("Example: leither history anna --limit 10");
    past->callback([&session, account] { history(session, *account); });

    auto* now = cli.add_subcommand("balance", "What an account holds, or held");
    now->add_option("ACCOUNT", account->account, "Key name or account number")->required();
    now->add_option("--at", account->sequence, "At this sequence instead of now");
    now->footer("Examples:\n  leither balance anna\n  leither balance anna --at 17 --json");
    now->callback([&session, account] { balance(session, *account); });
}

}  // namespace leither::app
