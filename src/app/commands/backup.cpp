// backup create, verify, restore: what it takes to go on elsewhere, in one encrypted file.
#include "leither/wallet/backup.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/io/os_entropy.h"
#include "leither/io/secret_file.h"
#include "leither/protocol/delegation.h"

#include "app/commands/commands.h"
#include "app/printable.h"
#include "app/receipt_file.h"
#include "app/served.h"
#include "app/small_file.h"
#include "app/text_table.h"
#include "app/wallet_files.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using wallet::Backup;
using wallet::BackupFile;
using wallet::BackupOrganization;

constexpr std::size_t kWordsBytesMax = 4096;
constexpr unsigned kServeDays = 90;
// Of the wallet's files, and of receipts: together they fit a backup.
constexpr std::size_t kWalletBytesMax = std::size_t{40} << 20;
constexpr std::size_t kReceiptBytesSumMax = std::size_t{16} << 20;
static_assert(kWalletBytesMax + kReceiptBytesSumMax < wallet::kBackupBytesMax - (4 << 20));
// No lock, and nothing that is learned anew: with counters of long ago the same number could be
// signed twice.
constexpr std::string_view kLeftOut[] = {"known", "lock"};

struct BackupOptions {
    std::string file;
    std::string words;  // where they stand; empty: made, or asked for
    std::string receipts;
    bool replaces = false;
};

[[noreturn]] void refuse(const std::string& name, const std::string& message,
                         const std::string& next_step) {
    throw CliError(CliExit::local, name, message, next_step);
}

// ---- Words

crypto::RecoverySecret read_words(const std::string& text) {
    const auto words = crypto::read_recovery_words(text);
    if (words) return *words;
    const std::string name = crypto::to_string(words.error());
    switch (words.error()) {
        case crypto::WordsError::wrong_count:
            refuse(name, fmt::format("These are not {} words.", crypto::kRecoveryWords),
                   "Write all of them, in order, with blanks between them.");
        case crypto::WordsError::unknown_word:
            refuse(
                name,
                fmt::format("Word {} is none that a backup gives.",
                            crypto::unknown_recovery_word(text)),
                "Look at what you have written down; the first four letters of each are enough.");
        case crypto::WordsError::bad_checksum:
            refuse(name, "These words do not belong together.",
                   "One of them is another one, or two have changed places.");
    }
    UNREACHABLE();
}

// From a file, or from standard input: a terminal is asked.
crypto::RecoverySecret given_words(const BackupOptions& options) {
    if (!options.words.empty() && options.words != "-") {
        return read_words(read_small_file(options.words, kWordsBytesMax));
    }
    if (options.words.empty()) fmt::print(stderr, "The {} words: ", crypto::kRecoveryWords);
    std::string text;
    for (std::string line; std::getline(std::cin, line);) {
        text += line + "\n";
        const bool is_enough = crypto::read_recovery_words(text).has_value();
        if (is_enough || text.size() > kWordsBytesMax) break;
    }
    return read_words(text);
}

std::string numbered(const std::string& words) {
    std::string text;
    std::size_t number = 0;
    for (std::size_t at = 0; at != std::string::npos;) {
        const std::size_t blank = words.find(' ', at);
        const std::string word = words.substr(at, blank == std::string::npos ? blank : blank - at);
        text += fmt::format("  {:>2}. {}\n", ++number, word);
        at = blank == std::string::npos ? blank : blank + 1;
    }
    return text;
}

// ---- What goes into it

bool is_key(const BackupFile& file) {
    return file.name.ends_with(".key");
}

std::size_t keys_in(const Backup& backup) {
    return static_cast<std::size_t>(std::ranges::count_if(backup.files, is_key));
}

[[noreturn]] void fail_without_keys(const std::string& directory) {
    refuse("no_wallet", fmt::format("There is no key in {}.", directory),
           "Make one with `leither key new NAME`, or name the wallet with --wallet.");
}

std::vector<fs::path> wallet_files(const std::string& directory) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        const bool is_plain = at->is_regular_file() && !at->is_symlink();
        const bool is_wanted =
            std::ranges::find(kLeftOut, at->path().filename().string()) == std::end(kLeftOut);
        if (is_plain && is_wanted) paths.push_back(at->path());
    }
    std::ranges::sort(paths);
    return paths;
}

