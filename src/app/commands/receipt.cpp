#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/prefix.h"
#include "leither/codec/bcs.h"

#include "app/commands/commands.h"
#include "app/endorsing.h"
#include "app/receipt_file.h"
#include "app/small_file.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct ReceiptOptions {
    std::string subject;  // account, prefix or file
    std::optional<std::uint64_t> sequence;
    std::string out;
    std::string organization;
    std::string account;
    std::string form;  // empty: endorsed where that can be
    std::uint64_t limit = 50;
    bool stop = false;
};

template <class R>
R decode_receipt(const json& answer) {
    const auto bytes = from_hex(answer.at("receipt").get<std::string>());
    auto receipt = bcs::decode<R>(bytes.value_or(Bytes()));
    if (receipt) return std::move(*receipt);
    throw CliError(CliExit::unreachable, "bad_receipt",
                   "The daemon's receipt cannot be read by this version of leither.",
                   "Use the versions of leither and leitherd that belong together.");
}

// To the file asked for, with a summary on the screen, or to standard output.
void deliver(Session& session, const ReceiptOptions& options, const std::string& receipt) {
    if (options.out.empty()) {
        fmt::print("{}", receipt);
        return;
    }
    write_file(options.out, receipt);
    const ProvenFile proven = verify_receipt_text(receipt, std::nullopt);
    session.print({{"file", options.out}},
                  fmt::format("{}Written to {}.\n", proven.words, options.out));
}

void export_transaction(Session& session, const ReceiptOptions& options, const Hash& id) {
    json params = {{"transaction", id.hex()}};
    if (!options.account.empty()) params["account"] = session.account(options.account).hex();
    const json answer = session.call("receipt.find", params);
    deliver(session, options, receipt_to_text(decode_receipt<ledger::Receipt>(answer)));
}

bool is_ours(Session& session, const Id& account) {
    const auto keys = session.keyring().list();
    return std::ranges::find(keys, account, &wallet::NamedKey::id) != keys.end();
}

// The treasury, a vote and their like: public, and without an owner who could ask.
bool is_nobodys(Session& session, const Id& account) {
    const json record = session.call("account.get", {{"account", account.hex()}}).at("record");
    return !record.is_null() && record.at("kind") != "member";
}

void export_endorsed(Session& session, const ReceiptOptions& options) {
    if (!is_ours(session, session.account(options.subject))) {
        throw CliError(CliExit::local, "not_your_account",
                       "An endorsed receipt is asked for with the account's own key, which this "
                       "wallet does not hold.",
                       "Ask the account's owner for one; what this node knows, for those entitled "
                       "to it, is written with --form full.");
    }
    deliver(session, options, receipt_to_text(endorse(session, options.subject)));
}

void export_account(Session& session, const ReceiptOptions& options) {
    const auto transaction = Hash::parse(options.subject);
    const bool is_past = transaction || options.sequence;
    if (options.form == "endorsed" && is_past) {
        throw CliError(CliExit::usage, "newest_only",
                       "Bookkeepers endorse the newest state only: the keys of earlier terms are "
                       "erased.",
                       "Leave out --at, name an account, or write --form full.");
    }
    if (transaction) return export_transaction(session, options, *transaction);
    const Id account = session.account(options.subject);
    const bool is_full =
        options.form == "full" || is_past ||
        (options.form.empty() && !is_ours(session, account) && is_nobodys(session, account));
    if (!is_full) return export_endorsed(session, options);
    json params = {{"account", account.hex()}};
    if (options.sequence) params["sequence"] = *options.sequence;
    const json answer = session.call("receipt.get", params);
    deliver(session, options, receipt_to_text(decode_receipt<ledger::Receipt>(answer)));
}

std::string amount_cell(Session& session, const json& transaction) {
    const auto amount = transaction.find("amount");
    if (amount == transaction.end() || !amount->is_string()) return "";
    const auto direction = transaction.value("direction", "none");
    const char* sign = direction == "in" ? "+" : direction == "out" ? "-" : "";
    return sign + session.format_units(*amount);
}

void list_kept(Session& session, const ReceiptOptions& options) {
    json params = {{"limit", options.limit}};
    if (!options.account.empty()) params["account"] = session.account(options.account).hex();
    if (options.sequence) params["before"] = *options.sequence;
    const json page = session.call("receipt.list", params);
    TextTable table({{"SEQUENCE", Align::right},
                     {"TIME"},
                     {"ACCOUNT"},
                     {"KIND"},
                     {"AMOUNT", Align::right},
                     {"TRANSACTION"}});
    const auto account_of = [&session](const json& item) {
        const auto id = Id::parse(item.at("account").get<std::string>());
        return id ? session.short_name(*id) : std::string();
    };
    for (const json& item : page.at("items")) {
        const std::string sequence = item.at("sequence").dump();
        const std::string time = format_time(item.at("time_ms").get<std::uint64_t>());
        const std::string account = account_of(item);
        // What the protocol pays by itself has no transaction in the block.
        if (item.at("transactions").empty()) table.add({sequence, time, account, "", "", ""});
        for (const json& one : item.at("transactions")) {
            table.add({sequence, time, account, one.at("kind").get<std::string>(),
                       amount_cell(session, one), one.at("id").get<std::string>()});
        }
    }
    std::string text = table.empty() ? "No receipts are kept.\n" : table.text();
    if (page.contains("next"))
        text += fmt::format("Older ones: --before {}\n", page["next"].dump());
    for (const json& account : page.at("accounts")) {
        const json& missing = account.at("missing");
        if (missing.is_null()) continue;
        text += fmt::format("Of {} some between sequences {} and {} are missing.\n",
                            account_of(account), missing.at("behind").dump(),
                            missing.at("before").dump());
    }
    session.print(page, text);
}

