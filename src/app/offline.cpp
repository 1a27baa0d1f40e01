#include "app/offline.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/crypto/hash.h"
#include "leither/protocol/record.h"
#include "leither/wallet/explain.h"

#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;
using wallet::KnownOrganization;
using wallet::OfflineRefusal;

constexpr std::uint64_t kNewMs = 600'000;      // so long what was learned is not asked for again
constexpr std::uint64_t kGuestNewMs = 30'000;  // of a key that has no account yet
constexpr std::size_t kDigitsMin = 4;
constexpr const char* kRefresh =
    "Run it once where the daemon can be reached: leither offline refresh";

std::uint64_t number(const json& object, const char* field) {
    return object.at(field).get<std::uint64_t>();
}

// ---- Learning
// ------------------------------------------------------------------------------------

wallet::KnownAccount account_of(const json& record, const Id& id) {
    wallet::KnownAccount account;
    account.id = id;
    if (record.is_null() || record.value("kind", "") != "member") return account;
    account.balance = parse_amount(record.at("balance").get<std::string>(), 0).value_or(Amount());
    protocol::MemberRecord member;
    member.created = Sequence(number(record, "created"));
    for (const json& used : record.at("lanes")) {
        if (!member.lanes.full()) {
            member.lanes.push_back({used.at("lane").get<std::uint8_t>(), number(used, "next")});
        }
    }
    for (const std::uint8_t lane : wallet::kOfflineLanes) {
        account.counters.push_back(member.next_counter(lane));
    }
    return account;
}

KnownOrganization ask_daemon(Session& session) {
    const auto& organization = session.organization();
    KnownOrganization known;
    known.charter = organization.charter;
    known.expiry_pulses_max = organization.expiry_pulses_max;
    known.learned_ms = unix_ms_now();
    // The head before the accounts: what they lack then, and the head is behind, is in no block.
    const json status = session.call("node.status", json::object()).at("organization");
    known.head = Pulse(number(status, "sequence_pulse"));
    known.members = number(status, "members");
    known.bookkeepers =
        session.call("office.status", json::object()).at("present").get<json::array_t>().size();
    for (const auto& key : session.keyring().list()) {
        if (known.accounts.full()) break;
        const json found = session.call("account.get", {{"account", key.id.hex()}});
        known.accounts.push_back(account_of(found.at("record"), key.id));
    }
    const json page = session.call("member.list", {{"limit", wallet::kKnownMembersMax}});
    for (const json& member : page.at("items")) {
        const auto key = PublicKey::parse(member.at("key").get<std::string>());
        if (key && !known.keys_of_members.full()) known.keys_of_members.push_back(*key);
    }
    std::ranges::sort(known.accounts, {}, &wallet::KnownAccount::id);
    std::ranges::sort(known.keys_of_members);
    return known;
}

bool is_due(Session& session, const WalletFiles& files) {
    const auto keys = session.keyring().list();
    if (keys.empty()) return false;
    const auto all = files.known();
    const KnownOrganization* known = all.find(session.organization().chain);
    if (known == nullptr) return true;
    const std::uint64_t now = unix_ms_now();
    if (now < known->learned_ms || now - known->learned_ms >= kNewMs) return true;
    const bool is_new = now - known->learned_ms < kGuestNewMs;
    const Id organization = session.organization().id;
    const auto journal = files.journal();
    return std::ranges::any_of(keys, [&](const wallet::NamedKey& key) {
        const auto* account = known->account(key.id);
        if (account == nullptr) return !known->accounts.full();
        if (!wallet::open_payments(*known, journal, key.id).empty()) return true;
        return !account->is_member() && key.id != organization && !is_new;
    });
}

void write_down(Session& session, KnownOrganization known) {
    const WalletFiles files(session.keyring().directory());
    const auto guard = files.lock();
    auto all = files.known();
    all.learn(std::move(known));
    files.set_known(all);
}

// ---- Refusing
// ------------------------------------------------------------------------------------