void add_wallet(Backup& backup, const std::string& directory) {
    if (!fs::is_directory(directory)) fail_without_keys(directory);
    const auto guard = WalletFiles(directory).lock();  // nobody writes meanwhile
    std::size_t bytes = 0;
    for (const fs::path& path : wallet_files(directory)) {
        BackupFile file;
        const std::string name = path.filename().string();
        if (name.size() > decltype(file.name)::kMax) continue;
        file.name = decltype(file.name)(name);
        if (!file.is_canonical()) continue;  // none that the wallet has made
        constexpr std::size_t kBytesMax = decltype(file.content)::kMax;
        const std::string content = read_small_file(path.string(), kBytesMax);
        bytes += content.size();
        if (content.size() > kBytesMax || bytes > kWalletBytesMax || backup.files.full()) {
            refuse("too_large", fmt::format("The wallet holds more than a backup may: {}.", name),
                   "Move what is no key out of the wallet's directory.");
        }
        file.content.assign(content.begin(), content.end());
        backup.files.push_back(std::move(file));
    }
    if (keys_in(backup) == 0) fail_without_keys(directory);
}

// The answer, or nothing if the daemon has none.
std::optional<json> try_call(Session& session, const std::string& method, const json& params) {
    try {
        return session.call(method, params);
    } catch (const RpcError&) {
        return std::nullopt;
    }
}

template <std::size_t N>
void set_text(BoundedText<N>& text, const std::string& value) {
    if (value.size() <= N) text = BoundedText<N>(value);
}

void add_peer(BackupOrganization& organization, const json& endpoint) {
    BoundedText<64> text;
    set_text(text, endpoint.get<std::string>());
    const bool is_known = std::ranges::find(organization.peers, text) != organization.peers.end();
    if (text.empty() || is_known || organization.peers.full()) return;
    organization.peers.push_back(std::move(text));
}

void add_ledger(BackupOrganization& organization, Session& session, const json& status) {
    const auto info = try_call(session, "organization.info", json::object());
    if (!info) return;
    set_text(organization.name, info->at("name").get<std::string>());
    const auto charter = from_hex(info->at("charter").get<std::string>());
    if (charter && charter->size() <= decltype(organization.charter)::kMax) {
        organization.charter.assign(charter->begin(), charter->end());
    }
    const json& newest = status.at("organization").at("checkpoint").at("newest");
    if (!newest.is_null()) set_text(organization.checkpoint, newest.at("name").get<std::string>());
}

// Nodes that can be dialed: those we have dialed, and keepers by the manifest.
void add_peers(BackupOrganization& organization, Session& session, const json& community) {
    if (const json& manifest = community.at("manifest"); !manifest.is_null()) {
        set_text(organization.name, manifest.at("name").get<std::string>());
        for (const json& keeper : manifest.at("keepers")) {
            for (const json& endpoint : keeper.at("endpoints")) add_peer(organization, endpoint);
        }
    }
    const auto peers = try_call(session, "network.peers", json::object());
    for (const json& peer : peers.value_or(json::array())) {
        if (peer.at("direction") == "outbound") add_peer(organization, peer.at("endpoint"));
    }
}

void add_organization(Backup& backup, Session& session) {
    const json status = session.call("node.status", json::object());
    BackupOrganization organization;
    const json& network = status.at("network");
    const bool follows = !network.is_null() && !network.at("organization").is_null();
    if (follows) {
        const json& community = network.at("organization");
        organization.id = Id::parse(community.at("id").get<std::string>()).value();
        if (community.at("chain_id").is_string()) {
            organization.chain = ChainId::parse(community.at("chain_id").get<std::string>());
        }
        for (const json& account : community.at("accounts")) {
            if (organization.served.full()) break;
            organization.served.push_back(
                Id::parse(account.at("account").get<std::string>()).value());
        }
        add_peers(organization, session, community);
    } else if (!status.at("organization").is_null()) {
        organization.id = Id::parse(status.at("organization").at("id").get<std::string>()).value();
    } else {
        return;
    }
    if (!status.at("organization").is_null()) add_ledger(organization, session, status);
    backup.organizations.push_back(std::move(organization));
}

