// Asking and paying where no node can be reached: what the wallet remembers for it, and the payment
// that is handed from hand to hand until somebody reaches a node.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "leither/wallet/handed.h"
#include "leither/wallet/known.h"

#include "app/session.h"
#include "app/wallet_files.h"

namespace leither::app {

// Asks the daemon for all that is remembered of its organization and writes it down. Throws
// CliError, RpcError.
void learn_organization(Session& session);
// The same where a command has just spoken with the daemon, if what is remembered is no longer new,
// lacks a key, or a payment waits for news. Says nothing, and fails in silence: whoever goes
// offline with too little is told then.
void learn_in_passing(Session& session);

// An organization that the wallet remembers. Throws CliError.
wallet::KnownOrganization known_organization(Session& session, const ChainId& chain);
// By its id or the first digits of that; empty: the one and only. Throws CliError.
wallet::KnownOrganization known_organization(Session& session, const std::string& id);
// Throws CliError if it is too old, or the clock is behind it.
void check_fresh(const wallet::KnownOrganization& known);

// A "leither:paid:" text, perhaps with something around it. Throws CliError that names what is
// wrong: also if the payer, or a payee whose key is given, has not signed it.
wallet::HandedPayment read_handed(const std::string& text, const std::optional<PublicKey>& payee);

class OfflineDesk {
 public:
    using Json = nlohmann::json;
    // `session` is offline, with `known`, and outlives the desk.
    OfflineDesk(Session& session, wallet::KnownOrganization known)
        : session_(session), files_(session.keyring().directory()), known_(std::move(known)) {}

    // What a request says, and who will see what of its payment: as wallet.read. Throws CliError if
    // it is tampered with or over.
    Json read(const wallet::SignedRequest& request, const Id& payer);
    // Signs, and writes it down before anybody is told: {text, id, request, state, hand_in_ms,
    // ...}. Of a request that is signed already, the same again. Throws CliError.
    Json pay(const crypto::KeyPair& payer, const wallet::SignedRequest& request);

 private:
    wallet::Draft draft(const wallet::Journal& journal, const Id& payer, Amount amount);
    Json handed(const wallet::Paying& paying, const PublicKey& payer);

    Session& session_;
    WalletFiles files_;
    wallet::KnownOrganization known_;
};

}  // namespace leither::app
