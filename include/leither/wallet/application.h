// Applications on their way: what newcomers send, sponsors pass on and supervisors decide, out of
// the letters that have arrived. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "leither/wallet/inbox.h"
#include "leither/wallet/invitation.h"

namespace leither::wallet {

// A note of the account to itself.
bool is_own(const OpenedLetter& letter);

// An application that has come in, with every letter that carries it.
struct Application {
    SignedApplication signed_;
    std::string text;  // leither:join:...
    Id account;        // of this wallet, to which it has come
    PublicKey carrier;
    std::uint64_t sent_ms = 0;
    std::vector<Hash> letters;

    Id applicant() const;
};
// The one that a text holds, if it is of this organization and its applicant has signed it.
std::optional<Application> application_in(std::string_view text, const ChainId& chain);
// Those whose applicant has signed them, the newest of each applicant, oldest first. REQUIRES: the
// mail is in order of time.
std::vector<Application> applications_in(std::span<const OpenedLetter> mail, const ChainId& chain);

// The latest answer that declines this text.
struct Declining {
    PublicKey by;
    std::string reason;
};
std::optional<Declining> find_decline(std::span<const OpenedLetter> mail, const ChainId& chain,
                                      std::string_view declined);

// A wallet's note of an application that `account` has made: what it is resumed from.
struct OwnApplication {
    SignedApplication signed_;
    std::string text;
    Invitation invitation;
    std::uint64_t sent_ms = 0;
    Hash letter;
};
std::optional<OwnApplication> own_application(std::span<const OpenedLetter> mail, const Id& account,
                                              const ChainId& chain);
// The note's text.
std::string note_of(const SignedApplication& application, const Invitation& invitation);
// Whether it is to be sent as it is, and no other signed: it holds, nobody has declined it, and it
// goes to the member who invites now.
bool still_asks(const OwnApplication& own, std::span<const OpenedLetter> mail,
                const Invitation& invitation, std::uint64_t now_ms);

}  // namespace leither::wallet
