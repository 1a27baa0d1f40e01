#include "app/mail.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash.h"
#include "leither/io/os_entropy.h"
#include "leither/protocol/envelope.h"

#include "app/served.h"

namespace leither::app {

namespace {

using nlohmann::json;

std::optional<Mail> open(Session& session, const json& item, const crypto::KeyPair& key) {
    const auto sealed = from_hex(item.at("sealed").get<std::string>()).value_or(Bytes{});
    if (sealed.size() > protocol::kSealedLetterBytesMax) return std::nullopt;
    protocol::Envelope envelope;
    envelope.recipient = key.id();
    envelope.sealed.assign(sealed.begin(), sealed.end());
    const auto opened = protocol::open_letter(followed_chain(session), envelope, key);
    if (!opened) return std::nullopt;
    const protocol::Letter& letter = opened->letter;
    return Mail{item.at("id").get<std::string>(), key.id(), letter.sender, letter.sent_ms,
                std::string(letter.text)};
}

}  // namespace

bool Mail::is_own() const {
    return crypto::id_of(sender) == account;
}

std::string send_mail(Session& session, const crypto::KeyPair& sender, const PublicKey& to,
                      const std::string& text) {
    check_text(text, protocol::kLetterTextMax, "letter");
    protocol::Letter letter;
    letter.sender = sender.public_key();
    letter.recipient = crypto::id_of(to);
    letter.sent_ms = unix_ms_now();
    letter.text = BoundedText<protocol::kLetterTextMax>(text);
    io::OsEntropy entropy;
    const auto sealed =
        protocol::seal_letter(protocol::sign(followed_chain(session), letter, sender), to, entropy);
    if (!sealed) {
        throw CliError(CliExit::refused, protocol::to_string(sealed.error()),
                       "Nothing can be sealed to that key.", "Check whose key it is.");
    }
    const json posted = session.call(
        "message.post", {{"recipient", letter.recipient.hex()}, {"sealed", to_hex(*sealed)}});
    return posted.at("id").get<std::string>();
}

bool has_mail(Session& session) {
    const json status = session.call("node.status", json::object());
    const json& network = status.at("network");
    return !network.is_null() && !network.at("organization").is_null();
}

std::vector<Mail> read_mail(Session& session) {
    std::vector<Mail> all;
    if (!has_mail(session)) return all;
    const std::vector<Id> accounts = served_accounts(session);
    for (const auto& known : session.keyring().list()) {
        if (std::ranges::find(accounts, known.id) == accounts.end()) continue;
        const json inbox = session.call("message.inbox", {{"account", known.id.hex()}});
        if (inbox.empty()) continue;
        const crypto::KeyPair key = session.key(known.name);
        for (const json& item : inbox) {
            if (auto mail = open(session, item, key)) all.push_back(*std::move(mail));
        }
    }
    std::ranges::stable_sort(all, {}, &Mail::sent_ms);
    return all;
}

void forget_mail(Session& session, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) session.call("message.forget", {{"message", id}});
}

std::optional<std::string> state_of_mail(Session& session, const Id& recipient,
                                         std::uint64_t since_ms) {
    std::optional<std::string> state;
    for (const json& item : session.call("message.outbox", json::object())) {
        const bool is_it = item.at("recipient") == recipient.hex() &&
                           item.at("posted_ms").get<std::uint64_t>() >= since_ms;
        if (is_it) state = item.at("state").get<std::string>();
    }
    return state;
}

PublicKey public_key_of(Session& session, const Id& account) {
    for (const auto& known : session.keyring().list()) {
        if (known.id == account) return known.key;
    }
    const json found = session.call("account.key", {{"account", account.hex()}});
    const auto key = PublicKey::parse(found.at("key").get<std::string>());
    if (key && crypto::id_of(*key) == account) return *key;
    throw CliError(CliExit::unreachable, "bad_answer",
                   "The daemon named a key that is not the account's.",
                   "Use the versions of leither and leitherd that belong together.");
}

}  // namespace leither::app
