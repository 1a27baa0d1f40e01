// Letters as the wallet's owner writes and reads them, for people and for programs: sealed and
// opened here, with its keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "leither/protocol/envelope.h"
#include "leither/wallet/inbox.h"
#include "leither/wallet/journal.h"

#include "app/session.h"

namespace leither::app {

using wallet::OpenedLetter;

inline constexpr unsigned kLetterDaysMax = 14;

// What a message to `account` is sealed to: from the wallet, else as the daemon knows it. Throws
// RpcError `unknown_account`.
PublicKey key_of(Session& session, const Id& account);

struct LetterText {
    std::string text;
    std::optional<Hash> reply_to = {};
};
// Signed and sealed. Throws CliError. REQUIRES: `to` is a key; the text is 1 to kLetterTextMax
// bytes of UTF-8 (check_text).
wallet::SealedTo seal_letter(Session& session, const crypto::KeyPair& from, const PublicKey& to,
                             const LetterText& letter);
// Hands it to the node: {id}. The same one may be posted again and stays one.
nlohmann::json post_letter(Session& session, const wallet::SealedTo& letter,
                           unsigned days = kLetterDaysMax);

// The three together, with the text checked and the sender's account served: {id}. Throws CliError.
nlohmann::json send_letter(Session& session, const std::string& from, const Id& to,
                           const LetterText& letter, unsigned days = kLetterDaysMax);
// A line to all members, signed by the wallet's key: {id}. Throws CliError.
nlohmann::json say_line(Session& session, const std::string& from, const std::string& text);

// Of an entry of message.inbox.
Result<protocol::SignedLetter, protocol::RecordError> open_letter(Session& session,
                                                                  const nlohmann::json& letter,
                                                                  const crypto::KeyPair& key);
// Those that have arrived here for the key's account and open. Throws RpcError if the node does not
// serve it.
std::vector<OpenedLetter> opened_letters(Session& session, const crypto::KeyPair& key);
// Those for people: what the inbox shows is left out. [{id, from, sent_ms, text}], oldest first.
nlohmann::json letters_json(Session& session, const crypto::KeyPair& key);

// ---- Letters that carry something for a program ------------------------------------------------

// Seals and posts it; its id. Throws CliError. REQUIRES: the daemon serves the sender.
Hash send_mail(Session& session, const crypto::KeyPair& sender, const PublicKey& to,
               const std::string& text);
// All that open with the keys of this wallet's served accounts, oldest first. A key is asked for
// only where something has arrived. Empty without an organization or network.
std::vector<OpenedLetter> read_mail(Session& session);
void forget_mail(Session& session, const std::vector<Hash>& messages);
// What became of the newest letter from here to `recipient` that was posted at `since_ms` or later:
// "waiting", "held", "delivered"; nothing if there is none.
std::optional<std::string> state_of_mail(Session& session, const Id& recipient,
                                         std::uint64_t since_ms);
// Whether the daemon is on the network and follows an organization.
bool has_mail(Session& session);

}  // namespace leither::app