[[noreturn]] void fail_offline(const KnownOrganization& known, const wallet::OfflineRefused& why) {
    const auto units = [&known](std::uint64_t amount) {
        return format_amount(Amount::from(amount).value_or(Amount()), known.charter.decimals) +
               " " + known.charter.unit;
    };
    const std::string learned = format_time(known.learned_ms);
    std::string cause;
    std::string remedy = kRefresh;
    switch (why.code) {
        case OfflineRefusal::known_too_old:
            cause = fmt::format(
                "What this wallet knows of {} is of {}, and was good until {}: "
                "its rules and accounts may be others by now.",
                known.charter.name, learned, format_time(why.limit));
            break;
        case OfflineRefusal::clock_behind:
            cause = fmt::format("This machine's clock says {}, but this wallet heard of {} at {}.",
                                format_time(why.actual), known.charter.name, learned);
            remedy = "Set the clock: by it the payment says until when it holds.";
            break;
        case OfflineRefusal::not_a_member:
            cause =
                fmt::format("The payer was no member of {} at {}.", known.charter.name, learned);
            break;
        case OfflineRefusal::insufficient_balance:
            cause = fmt::format("The payer held {} at {}; this and what is signed already take {}.",
                                units(why.limit), learned, units(why.actual));
            remedy = fmt::format("If more has come in since: {}", kRefresh);
            break;
        case OfflineRefusal::lanes_taken:
            cause = fmt::format(
                "{} payments that were signed without a node may still be on their "
                "way; the first expires at {}.",
                why.actual, format_time(known.time_ms_of(Pulse(why.limit))));
            remedy = fmt::format("What became of them only a node knows. {}", kRefresh);
            break;
    }
    throw CliError(CliExit::refused, wallet::to_string(why.code), cause, remedy);
}

[[noreturn]] void refuse(CliExit exit, const char* name, const std::string& cause,
                         const std::string& next_step) {
    throw CliError(exit, name, cause, next_step);
}

[[noreturn]] void fail_on_nothing_known(Session& session) {
    refuse(CliExit::local, "nothing_known",
           fmt::format("The wallet {} remembers no organization.", session.keyring().directory()),
           kRefresh);
}

[[noreturn]] void fail_on_payee() {
    refuse(CliExit::refused, "bad_signature", "The payee named in it has not signed it.",
           "Do not pay it; ask the payee.");
}

}  // namespace

void learn_organization(Session& session) {
    write_down(session, ask_daemon(session));
}

void learn_in_passing(Session& session) {
    if (!session.has_heard_organization()) return;
    try {
        if (is_due(session, WalletFiles(session.keyring().directory()))) {
            learn_organization(session);
        }
    } catch (const std::exception&) {
        return;  // what was asked for is done
    }
}

KnownOrganization known_organization(Session& session, const ChainId& chain) {
    const auto known = WalletFiles(session.keyring().directory()).known();
    if (const auto* one = known.find(chain)) return *one;
    if (known.organizations().empty()) fail_on_nothing_known(session);
    refuse(CliExit::refused, "wrong_organization",
           "This is of an organization that the wallet does not know.",
           fmt::format("If it is one of yours: {}", kRefresh));
}

KnownOrganization known_organization(Session& session, const std::string& id) {
    const auto known = WalletFiles(session.keyring().directory()).known();
    std::vector<const KnownOrganization*> found;
    std::string names;
    for (const KnownOrganization& one : known.organizations()) {
        const std::string digits = crypto::id_of(one.charter.organization).hex();
        if (!digits.starts_with(id)) continue;
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", one.charter.name, digits);
        found.push_back(&one);
    }
    if (found.size() == 1 && (id.empty() || id.size() >= kDigitsMin)) return *found.front();
    if (known.organizations().empty()) fail_on_nothing_known(session);
    refuse(CliExit::usage, "ambiguous_organization",
           found.empty() ? fmt::format("The wallet knows no organization {}.", id)
                         : fmt::format("That may be {}.", names),
           "Name one: --organization ID");
}

void check_fresh(const KnownOrganization& known) {
    if (auto fresh = wallet::check_age(known, unix_ms_now()); !fresh) {
        fail_offline(known, fresh.error());
    }
}

