#include "app/session.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/time.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/io/data_dir.h"

#include "app/data_dir.h"

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

[[noreturn]] void fail_on_key(const std::string& name, crypto::KeyFileError error) {
    const std::string next_step =
        error == crypto::KeyFileError::not_found
            ? "See the names with: leither key list. Make one with: leither key new " + name
            : "Check the wallet directory.";
    throw CliError(
        CliExit::local, crypto::to_string(error),
        fmt::format("The wallet's key \"{}\" cannot be used: {}.", name, crypto::to_string(error)),
        next_step);
}

}  // namespace

RpcEndpoint find_daemon(const GlobalOptions& options) {
    const DataDir dir(data_dir_of(options));
    const std::string url =
        options.rpc_url.empty() ? read_daemon_file(dir.address()) : options.rpc_url;
    RpcEndpoint endpoint = endpoint_of(url);
    endpoint.cookie = read_daemon_file(options.cookie_file.empty() ? dir.cookie()
                                                                   : fs::path(options.cookie_file));
    return endpoint;
}

json Session::call(const std::string& method, const json& params) {
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
                     std::move(supervisors)};
    return *organization_;
}

void Session::keep_receipts(const Id& account) {
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
    if (!keyring_) {
        const fs::path dir = options_.wallet_dir.empty() ? DataDir(data_dir_of(options_)).wallet()
                                                         : fs::path(options_.wallet_dir);
        keyring_.emplace(dir.string());
    }
    return *keyring_;
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
    return key(name).id();
}

std::string Session::display(const Id& account) {
    for (const auto& known : keyring().list()) {
        if (known.id == account) return fmt::format("{} ({})", known.name, account.hex());
    }
    return account.hex();
}

std::string Session::short_name(const Id& account) {
    constexpr std::size_t kDigits = 12;
    for (const auto& known : keyring().list()) {
        if (known.id == account) return known.name;
    }
    return account.hex().substr(0, kDigits);
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

void Session::print(const json& result, const std::string& text) const {
    if (options_.json) {
        fmt::print("{}\n", result.dump(2, ' ', false, json::error_handler_t::replace));
    } else {
        fmt::print("{}", text);
    }
}

std::uint64_t unix_ms_now() {
    return unix_ms(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
}

}  // namespace leither::app
