#include "app/supervising.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash.h"
#include "leither/protocol/envelope.h"

#include "app/letters.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

// How many supervisors must sign.
std::size_t signatures_required(Session& session) {
    const json info = session.call("organization.info", json::object());
    const auto required = info.at("params").at("supervisors_required").get<std::size_t>();
    return std::min(required, session.organization().supervisors.size());
}

// The others who are to sign: as named, else as many as are needed.
std::vector<Id> others_of(Session& session, const ActOptions& options,
                          const std::vector<Id>& here) {
    std::vector<Id> others;
    const auto add = [&](const Id& id) {
        const bool is_known = std::ranges::count(here, id) + std::ranges::count(others, id) > 0;
        if (!is_known) others.push_back(id);
    };
    for (const std::string& name : options.with) add(session.account(name));
    if (!options.with.empty()) return others;
    const std::size_t needed = signatures_required(session);
    for (const Id& id : session.organization().supervisors) {
        if (here.size() + others.size() < needed) add(id);
    }
    return others;
}

std::string time_of(Session& session, Pulse pulse) {
    const auto& charter = session.organization().charter;
    return format_time(charter.time_ms + pulse.value() * charter.params.pulse_ms);
}

struct Description {
    Session& session;

    std::string operator()(const protocol::Join& join) const { return applicant(join.application); }
    std::string operator()(const protocol::Earn& earned) const {
        return fmt::format("{}, and pay {} for: {}", applicant(earned.application),
                           session.format(earned.amount),
                           printable(earned.reason, LineBreaks::escaped));
    }
    std::string operator()(const protocol::Leave& leave) const {
        return "let go " + session.display(leave.member);
    }
    std::string operator()(const protocol::SetRole& change) const {
        return fmt::format("make {} a {}", session.display(change.member),
                           protocol::to_string(change.role));
    }
    std::string operator()(const protocol::Reward& reward) const {
        const std::string proof = printable(reward.proof, LineBreaks::escaped);
        return fmt::format("reward {} with {} for: {}{}", session.display(reward.member),
                           session.format(reward.amount),
                           printable(reward.reason, LineBreaks::escaped),
                           proof.empty() ? "" : " (" + proof + ")");
    }
    std::string operator()(const auto& other) const {
        return protocol::kind_name(protocol::Action(other));
    }
    std::string applicant(const protocol::Application& application) const {
        const auto who = session.display(crypto::id_of(application.applicant));
        if (application.note.empty()) return "admit " + who;
        return fmt::format("admit {} ({})", who, printable(application.note, LineBreaks::escaped));
    }
};

}  // namespace

void add_offer_options(CLI::App& command, ActOptions& options) {
    add_supervisor_options(command, options);
    command.add_flag("--offer", options.offer,
                     "Leave signatures to supervisors on other machines: prints a text for "
                     "leither cosign, and sends it to them");
    command
        .add_option("--with", options.with,
                    "With --offer: account of a supervisor who is to sign; may be repeated; "
                    "default: as many as are needed")
        ->type_name("ACCOUNT")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

ActOutcome act_as_supervisors(Session& session, SupervisorsAct&& act, const ActOptions& options) {
    const auto supervisor = session.supervisor_key(options.by);
    const auto cosigners = cosigners_of(session, options);
    std::vector<Id> here{supervisor.id()};
    for (const auto& key : cosigners) here.push_back(key.id());
    const bool is_shared = options.offer || !options.with.empty();
    const auto others = is_shared ? others_of(session, options, here) : std::vector<Id>{};

    std::vector<Id> all(here.begin() + 1, here.end());
    all.insert(all.end(), others.begin(), others.end());
    const wallet::Draft draft = is_shared ? draft_for_others(session, supervisor.id())
                                          : draft_for(session, supervisor.id());
    auto offer = wallet::offer(draft, std::move(act.action), act.half, supervisor, std::move(all));
    for (const auto& key : cosigners) wallet::cosign(offer, key);
    if (act.counterparty != nullptr) wallet::cosign(offer, *act.counterparty);
    if (const auto transaction = wallet::completed(offer)) {
        carry_out(session, *transaction, options, act.what);
        return ActOutcome::submitted;
    }
    if (!is_shared) {
        throw CliError(CliExit::local, "key_elsewhere",
                       "The member's key, which signs too, is not in this wallet.",
                       "Send it to them for signing: add --offer.");
    }
    hand_on(session, offer, supervisor);
    return ActOutcome::offered;
}

std::string describe(Session& session, const protocol::TransactionBody& body) {
    return std::visit(Description{session}, body.action);
}

void hand_on(Session& session, const wallet::Offer& offer, const crypto::KeyPair& from) {
    const std::string text = wallet::to_text(offer);
    const std::vector<Id> missing = offer.missing();
    json to = json::array();
    std::string names;
    for (const Id& id : missing) {
        to.push_back(id.hex());
        names += (names.empty() ? "" : ", ") + session.display(id);
    }
    // The text is what counts; a letter only saves carrying it.
    std::string posted = "Hand this text to them";
    if (has_mail(session)) {
        ensure_served(session, from, ServedAs::reader);
        // The link first: what people have written is in what follows.
        std::string letter = fmt::format("{}\nTo sign: {}", text, describe(session, offer.body));
        if (letter.size() > protocol::kLetterTextMax) letter = text;
        for (const Id& id : missing) send_mail(session, from, key_of(session, id), letter);
        posted = "It is on its way to them as a letter";
    }
    const Hash id = protocol::transaction_id(offer.chain, offer.body);
    session.print({{"offer", text},
                   {"id", id.hex()},
                   {"missing", to},
                   {"expires_pulse", offer.body.expiry.value()}},
                  fmt::format("{}\nTo sign until {}: {}.\n{}; they run: leither cosign TEXT\n",
                              text, time_of(session, offer.body.expiry), names, posted));
}

}  // namespace leither::app
