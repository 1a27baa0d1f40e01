#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/decision.h"
#include "app/offline.h"
#include "app/printable.h"
#include "app/qr.h"
#include "app/small_file.h"
#include "app/text_table.h"
#include "app/wallet_agent.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

// A request, with words around it.
constexpr std::size_t kRequestFileMax = 16 << 10;

struct PaymentOptions {
    std::string amount;
    std::string to;
    std::string from;
    std::string payer;
    std::string reference;
    std::string expires = "10m";
    bool who_sees = false;
    bool offline = false;
    bool yes = false;
    std::string organization;  // which of those remembered; empty: the only one
    std::string file;          // a request to be read, "-" for standard input
    std::string out;           // where the text is written to
    bool qr = false;
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

// A text that goes from hand to hand: on the screen, as a file, as a QR code.
std::string hand_over(const PaymentOptions& options, const std::string& text,
                      const std::string& code) {
    std::string shown = text + "\n";
    if (options.qr) shown += show_qr(code);
    if (options.out.empty()) return shown;
    write_file(options.out, text + "\n");
    return shown + fmt::format("Written to {}.\n", options.out);
}

void request(Session& session, const PaymentOptions& options) {
    if (options.offline) {
        if (!options.payer.empty()) {
            throw CliError(CliExit::usage, "bad_argument", "A letter needs the daemon.",
                           "Leave --payer or --offline out.");
        }
        const auto known = known_organization(session, options.organization);
        check_fresh(known);
        session.go_offline(known);
    }
    json made = !options.offline && daemon_signs(session)
                    ? ask_daemon_for_request(session, options)
                    : WalletDesk(session).request(order_of(session, options));
    const auto text = made.at("text").get<std::string>();
    made["request"] = text;
    const std::string shown = hand_over(options, text, text);
    session.print(made,
                  made.contains("letter")
                      ? fmt::format("On its way to {}. What becomes of it: leither requests\n{}\n",
                                    session.display(session.account(options.payer)),
                                    made.at("id").get<std::string>())
                      : fmt::format("{}Hand this to the payer by {}, who runs: leither pay TEXT "
                                    "--from KEY, and without a node leither pay TEXT --from KEY "
                                    "--offline\n",
                                    shown, format_time(made.at("expires_ms"))));
}

bool is_text(const PaymentOptions& options) {
    return options.to.find("leither:") != std::string::npos;
}

[[noreturn]] void fail_on_request(const char* cause) {
    throw CliError(CliExit::usage, "bad_request", cause,
                   "Ask the payee for the text that leither request prints.");
}

// Whoever names the amount means that one.
void check_amount(Session& session, const PaymentOptions& options,
                  const wallet::SignedRequest& request) {
    if (options.amount.empty() || session.amount(options.amount) == request.request.amount) return;
    throw CliError(CliExit::usage, "amount_mismatch",
                   fmt::format("The request asks for {}.", session.format(request.request.amount)),
                   "Leave the amount out, or ask for another request.");
}

// A request handed over as text. Throws CliError.
wallet::SignedRequest request_in(Session& session, const PaymentOptions& options) {
    const auto token = wallet::find_token(options.to);
    const auto request = token ? wallet::request_from_text(token->text) : std::nullopt;
    if (!request) fail_on_request("This is no payment request.");
    if (request->chain != session.organization().chain) {
        fail_on_request("The request is for another organization.");
    }
    check_amount(session, options, *request);
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

std::string audience_table(const json& audience) {
    TextTable table({{"WHO"}, {"SEES OF IT"}});
    for (const json& one : audience) {
        table.add({one.at("who").get<std::string>(), one.at("what").get<std::string>()});
    }
    return table.text();
}

void show_audience(Session& session, const Sum& sum, const Id& payer) {
    const json audience = WalletDesk(session).who_sees(sum.payee, payer);
    session.print(audience, fmt::format("{} to {}, not paid yet:\n{}", session.format(sum.amount),
                                        session.display(sum.payee), audience_table(audience)));
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

// ---- Without a node
// ------------------------------------------------------------------------------

std::string said_text(Session& session, const json& said) {
    std::vector<std::pair<std::string, std::string>> fields = {
        {"pay", session.format_units(said.at("amount"))},
        {"to", session.display(*Id::parse(said.at("payee").get<std::string>()))},
        {"who is", said.at("payee_known") == true
                       ? "a member, who has signed this request"
                       : "not known here as a member: whether the request holds, a node will say"},
        {"for", printable(said.at("reference").get<std::string>(), LineBreaks::escaped)},
        {"in", said.at("organization_name").get<std::string>()},
        {"asked until", format_time(said.at("expires_ms"))},
        {"known since", format_time(said.at("known_ms"))}};
    return format_fields(fields) + "Who will see what of it:\n" +
           audience_table(said.at("who_sees"));
}

// On a terminal nothing is signed unread.
void confirm_signing(Session& session, const PaymentOptions& options) {
    if (options.yes || session.wants_json() || isatty(STDIN_FILENO) != 1) return;
    fmt::print("Sign it? [no]: ");
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "yes" || answer == "y") return;
    throw CliError(CliExit::usage, "cancelled", "Nothing was signed.",
                   "Answer yes, or give --yes.");
}

void pay_offline(Session& session, const PaymentOptions& options) {
    const auto token = wallet::find_token(options.to);
    const auto request = token ? wallet::request_from_text(token->text) : std::nullopt;
    if (!request) fail_on_request("This is no payment request.");
    const auto known = known_organization(session, request->chain);
    session.go_offline(known);
    check_amount(session, options, *request);
    OfflineDesk desk(session, known);
    json said = desk.read(*request, session.account(options.from));
    if (!session.wants_json()) fmt::print("{}", said_text(session, said));
    if (options.who_sees) return session.print(said, "Nothing was signed.\n");
    confirm_signing(session, options);
    json made = desk.pay(session.key(options.from), *request);
    const auto text = made.at("text").get<std::string>();
    const std::string until = format_time(made.at("hand_in_ms"));
    made.update(said);
    session.print(
        made,
        fmt::format("\nSigned. It is pending until a node has it, which must be by {}:\n\n{}\n"
                    "Hand it to the payee. Whoever of you first reaches a node of the organization "
                    "runs:\n  leither hand-in TEXT\nTwice does no harm. After that time it can "
                    "never be committed, and both are free. To take it back before: leither "
                    "cancel {} --from {}\n",
                    until, hand_over(options, text, wallet::in_capitals(text)),
                    made.at("id").get<std::string>(), options.from));
}

void pay(Session& session, PaymentOptions options) {
    if (!options.file.empty()) {
        // TO and FILE say the same.
        if (!options.to.empty()) {
            throw CliError(CliExit::usage, "bad_argument", "Both TO and --file are given.",
                           "Leave one out.");
        }
        options.to = read_small_file(options.file, kRequestFileMax);
    }
    if (options.to.empty()) throw CLI::RequiredError("TO");
    if (options.offline) return pay_offline(session, options);
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
    session.print(status, fmt::format("{} {}\n", options.id, state_text(status)));
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
    json page = session.call("account.history", params);
    TextTable table({{"SEQUENCE", Align::right},
                     {"TIME"},
                     {"KIND"},
                     {"AMOUNT", Align::right},
                     {"WITH"},
                     {"STATE"},
                     {"REFERENCE"}});
    // Above what is in blocks, what this wallet has signed for them to hold.
    page["waiting"] = options.sequence
                          ? json::array()
                          : WalletDesk(session).waiting_payments(session.account(options.account));
    for (const json& item : page.at("waiting")) {
        table.add({"-", format_time(item.at("signed_ms").get<std::uint64_t>()), "transfer",
                   "-" + session.format_units(item.at("amount")),
                   session.display(*Id::parse(item.at("payee").get<std::string>())), "pending",
                   item.value("reference", "")});
    }
    for (const json& item : page.at("items")) {
        const auto with = Id::parse(item.value("counterparty", ""));
        table.add({item.at("sequence").dump(), format_time(item.at("time_ms").get<std::uint64_t>()),
                   item.at("kind").get<std::string>(), history_cell(session, item),
                   with ? session.display(*with) : "", item.at("state").get<std::string>(),
                   item.value("reference", "")});
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

void add_hand_over_options(CLI::App& command, PaymentOptions& options, const char* offline) {
    command.add_flag("--offline", options.offline, offline);
    command.add_flag("--qr", options.qr, "Show the text as a QR code too");
    command.add_option("--out", options.out, "Write the text to this file too")->type_name("FILE");
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
    add_hand_over_options(*ask, *payment, "Ask without the daemon, with what the wallet remembers");
    ask->add_option("--organization", payment->organization,
                    "With --offline: which organization, if the wallet knows several")
        ->type_name("ID");
    ask->footer(
        "Examples:\n"
        "  leither request 12.50 --to bea --offline --qr\n"
        "  leither request 12.50 --to bea --reference \"two loaves\"\n"
        "  leither request 12.50 --to bea --payer 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8 "
        "--expires 2d");
    ask->callback([&session, payment] { request(session, *payment); });

    auto* send = cli.add_subcommand("pay", "Pay a request, or another key of this wallet");
    send->add_option("TO", payment->to, "leither:pay:... text, or a key of this wallet");
    send->add_option("--file", payment->file, "The request is in this file; - is standard input")
        ->type_name("FILE");
    send->add_option("AMOUNT", payment->amount, "How much, if TO is a key");
    send->add_option("--from", payment->from, "Key of the payer")->required()->type_name("KEY");
    send->add_option("--reference", payment->reference, "What it is for, if TO is a key");
    send->add_flag("--who-sees", payment->who_sees,
                   "Only say who would see what of it, and pay nothing");
    add_hand_over_options(*send, *payment,
                          "Sign without the daemon, and hand the payment over as text");
    for (const char* name : {"--qr", "--out"}) {
        send->get_option(name)->needs(send->get_option("--offline"));
    }
    send->add_flag("--yes", payment->yes, "With --offline: do not ask before signing");
    add_wait_option(*send, payment->act);
    send->footer(
        "Examples:\n"
        "  leither pay --file request.txt --from anna --offline --qr\n"
        "  leither pay leither:pay:3f2a... --from anna\n"
        "  leither pay leither:pay:3f2a... --from anna --who-sees\n"
        "  leither pay bea 12.50 --from anna --until secured");
    send->callback([&session, payment] { pay(session, *payment); });

    auto* transactions = cli.add_subcommand("transaction", "One transaction");
    transactions->require_subcommand(1);
    const auto transaction = std::make_shared<TransactionOptions>();
    auto* shown =
        transactions->add_subcommand("show", "What became of it, and whether it can be relied on");
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
