// Letters that carry something for a program: sent, and read back from the inboxes of this wallet's
// accounts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/crypto/sign.h"

#include "app/session.h"

namespace leither::app {

struct Mail {
    std::string id;
    Id account;  // of this wallet, whose inbox it is in
    PublicKey sender;
    std::uint64_t sent_ms = 0;
    std::string text;

    bool is_own() const;  // a note of the account to itself
};

// Seals and posts it; its id. Throws CliError. REQUIRES: the daemon serves the sender.
std::string send_mail(Session& session, const crypto::KeyPair& sender, const PublicKey& to,
                      const std::string& text);
// All that open with this wallet's keys, oldest first. Empty without an organization or network.
std::vector<Mail> read_mail(Session& session);
void forget_mail(Session& session, const std::vector<std::string>& ids);

// What became of the newest letter from here to `recipient` that was posted at `since_ms` or later:
// "waiting", "held", "delivered"; nothing if there is none.
std::optional<std::string> state_of_mail(Session& session, const Id& recipient,
                                         std::uint64_t since_ms);

// The account's public key, from the wallet or as the daemon knows it. Throws RpcError
// `unknown_account`.
PublicKey public_key_of(Session& session, const Id& account);

// Whether the daemon is on the network and follows an organization.
bool has_mail(Session& session);

}  // namespace leither::app
