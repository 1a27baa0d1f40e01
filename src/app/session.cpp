#include "app/session.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/check.h"
#include "leither/base/time.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/io/data_dir.h"
#include "leither/io/os_entropy.h"

#include "app/data_dir.h"
#include "app/passphrase.h"
#include "app/place_plan.h"
#include "app/wallet_files.h"

namespace leither::app {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string read_daemon_file(const fs::path& path) {
    auto content = io::read_private_file(path.string());
    if (content) return *content;
    throw CliError(CliExit::unreachable, "no_daemon", content.error(),
                   "Start leitherd, or name its --data-dir, or --rpc and --cookie.");
}

RpcEndpoint endpoint_of(const std::string& url) {
    auto endpoint = parse_rpc_url(url);
    if (!endpoint) throw CliError(CliExit::usage, "bad_url", endpoint.error());
    return *endpoint;
}

fs::path data_dir_of(const GlobalOptions& options) {
    return options.data_dir.empty() ? default_data_dir() : fs::path(options.data_dir);
}

constexpr const char* kPassphraseSources =
    "Run this on a terminal, or give the passphrase by --passphrase-fd or "
    "LEITHER_PASSPHRASE_FILE.";

std::string remedy(const std::string& name, crypto::KeyFileError error) {
    using crypto::KeyFileError;
    switch (error) {
        case KeyFileError::not_found:
            return "See the names with: leither key list, leither contact list. Make a key with: "
                   "leither key new " +
                   name;
        case KeyFileError::locked: return kPassphraseSources;
        case KeyFileError::wrong_passphrase:
            return "It is sealed under another passphrase than the wallet's other keys, or its "
                   "file was altered: restore it from a backup.";
        case KeyFileError::exists:
        case KeyFileError::bad_format:
        case KeyFileError::too_permissive:
        case KeyFileError::io: return "Check the wallet directory.";
    }
    UNREACHABLE();
}

[[noreturn]] void fail_on_key(const std::string& name, crypto::KeyFileError error) {
    throw CliError(
        CliExit::local, crypto::to_string(error),
        fmt::format("The wallet's key \"{}\" cannot be used: {}.", name, crypto::to_string(error)),
        remedy(name, error));
}

struct Explanation {
    std::string cause;
    std::string remedy;
};
Explanation explain(wallet::KeyringError error) {
    using wallet::KeyringError;
    switch (error) {
        case KeyringError::empty:
            return {"there is no key in it", "Make one with: leither key new NAME"};
        case KeyringError::already_protected:
            return {"every key of it is sealed already",
                    "For another passphrase: leither key unprotect, then leither key protect"};
        case KeyringError::not_protected:
            return {"its keys are not sealed", "Seal them with: leither key protect"};
        case KeyringError::locked:
            return {"its keys are sealed, and there is nowhere to ask for the passphrase",
                    kPassphraseSources};
        case KeyringError::wrong_passphrase: return {"the passphrase is another one", "Try again."};
        case KeyringError::bad_passphrase:
            return {fmt::format("a passphrase has 1 to {} bytes", crypto::kPassphraseBytesMax),
                    "Choose another."};
        case KeyringError::no_memory:
            return {"there is not enough memory to try a passphrase", "End other programs."};
        case KeyringError::unreadable:
            return {"a key file cannot be read or written",
                    "Check the directory; what is sealed already stays so, and the same command "
                    "finishes it."};
    }
    UNREACHABLE();
}

}  // namespace

void check_place_name(const std::string& name) {
    if (is_place_name(name)) return;
    throw CliError(
        CliExit::usage, "bad_name", fmt::format("\"{}\" names no organization of a daemon.", name),
        fmt::format("Use 1 to {} of a-z, 0-9 and '-'; see: leither org list", kPlaceNameMax));
}

std::string place_reminder(const GlobalOptions& options, std::string_view text) {
    const bool names_command = text.find("leither ") != std::string_view::npos;
    if (options.org.empty() || !names_command || text.find("--org") != std::string_view::npos) {
        return "";
    }
    return fmt::format("Commands about it begin with: leither --org {}\n", options.org);
}

