// message send, list, read: letters are written, sealed and opened here, with the wallet's keys.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/envelope.h"

#include "app/commands/commands.h"
#include "app/letters.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kShortIdDigits = 12;
constexpr std::size_t kPreviewBytes = 40;

struct SendOptions {
    std::string to;
    std::string text;
    std::string from;
    std::string file;
    std::string reply_to;
    unsigned days = kLetterDaysMax;
};

// ---- send --------------------------------------------------------------------------------------

std::string read_all(std::istream& in) {
    constexpr std::size_t kReadMax = protocol::kLetterTextMax + 1;  // enough to see it is too long
    std::string text(kReadMax, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

std::string text_of(const SendOptions& options) {
    if (options.text.empty() == options.file.empty()) {
        throw CliError(CliExit::usage, "which_text", "Give the text, or a file that holds it.",
                       "leither message send anna \"Bread at six\" --from ben");
    }
    if (options.file.empty()) return options.text;
    if (options.file == "-") return read_all(std::cin);
    std::ifstream in(options.file, std::ios::binary);
    if (!in) {
        throw CliError(CliExit::local, "bad_file",
                       fmt::format("The file {} cannot be read.", options.file),
                       "Check its name and permissions.");
    }
    return read_all(in);
}

std::optional<Hash> parse_reply_to(const std::string& text) {
    if (text.empty()) return std::nullopt;
    if (const auto id = Hash::parse(text)) return id;
    throw CliError(CliExit::usage, "bad_id", fmt::format("\"{}\" is no message's id.", text),
                   "Write all 64 digits, as leither message read shows them.");
}

void send(Session& session, const SendOptions& options) {
    const std::string text = text_of(options);
    const Id recipient = session.account(options.to);
    const json posted = send_letter(session, options.from, recipient,
                                    {text, parse_reply_to(options.reply_to)}, options.days);
    session.print(posted, fmt::format("On its way to {}.\n{}\n", session.display(recipient),
                                      posted.at("id").get<std::string>()));
}

// ---- list --------------------------------------------------------------------------------------

// Null if the wallet has no key of that account.
std::optional<crypto::KeyPair> key_in_wallet(Session& session, const Id& account) {
    for (const auto& known : session.keyring().list()) {
        if (known.id == account) return session.key(known.name);
    }
    return std::nullopt;
}

std::string preview(const std::string& text) {
    std::string_view line = std::string_view(text).substr(0, text.find('\n'));
    if (line.size() <= kPreviewBytes && line.size() == text.size()) return text;
    line = line.substr(0, kPreviewBytes);
    // Not in the middle of a character.
    while (!line.empty() && !bcs::is_utf8(as_bytes(line))) line.remove_suffix(1);
    return std::string(line) + "...";
}

std::string short_id(const json& letter) {
    return letter.at("id").get<std::string>().substr(0, kShortIdDigits);
}

std::string time_of(const json& letter, const char* field) {
    return format_time(letter.at(field).get<std::uint64_t>());
}

void list_incoming(Session& session, const Id& account, TextTable& table, json& all) {
    const auto key = key_in_wallet(session, account);
    for (json letter : session.call("message.inbox", {{"account", account.hex()}})) {
        const auto opened = key ? std::optional(open_letter(session, letter, *key)) : std::nullopt;
        std::string sender = key ? "?" : "";
        std::string text = key ? "(does not open)" : "(sealed to a key that is not in this wallet)";
        if (opened && *opened) {
            const Id from = crypto::id_of((*opened)->letter.sender);
            letter["from"] = from.hex();
            letter["text"] = std::string((*opened)->letter.text);
            sender = session.short_name(from);
            text = preview((*opened)->letter.text);
        }
        letter.erase("sealed");
        letter["account"] = account.hex();
        table.add({short_id(letter), "from " + sender, session.short_name(account),
                   time_of(letter, "posted_ms"), "arrived", text});
        all.push_back(std::move(letter));
    }
}

std::string state_of(const json& letter) {
    const auto state = letter.at("state").get<std::string>();
    if (state == "delivered") return state;
    const std::string until = "until " + time_of(letter, "expires_ms");
    if (state == "held") return fmt::format("held by {} {}", letter.at("holders").dump(), until);
    return state + " " + until;
}

void list_outgoing(Session& session, TextTable& table, json& all) {
    for (json letter : session.call("message.outbox", json::object())) {
        const auto to = Id::parse(letter.at("recipient").get<std::string>()).value();
        table.add({short_id(letter), "to " + session.short_name(to), "",
                   time_of(letter, "posted_ms"), state_of(letter), ""});
        all.push_back(std::move(letter));
    }
}

void list(Session& session, const std::string& wanted) {
    followed_chain(session);
    std::vector<Id> accounts;
    if (wanted.empty()) {
        accounts = served_accounts(session);
    } else {
        accounts = {session.account(wanted)};
        if (const auto key = key_in_wallet(session, accounts.front())) {
            ensure_served(session, *key, ServedAs::reader);
        }
    }
    json all = {{"incoming", json::array()}, {"outgoing", json::array()}};
    TextTable table({{"ID"}, {"WHO"}, {"ACCOUNT"}, {"POSTED"}, {"STATE"}, {"TEXT"}});
    for (const Id& account : accounts) list_incoming(session, account, table, all["incoming"]);
    list_outgoing(session, table, all["outgoing"]);
    session.print(all, table.empty() ? "No messages.\n" : table.text());
}

// ---- read --------------------------------------------------------------------------------------

struct Arrived {
    json letter;
    Id account;
};

Arrived find_arrived(Session& session, const std::string& id) {
    constexpr std::size_t kDigitsMin = 4;
    std::vector<Arrived> found;
    for (const Id& account : served_accounts(session)) {
        for (json& letter : session.call("message.inbox", {{"account", account.hex()}})) {
            const bool matches = letter.at("id").get<std::string>().starts_with(id);
            if (matches) found.push_back({std::move(letter), account});
        }
    }
    if (id.size() < kDigitsMin || found.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {}.", id, count_of(found.size(), "message")),
                       "Write more digits of it.");
    }
    if (!found.empty()) return std::move(found.front());
    throw CliError(CliExit::refused, "not_found",
                   fmt::format("No message {} has arrived here.", id),
                   "See what has with: leither message list");
}

enum class AfterReading : std::uint8_t { keep, forget };

void read(Session& session, const std::string& id, AfterReading then) {
    const Arrived arrived = find_arrived(session, id);
    const auto full_id = arrived.letter.at("id").get<std::string>();
    const auto key = key_in_wallet(session, arrived.account);
    if (!key) {
        throw CliError(CliExit::local, "wrong_recipient",
                       fmt::format("The message is for {}, whose key is not in this wallet.",
                                   arrived.account.hex()),
                       "Read it where that key is, or name its wallet with --wallet.");
    }
    const auto opened = open_letter(session, arrived.letter, *key);
    if (!opened) {
        throw CliError(CliExit::refused, protocol::to_string(opened.error()),
                       fmt::format("The message {} does not open: {}.", full_id,
                                   protocol::to_string(opened.error())),
                       "Whoever sealed it did not write it for this account. Remove it with: "
                       "leither message forget " +
                           full_id);
    }
    const protocol::Letter& letter = opened->letter;
    const Id from = crypto::id_of(letter.sender);
    const json out = {{"id", full_id},
                      {"from", from.hex()},
                      {"to", arrived.account.hex()},
                      {"sent_ms", letter.sent_ms},
                      {"reply_to", letter.reply_to ? json(letter.reply_to->hex()) : json(nullptr)},
                      {"text", std::string(letter.text)},
                      {"forgotten", then == AfterReading::forget}};
    std::vector<std::pair<std::string, std::string>> fields = {
        {"id", full_id},
        {"from", session.display(from)},
        {"to", session.display(arrived.account)},
        {"sent", format_time(letter.sent_ms)}};
    if (letter.reply_to) fields.emplace_back("answers", letter.reply_to->hex());
    session.print(out, fmt::format("{}\n{}\n", format_fields(fields),
                                   printable(letter.text, LineBreaks::kept)));
    if (then == AfterReading::forget) {
        std::fflush(stdout);  // shown before it is gone
        session.call("message.forget", {{"message", full_id}});
    }
}

void forget(Session& session, const std::string& id) {
    const json letter = find_arrived(session, id).letter;
    const json done = session.call("message.forget", {{"message", letter.at("id")}});
    session.print(done, "Forgotten.\n");
}

}  // namespace

