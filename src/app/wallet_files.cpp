#include "app/wallet_files.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leither/io/file.h"
#include "leither/io/secret_file.h"

#include "app/cli_error.h"

namespace leither::app {

namespace {

using io::File;
using io::system_text;
using nlohmann::json;

constexpr const char* kLock = "lock";
constexpr const char* kJournal = "journal";
constexpr const char* kKnown = "known";
constexpr std::size_t kListBytesMax = 64 << 10;
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kPollInterval = std::chrono::milliseconds(20);

[[noreturn]] void fail_on_directory(const std::string& what) {
    throw CliError(CliExit::local, "bad_wallet", what, "Check the wallet directory.");
}

// Empty if there is no such file.
std::string read_file(const std::string& path, std::size_t bytes_max) {
    auto content = io::read_secret_file(path, bytes_max);
    if (!content) fail_on_directory(content.error());
    return *content ? std::string(as_text(**content)) : std::string();
}

void replace_file(const std::string& path, std::string_view text) {
    if (auto written = io::replace_secret_file(path, as_bytes(text)); !written) {
        fail_on_directory(written.error().detail);
    }
}

// Whole lines only: what a crash cut off was told to nobody.
void append_line(const std::string& path, std::string_view line) {
    const File file(path, O_RDWR | O_CREAT);
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) fail_on_directory(system_text(path));
    off_t end = status.st_size;
    char last = '\n';
    while (end > 0 && ::pread(file.get(), &last, 1, end - 1) == 1 && last != '\n') --end;
    const bool is_new = end == 0;
    std::string text(is_new ? wallet::kJournalHeading : "");
    text += line;
    const bool written = ::ftruncate(file.get(), end) == 0 &&
                         ::lseek(file.get(), end, SEEK_SET) == end && file.write(as_bytes(text)) &&
                         file.sync();
    if (!written) {
        const std::string why = system_text(path);
        (void)::ftruncate(file.get(), end);  // as if nothing had been tried
        fail_on_directory(why);
    }
    if (!is_new) return;
    const File directory(path.substr(0, path.rfind('/')), O_RDONLY | O_DIRECTORY);
    if (!directory.is_open() || !directory.sync()) fail_on_directory(system_text(path));
}

// A list that its owner writes: what its file is called, and how it is spoken of.
struct ListFile {
    const char* file;
    const char* format;  // a field that is 1
    const char* items;   // the field that holds them
    const char* item;
    const char* error;
    const char* command;  // that writes it
};
constexpr ListFile kPolicy = {"policy.json", "leither_policy", "rules",
                              "rule",        "bad_policy",     "leither wallet policy"};
constexpr ListFile kContacts = {"contacts.json", "leither_contacts", "contacts",
                                "contact",       "bad_contacts",     "leither contact"};

[[noreturn]] void fail_on_list(const ListFile& list, const std::string& path,
                               const std::string& what) {
    throw CliError(CliExit::local, list.error, fmt::format("{}: {}.", path, what),
                   fmt::format("Correct it, or write it anew with: {}", list.command));
}

// One item of a list, for its fields.
struct ListItem {
    const ListFile& list;
    const std::string& path;
    std::size_t number;
    const json& content;

    template <class T>
    T field(const char* name) const {
        const auto found = content.find(name);
        std::optional<T> value;
        if (found != content.end() && found->is_string()) {
            const auto& text = found->get_ref<const std::string&>();
            if constexpr (std::is_same_v<T, Amount>) {
                value = parse_amount(text, 0);
            } else if constexpr (std::is_same_v<T, std::string>) {
                value = text;
            } else {
                value = T::parse(text);
            }
        }
        if (value) return *value;
        fail(fmt::format("\"{}\" is missing or malformed", name));
    }
    [[noreturn]] void fail(const std::string& what) const {
        fail_on_list(list, path, fmt::format("{} {}: {}", list.item, number, what));
    }
};

// Calls `take` with each item. Nothing if there is no such file.
template <class Take>
void read_list(const ListFile& list, const std::string& path, std::size_t items_max,
               const Take& take) {
    const std::string text = read_file(path, kListBytesMax);
    if (text.empty()) return;
    const json content = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const bool is_list = content.is_object() && content.value(list.format, json()) == 1 &&
                         content.contains(list.items) && content[list.items].is_array();
    if (!is_list) fail_on_list(list, path, fmt::format("it is no list of {}s", list.item));
    if (content[list.items].size() > items_max) {
        fail_on_list(list, path, fmt::format("more than {} {}s", items_max, list.item));
    }
    std::size_t number = 0;
    for (const json& item : content[list.items]) {
        const ListItem one{list, path, ++number, item};
        if (!item.is_object()) one.fail("it is no object");
        take(one);
    }
}

void write_list(const ListFile& list, const std::string& path, json items) {
    const json content = {{list.format, 1}, {list.items, std::move(items)}};
    replace_file(path, content.dump(2) + "\n");
}

}  // namespace

