// What others ask of this wallet, what it has asked, and why things stand as they do.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/decision.h"
#include "app/printable.h"
#include "app/text_table.h"
#include "app/wallet_agent.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kShortIdDigits = 12;

struct InboxOptions {
    std::string id;
    std::string reason;
    std::string signer;
    bool all = false;
    ActOptions act;
};

std::string short_id(const json& item) {
    return item.at("id").get<std::string>().substr(0, kShortIdDigits);
}

std::string name_of(Session& session, const json& item, const char* field) {
    const auto id = Id::parse(item.value(field, ""));
    return id ? session.short_name(*id) : "";
}

std::string one_line(const std::string& text) {
    return printable(text, LineBreaks::escaped);
}

// ---- inbox, accept, decline --------------------------------------------------------------------

json items_of_inbox(Session& session) {
    if (daemon_signs(session)) return session.call("wallet.inbox", json::object());
    return WalletDesk(session).inbox();
}

std::string state_cell(const json& item) {
    auto state = item.at("state").get<std::string>();
    if (item.contains("refusal")) return state + ": " + item.at("refusal").get<std::string>();
    if (state == "waiting" && item.contains("expires_ms")) {
        return "waiting until " + format_time(item.at("expires_ms").get<std::uint64_t>());
    }
    return state;
}

void list_inbox(Session& session, const InboxOptions& options) {
    json inbox = items_of_inbox(session);
    TextTable table({{"ID"},
                     {"KIND"},
                     {"FROM"},
                     {"ACCOUNT"},
                     {"AMOUNT", Align::right},
                     {"REFERENCE"},
                     {"STATE"}});
    json shown = json::array();
    for (const json& item : inbox.at("items")) {
        if (!options.all && item.at("state") != "waiting") continue;
        const auto amount = item.find("amount");
        table.add({short_id(item), item.at("kind").get<std::string>(),
                   name_of(session, item, "from"), name_of(session, item, "account"),
                   amount == item.end() ? "" : session.format_units(*amount),
                   one_line(item.value("reference", "")), state_cell(item)});
        shown.push_back(item);
    }
    inbox["items"] = std::move(shown);
    session.print(inbox, table.empty() ? options.all ? "Nothing has arrived.\n"
                                                     : "Nothing waits; see all with: leither inbox "
                                                       "--all\n"
                                       : table.text() +
                                             "Answer with: leither accept ID, or leither decline "
                                             "ID --reason TEXT\n");
}

void accept(Session& session, const InboxOptions& options) {
    const bool by_daemon = daemon_signs(session);
    WalletDesk desk(session);
    // Who pays, to wait for what the ledger says.
    std::optional<Id> payer;
    std::string amount;
    const json inbox = items_of_inbox(session);
    for (const json& item : inbox.at("items")) {
        if (!item.at("id").get<std::string>().starts_with(options.id)) continue;
        payer = Id::parse(item.at("account").get<std::string>());
        if (item.contains("amount")) {
            amount = fmt::format("Paid {} to {}.\n", session.format_units(item.at("amount")),
                                 name_of(session, item, "payee"));
        }
    }
    const json paid =
        by_daemon ? session.call("wallet.accept", {{"id", options.id}}) : desk.accept(options.id);
    const json result = await_decision(session, paid, payer.value_or(Id{}), options.act);
    session.print(result, fmt::format("{}{} {}.\n", amount, result.at("id").get<std::string>(),
                                      state_text(result)));
}

void decline(Session& session, const InboxOptions& options) {
    json params = {{"id", options.id}};
    if (!options.reason.empty()) params["reason"] = options.reason;
    const json done = daemon_signs(session)
                          ? session.call("wallet.decline", params)
                          : WalletDesk(session).decline(options.id, options.reason);
    session.print(done, "Declined; the payee is told.\n");
}

// ---- requests ----------------------------------------------------------------------------------

std::string request_state(const json& item) {
    const auto state = item.at("state").get<std::string>();
    if (state == "refused") {
        const auto reason = item.value("reason", "");
        return reason.empty() ? "refused" : fmt::format("refused: {}", one_line(reason));
    }
    if (state == "expired") {
        return item.at("proven") == true ? "expired, never paid"
                                         : "expired; proven by the next block";
    }
    if (state == "pending") {
        return "pending until " + format_time(item.at("expires_ms").get<std::uint64_t>());
    }
    return fmt::format("{} in sequence {}", state, item.at("sequence").dump());
}