RpcEndpoint find_daemon(const GlobalOptions& options) {
    const DataDir dir(data_dir_of(options));
    const std::string url =
        options.rpc_url.empty() ? read_daemon_file(dir.address()) : options.rpc_url;
    RpcEndpoint endpoint = endpoint_of(url);
    if (!options.org.empty()) {
        check_place_name(options.org);
        endpoint.path += "/" + options.org;
    }
    endpoint.cookie = read_daemon_file(options.cookie_file.empty() ? dir.cookie()
                                                                   : fs::path(options.cookie_file));
    return endpoint;
}

Session::Session(const GlobalOptions& options) : options_(options) {}

Session::Session(const GlobalOptions& options, RpcCaller& caller, wallet::Keyring& keyring)
    : options_(options), caller_(&caller), shared_keyring_(&keyring) {}

Session::~Session() = default;

json Session::call(const std::string& method, const json& params) {
    if (is_offline_) {
        throw CliError(CliExit::unreachable, "offline",
                       fmt::format("Without the daemon {} cannot be asked.", method),
                       "Run it where the daemon is.");
    }
    if (caller_ != nullptr) return caller_->call(method, params);
    if (!client_) client_.emplace(find_daemon(options_));
    return client_->call(method, params);
}

const OrganizationInfo& Session::organization() {
    if (organization_) return *organization_;
    const json info = call("organization.info", json::object());
    const auto bytes = from_hex(info.at("charter").get<std::string>());
    auto charter = bcs::decode<protocol::Charter>(bytes.value_or(Bytes()));
    if (!charter) {
        throw CliError(CliExit::unreachable, "bad_charter",
                       "The daemon's charter cannot be read by this version of leither.",
                       "Use the versions of leither and leitherd that belong together.");
    }
    const ChainId chain = protocol::chain_id(*charter);
    std::vector<Id> supervisors;
    for (const json& id : info.at("bookkeeping").at("supervisors")) {
        if (const auto known = Id::parse(id.get<std::string>())) supervisors.push_back(*known);
    }
    organization_ = {crypto::id_of(charter->organization), chain, std::move(*charter),
                     std::move(supervisors),
                     info.at("params").at("expiry_pulses_max").get<std::uint32_t>()};
    return *organization_;
}

void Session::go_offline(const wallet::KnownOrganization& known) {
    is_offline_ = true;
    organization_ = {crypto::id_of(known.charter.organization),
                     known.chain(),
                     known.charter,
                     {},
                     known.expiry_pulses_max};
}

void Session::keep_receipts(const Id& account) {
    if (is_offline_) return;  // asked for once what was signed is handed in
    try {
        call("receipt.keep", {{"account", account.hex()}});
    } catch (const RpcError&) {
        return;
    }
}

Pulse Session::pulse_now() {
    return protocol::pulse_at(organization().charter, unix_ms_now());
}

wallet::Keyring& Session::keyring() {
    if (shared_keyring_ != nullptr) return *shared_keyring_;
    if (!keyring_) {
        const fs::path dir = options_.wallet_dir.empty() ? DataDir(data_dir_of(options_)).wallet()
                                                         : fs::path(options_.wallet_dir);
        keyring_.emplace(dir.string());
    }
    return *keyring_;
}

void Session::unlock() {
    if (keyring().is_unlocked() || !keyring().is_protected()) return;
    if (shared_keyring_ != nullptr) {
        throw CliError(CliExit::local, "locked", "The wallet that the daemon holds is locked.",
                       "Unlock it: leither wallet unlock, or wallet.unlock.");
    }
    const auto passphrase = read_passphrase(options_.passphrase_fd, AskFor::the_passphrase);
    if (!passphrase) fail_on_passphrase(wallet::KeyringError::locked, keyring().directory());
    if (auto unlocked = keyring().unlock(passphrase->view()); !unlocked) {
        fail_on_passphrase(unlocked.error(), keyring().directory());
    }
}

crypto::KeyPair Session::key(const std::string& name) {
    if (const auto id = Id::parse(name)) {
        for (const auto& known : keyring().list()) {
            if (known.id == *id) return key(known.name);
        }
        throw CliError(CliExit::local, "not_found",
                       fmt::format("The wallet holds no key of account {}.", name),
                       "Only the key's owner can sign for it.");
    }
    auto key = keyring().load(name);
    if (!key && key.error() == crypto::KeyFileError::locked) {
        unlock();
        key = keyring().load(name);
    }
    if (!key) fail_on_key(name, key.error());
    return *key;
}

