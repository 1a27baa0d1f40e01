// Applications on their way: what newcomers send, sponsors pass on and supervisors decide, as
// letters in the inboxes of this wallet's accounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/wallet/application.h"
#include "leither/wallet/invitation.h"
#include "leither/wallet/payment.h"

#include "app/letters.h"

namespace leither::app {

// Throws CliError that names what is wrong with the link.
wallet::Invitation read_invitation(std::string_view text);

using wallet::Application;
using wallet::OwnApplication;

// Those whose applicant has signed them, the newest of each applicant, oldest first.
std::vector<Application> applications_in(Session& session, const std::vector<OpenedLetter>& mail);
// By the applicant's id, its first digits (four at least), or as text. Throws CliError.
Application find_application(Session& session, const std::string& wanted);

// Tells `to` by letter that the text is declined, and why; the letter's id.
Hash decline_by_letter(Session& session, const crypto::KeyPair& by, const PublicKey& to,
                       std::string_view declined, const std::string& reason);

// The text by which an application or handed-in work is declined: names it by hash.
std::string decline_text(const ChainId& chain, std::string_view declined,
                         const std::string& reason);

// Signed now, for so many days from now.
wallet::SignedApplication sign_application_for(const wallet::Invitation& invitation,
                                               const crypto::KeyPair& applicant,
                                               const std::string& note, unsigned days);

// Whether the daemon's node knows the account as a member's.
bool is_known_member(Session& session, const Id& account);

}  // namespace leither::app