void keep(Session& session, const ReceiptOptions& options) {
    const Id account = session.account(options.subject);
    session.call("receipt.keep",
                 {{"account", account.hex()}, {"wish", options.stop ? "stop" : "keep"}});
    session.print(
        {{"account", account.hex()}, {"kept", !options.stop}},
        fmt::format("The daemon {} the receipts of {}.\n",
                    options.stop ? "no longer keeps" : "keeps", session.display(account)));
}

std::optional<Id> expected_organization(const ReceiptOptions& options) {
    if (options.organization.empty()) return std::nullopt;
    if (const auto id = Id::parse(options.organization)) return id;
    throw CliError(CliExit::usage, "bad_id", "--organization must be 40 hexadecimal digits.");
}

void verify_file(Session& session, const ReceiptOptions& options) {
    const ProvenFile proven = verify_receipt_text(
        read_small_file(options.subject, kReceiptBytesMax), expected_organization(options));
    session.print(json::parse(proven.facts_json), proven.words);
}

// "3f2a/12": the hex digits are completed with zeros.
Prefix parse_prefix(const std::string& text) {
    const auto slash = text.find('/');
    std::string digits = text.substr(0, slash);
    digits.resize(std::max(digits.size(), 2 * Id::kSize), '0');
    const auto id = Id::parse(digits);
    const auto bits =
        slash == std::string::npos ? std::nullopt : parse_amount(text.substr(slash + 1), 0);
    if (!id || !bits || bits->units() > kIdBits) {
        throw CliError(CliExit::usage, "bad_prefix", fmt::format("\"{}\" is no prefix.", text),
                       "Write hexadecimal digits and a number of bits, for example a4/6 or 0/0.");
    }
    const auto count = static_cast<std::uint8_t>(bits->units());
    return {prefix_of(*id, count), count};
}

void show_child(Session& session, const ReceiptOptions& options) {
    const Prefix prefix = parse_prefix(options.subject);
    json params = {{"prefix", prefix.id.hex()}, {"bits", prefix.bits}};
    if (options.sequence) params["sequence"] = *options.sequence;
    const json answer = session.call("child.get", params);
    const std::string text = receipt_to_text(decode_receipt<ledger::ChildReceipt>(answer));
    if (!options.out.empty()) return deliver(session, options, text);
    session.print(json::parse(text), verify_receipt_text(text, std::nullopt).words);
}

}  // namespace

void add_receipt_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("receipt", "Proofs of what an account held");
    group->require_subcommand(1);
    const auto options = std::make_shared<ReceiptOptions>();

    auto* get = group->add_subcommand("export", "Write a receipt that proves itself");
    get->add_option("ACCOUNT|TX", options->subject,
                    "Key name or account number, or the id of a transaction")
        ->required();
    get->add_option("--at", options->sequence, "At this sequence instead of now");
    get->add_option("--account", options->account,
                    "Of a transaction: whose receipt, if several are kept")
        ->type_name("ACCOUNT");
    get->add_option("--out", options->out, "File to write; without it, standard output")
        ->type_name("FILE");
    get->add_option(
           "--form", options->form,
           "endorsed: for strangers, signed by the bookkeepers in office; the default for "
           "your account as it is now. full: with key, role and a neighbour's sums; the "
           "default, and all there is, for the past, of a transaction and of what is nobody's"
           " account: the treasury, a vote")
        ->check(CLI::IsMember({"endorsed", "full"}));
    get->footer(
        "Show the endorsed form to anybody, the full form only to those entitled to see sums of "
        "the account's neighbours.\n"
        "Examples:\n  leither receipt export anna --out anna.json\n"
        "  leither receipt export anna --at 17 --out anna-17.json");
    get->callback([&session, options] { export_account(session, *options); });

    auto* list = group->add_subcommand("list", "Receipts that the daemon has kept, newest first");
    list->add_option("ACCOUNT", options->account, "Only of this key name or account number");
    list->add_option("--limit", options->limit, "At most so many")->capture_default_str();
    list->add_option("--before", options->sequence, "Only before this sequence");
    list->footer("Example: leither receipt list anna --limit 10");
    list->callback([&session, options] { list_kept(session, *options); });

    auto* watch = group->add_subcommand("keep", "Have the daemon keep an account's receipts");
    watch->add_option("ACCOUNT", options->subject, "Key name or account number")->required();
    watch->add_flag("--stop", options->stop, "No longer; those that it has stay");
    watch->footer("Example: leither receipt keep anna");
    watch->callback([&session, options] { keep(session, *options); });

    auto* check = group->add_subcommand("verify", "Check a receipt; needs no daemon");
    check->add_option("FILE", options->subject, "Receipt file")->required();
    check->add_option("--organization", options->organization,
                      "Refuse a receipt of any other organization");
    check->footer("Example: leither receipt verify anna-17.json");
    check->callback([&session, options] { verify_file(session, *options); });

    auto* child =
        cli.add_subcommand("child", "Sum and hash of all accounts below a prefix, proven");
    child->add_option("PREFIX/BITS", options->subject, "Leading hexadecimal digits and bits")
        ->required();
    child->add_option("--at", options->sequence, "At this sequence instead of now");
    child->add_option("--out", options->out, "File to write the receipt to")->type_name("FILE");
    child->footer("Examples:\n  leither child 0/0\n  leither child a4/6 --at 17");
    child->callback([&session, options] { show_child(session, *options); });
}

}  // namespace leither::app