void add_receipts(Backup& backup, Session& session) {
    std::size_t bytes = 0;
    for (const auto& key : session.keyring().list()) {
        json params = {{"account", key.id.hex()}, {"limit", 500}};
        const auto page = try_call(session, "receipt.list", params);
        if (!page) continue;
        for (const json& item : page->at("items")) {
            const auto got =
                try_call(session, "receipt.get",
                         {{"account", item.at("account")}, {"sequence", item.at("sequence")}});
            const auto receipt =
                got ? from_hex(got->at("receipt").get<std::string>()) : std::nullopt;
            if (!receipt || receipt->size() > (1 << 20)) continue;
            bytes += receipt->size();
            if (backup.receipts.full() || bytes > kReceiptBytesSumMax) return;
            backup.receipts.emplace_back();
            backup.receipts.back().assign(receipt->begin(), receipt->end());
        }
    }
}

// ---- Words about it

json summary_json(const Backup& backup) {
    json files = json::array();
    for (const BackupFile& file : backup.files) files.push_back(std::string(file.name));
    json organizations = json::array();
    for (const auto& one : backup.organizations) {
        organizations.push_back({{"id", one.id.hex()},
                                 {"name", std::string(one.name)},
                                 {"checkpoint", std::string(one.checkpoint)},
                                 {"peers", one.peers.size()}});
    }
    return {{"created_ms", backup.created_ms},
            {"files", std::move(files)},
            {"organizations", std::move(organizations)},
            {"receipts", backup.receipts.size()}};
}

std::string summary_text(const Backup& backup) {
    std::string text = fmt::format("made:      {}\n", format_time(backup.created_ms));
    text += fmt::format("holds:     {}, {}\n", count_of(keys_in(backup), "key"),
                        count_of(backup.receipts.size(), "receipt"));
    for (const auto& one : backup.organizations) {
        text += fmt::format("follows:   {} ({})\n", printable(one.name, LineBreaks::escaped),
                            one.id.hex());
    }
    return text;
}

// A backup holds one organization; whoever has several is told.
std::string note_on_others(Session& session) {
    const auto places = try_call(session, "place.list", json::object());
    std::string note;
    for (const json& place : places.value_or(json::array())) {
        const auto name = place.at("name").get<std::string>();
        if (name == session.options().org || place.at("organization").is_null()) continue;
        note += fmt::format(
            "not in it: {}; back it up with: leither {}backup create FILE\n",
            printable(place.at("organization").at("name").get<std::string>(), LineBreaks::escaped),
            name.empty() ? "" : "--org " + name + " ");
    }
    return note;
}

// ---- create, verify

void create(Session& session, const BackupOptions& options) {
    if (!options.replaces && fs::exists(options.file)) {
        refuse("exists", fmt::format("{} is there already.", options.file),
               "Choose another name, or add --replace.");
    }
    Backup backup;
    backup.created_ms = unix_ms_now();
    add_wallet(backup, session.keyring().directory());
    std::string note;
    try {
        add_organization(backup, session);
        add_receipts(backup, session);
        note = note_on_others(session);
    } catch (const RpcUnreachable&) {
        note = "No daemon was reached: the backup holds the wallet alone.\n";
    } catch (const CliError& error) {
        if (error.exit() != CliExit::unreachable) throw;
        note = "No daemon was reached: the backup holds the wallet alone.\n";
    }
    io::OsEntropy entropy;
    crypto::RecoverySecret words;
    const bool are_new = options.words.empty();
    if (are_new) {
        entropy.fill(words.span());
    } else {
        words = given_words(options);
    }
    const Bytes file = wallet::seal_backup(backup, words, entropy);
    if (const auto written = io::replace_secret_file(options.file, file); !written) {
        refuse("io", fmt::format("{} cannot be written: {}", options.file, written.error().detail),
               "Choose another place.");
    }
    json result = summary_json(backup);
    result["file"] = options.file;
    std::string text = summary_text(backup) + note + fmt::format("Written to {}.\n", options.file);
    if (are_new) {
        result["words"] = crypto::recovery_words(words);
        text +=
            "\nWrite these words down, on paper. They are shown once; without them nobody "
            "opens the file:\n\n" +
            numbered(crypto::recovery_words(words)) +
            fmt::format("\nThen try them: leither backup verify {}\n", options.file);
    }
    session.print(result, text);
}

