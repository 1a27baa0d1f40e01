// Where no node can be reached: what the wallet remembers for that, and payments that were signed
// there and are now handed in.
#include "app/offline.h"

#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash.h"

#include "app/commands/commands.h"
#include "app/decision.h"
#include "app/printable.h"
#include "app/small_file.h"
#include "app/text_table.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

// A signed payment, with words around it.
constexpr std::size_t kPaymentFileMax = 16 << 10;

// ---- What is remembered
// --------------------------------------------------------------------------

json account_json(Session& session, const wallet::KnownOrganization& known,
                  const wallet::KnownAccount& account, const wallet::Journal& journal) {
    const auto open = wallet::open_payments(known, journal, account.id);
    json waiting = json::array();
    for (const auto* paying : open) {
        waiting.push_back(
            {{"id", protocol::transaction_id(paying->chain, paying->transaction.body).hex()},
             {"amount", std::to_string(wallet::request_of(*paying).amount.units())},
             {"hand_in_ms", known.time_ms_of(wallet::hand_in_until(paying->transaction))}});
    }
    return {{"name", session.short_name(account.id)},
            {"account", account.id.hex()},
            {"member", account.is_member()},
            {"balance", std::to_string(account.balance.units())},
            {"waiting", std::move(waiting)},
            {"may_sign", account.is_member() ? wallet::kOfflineLaneCount - open.size() : 0}};
}

json known_json(Session& session, const wallet::KnownOrganization& known) {
    const auto journal = WalletFiles(session.keyring().directory()).journal();
    json accounts = json::array();
    for (const auto& account : known.accounts) {
        accounts.push_back(account_json(session, known, account, journal));
    }
    return {{"organization", crypto::id_of(known.charter.organization).hex()},
            {"name", known.charter.name},
            {"unit", known.charter.unit},
            {"known_ms", known.learned_ms},
            {"good_until_ms", known.learned_ms + wallet::kKnownForMs},
            {"members_known", known.keys_of_members.size()},
            {"members", known.members},
            {"accounts", std::move(accounts)}};
}

void show(Session& session) {
    json all = json::array();
    std::string text;
    const auto known = WalletFiles(session.keyring().directory()).known();
    for (const auto& one : known.organizations()) {
        const json said = known_json(session, one);
        text += format_fields({{"organization", one.charter.name},
                               {"known since", format_time(one.learned_ms)},
                               {"good until", format_time(said.at("good_until_ms"))},
                               {"members", fmt::format("{} of {} by their keys",
                                                       one.keys_of_members.size(), one.members)}});
        TextTable table({{"KEY"}, {"HELD", Align::right}, {"WAITING"}, {"MAY SIGN"}});
        for (const json& account : said.at("accounts")) {
            const auto held = parse_amount(account.at("balance").get<std::string>(), 0);
            table.add({account.at("name").get<std::string>(),
                       account.at("member") == true
                           ? format_amount(held.value_or(Amount()), one.charter.decimals) + " " +
                                 one.charter.unit
                           : "no member",
                       std::to_string(account.at("waiting").size()),
                       account.at("may_sign").dump()});
        }
        text += table.text() + "\n";
        all.push_back(said);
    }
    session.print(all, text.empty() ? "This wallet remembers no organization; where the daemon is: "
                                      "leither offline refresh\n"
                                    : text);
}

void refresh(Session& session) {
    if (session.keyring().list().empty()) {
        throw CliError(CliExit::local, "empty", "This wallet has no key.",
                       "Make one with: leither key new NAME");
    }
    learn_organization(session);
    show(session);
}

// ---- Handing in
// ----------------------------------------------------------------------------------

struct HandInOptions {
    std::string text;
    std::string file;
    bool check = false;
    ActOptions act;
};

wallet::HandedPayment payment_in(Session& session, const HandInOptions& options) {
    if (options.text.empty() == options.file.empty()) {
        throw CliError(CliExit::usage, "bad_argument", "Give the payment as text, or its --file.",
                       "Write: leither hand-in leither:paid:...");
    }
    const std::string text =
        options.file.empty() ? options.text : read_small_file(options.file, kPaymentFileMax);
    auto payment = read_handed(text, std::nullopt);
    const Id payee = wallet::request_of(payment.transaction).payee;
    for (const auto& known : session.keyring().list()) {
        if (known.id == payee) payment = read_handed(text, known.key);
    }
    return payment;
}