crypto::KeyPair Session::supervisor_key(const std::string& name) {
    if (!name.empty()) return key(name);
    const Id founder = crypto::id_of(organization().charter.founder);
    const auto& supervisors = organization().supervisors;
    std::string found;
    for (const auto& known : keyring().list()) {
        if (std::ranges::find(supervisors, known.id) == supervisors.end()) continue;
        if (found.empty() || known.id == founder) found = known.name;
    }
    if (!found.empty()) return key(found);
    throw CliError(CliExit::local, "no_supervisor_key",
                   "No key of this wallet belongs to a supervisor.",
                   "Name the key with --by, or run this on a supervisor's machine.");
}

Id Session::account(const std::string& name) {
    if (const auto id = Id::parse(name)) return *id;
    for (const auto& known : keyring().list()) {
        if (known.name == name) return known.id;
    }
    if (const auto* contact = wallet::find_contact(contacts(), name)) return contact->account;
    return key(name).id();  // says what is wrong with it
}

const wallet::Contacts& Session::contacts() {
    if (!contacts_) contacts_ = WalletFiles(keyring().directory()).contacts();
    return *contacts_;
}

std::optional<std::string> Session::name_of(const Id& account) {
    for (const auto& known : keyring().list()) {
        if (known.id == account) return known.name;
    }
    const auto* contact = wallet::find_contact(contacts(), account);
    return contact == nullptr ? std::nullopt : std::optional(contact->name);
}

std::string Session::display(const Id& account) {
    const auto name = name_of(account);
    return name ? fmt::format("{} ({})", *name, account.hex()) : account.hex();
}

std::string Session::short_name(const Id& account) {
    constexpr std::size_t kDigits = 12;
    return name_of(account).value_or(account.hex().substr(0, kDigits));
}

Amount Session::amount(const std::string& text) {
    const auto& charter = organization().charter;
    const auto amount = parse_amount(text, charter.decimals);
    if (amount) return *amount;
    throw CliError(
        CliExit::usage, "bad_amount", fmt::format("\"{}\" is no amount.", text),
        fmt::format("Write digits with at most {} decimals, for example {}.", charter.decimals,
                    format_amount(Amount::of(1250), charter.decimals)));
}

std::string Session::format(Amount amount) {
    const auto& charter = organization().charter;
    return format_amount(amount, charter.decimals) + " " + charter.unit;
}

std::string Session::format_units(const json& units) {
    const auto amount = parse_amount(units.get<std::string>(), 0);
    return amount ? format(*amount) : units.get<std::string>();
}

void Session::print(const json& result, const std::string& text) {
    if (caller_ != nullptr) {
        answer_ = std::make_unique<json>(result);
    } else if (options_.json) {
        fmt::print("{}\n", result.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        fmt::print("{}{}", text, place_reminder(options_, text));
    }
}

json Session::take_answer() {
    const auto answer = std::move(answer_);
    return answer ? std::move(*answer) : json(nullptr);
}

wallet::NamedKey new_key(Session& session, const std::string& name) {
    if (!wallet::Keyring::is_valid_name(name)) {
        throw CliError(CliExit::usage, "bad_name",
                       fmt::format("\"{}\" is no name for a key.", name),
                       "Use 1 to 64 of a-z, 0-9, '_', '.' and '-', starting with none of the last "
                       "two.");
    }
    session.unlock();  // a protected wallet takes sealed keys only
    io::OsEntropy entropy;
    const auto key = crypto::KeyPair::generate(entropy);
    if (auto added = session.keyring().add(name, key, entropy); !added) {
        const bool exists = added.error() == crypto::KeyFileError::exists;
        throw CliError(
            CliExit::local, crypto::to_string(added.error()),
            exists ? fmt::format("The wallet has a key \"{}\" already.", name)
                   : fmt::format("The key cannot be written to {}.", session.keyring().directory()),
            exists ? "Choose another name." : "Check the directory, or use --wallet.");
    }
    return {name, key.id(), key.public_key()};
}

void fail_on_passphrase(wallet::KeyringError error, const std::string& directory) {
    const Explanation why = explain(error);
    throw CliError(CliExit::local, wallet::to_string(error),
                   fmt::format("The wallet {}: {}.", directory, why.cause), why.remedy);
}

std::uint64_t unix_ms_now() {
    return unix_ms(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
}

}  // namespace leither::app
