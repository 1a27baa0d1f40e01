// Asking and paying. The inbox is in wallet_inbox.cpp, explanations in wallet_why.cpp.
#include "app/wallet_desk.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "app/act.h"
#include "app/letters.h"
#include "app/served.h"

namespace leither::app {

namespace {

using nlohmann::json;
using wallet::NextStep;

[[noreturn]] void refuse(CliExit exit, const char* name, const std::string& cause,
                         const std::string& next_step) {
    throw CliError(exit, name, cause, next_step);
}

[[noreturn]] void refuse_contact(const std::string& name, const wallet::Contacts& contacts,
                                 wallet::ContactError error) {
    using wallet::ContactError;
    const char* word = wallet::to_string(error);
    switch (error) {
        case ContactError::bad_name:
            refuse(CliExit::usage, word, fmt::format("\"{}\" is no name for an account.", name),
                   "Use 1 to 64 of a-z, 0-9, '_', '.' and '-', starting with none of the last "
                   "two, and not 40 digits like an account number.");
        case ContactError::name_taken:
            refuse(CliExit::refused, word,
                   fmt::format("Account {} is called \"{}\" already.",
                               wallet::find_contact(contacts, name)->account.hex(), name),
                   "Choose another name, or first: leither contact remove " + name);
        case ContactError::too_many:
            refuse(CliExit::refused, word,
                   fmt::format("A wallet holds at most {} names.", wallet::kContactsMax),
                   "Forget one with: leither contact remove NAME");
    }
    UNREACHABLE();
}

std::uint64_t number(const json& object, const char* field) {
    return object.at(field).get<std::uint64_t>();
}

}  // namespace

// ---- What the ledger says ----------------------------------------------------------------------

wallet::LedgerTime WalletDesk::time() {
    const json status = session_.call("node.status", json::object());
    const json& organization = status.at("organization");
    if (organization.is_null()) session_.organization();  // says that there is none
    return {session_.organization().chain, Pulse(number(status, "pulse")),
            Pulse(number(organization, "sequence_pulse"))};
}

std::uint64_t WalletDesk::time_ms_of(Pulse pulse) {
    const auto& charter = session_.organization().charter;
    return charter.time_ms + pulse.value() * charter.params.pulse_ms;
}

wallet::TransactionFate WalletDesk::fate_of(const Hash& id, const Id& signer) {
    using State = wallet::TransactionFate::State;
    const json status =
        session_.call("transaction.status", {{"id", id.hex()}, {"signer", signer.hex()}});
    const auto state = status.at("state").get<std::string>();
    const auto known = wallet::payment_state(state);
    if (!known) return {};
    if (wallet::is_decided(*known)) return {State::committed, *known, {}};
    if (*known == wallet::PaymentState::pending) return {State::pending, {}, {}};
    return {State::refused, {}, status.at("refusal").at("name")};
}

std::optional<std::uint64_t> WalletDesk::counter_of(const Id& account, std::uint8_t lane) {
    const json record = session_.call("account.get", {{"account", account.hex()}}).at("record");
    if (record.is_null() || record.value("kind", "") != "member") return std::nullopt;
    for (const json& one : record.at("lanes")) {
        if (one.at("lane") == lane) return number(one, "next");
    }
    return std::nullopt;
}

std::optional<PublicKey> WalletDesk::known_key(const Id& account) {
    try {
        return key_of(session_, account);
    } catch (const RpcError&) {
        return std::nullopt;
    }
}

// What has come in to an account, by the request it pays.
std::map<Hash, wallet::PaymentFound> WalletDesk::payments_of(const Id& payee,
                                                             std::uint64_t since_ms) {
    constexpr std::uint64_t kClockSlackMs = 600'000;
    constexpr int kPagesMax = 20;
    std::map<Hash, wallet::PaymentFound> found;
    json params = {{"account", payee.hex()}, {"limit", 500}};
    for (int page = 0; page < kPagesMax; ++page) {
        const json history = session_.call("account.history", params);
        bool is_recent = false;
        for (const json& item : history.at("items")) {
            is_recent = number(item, "time_ms") + kClockSlackMs >= since_ms;
            if (item.at("direction") != "in" || !item.contains("request")) continue;
            const auto request = Hash::parse(item.at("request").get<std::string>());
            const auto id = Hash::parse(item.at("id").get<std::string>());
            const auto payer = Id::parse(item.at("signer").get<std::string>());
            if (!request || !id || !payer) continue;
            const auto state = wallet::payment_state(item.at("state").get<std::string>());
            found.insert({*request,
                          {*id, Sequence(number(item, "sequence")), *payer,
                           state.value_or(wallet::PaymentState::committed)}});
        }
        if (!is_recent || !history.contains("next")) break;
        params["before"] = history.at("next");
    }
    return found;
}

// ---- Requests ----------------------------------------------------------------------------------

// Unlike any that is in the journal: whoever asks, or pays, twice means two.
wallet::SignedRequest WalletDesk::sign_request(const Order& order, const crypto::KeyPair& payee,
                                               const wallet::Journal& journal) {
    if (order.reference.size() > protocol::Text::kMax || !bcs::is_utf8(as_bytes(order.reference))) {
        refuse(
            CliExit::usage, "bad_text",
            fmt::format("The reference must have at most {} bytes of UTF-8.", protocol::Text::kMax),
            "Shorten it.");
    }
    if (order.amount.is_zero()) {
        refuse(CliExit::usage, "zero_amount", "A request for nothing is paid by nobody.",
               "Ask for an amount.");
    }
    protocol::PaymentRequest request;
    request.payee = payee.id();
    request.amount = order.amount;
    request.reference = protocol::Text(order.reference);
    request.expiry = Pulse(session_.pulse_now().value() + order.expires_pulses);
    const ChainId& chain = session_.organization().chain;
    for (Hash id = wallet::request_id(chain, request);
         journal.asked(id) != nullptr || journal.paying(id) != nullptr;
         id = wallet::request_id(chain, request)) {
        request.expiry = request.expiry.next();
    }
    return wallet::sign_request(chain, request, payee);
}

json WalletDesk::note_posted(wallet::Journal& journal, const Hash& request,
                             const wallet::SealedTo& letter) {
    const json posted = post_letter(session_, letter);
    const auto message = Hash::parse(posted.at("id").get<std::string>()).value_or(Hash{});
    files_.append(journal, wallet::Posted{unix_ms_now(), request, message}, unix_ms_now());
    return posted.at("id");
}

json WalletDesk::request(const Order& order) {
    const auto payee = session_.key(order.account);
    session_.keep_receipts(payee.id());
    std::optional<PublicKey> payer_key;
    if (!order.payer.empty()) {
        const Id payer = session_.account(order.payer);
        if (payer == payee.id()) {
            refuse(CliExit::usage, "self_payment", "Payer and payee are the same account.",
                   "Name another payer.");
        }
        payer_key = key_of(session_, payer);
        ensure_served(session_, payee, ServedAs::member);
    }
    const auto guard = files_.lock();
    auto journal = files_.journal();
    const auto signed_ = sign_request(order, payee, journal);
    wallet::Asked asked{unix_ms_now(), signed_, std::nullopt};
    const std::string text = wallet::to_text(signed_);
    if (payer_key) {
        const std::string words =
            fmt::format("A request for {}{}.\n{}", session_.format(order.amount),
                        order.reference.empty() ? "" : fmt::format(": {}", order.reference), text);
        asked.letter = seal_letter(session_, payee, *payer_key, {words});
    }
    const Hash id = wallet::request_id(signed_);
    json out = {
        {"text", text}, {"id", id.hex()}, {"expires_ms", time_ms_of(signed_.request.expiry)}};
    files_.append(journal, asked, asked.at_ms);
    if (asked.letter) out["letter"] = note_posted(journal, id, *asked.letter);
    return out;
}

wallet::SignedRequest WalletDesk::parse_request(const std::string& text) {
    const auto token = wallet::find_token(text);
    const auto request = token ? wallet::request_from_text(token->text) : std::nullopt;
    if (request) return *request;
    refuse(CliExit::usage, "bad_request", "This is no payment request.",
           "Ask the payee for the text that leither request prints.");
}

json WalletDesk::read(const std::string& text) {
    const auto signed_ = parse_request(text);
    const auto& request = signed_.request;
    const auto key = known_key(request.payee);
    const bool is_ours = signed_.chain == session_.organization().chain;
    if (key && is_ours && !wallet::is_signed_by(signed_, *key)) {
        refuse(CliExit::refused, "bad_signature", "The payee named in it has not signed it.",
               "Do not pay it; ask the payee.");
    }
    json audience = json::array();
    for (const auto& one : who_sees(request.payee, std::nullopt)) audience.push_back(one);
    return {{"kind", "request"},
            {"id", wallet::request_id(signed_).hex()},
            {"payee", request.payee.hex()},
            {"payee_key_known", key.has_value()},
            {"amount", std::to_string(request.amount.units())},
            {"reference", request.reference},
            {"expiry", request.expiry.value()},
            {"expires_ms", time_ms_of(request.expiry)},
            {"organization_matches", is_ours},
            {"who_sees", std::move(audience)}};
}

void WalletDesk::check_payable(const wallet::SignedRequest& request,
                               const wallet::LedgerTime& now) {
    if (request.chain != now.chain) {
        refuse(CliExit::usage, "bad_request", "The request is for another organization.",
               "Pay it with the node of that organization.");
    }
    const auto key = known_key(request.request.payee);
    if (key && !wallet::is_signed_by(request, *key)) {
        refuse(CliExit::refused, "bad_signature", "The payee named in it has not signed it.",
               "Do not pay it; ask the payee.");
    }
    if (now.now > request.request.expiry) {
        refuse(CliExit::refused, "request_expired",
               fmt::format("The request could be paid up to pulse {}; it is pulse {} now.",
                           request.request.expiry.value(), now.now.value()),
               "Ask the payee for another one.");
    }
}

// Known to be not taken when it throws RpcError; unknown to be anything if the daemon goes away.
json WalletDesk::submit(const protocol::Transaction& transaction, const Hash& id) {
    try {
        return session_.call("transaction.submit",
                             {{"transaction", to_hex(bcs::encode(transaction))}});
    } catch (const RpcError& error) {
        const auto& name = error.details().name;
        if (name == "already_pending") return {{"id", id.hex()}, {"state", "pending"}};
        if (name == "already_committed") return {{"id", id.hex()}, {"state", "committed"}};
        throw;
    }
}

json WalletDesk::submit(wallet::Journal& journal, const wallet::Paying& paying) {
    const Hash id = protocol::transaction_id(paying.chain, paying.transaction.body);
    try {
        return submit(paying.transaction, id);
    } catch (const RpcError& error) {
        const auto& name = error.details().name;
        if (name == "stopping") throw;  // it may have been taken: asked again after the start
        const Hash request = wallet::request_id(paying.chain, wallet::request_of(paying));
        const auto* before = journal.not_taken(request);
        if (before == nullptr || before->refusal != name) {
            const auto short_name = protocol::Text(name.substr(0, protocol::Text::kMax));
            files_.append(journal, wallet::NotTaken{unix_ms_now(), request, id, short_name},
                          unix_ms_now());
        }
        throw;
    }
}

json WalletDesk::hand_in(const wallet::HandedPayment& payment) {
    const Hash id = protocol::transaction_id(payment.chain, payment.transaction.body);
    // Who has no wallet hands in for others.
    if (session_.keyring().list().empty()) return submit(payment.transaction, id);
    const auto guard = files_.lock();
    auto journal = files_.journal();
    const auto* own = journal.paying(wallet::request_id(wallet::request_in(payment)));
    const bool is_own =
        own != nullptr && protocol::transaction_id(own->chain, own->transaction.body) == id;
    return is_own ? submit(journal, *own) : submit(payment.transaction, id);
}

json WalletDesk::pay_once(wallet::Journal& journal, const crypto::KeyPair& payer,
                          const wallet::SignedRequest& request, wallet::Cause cause) {
    const Hash id = wallet::request_id(request);
    const auto now = time();  // before what the ledger says of what is signed
    check_payable(request, now);
    wallet::Former former;
    former.paying = journal.paying(id);
    Hash signed_before;
    if (former.paying != nullptr) {
        const auto& body = former.paying->transaction.body;
        signed_before = protocol::transaction_id(now.chain, body);
        former.counter = counter_of(body.signer, body.nonce.lane);
        former.fate = fate_of(signed_before, body.signer);
    }
    switch (wallet::next_step(former, now)) {
        case NextStep::none:
            refuse(CliExit::refused, "already_paid",
                   fmt::format("This request was paid by transaction {}.", signed_before.hex()),
                   "See: leither transaction show " + signed_before.hex());
        case NextStep::wait:
            refuse(CliExit::undecided, "undecided",
                   fmt::format("Transaction {}, which pays it, may still be committed.",
                               signed_before.hex()),
                   "See: leither why " + signed_before.hex());
        case NextStep::resubmit: return submit(journal, *former.paying);
        case NextStep::sign: break;
    }
    session_.keep_receipts(payer.id());
    const wallet::Paying paying{unix_ms_now(), cause, now.chain,
                                wallet::pay(draft_for(session_, payer.id()), request, payer)};
    files_.append(journal, paying, paying.at_ms);
    return submit(journal, paying);
}

json WalletDesk::pay(const std::string& account, const std::string& text) {
    return pay_request(account, parse_request(text), wallet::Cause::by_hand);
}

json WalletDesk::pay_request(const std::string& account, const wallet::SignedRequest& request,
                             wallet::Cause cause) {
    const auto payer = session_.key(account);
    const auto guard = files_.lock();
    auto journal = files_.journal();
    return pay_once(journal, payer, request, cause);
}

json WalletDesk::pay_own(const std::string& account, const Order& order) {
    const auto payer = session_.key(account);
    const auto payee_id = session_.account(order.account);
    for (const auto& known : session_.keyring().list()) {
        if (known.id != payee_id) continue;
        const auto payee = session_.key(known.name);
        const auto guard = files_.lock();
        auto journal = files_.journal();
        return pay_once(journal, payer, sign_request(order, payee, journal),
                        wallet::Cause::by_hand);
    }
    refuse(CliExit::refused, "request_needed",
           "The payee signs first: this wallet has no key of that account.",
           "Ask the payee for a request: leither request AMOUNT --to KEY --payer ACCOUNT");
}

// ---- The policy --------------------------------------------------------------------------------

json WalletDesk::policy() {
    json rules = json::array();
    for (const auto& rule : files_.policy()) {
        if (rule.chain != session_.organization().chain) continue;
        rules.push_back({{"from", rule.from.hex()},
                         {"amount_max", std::to_string(rule.amount_max.units())},
                         {"per_day", std::to_string(rule.per_day.units())}});
    }
    return {{"rules", std::move(rules)}};
}

json WalletDesk::set_policy(const json& rules) {
    const ChainId chain = session_.organization().chain;
    const auto guard = files_.lock();
    wallet::Policy policy;
    for (const auto& rule : files_.policy()) {
        if (rule.chain != chain) policy.push_back(rule);
    }
    for (const json& rule : rules) {
        const auto text = [&rule](const char* name) {
            const auto field = rule.is_object() ? rule.find(name) : rule.end();
            const bool is_text = rule.is_object() && field != rule.end() && field->is_string();
            return is_text ? field->get<std::string>() : std::string();
        };
        const std::string from = text("from");
        const auto amount_max = parse_amount(text("amount_max"), 0);
        const auto per_day = parse_amount(text("per_day"), 0);
        if (from.empty() || !amount_max || !per_day || rule.size() != 3) {
            refuse(CliExit::usage, "bad_rule",
                   fmt::format("Rule {} is not {{\"from\": account, \"amount_max\": amount, "
                               "\"per_day\": amount}}, amounts as texts of smallest units.",
                               policy.size() + 1),
                   "Correct it; no rule was changed.");
        }
        if (policy.full()) {
            refuse(CliExit::usage, "too_many_rules",
                   fmt::format("A policy has at most {} rules.", wallet::kPolicyRulesMax),
                   "Leave some out; no rule was changed.");
        }
        policy.push_back({chain, session_.account(from), *amount_max, *per_day});
    }
    files_.set_policy(policy);
    return true;
}

// ---- Contacts ----------------------------------------------------------------------------------

json WalletDesk::contacts() {
    auto sorted = files_.contacts();
    std::ranges::sort(sorted, {}, &wallet::Contact::name);
    json items = json::array();
    for (const auto& contact : sorted) {
        items.push_back({{"name", contact.name}, {"account", contact.account.hex()}});
    }
    return {{"contacts", std::move(items)}};
}

json WalletDesk::set_contact(const Id& account, const std::string& name) {
    for (const auto& known : session_.keyring().list()) {
        if (known.id != account && known.name != name) continue;
        refuse(
            CliExit::refused, "name_taken",
            fmt::format("This wallet has a key \"{}\", of account {}.", known.name, known.id.hex()),
            "A key is called as it is; choose another name for somebody else's account.");
    }
    const auto guard = files_.lock();
    auto contacts = files_.contacts();
    if (name.empty()) {
        if (wallet::remove_contact(contacts, account)) files_.set_contacts(contacts);
        return true;
    }
    const auto before = contacts;
    if (const auto set = wallet::set_contact(contacts, {name, account}); !set) {
        refuse_contact(name, contacts, set.error());
    }
    if (contacts != before) files_.set_contacts(contacts);
    return true;
}

}  // namespace leither::app
