// What every verb that speaks for a wallet key in the network needs: the daemon serves the account,
// by a delegation that the key has signed here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "leither/crypto/sign.h"

#include "app/session.h"

namespace leither::app {

// Of the organization the daemon follows; waits some seconds for its manifest. Throws CliError.
ChainId followed_chain(Session& session);
// The accounts the daemon serves, as far as their delegations hold.
std::vector<Id> served_accounts(Session& session);

// Signs that the daemon's node serves the key's account for so many days.
void serve(Session& session, const crypto::KeyPair& key, unsigned days);

enum class ServedAs : std::uint8_t {
    reader,  // its inbox is here
    member,  // and the node has heard that it is a member's: waits some seconds for that
};
// Serves the key unless the daemon does already, and will for a while. Throws CliError.
void ensure_served(Session& session, const crypto::KeyPair& key, ServedAs as);

// Throws CliError `bad_text` unless it is 1 to `max` bytes of UTF-8.
void check_text(std::string_view text, std::size_t max, std::string_view what);

}  // namespace leither::app
