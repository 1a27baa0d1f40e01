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
constexpr const char* kPolicy = "policy.json";
constexpr const char* kKnown = "known";
constexpr std::size_t kPolicyBytesMax = 64 << 10;
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

[[noreturn]] void fail_on_policy(const std::string& path, const std::string& what) {
    throw CliError(CliExit::local, "bad_policy", fmt::format("{}: {}.", path, what),
                   "Correct it, or write it anew with: leither wallet policy");
}

template <class T>
T field(const json& rule, const char* name, const std::string& path, std::size_t number) {
    const auto found = rule.find(name);
    std::optional<T> value;
    if (found != rule.end() && found->is_string()) {
        const auto& text = found->get_ref<const std::string&>();
        if constexpr (std::is_same_v<T, Amount>) {
            value = parse_amount(text, 0);
        } else {
            value = T::parse(text);
        }
    }
    if (value) return *value;
    fail_on_policy(path, fmt::format("rule {}: \"{}\" is missing or malformed", number, name));
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
    const std::string file = path(kPolicy);
    const std::string text = read_file(file, kPolicyBytesMax);
    wallet::Policy policy;
    if (text.empty()) return policy;
    const json content = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const bool has_rules = content.is_object() && content.value("leither_policy", json()) == 1 &&
                           content.contains("rules") && content["rules"].is_array();
    if (!has_rules) fail_on_policy(file, "it is no policy of this version");
    for (const json& rule : content["rules"]) {
        const std::size_t number = policy.size() + 1;
        if (policy.full()) {
            fail_on_policy(file, fmt::format("more than {} rules", wallet::kPolicyRulesMax));
        }
        if (!rule.is_object()) fail_on_policy(file, fmt::format("rule {} is no object", number));
        policy.push_back({field<ChainId>(rule, "chain_id", file, number),
                          field<Id>(rule, "from", file, number),
                          field<Amount>(rule, "amount_max", file, number),
                          field<Amount>(rule, "per_day", file, number)});
    }
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
    const json content = {{"leither_policy", 1}, {"rules", std::move(rules)}};
    replace_file(path(kPolicy), content.dump(2) + "\n");
}

}  // namespace leither::app
