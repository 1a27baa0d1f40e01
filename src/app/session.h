// One run of the command line: which daemon, which wallet, which organization, and how to answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "leither/protocol/block.h"
#include "leither/wallet/contacts.h"
#include "leither/wallet/keyring.h"
#include "leither/wallet/known.h"

#include "app/cli_error.h"
#include "app/rpc_client.h"

namespace leither::app {

// What every command accepts.
struct GlobalOptions {
    std::string data_dir;
    std::string rpc_url;
    std::string cookie_file;
    std::string wallet_dir;
    std::optional<int> passphrase_fd;
    bool json = false;
    std::string org;  // the daemon's place that is meant; empty: its first
};

// The organization that the daemon keeps, as its charter says.
struct OrganizationInfo {
    Id id;
    ChainId chain;
    protocol::Charter charter;
    std::vector<Id> supervisors;
    std::uint32_t expiry_pulses_max = 0;  // in force now
};

// How the daemon is reached by these options: files of a data directory, or URL and cookie file,
// and the place that is meant. Throws CliError.
RpcEndpoint find_daemon(const GlobalOptions& options);
// A line for people if `text` names a command and they mean another place than the first: they must
// name it again.
std::string place_reminder(const GlobalOptions& options, std::string_view text);
// Throws CliError if it can be no place's name.
void check_place_name(const std::string& name);

class Session {
 public:
    // `options` are read only once a command runs, after they have been parsed.
    explicit Session(const GlobalOptions& options);
    // Within the daemon: its own way of calling, and the keyring it holds, which nobody is asked to
    // unlock. All outlive the session.
    Session(const GlobalOptions& options, RpcCaller& caller, wallet::Keyring& keyring);
    ~Session();

    // ---- The daemon ----
    nlohmann::json call(const std::string& method, const nlohmann::json& params);
    // Asked for once.
    const OrganizationInfo& organization();
    // Whether the daemon has said which it is.
    bool has_heard_organization() const { return organization_.has_value() && !is_offline(); }
    // From now on without the daemon: what the wallet remembers stands for the organization.
    void go_offline(const wallet::KnownOrganization& known);
    bool is_offline() const { return is_offline_; }
    // Asks the daemon to keep the receipts of an account of this wallet from now on. What it says
    // is no matter: whoever wants to know asks it (`leither receipt list`).
    void keep_receipts(const Id& account);
    // The organization's pulse by this machine's clock.
    Pulse pulse_now();

    // ---- The wallet ----
    wallet::Keyring& keyring();
    // Asks for the passphrase if keys are sealed and it has not been asked for. Throws CliError.
    void unlock();
    // The wallet's key with that name or 40-digit id; asks for the passphrase if it is sealed.
    // Throws CliError.
    crypto::KeyPair key(const std::string& name);
    // `name`'s key, or if that is empty the wallet's key of a supervisor, the founder first. Throws
    // CliError.
    crypto::KeyPair supervisor_key(const std::string& name);
    // The account of a wallet key or contact by its name, or any by its 40-digit id. Throws
    // CliError.
    Id account(const std::string& name);
    // Read once.
    const wallet::Contacts& contacts();
    // "anna (3f2a...)" if the wallet knows it, else the id.
    std::string display(const Id& account);
    // "anna", or the first digits of the id: for lists and conversations.
    std::string short_name(const Id& account);

    // ---- Amounts in the organization's unit ----
    Amount amount(const std::string& text);
    std::string format(Amount amount);
    // A decimal string of smallest units, as the daemon sends them.
    std::string format_units(const nlohmann::json& units);

    // The answer of a command: prints one of the two, as --json asks. Within the daemon `result` is
    // kept for whoever has called.
    void print(const nlohmann::json& result, const std::string& text);
    // What was answered within the daemon since the last time; null if nothing was.
    nlohmann::json take_answer();
    bool wants_json() const { return options_.json; }
    const GlobalOptions& options() const { return options_; }

 private:
    // Of a key or contact.
    std::optional<std::string> name_of(const Id& account);

    const GlobalOptions& options_;
    RpcCaller* caller_ = nullptr;
    wallet::Keyring* shared_keyring_ = nullptr;
    std::optional<RpcClient> client_;
    std::optional<OrganizationInfo> organization_;
    bool is_offline_ = false;
    std::optional<wallet::Keyring> keyring_;
    std::optional<wallet::Contacts> contacts_;
    std::unique_ptr<nlohmann::json> answer_;
};

// Makes a key in the session's wallet, sealed if that is protected. Throws CliError.
wallet::NamedKey new_key(Session& session, const std::string& name);
// What went wrong with a wallet's passphrase, for people. Throws CliError.
[[noreturn]] void fail_on_passphrase(wallet::KeyringError error, const std::string& directory);

std::uint64_t unix_ms_now();

}  // namespace leither::app