wallet::HandedPayment read_handed(const std::string& text, const std::optional<PublicKey>& payee) {
    const auto found = wallet::find_link(text, wallet::kHandedPrefix);
    auto payment = wallet::handed_from_text(found.empty() ? std::string_view(text) : found);
    if (!payment) {
        refuse(CliExit::usage,
               (std::string("payment_") + wallet::to_string(payment.error())).c_str(),
               wallet::explain(payment.error(), "signed payment"),
               "Ask the payer for the text that leither pay --offline prints.");
    }
    if (!wallet::is_signed_by_payer(*payment)) {
        refuse(CliExit::refused, "bad_signature", "The payer named in it has not signed it.",
               "It is worth nothing; ask the payer for another one.");
    }
    if (payee && !wallet::is_signed_by(wallet::request_in(*payment), *payee)) {
        refuse(CliExit::refused, "bad_signature", "The payee named in it has not asked for it.",
               "It is worth nothing; ask the payer for another one.");
    }
    return *std::move(payment);
}

// ---- The payer
// -----------------------------------------------------------------------------------

json OfflineDesk::read(const wallet::SignedRequest& signed_, const Id& payer) {
    check_fresh(known_);
    const auto& request = signed_.request;
    const auto key = known_.key_of_member(request.payee);
    if (key && !wallet::is_signed_by(signed_, *key)) fail_on_payee();
    if (request.payee == payer) {
        refuse(CliExit::usage, "self_payment", "Payer and payee are the same account.",
               "Name another payer.");
    }
    if (session_.pulse_now() > request.expiry) {
        refuse(CliExit::refused, "request_expired",
               fmt::format("The request could be paid until {}.",
                           format_time(known_.time_ms_of(request.expiry))),
               "Ask the payee for another one.");
    }
    json audience = json::array();
    const wallet::Place place{known_.bookkeepers, known_.members, session_.display(payer),
                              session_.display(request.payee)};
    for (const auto& one : wallet::who_sees(place)) {
        audience.push_back({{"who", one.who}, {"what", one.what}});
    }
    audience.push_back({{"who", "whoever you hand the signed payment to"},
                        {"what", "everything: amount, reference, who, until when"}});
    return {{"organization", crypto::id_of(known_.charter.organization).hex()},
            {"organization_name", known_.charter.name},
            {"request", wallet::request_id(signed_).hex()},
            {"payee", request.payee.hex()},
            {"payee_known", key.has_value()},
            {"known_ms", known_.learned_ms},
            {"amount", std::to_string(request.amount.units())},
            {"reference", request.reference},
            {"expires_ms", known_.time_ms_of(request.expiry)},
            {"who_sees", std::move(audience)}};
}

wallet::Draft OfflineDesk::draft(const wallet::Journal& journal, const Id& payer, Amount amount) {
    const auto drafted = wallet::offline_draft(known_, journal, payer, amount, unix_ms_now());
    if (!drafted) fail_offline(known_, drafted.error());
    return *drafted;
}

json OfflineDesk::handed(const wallet::Paying& paying, const PublicKey& payer) {
    return {{"text", wallet::to_text({paying.chain, payer, paying.transaction})},
            {"id", protocol::transaction_id(paying.chain, paying.transaction.body).hex()},
            {"request", wallet::request_id(paying.chain, wallet::request_of(paying)).hex()},
            {"state", wallet::to_string(wallet::PaymentState::pending)},
            {"hand_in_ms", known_.time_ms_of(wallet::hand_in_until(paying.transaction))}};
}

json OfflineDesk::pay(const crypto::KeyPair& payer, const wallet::SignedRequest& request) {
    const auto guard = files_.lock();
    auto journal = files_.journal();
    // What was signed for it may still be committed, or may be: it is handed over again, and
    // nothing else is signed in its place without a node's word.
    const auto* before = journal.paying(wallet::request_id(request));
    if (before != nullptr && !wallet::is_dead(known_, *before)) {
        const auto& transaction = before->transaction;
        const bool is_in_time = session_.pulse_now() <= wallet::hand_in_until(transaction);
        if (transaction.body.signer == payer.id() && is_in_time) {
            return handed(*before, payer.public_key());
        }
        refuse(CliExit::undecided, "undecided",
               fmt::format("This wallet has signed transaction {} for this request.",
                           protocol::transaction_id(before->chain, transaction.body).hex()),
               "What became of it only a node knows; where the daemon is: leither why " +
                   wallet::request_id(request).hex());
    }
    const wallet::Paying paying{
        unix_ms_now(), wallet::Cause::by_hand, known_.chain(),
        wallet::pay(draft(journal, payer.id(), request.request.amount), request, payer)};
    files_.append(journal, paying, paying.at_ms);
    return handed(paying, payer.public_key());
}

}  // namespace leither::app