std::string payment_state(const json& item) {
    const auto state = item.at("state").get<std::string>();
    if (state == "pending") {
        return "pending, to be handed in by " + format_time(item.at("hand_in_ms"));
    }
    if (item.contains("reason")) return state + ": " + item.at("reason").get<std::string>();
    if (state != "expired") return state;
    return item.at("proven") == true ? "expired, never committed"
                                     : "expired; proven by the next block";
}

std::string signed_payments(Session& session, const json& payments) {
    if (payments.empty()) return "";
    TextTable table(
        {{"ID"}, {"SIGNED"}, {"FROM"}, {"TO"}, {"AMOUNT", Align::right}, {"REFERENCE"}, {"STATE"}});
    for (const json& item : payments) {
        table.add({short_id(item), format_time(item.at("signed_ms").get<std::uint64_t>()),
                   name_of(session, item, "account"), name_of(session, item, "payee"),
                   session.format_units(item.at("amount")), one_line(item.value("reference", "")),
                   payment_state(item)});
    }
    return "Signed without a node:\n" + table.text();
}

void list_requests(Session& session) {
    const json all = WalletDesk(session).requests();
    TextTable table({{"ID"},
                     {"ASKED"},
                     {"FOR"},
                     {"PAYER"},
                     {"AMOUNT", Align::right},
                     {"REFERENCE"},
                     {"STATE"}});
    for (const json& item : all.at("items")) {
        table.add({short_id(item), format_time(item.at("asked_ms").get<std::uint64_t>()),
                   name_of(session, item, "account"), name_of(session, item, "payer"),
                   session.format_units(item.at("amount")), one_line(item.value("reference", "")),
                   request_state(item)});
    }
    const std::string paid = signed_payments(session, all.at("payments"));
    session.print(all, (table.empty() ? "Nothing was asked with this wallet; ask with: leither "
                                        "request AMOUNT --to KEY --payer ACCOUNT\n"
                                      : table.text()) +
                           paid);
}

// ---- why ---------------------------------------------------------------------------------------

void why(Session& session, const InboxOptions& options) {
    const auto signer =
        options.signer.empty() ? std::nullopt : std::optional(session.account(options.signer));
    json params = {{"id", options.id}};
    if (signer) params["signer"] = signer->hex();
    const json answer = daemon_signs(session) ? session.call("wallet.why", params)
                                              : WalletDesk(session).why(options.id, signer);
    std::string text = answer.at("id").get<std::string>() + "\n";
    for (const json& fact : answer.at("facts")) {
        text += fmt::format("  [{}] {}\n", fact.at("source").get<std::string>(),
                            one_line(fact.at("text").get<std::string>()));
    }
    session.print(answer, text);
}

}  // namespace

void add_inbox_commands(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<InboxOptions>();

    auto* list = cli.add_subcommand("inbox", "What others ask of this wallet");
    list->add_flag("--all", options->all, "Also what is paid, declined or expired");
    list->footer(
        "Examples:\n"
        "  leither inbox\n"
        "  leither inbox --all --json");
    list->callback([&session, options] { list_inbox(session, *options); });

    auto* yes = cli.add_subcommand("accept", "Pay a request that has arrived");
    yes->add_option("ID", options->id, "Its id, or the first digits of it")->required();
    add_wait_option(*yes, options->act);
    yes->footer("Example: leither accept 3f2a81c04d77 --until secured");
    yes->callback([&session, options] { accept(session, *options); });

    auto* no =
        cli.add_subcommand("decline", "Decline a request that has arrived; the payee is told");
    no->add_option("ID", options->id, "Its id, or the first digits of it")->required();
    no->add_option("--reason", options->reason, "What the payee is told, at most 140 bytes");
    no->footer("Example: leither decline 3f2a81c04d77 --reason \"that was two loaves\"");
    no->callback([&session, options] { decline(session, *options); });

    auto* own =
        cli.add_subcommand("requests", "What this wallet has asked for, and what came of it");
    own->footer("Example: leither requests --json");
    own->callback([&session] { list_requests(session); });

    auto* reason = cli.add_subcommand("why", "Why a request or transaction stands where it stands");
    reason
        ->add_option("ID", options->id,
                     "Its id; of what this wallet knows the first digits are enough")
        ->required();
    reason
        ->add_option("--signer", options->signer,
                     "Who signed the transaction, if this wallet did not")
        ->type_name("ACCOUNT");
    reason->footer(
        "Examples:\n"
        "  leither why 3f2a81c04d77\n"
        "  leither why 3f2a81c0... --signer anna");
    reason->callback([&session, options] { why(session, *options); });
}

}  // namespace leither::app
