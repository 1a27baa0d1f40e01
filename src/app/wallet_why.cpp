// WalletDesk: what became of requests and transactions, and why.
#include <algorithm>

#include <fmt/format.h>

#include "app/letters.h"
#include "app/payment_words.h"
#include "app/text_table.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;
using State = wallet::TransactionFate::State;

constexpr std::size_t kDigitsMin = 4;

json facts_json(const std::vector<wallet::Fact>& facts) {
    json out = json::array();
    for (const auto& fact : facts) {
        out.push_back({{"name", fact.name}, {"text", fact.text}, {"source", fact.source}});
    }
    return out;
}

}  // namespace

// ---- Requests of one's own ---------------------------------------------------------------------

// Empty: the node knows it no longer.
std::string WalletDesk::letter_state(const Hash& message) {
    try {
        for (const json& letter : session_.call("message.outbox", json::object())) {
            if (letter.at("id") == message.hex()) return letter.at("state").get<std::string>();
        }
    } catch (const RpcError&) {
        return "";
    }
    return "";
}

json WalletDesk::request_json(const wallet::Journal::OwnRequest& own, const wallet::LedgerTime& now,
                              const std::map<Hash, wallet::PaymentFound>& payments) {
    const auto& request = own.asked.request.request;
    const Hash id = wallet::request_id(own.asked.request);
    const auto found = payments.find(id);
    const auto payment = found == payments.end() ? std::nullopt : std::optional(found->second);
    const auto status = wallet::status_of(own, payment, now);
    json out = {{"id", id.hex()},
                {"account", request.payee.hex()},
                {"amount", std::to_string(request.amount.units())},
                {"reference", request.reference},
                {"asked_ms", own.asked.at_ms},
                {"expires_ms", time_ms_of(request.expiry)},
                {"state", wallet::to_string(status.state)}};
    if (own.asked.letter) {
        out["payer"] = own.asked.letter->recipient.hex();
        out["letter"] = own.message ? json(own.message->hex()) : json(nullptr);
    }
    if (payment) {
        out["transaction"] = payment->transaction.hex();
        out["payer"] = payment->payer.hex();
        out["sequence"] = payment->sequence.value();
    }
    if (own.refusal) out["reason"] = *own.refusal;
    if (status.state == wallet::PaymentState::expired) out["proven"] = status.is_proven;
    return out;
}

// Signed without a node, so that nobody but this wallet need know of it.
json WalletDesk::payment_json(const wallet::Paying& paying, const wallet::LedgerTime& now) {
    const auto& body = paying.transaction.body;
    const auto& request = wallet::request_of(paying);
    const Hash id = protocol::transaction_id(paying.chain, body);
    const Pulse until = wallet::hand_in_until(paying.transaction);
    const auto counter = counter_of(body.signer, body.nonce.lane);
    const auto fate = fate_of(id, body.signer);
    const auto status = wallet::status_of(paying, {&paying, fate, counter}, now);
    json out = {{"id", id.hex()},
                {"request", wallet::request_id(paying.chain, request).hex()},
                {"account", body.signer.hex()},
                {"payee", request.payee.hex()},
                {"amount", std::to_string(request.amount.units())},
                {"reference", request.reference},
                {"signed_ms", paying.at_ms},
                {"hand_in_ms", time_ms_of(until)},
                {"state", wallet::to_string(status.state)}};
    if (!fate.refusal.empty()) out["reason"] = fate.refusal;
    if (status.state == wallet::PaymentState::refused && fate.refusal.empty()) {
        out["reason"] = "cancelled";
    }
    if (status.state == wallet::PaymentState::expired) out["proven"] = status.is_proven;
    return out;
}

json WalletDesk::waiting_payments(const Id& account) {
    json items = json::array();
    const auto journal = files_.journal();
    std::optional<wallet::LedgerTime> now;  // asked for only where there is something
    for (const auto* paying : journal.payments()) {
        const auto& body = paying->transaction.body;
        if (body.signer != account || !wallet::is_offline_lane(body.nonce.lane)) continue;
        if (!now) now = time();
        if (paying->chain != now->chain) continue;
        json item = payment_json(*paying, *now);
        if (item.at("state") == "pending") items.push_back(std::move(item));
    }
    return items;
}