void add_message_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("message", "Messages between members");
    group->require_subcommand(1);

    const auto options = std::make_shared<SendOptions>();
    auto* post = group->add_subcommand("send", "Write to a member; only they can read it");
    post->add_option("TO", options->to, "Account, or a key of this wallet")->required();
    post->add_option("TEXT", options->text, "At most 4096 bytes");
    post->add_option("--from", options->from, "Key of the member who writes")
        ->required()
        ->type_name("KEY");
    post->add_option("--file", options->file, "Text from a file instead; \"-\": standard input")
        ->type_name("FILE");
    post->add_option("--reply-to", options->reply_to, "Id of the message this one answers")
        ->type_name("ID");
    post->add_option("--days", options->days, "How long it may be on its way")
        ->check(CLI::Range(1u, kLetterDaysMax))
        ->capture_default_str();
    post->footer(
        "Examples:\n"
        "  leither message send ben \"Bread at six\" --from anna\n"
        "  leither message send 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8 --file letter.txt "
        "--from anna");
    post->callback([&session, options] { send(session, *options); });

    const auto account = std::make_shared<std::string>();
    auto* show = group->add_subcommand("list", "What has arrived, and what became of sent ones");
    show->add_option("ACCOUNT", *account, "Only what has arrived for this one; else for all here");
    show->footer(
        "Examples:\n"
        "  leither message list\n"
        "  leither message list anna --json");
    show->callback([&session, account] { list(session, *account); });

    const auto id = std::make_shared<std::string>();
    const auto forgets = std::make_shared<bool>(false);
    auto* open_one = group->add_subcommand("read", "Open a message with the wallet's key");
    open_one->add_option("ID", *id, "Its id, or the first digits of it")->required();
    open_one->add_flag("--forget", *forgets, "Remove it from the node once it is shown");
    open_one->footer("Example: leither message read 1f0c83a2b9d4 --forget");
    open_one->callback([&session, id, forgets] {
        read(session, *id, *forgets ? AfterReading::forget : AfterReading::keep);
    });

    auto* drop = group->add_subcommand("forget", "Remove a message that has arrived, unread");
    drop->add_option("ID", *id, "Its id, or the first digits of it")->required();
    drop->footer("Example: leither message forget 1f0c83a2b9d4");
    drop->callback([&session, id] { forget(session, *id); });
}

}  // namespace leither::app
