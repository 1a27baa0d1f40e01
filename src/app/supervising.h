// Acts of supervisors whose signatures are made on several machines: offered by one, handed from
// hand to hand as "leither:cosign:..." text or as letters, and submitted by whoever signs last.
#pragma once

#include <optional>
#include <string>

#include "leither/wallet/offer.h"

#include "app/act.h"

namespace leither::app {

// --by, --cosigner, --wait, and --offer and --with for those who sign elsewhere.
void add_offer_options(CLI::App& command, ActOptions& options);

struct SupervisorsAct {
    protocol::Action action;
    // Of the counterparty over its half, where it has signed one before.
    std::optional<Signature> half = {};
    // Who signs the whole transaction (leave, role), if the key is here.
    const crypto::KeyPair* counterparty = nullptr;
    std::string what;  // "Admitted ..."
};
enum class ActOutcome : std::uint8_t { submitted, offered };
// Signs with the supervisors' keys of this wallet. Complete, it is submitted and the outcome
// printed as by carry_out(); else the offer is printed and posted to those who are to sign.
ActOutcome act_as_supervisors(Session& session, SupervisorsAct&& act, const ActOptions& options);

// What one is asked to sign, for people: "admit 3f2a... (bakes bread)".
std::string describe(Session& session, const protocol::TransactionBody& body);
// Prints and posts what still lacks signatures.
void hand_on(Session& session, const wallet::Offer& offer, const crypto::KeyPair& from);

}  // namespace leither::app