json WalletDesk::requests() {
    // Answers that have arrived since; with sealed keys those that were noted before.
    const auto answers = letters(Reach::at_hand);
    {
        const auto guard = files_.lock();
        auto journal = files_.journal();
        for (const auto& refusal : wallet::refusals_in(answers, journal, unix_ms_now())) {
            files_.append(journal, refusal, refusal.at_ms);
        }
    }
    const auto journal = files_.journal();
    const auto now = time();
    std::map<Id, std::map<Hash, wallet::PaymentFound>> payments;
    json items = json::array();
    for (const auto* own : journal.own_requests()) {
        const auto& signed_ = own->asked.request;
        if (signed_.chain != now.chain) continue;
        const Id& payee = signed_.request.payee;
        // The first of an account is its oldest.
        if (!payments.contains(payee)) payments[payee] = payments_of(payee, own->asked.at_ms);
        items.push_back(request_json(*own, now, payments[payee]));
    }
    json signed_here = json::array();
    for (const auto* paying : journal.payments()) {
        const bool is_offline = wallet::is_offline_lane(paying->transaction.body.nonce.lane);
        if (!is_offline || paying->chain != now.chain) continue;
        signed_here.push_back(payment_json(*paying, now));
    }
    return {{"items", std::move(items)}, {"payments", std::move(signed_here)}};
}

// ---- Why ---------------------------------------------------------------------------------------

void WalletDesk::tell_request(wallet::Case& facts, const wallet::SignedRequest& signed_) {
    const auto& request = signed_.request;
    const auto key = known_key(request.payee);
    facts.payee = session_.display(request.payee);
    facts.amount = session_.format(request.amount);
    facts.reference = request.reference;
    facts.request_expiry = request.expiry;
    facts.request_expiry_time = format_time(time_ms_of(request.expiry));
    facts.request_signature_holds = key && wallet::is_signed_by(signed_, *key);
}

void WalletDesk::tell_transaction(wallet::Case& facts, const Hash& id,
                                  const std::optional<Id>& signer) {
    json params = {{"id", id.hex()}};
    if (signer) params["signer"] = signer->hex();
    const json status = session_.call("transaction.status", params);
    const auto state = wallet::payment_state(status.at("state").get<std::string>());
    facts.transaction = id;
    if (signer) facts.payer = session_.display(*signer);
    if (state == wallet::PaymentState::pending) facts.fate.state = State::pending;
    if (status.contains("refusal")) {
        facts.fate.state = State::refused;
        facts.fate.refusal = status.at("refusal").at("name").get<std::string>();
        facts.refusal_text = status.at("refusal").at("message").get<std::string>();
    }
    if (!state || !wallet::is_decided(*state)) return;
    facts.fate.state = State::committed;
    facts.fate.standing = *state;
    facts.sequence = Sequence(status.at("sequence").get<std::uint64_t>());
    facts.finality = fmt::format("It is {}: {}.", wallet::to_string(*state), standing_text(status));
}

// Of a request, or of a transaction, that this wallet knows; ids may be shortened.
std::optional<Hash> WalletDesk::known_id(const std::string& text, const wallet::Journal& journal) {
    if (const auto whole = Hash::parse(text)) return whole;
    std::vector<Hash> known;
    for (const auto* own : journal.own_requests()) {
        known.push_back(wallet::request_id(own->asked.request));
    }
    for (const auto* paying : journal.payments()) {
        known.push_back(wallet::request_id(paying->chain, wallet::request_of(*paying)));
        known.push_back(protocol::transaction_id(paying->chain, paying->transaction.body));
    }
    for (const auto& record : journal.records()) {
        const auto* declined = std::get_if<wallet::Declined>(&record);
        if (declined != nullptr) known.push_back(declined->decline.request);
    }
    std::erase_if(known, [&text](const Hash& id) { return !id.hex().starts_with(text); });
    std::ranges::sort(known);
    known.erase(std::unique(known.begin(), known.end()), known.end());
    if (text.size() >= kDigitsMin && known.size() == 1) return known.front();
    if (text.size() < kDigitsMin) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" is too short to name one request or transaction.", text),
                       fmt::format("Write at least {} digits of it.", kDigitsMin));
    }
    if (known.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {} of this wallet's requests and transactions.",
                                   text, known.size()),
                       "Write more digits of it.");
    }
    return std::nullopt;
}

std::optional<wallet::InboxItem> WalletDesk::arrived(const std::string& id) {
    std::optional<wallet::InboxItem> found;
    for (auto& item : view(Reach::at_hand).items) {
        if (item.request && item.id.hex().starts_with(id)) found = std::move(item);
    }
    return found;
}