// What the payee may want to see before handing anything over.
void check(Session& session, const wallet::HandedPayment& payment) {
    const auto known = known_organization(session, payment.chain);
    check_fresh(known);
    session.go_offline(known);
    const auto& request = wallet::request_of(payment.transaction);
    const Pulse until = wallet::hand_in_until(payment.transaction);
    if (session.pulse_now() > until) {
        throw CliError(
            CliExit::refused, "expired",
            fmt::format("It had to be handed in by {}.", format_time(known.time_ms_of(until))),
            "If nobody has, it is worth nothing: ask the payer for another one.");
    }
    const auto journal = WalletFiles(session.keyring().directory()).journal();
    const bool is_asked = journal.asked(wallet::request_id(payment.chain, request)) != nullptr;
    const Id payer = payment.transaction.body.signer;
    const bool is_member = known.key_of_member(payer).has_value();
    const json out = {
        {"id", protocol::transaction_id(payment.chain, payment.transaction.body).hex()},
        {"payer", payer.hex()},
        {"payer_known", is_member},
        {"payee", request.payee.hex()},
        {"asked_here", is_asked},
        {"amount", std::to_string(request.amount.units())},
        {"reference", request.reference},
        {"hand_in_ms", known.time_ms_of(until)}};
    session.print(
        out,
        format_fields(
            {{"pays", session.format(request.amount)},
             {"from", session.display(payer)},
             {"who is", is_member ? "a member, who has signed it" : "not known here as a member"},
             {"to", session.display(request.payee)},
             {"for", printable(request.reference, LineBreaks::escaped)},
             {"asked here", is_asked ? "yes" : "no: this wallet has not signed that request"},
             {"hand it in by", format_time(known.time_ms_of(until))}}) +
            "Both have signed. Whether the payer still has the money only a node knows: it is "
            "pending until leither hand-in has been run.\n");
}

bool is_in_block(const json& status) {
    const auto state = wallet::payment_state(status.at("state").get<std::string>());
    return state && wallet::is_decided(*state);
}

[[noreturn]] void fail_on_expiry(Session& session, Pulse until) {
    const json status = session.call("node.status", json::object()).at("organization");
    const bool is_proven = Pulse(status.at("sequence_pulse").get<std::uint64_t>()) > until;
    const auto& charter = session.organization().charter;
    const std::uint64_t until_ms = charter.time_ms + until.value() * charter.params.pulse_ms;
    throw CliError(CliExit::refused, "expired",
                   fmt::format("It had to be handed in by {}. No block of this node holds it{}.",
                               format_time(until_ms),
                               is_proven ? ", and none ever will: a later one is decided"
                                         : "; that none ever will is proven by the next block"),
                   "Both are free: the payee asks, and the payer pays, anew.");
}

void hand_in(Session& session, const HandInOptions& options) {
    const auto payment = payment_in(session, options);
    if (options.check) return check(session, payment);
    if (payment.chain != session.organization().chain) {
        throw CliError(CliExit::refused, "wrong_organization",
                       "The payment is of another organization.",
                       "Hand it in at a node of that one.");
    }
    const auto& request = wallet::request_of(payment.transaction);
    const Id payer = payment.transaction.body.signer;
    const Pulse until = wallet::hand_in_until(payment.transaction);
    for (const auto& key : session.keyring().list()) {
        if (key.id == payer || key.id == request.payee) session.keep_receipts(key.id);
    }
    const Hash id = protocol::transaction_id(payment.chain, payment.transaction.body);
    const json status =
        session.call("transaction.status", {{"id", id.hex()}, {"signer", payer.hex()}});
    const bool is_late = session.pulse_now() > until;
    if (is_late && !is_in_block(status) && status.at("state") != "pending") {
        fail_on_expiry(session, until);
    }
    json result = is_in_block(status) ? status : WalletDesk(session).hand_in(payment);
    result["id"] = id.hex();
    result = await_decision(session, std::move(result), payer, options.act);
    session.print(result, fmt::format("{} from {} to {}.\n{} {}.\n", session.format(request.amount),
                                      session.display(payer), session.display(request.payee),
                                      id.hex(), state_text(result)));
}

}  // namespace

void add_offline_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand(
        "offline", "What the wallet remembers, to ask and pay where no node can be reached");
    group->require_subcommand(1);
    auto* shown = group->add_subcommand("show", "What it is, and how old; needs no daemon");
    shown->footer("Example: leither offline show");
    shown->callback([&session] { show(session); });
    auto* anew = group->add_subcommand("refresh", "Learn it anew from the daemon");
    anew->footer("Example: leither offline refresh");
    anew->callback([&session] { refresh(session); });

    const auto options = std::make_shared<HandInOptions>();
    auto* give = cli.add_subcommand(
        "hand-in",
        "Give a payment that was signed without a node to the daemon; twice is harmless");
    give->add_option("PAYMENT", options->text, "leither:paid:... text");
    give->add_option("--file", options->file, "It is in this file; - is standard input")
        ->type_name("FILE");
    give->add_flag("--check", options->check,
                   "Only say what it pays and whether both have signed; needs no daemon");
    add_wait_option(*give, options->act);
    give->footer(
        "Examples:\n"
        "  leither hand-in leither:paid:qpzr...\n"
        "  leither hand-in --file payment.txt --check");
    give->callback([&session, options] { hand_in(session, *options); });
}

}  // namespace leither::app
