#include "app/letters.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/io/os_entropy.h"
#include "leither/protocol/chat.h"

#include "app/served.h"

namespace leither::app {

using nlohmann::json;

namespace {

[[noreturn]] void refuse_answer(const std::string& message) {
    throw CliError(CliExit::unreachable, "bad_answer", message,
                   "Use the versions of leither and leitherd that belong together.");
}

json inbox_of(Session& session, const Id& account) {
    return session.call("message.inbox", {{"account", account.hex()}});
}

// Those of an inbox that open.
std::vector<OpenedLetter> opened_of(Session& session, const json& inbox,
                                    const crypto::KeyPair& key) {
    std::vector<OpenedLetter> letters;
    for (const json& arrived : inbox) {
        const auto message = Hash::parse(arrived.at("id").get<std::string>());
        const auto opened = open_letter(session, arrived, key);
        if (!opened || !message) continue;
        const protocol::Letter& letter = opened->letter;
        letters.push_back({*message, key.id(), letter.sender, letter.sent_ms, letter.text});
    }
    return letters;
}

}  // namespace

PublicKey key_of(Session& session, const Id& account) {
    for (const auto& known : session.keyring().list()) {
        if (known.id == account) return known.key;
    }
    const json found = session.call("account.key", {{"account", account.hex()}});
    const auto key = PublicKey::parse(found.at("key").get<std::string>());
    if (key && crypto::id_of(*key) == account) return *key;
    refuse_answer("The daemon named a key that is not the account's.");
}

wallet::SealedTo seal_letter(Session& session, const crypto::KeyPair& from, const PublicKey& to,
                             const LetterText& text) {
    protocol::Letter letter;
    letter.sender = from.public_key();
    letter.recipient = crypto::id_of(to);
    letter.sent_ms = unix_ms_now();
    letter.reply_to = text.reply_to;
    letter.text = BoundedText<protocol::kLetterTextMax>(text.text);
    io::OsEntropy entropy;
    const auto sealed =
        protocol::seal_letter(protocol::sign(followed_chain(session), letter, from), to, entropy);
    if (sealed) return {letter.recipient, *sealed};
    throw CliError(CliExit::refused, protocol::to_string(sealed.error()),
                   "Nothing can be sealed to the recipient's key.", "Check the account.");
}

json send_letter(Session& session, const std::string& from, const Id& to, const LetterText& letter,
                 unsigned days) {
    check_text(letter.text, protocol::kLetterTextMax, "message");
    const crypto::KeyPair sender = session.key(from);
    const PublicKey recipient = key_of(session, to);
    ensure_served(session, sender, ServedAs::member);
    return post_letter(session, seal_letter(session, sender, recipient, letter), days);
}

json say_line(Session& session, const std::string& from, const std::string& text) {
    check_text(text, decltype(protocol::ChatLine::text)::kMax, "line");
    const crypto::KeyPair author = session.key(from);
    ensure_served(session, author, ServedAs::member);
    const json next = session.call("chat.next", {{"author", author.id().hex()}});
    protocol::ChatLine line;
    line.author = author.public_key();
    line.number = next.at("number").get<std::uint64_t>();
    line.previous = Hash::parse(next.at("previous").get<std::string>()).value_or(Hash{});
    line.time_ms = std::max(unix_ms_now(), next.at("time_ms_min").get<std::uint64_t>());
    line.text = decltype(line.text)(text);
    const auto signed_ = protocol::sign(followed_chain(session), line, author);
    return session.call("chat.post", {{"line", to_hex(bcs::encode(signed_))}});
}

json post_letter(Session& session, const wallet::SealedTo& letter, unsigned days) {
    return session.call("message.post", {{"recipient", letter.recipient.hex()},
                                         {"sealed", to_hex(letter.sealed)},
                                         {"lifetime_s", days * 86'400}});
}

Result<protocol::SignedLetter, protocol::RecordError> open_letter(Session& session,
                                                                  const json& letter,
                                                                  const crypto::KeyPair& key) {
    protocol::Envelope envelope;
    envelope.recipient = key.id();
    const auto sealed = from_hex(letter.at("sealed").get<std::string>()).value_or(Bytes{});
    if (sealed.size() > protocol::kSealedLetterBytesMax) {
        return fail(protocol::RecordError::bad_content);
    }
    envelope.sealed.assign(sealed.begin(), sealed.end());
    return protocol::open_letter(followed_chain(session), envelope, key);
}

std::vector<OpenedLetter> opened_letters(Session& session, const crypto::KeyPair& key) {
    return opened_of(session, inbox_of(session, key.id()), key);
}

json letters_json(Session& session, const crypto::KeyPair& key) {
    json out = json::array();
    for (const auto& letter : opened_letters(session, key)) {
        const auto token = wallet::find_token(letter.text);
        if (token && token->kind != wallet::TokenKind::decline) continue;
        out.push_back({{"id", letter.message.hex()},
                       {"from", crypto::id_of(letter.sender).hex()},
                       {"sent_ms", letter.sent_ms},
                       {"text", letter.text}});
    }
    return out;
}

// ---- Letters that carry something for a program ------------------------------------------------

Hash send_mail(Session& session, const crypto::KeyPair& sender, const PublicKey& to,
               const std::string& text) {
    check_text(text, protocol::kLetterTextMax, "letter");
    const json posted = post_letter(session, seal_letter(session, sender, to, {text}));
    if (const auto id = Hash::parse(posted.at("id").get<std::string>())) return *id;
    refuse_answer("The daemon named a message by no id.");
}

bool has_mail(Session& session) {
    const json status = session.call("node.status", json::object());
    const json& network = status.at("network");
    return !network.is_null() && !network.at("organization").is_null();
}

std::vector<OpenedLetter> read_mail(Session& session) {
    std::vector<OpenedLetter> all;
    if (!has_mail(session)) return all;
    const std::vector<Id> accounts = served_accounts(session);
    for (const auto& known : session.keyring().list()) {
        if (std::ranges::find(accounts, known.id) == accounts.end()) continue;
        const json inbox = inbox_of(session, known.id);
        if (inbox.empty()) continue;
        std::ranges::move(opened_of(session, inbox, session.key(known.name)),
                          std::back_inserter(all));
    }
    std::ranges::stable_sort(all, {}, &OpenedLetter::sent_ms);
    return all;
}

void forget_mail(Session& session, const std::vector<Hash>& messages) {
    for (const Hash& message : messages) {
        session.call("message.forget", {{"message", message.hex()}});
    }
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

}  // namespace leither::app