void WalletDesk::tell_own(wallet::Case& facts, const wallet::Journal::OwnRequest& own) {
    tell_request(facts, own.asked.request);
    facts.asked_by_letter = own.asked.letter.has_value();
    facts.letter_posted = own.message.has_value();
    if (own.message) facts.letter_state = letter_state(*own.message);
    if (own.refusal) facts.declined = *own.refusal;
    const auto payments = payments_of(own.asked.request.request.payee, own.asked.at_ms);
    const auto found = payments.find(wallet::request_id(own.asked.request));
    if (found == payments.end()) return;
    tell_transaction(facts, found->second.transaction, found->second.payer);
}

void WalletDesk::tell_arrived(wallet::Case& facts, const wallet::InboxItem& item) {
    tell_request(facts, *item.request);
    if (item.state != wallet::ItemState::waiting || !item.why_waiting) return;
    facts.policy = item.why_waiting;
    facts.policy_actual = session_.format(facts.policy->actual);
    facts.policy_limit = session_.format(facts.policy->limit);
}

void WalletDesk::tell_paying(wallet::Case& facts, const wallet::Paying& paying,
                             const wallet::Journal& journal) {
    const auto& body = paying.transaction.body;
    const auto& request = wallet::request_of(paying);
    tell_request(facts, {paying.chain, request, paying.transaction.signatures.front()});
    tell_transaction(facts, protocol::transaction_id(paying.chain, body), body.signer);
    facts.cause = paying.cause;
    facts.nonce = body.nonce;
    facts.is_handed_over = wallet::is_offline_lane(body.nonce.lane);
    // Of what goes from hand to hand the earlier of two: both are all there is time for.
    facts.expiry = facts.is_handed_over ? wallet::hand_in_until(paying.transaction) : body.expiry;
    facts.expiry_time = format_time(time_ms_of(*facts.expiry));
    const auto* not_taken = journal.not_taken(wallet::request_id(paying.chain, request));
    if (facts.fate.state != State::unknown || not_taken == nullptr) return;
    facts.fate = {State::refused, {}, not_taken->refusal};
    facts.refusal_text = "what its numbers were then is no longer known.";
}

json WalletDesk::why(const std::string& text, const std::optional<Id>& signer) {
    const auto journal = files_.journal();
    wallet::Case facts;
    facts.time = time();  // before what the ledger says of anything
    std::optional<Hash> id = known_id(text, journal);
    const auto* own = id ? journal.asked(*id) : nullptr;
    const auto* paying = id ? journal.paying(*id) : nullptr;
    for (const auto* one : journal.payments()) {
        if (id && protocol::transaction_id(one->chain, one->transaction.body) == *id) paying = one;
    }
    const auto is_elsewhere = [&facts](const ChainId& chain) { return chain != facts.time.chain; };
    if ((own != nullptr && is_elsewhere(own->asked.request.chain)) ||
        (paying != nullptr && is_elsewhere(paying->chain))) {
        throw CliError(CliExit::refused, "other_organization",
                       "It belongs to another organization than this node's.",
                       "Ask that organization's node; of several on this one, with --org: see "
                       "leither org list");
    }
    const auto item = own == nullptr && paying == nullptr ? arrived(text) : std::nullopt;
    if (item) id = item->id;
    if (!id) {
        throw CliError(CliExit::refused, "not_found",
                       fmt::format("This wallet knows no request or transaction {}.", text),
                       "Write all 64 digits of the id of a transaction of others.");
    }
    if (const auto* declined = journal.declined(*id)) {
        facts.declined = declined->decline.reason;
        facts.declined_here = true;
    }
    if (own != nullptr) tell_own(facts, *own);
    if (item) tell_arrived(facts, *item);
    if (paying != nullptr) tell_paying(facts, *paying, journal);
    const bool is_of_others = own == nullptr && paying == nullptr && !item && !facts.declined;
    if (is_of_others) tell_transaction(facts, *id, signer);
    return {{"id", id->hex()}, {"facts", facts_json(wallet::explain(facts))}};
}

json WalletDesk::who_sees(const Id& payee, const std::optional<Id>& payer) {
    const json status = session_.call("node.status", json::object());
    const json office = session_.call("office.status", json::object());
    const wallet::Place place{office.at("present").size(),
                              status.at("organization").at("members").get<std::uint64_t>(),
                              payer ? session_.display(*payer) : "", session_.display(payee)};
    json out = json::array();
    for (const auto& one : wallet::who_sees(place)) {
        out.push_back({{"who", one.who}, {"what", one.what}});
    }
    return out;
}

}  // namespace leither::app