Backup open(const BackupOptions& options) {
    const std::string content = read_small_file(options.file, wallet::kBackupBytesMax);
    auto backup = wallet::open_backup(as_bytes(content), given_words(options));
    if (backup) return *std::move(backup);
    const std::string name = wallet::to_string(backup.error());
    switch (backup.error()) {
        case wallet::BackupError::not_a_backup:
            refuse(name, fmt::format("{} is no backup.", options.file),
                   "Name a file that `leither backup create` has written.");
        case wallet::BackupError::does_not_open:
            refuse(name, "The words do not open this file, or a byte of it has changed.",
                   "Use the words that were shown when this file was made, or another copy of it.");
        case wallet::BackupError::bad_content:
            refuse(name, "The backup opens, but holds what this version of leither cannot read.",
                   "Use the version that wrote it, or a later one.");
    }
    UNREACHABLE();
}

// The receipts as files that `leither receipt verify` reads, with the names to give them. Throws
// CliError if one does not hold.
std::vector<std::pair<std::string, std::string>> receipt_files(const Backup& backup) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& encoded : backup.receipts) {
        const auto receipt = bcs::decode<ledger::Receipt>(encoded);
        if (!receipt) continue;
        const std::string text = receipt_to_text(AnyReceipt(*receipt));
        const json facts = json::parse(text);
        const auto field = [&facts](const char* name) {
            const auto found = facts.find(name);
            if (found == facts.end()) return std::string();
            return found->is_string() ? found->get<std::string>() : found->dump();
        };
        files.emplace_back(field("account").substr(0, 12) + "-" + field("sequence") + ".json",
                           text);
    }
    return files;
}

void verify(Session& session, const BackupOptions& options) {
    const Backup backup = open(options);
    (void)receipt_files(backup);  // they hold
    session.print(
        summary_json(backup),
        summary_text(backup) + "The words open it, and all of it is as it was written.\n");
}

// ---- restore

bool holds_exactly(const fs::path& path, ByteView content) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return false;
    return read_small_file(path.string(), content.size()) == as_text(content);
}

// Nothing is written unless all of it can be.
void restore_files(const Backup& backup, const fs::path& directory) {
    for (const BackupFile& file : backup.files) {
        const fs::path target = directory / std::string(file.name);
        // A policy, contacts or a journal that are there already are newer.
        if (!is_key(file) || !fs::exists(target) || holds_exactly(target, file.content)) continue;
        refuse("exists",
               fmt::format("The wallet has another \"{}\" already; nothing was changed.",
                           std::string(file.name)),
               "Restore into an empty wallet, with --wallet DIR.");
    }
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        fs::create_directories(directory, error);
        fs::permissions(directory, fs::perms::owner_all, error);
    }
    for (const BackupFile& file : backup.files) {
        const std::string target = (directory / std::string(file.name)).string();
        if (fs::exists(target)) continue;
        if (const auto written = io::replace_secret_file(target, file.content); !written) {
            refuse("io", fmt::format("{} cannot be written: {}", target, written.error().detail),
                   "Check the directory, then run this again: what is there already stays.");
        }
    }
}

std::size_t restore_receipts(const Backup& backup, const fs::path& directory) {
    const auto files = receipt_files(backup);
    std::error_code error;
    if (!files.empty()) fs::create_directories(directory, error);
    for (const auto& [name, text] : files) {
        const fs::path target = directory / name;
        if (fs::exists(target)) continue;
        const auto written = io::replace_secret_file(target.string(), as_bytes(text));
        if (written) continue;
        refuse("io",
               fmt::format("{} cannot be written: {}", target.string(), written.error().detail),
               "Name another folder with --receipts.");
    }
    return files.size();
}

