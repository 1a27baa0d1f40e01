// Contributions as members make them and supervisors reward them (docs/protocol/contributions.md):
// the same for the command line and for the daemon's wallet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "leither/protocol/contribution.h"

#include "app/session.h"

namespace leither::app {

// Of an id, in lists; as many as are enough to name a contribution.
inline constexpr std::size_t kContributionDigits = 12;

// "development, production, ...".
std::string contribution_kinds();
// Throws CliError `bad_kind`.
protocol::ContributionKind contribution_kind_of(const std::string& word);

struct ContributionOrder {
    std::string account;  // a key of the wallet: name or id
    protocol::ContributionKind kind = protocol::ContributionKind::development;
    std::string text;
    std::string evidence = {};
    std::vector<std::string> builds_on = {};  // ids, or first digits of them
};
// Signs it and makes it public: {id}. Throws CliError, RpcError.
nlohmann::json contribute(Session& session, const ContributionOrder& order);
// The same, unless the account has said just that before: {id} of the one there is.
nlohmann::json contribute_once(Session& session, const ContributionOrder& order);

// By its id or first digits, among those that the daemon knows. Throws CliError.
Hash find_contribution(Session& session, const std::string& which);
// As contribution.list gives them, all that are known here; none without a network.
nlohmann::json known_contributions(Session& session);

// ---- What is rewarded --------------------------------------------------------------------------

// How a command names it.
struct NamedWork {
    std::vector<std::string> contributions;  // ids, or first digits of them
    bool again = false;                      // also what has been rewarded before
};
void add_work_options(CLI::App& command, NamedWork& named);
// --again alone, where the work itself says what it is.
void add_again_option(CLI::App& command, NamedWork& named);

struct Grounds {
    protocol::LongText reason;
    protocol::LongText proof;
};
// Reason and proof of a reward for `member`: `given` as far as it says something, else what the
// contributions say; the proof names them. Throws CliError: `unknown_contribution`, `not_theirs`,
// `already_rewarded`, `already_proposed`, `missing_reason`, `bad_text`.
struct GivenGrounds {
    std::string reason;
    std::string proof;
};
Grounds grounds_for(Session& session, const Id& member, const NamedWork& named,
                    const GivenGrounds& given);
// The same checks, of the contributions that a proof names.
void check_rewardable(Session& session, const Id& member, const NamedWork& named,
                      std::string_view proof);

}  // namespace leither::app
