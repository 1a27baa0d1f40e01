// Signing and submitting one transaction: what every command that changes the ledger has in common.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "leither/wallet/payment.h"

#include "app/session.h"

namespace leither::app {

// Options of every act.
struct ActOptions {
    std::string by;  // wallet key of the supervisor who signs; empty: the wallet's own
    bool wait = true;
    std::string until = "committed";     // how far: that, or secured, or settled
    std::vector<std::string> cosigners;  // wallet keys of further supervisors
    bool offer = false;                  // others sign elsewhere
    std::vector<std::string> with;       // their accounts; empty: as many as are needed
};
void add_wait_option(CLI::App& command, ActOptions& options);
// For what supervisors do: --by, --cosigner and --wait.
void add_supervisor_options(CLI::App& command, ActOptions& options);

// Nonce and expiry for the signer's next transaction.
wallet::Draft draft_for(Session& session, const Id& signer);
// The same of one that others are yet to sign: in a lane of its own, and as long as may be.
wallet::Draft draft_for_others(Session& session, const Id& signer);
std::vector<crypto::KeyPair> cosigners_of(Session& session, const ActOptions& options);

// Submits, waits for commitment if asked to, and prints `what` ("Paid 12.50 hour to ...") with the
// outcome. Throws RpcError if it is refused, CliError if waiting ends without a decision.
void carry_out(Session& session, const protocol::Transaction& transaction,
               const ActOptions& options, const std::string& what);

// "90s", "10m", "2h", "1d" in pulses of the organization, rounded up. Throws CliError.
std::uint64_t pulses_of(Session& session, const std::string& duration);

}  // namespace leither::app
