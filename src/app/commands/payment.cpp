#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/decision.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct PaymentOptions {
    std::string amount;
    std::string to;
    std::string from;
    std::string reference;
    std::string expires = "10m";
    ActOptions act;
};
struct AccountOptions {
    std::string account;
    std::optional<std::uint64_t> sequence;
    std::uint64_t limit = 50;
};

wallet::SignedRequest make_request(Session& session, const PaymentOptions& options) {
    const auto payee = session.key(options.to);
    if (options.reference.size() > protocol::Text::kMax) {
        throw CliError(CliExit::usage, "bad_text", "The reference is too long.",
                       fmt::format("Use at most {} bytes.", protocol::Text::kMax));
    }
    protocol::PaymentRequest request;
    session.keep_receipts(payee.id());
    request.payee = payee.id();
    request.amount = session.amount(options.amount);
    request.reference = protocol::Text(options.reference);
    request.expiry = Pulse(session.pulse_now().value() + pulses_of(session, options.expires));
    return wallet::sign_request(session.organization().chain, request, payee);
}

void request(Session& session, const PaymentOptions& options) {
    const auto text = wallet::to_text(make_request(session, options));
    session.print(
        {{"request", text}},
        fmt::format("{}\nHand this to the payer, who runs: leither pay TEXT --from KEY\n", text));
}

// A request handed over as text, or one signed here and now by a payee of the same wallet.
wallet::SignedRequest obtain_request(Session& session, const PaymentOptions& options) {
    if (!options.to.starts_with("leither:")) {
        if (!options.amount.empty()) return make_request(session, options);
        throw CliError(CliExit::usage, "missing_amount", "How much shall be paid?",
                       "Write: leither pay KEY AMOUNT --from KEY");
    }
    const auto request = wallet::request_from_text(options.to);
    if (request && request->chain == session.organization().chain) return *request;
    throw CliError(
        CliExit::usage, "bad_request",
        request ? "The request is for another organization." : "This is no payment request.",
        "Ask the payee for the text that leither request prints.");
}

void pay(Session& session, const PaymentOptions& options) {
    const auto request = obtain_request(session, options);
    if (options.to.starts_with("leither:") && !options.amount.empty() &&
        session.amount(options.amount) != request.request.amount) {
        throw CliError(
            CliExit::usage, "amount_mismatch",
            fmt::format("The request asks for {}.", session.format(request.request.amount)),
            "Leave the amount out, or ask for another request.");
    }
    const auto payer = session.key(options.from);
    const auto transaction = wallet::pay(draft_for(session, payer.id()), request, payer);
    carry_out(session, transaction, options.act,
              fmt::format("Paid {} to {}.", session.format(request.request.amount),
                          session.display(request.request.payee)));
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
        session.print(answer, fmt::format("no such account {}\n", moment));
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
    ask->footer("Example: leither request 12.50 --to bea --reference \"two loaves\"");
    ask->callback([&session, payment] { request(session, *payment); });

    auto* send = cli.add_subcommand("pay", "Pay a request, or another key of this wallet");
    send->add_option("TO", payment->to, "leither:pay:... text, or a key of this wallet")
        ->required();
    send->add_option("AMOUNT", payment->amount, "How much, if TO is a key");
    send->add_option("--from", payment->from, "Key of the payer")->required()->type_name("KEY");
    send->add_option("--reference", payment->reference, "What it is for, if TO is a key");
    add_wait_option(*send, payment->act);
    send->footer(
        "Examples:\n"
        "  leither pay leither:pay:3f2a... --from anna\n"
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
