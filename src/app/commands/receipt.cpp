#include <fstream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/prefix.h"
#include "leither/codec/bcs.h"

#include "app/commands/commands.h"
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

void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    if (file) return;
    throw CliError(CliExit::local, "io", fmt::format("{} cannot be written.", path),
                   "Choose another place with --out.");
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

void export_account(Session& session, const ReceiptOptions& options) {
    json params = {{"account", session.account(options.subject).hex()}};
    if (options.sequence) params["sequence"] = *options.sequence;
    const json answer = session.call("receipt.get", params);
    deliver(session, options, receipt_to_text(decode_receipt<ledger::Receipt>(answer)));
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
    get->add_option("ACCOUNT", options->subject, "Key name or account number")->required();
    get->add_option("--at", options->sequence, "At this sequence instead of now");
    get->add_option("--out", options->out, "File to write; without it, standard output")
        ->type_name("FILE");
    get->footer(
        "A receipt shows a neighbour's sums: hand it only to those entitled to see them.\n"
        "Example: leither receipt export anna --at 17 --out anna-17.json");
    get->callback([&session, options] { export_account(session, *options); });

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