WalletFiles::Guard::Guard(Guard&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

WalletFiles::Guard::~Guard() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

WalletFiles::Guard WalletFiles::lock() const {
    std::error_code error;
    if (std::filesystem::create_directories(directory_, error)) {
        std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, error);
    }
    File file(path(kLock), O_RDWR | O_CREAT);
    if (!file.is_open()) fail_on_directory(system_text(path(kLock)));
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() >= deadline) {
            throw CliError(CliExit::local, "wallet_busy",
                           fmt::format("Another program works with the wallet {}.", directory_),
                           "Try again; see what it is with: fuser -v " + path(kLock));
        }
        std::this_thread::sleep_for(kPollInterval);
    }
    return Guard(file.release());
}

wallet::Journal WalletFiles::journal() const {
    const std::string text = read_file(path(kJournal), wallet::kJournalBytesMax);
    auto journal = wallet::Journal::parse(text);
    if (journal) return *std::move(journal);
    throw CliError(
        CliExit::local, "bad_journal",
        fmt::format("The journal of what this wallet has signed, {}, cannot be read: {}.",
                    path(kJournal), wallet::to_string(journal.error())),
        "Restore it from a backup. If you move it away, requests that were paid before "
        "may be paid again: wait until they have expired.");
}

void WalletFiles::append(wallet::Journal& journal, const wallet::JournalRecord& record,
                         std::uint64_t now_ms) const {
    if (const auto shorter = journal.compacted(now_ms)) {
        replace_file(path(kJournal), *shorter);
    }
    append_line(path(kJournal), wallet::to_line(record));
    journal.add(record);
}

wallet::Known WalletFiles::known() const {
    const std::string text = read_file(path(kKnown), wallet::kKnownBytesMax);
    if (auto known = wallet::Known::parse(as_bytes(text))) return *std::move(known);
    throw CliError(CliExit::local, "bad_known",
                   fmt::format("What this wallet remembers of its organizations, {}, cannot be "
                               "read.",
                               path(kKnown)),
                   "Remove it, and learn it anew from the daemon: leither offline refresh");
}

void WalletFiles::set_known(const wallet::Known& known) const {
    const Bytes content = known.encode();
    if (read_file(path(kKnown), wallet::kKnownBytesMax) == as_text(content)) return;
    replace_file(path(kKnown), as_text(content));
}

wallet::Policy WalletFiles::policy() const {
    wallet::Policy policy;
    read_list(kPolicy, path(kPolicy.file), wallet::kPolicyRulesMax, [&](const ListItem& rule) {
        policy.push_back({rule.field<ChainId>("chain_id"), rule.field<Id>("from"),
                          rule.field<Amount>("amount_max"), rule.field<Amount>("per_day")});
    });
    return policy;
}

void WalletFiles::set_policy(const wallet::Policy& policy) const {
    json rules = json::array();
    for (const auto& rule : policy) {
        rules.push_back({{"chain_id", rule.chain.hex()},
                         {"from", rule.from.hex()},
                         {"amount_max", std::to_string(rule.amount_max.units())},
                         {"per_day", std::to_string(rule.per_day.units())}});
    }
    write_list(kPolicy, path(kPolicy.file), std::move(rules));
}

wallet::Contacts WalletFiles::contacts() const {
    wallet::Contacts contacts;
    read_list(kContacts, path(kContacts.file), wallet::kContactsMax, [&](const ListItem& item) {
        const std::size_t known = contacts.size();
        const auto set = wallet::set_contact(
            contacts, {item.field<std::string>("name"), item.field<Id>("account")});
        if (!set) item.fail(wallet::to_string(set.error()));
        if (contacts.size() == known) item.fail("this account has a name already");
    });
    return contacts;
}

void WalletFiles::set_contacts(const wallet::Contacts& contacts) const {
    json items = json::array();
    for (const auto& contact : contacts) {
        items.push_back({{"name", contact.name}, {"account", contact.account.hex()}});
    }
    write_list(kContacts, path(kContacts.file), std::move(items));
}

}  // namespace leither::app