// Says what it has done, or what is left to do.
std::string rejoin(Session& session, const BackupOrganization& organization) {
    session.call("organization.follow", {{"organization", organization.id.hex()}});
    for (const auto& peer : organization.peers) {
        (void)try_call(session, "network.connect", {{"endpoint", std::string(peer)}});
    }
    const ChainId chain = followed_chain(session);
    if (organization.chain && chain != *organization.chain) {
        return "The organization has another ledger than when the backup was made: ask a "
               "supervisor before you rely on it.\n";
    }
    for (const auto& key : session.keyring().list()) {
        if (std::ranges::find(organization.served, key.id) == organization.served.end()) continue;
        serve(session, session.key(key.name), kServeDays);
    }
    return "This node follows it again and fetches its ledger, with proof, from the others: see "
           "`leither node status`, then `leither balance`.\n"
           "It votes for nobody: to stand for election again, pledge with this node.\n";
}

std::string try_to_rejoin(Session& session, const BackupOrganization& organization) {
    const std::string again =
        "Then run the same command again: what is there already stays as it is.\n";
    try {
        return rejoin(session, organization);
    } catch (const RpcUnreachable& error) {
        return fmt::format("No daemon was reached ({}). Start leitherd. {}", error.what(), again);
    } catch (const RpcError& error) {
        return fmt::format("The daemon does not follow the organization: {}\n{}", error.what(),
                           again);
    } catch (const CliError& error) {
        return fmt::format("{} {}\n{}", error.what(), error.next_step(), again);
    }
}

void restore(Session& session, const BackupOptions& options) {
    const Backup backup = open(options);
    const fs::path directory = session.keyring().directory();
    restore_files(backup, directory);
    const fs::path receipts = options.receipts.empty() ? directory.parent_path() / "receipts"
                                                       : fs::path(options.receipts);
    const std::size_t count = restore_receipts(backup, receipts);
    std::string text =
        summary_text(backup) + fmt::format("The keys are in {}.\n", directory.string());
    if (count > 0) text += fmt::format("The receipts are in {}.\n", receipts.string());
    json result = summary_json(backup);
    result["wallet"] = directory.string();
    result["notes"] = json::array();
    for (const auto& organization : backup.organizations) {
        const std::string note = try_to_rejoin(session, organization);
        result["notes"].push_back(note);
        text += note;
    }
    session.print(result, text);
}

}  // namespace

void add_backup_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("backup", "All that you need to go on elsewhere, in one file");
    group->require_subcommand(1);
    const auto options = std::make_shared<BackupOptions>();
    const auto add_common = [&options](CLI::App& command, const char* words) {
        command.add_option("FILE", options->file, "The backup")->required();
        command.add_option("--words", options->words, words)->type_name("FILE");
    };

    auto* make = group->add_subcommand("create", "Write the backup and show its twelve words");
    add_common(*make, "Use the words in this file (-: standard input) instead of new ones");
    make->add_flag("--replace", options->replaces, "Write over a file that is there");
    make->footer(
        "It holds the wallet's files, the organization and how to reach it, and receipts. It holds "
        "no key\nof the node and no vote key.\n"
        "Examples:\n"
        "  leither backup create credit.backup\n"
        "  leither backup create credit.backup --replace --words my-words.txt");
    make->callback([&session, options] { create(session, *options); });

    auto* check = group->add_subcommand("verify", "Try the words, and say what the backup holds");
    add_common(*check, "Where the words stand (-: standard input); else they are asked for");
    check->footer("Example: leither backup verify credit.backup");
    check->callback([&session, options] { verify(session, *options); });

    auto* back = group->add_subcommand("restore", "Bring it all back, on this or a new machine");
    add_common(*back, "Where the words stand (-: standard input); else they are asked for");
    back->add_option("--receipts", options->receipts,
                     "Folder for the receipts; default: receipts, beside the wallet")
        ->type_name("DIR");
    back->footer(
        "Start leitherd first; balances come back from other nodes, with proof.\n"
        "Example: leither backup restore credit.backup");
    back->callback([&session, options] { restore(session, *options); });
}

}  // namespace leither::app
