// org join, applications, approve, refuse, sponsor, leave: how a guest becomes a member, and how a
// member goes.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/commands/org_commands.h"
#include "app/decision.h"
#include "app/joining.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/supervising.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr unsigned kDaysMax = 90;
// Supervisors a sponsor turns to, where none is named.
constexpr std::size_t kTurnedToMax = 3;

// ---- join --------------------------------------------------------------------------------------

void follow_invited(Session& session, const wallet::Invitation& invitation) {
    const auto& introduction = invitation.introduction;
    const Id organization = crypto::id_of(introduction.organization);
    session.call("organization.follow", {{"organization", organization.hex()},
                                         {"introduction", to_hex(bcs::encode(introduction))}});
    if (followed_chain(session) == introduction.chain) return;
    throw CliError(CliExit::refused, "founded_anew",
                   "The organization has been founded anew since this invitation was made.",
                   "Ask for another invitation.");
}

// The note this account has made of its application, now if it has not before: whatever is cut off
// behind it goes on from here.
OwnApplication note_application(Session& session, const JoinOptions& options,
                                const wallet::Invitation& invitation,
                                const crypto::KeyPair& applicant) {
    const ChainId& chain = invitation.introduction.chain;
    const std::vector<OpenedLetter> mail = read_mail(session);
    if (auto known = wallet::own_application(mail, applicant.id(), chain)) {
        if (wallet::still_asks(*known, mail, invitation, unix_ms_now())) return *std::move(known);
        forget_mail(session, {known->letter});
    }
    const auto signed_ = sign_application_for(invitation, applicant, options.note, options.days);
    const std::string text = wallet::to_text(signed_);
    const std::uint64_t now = unix_ms_now();
    const Hash letter =
        send_mail(session, applicant, applicant.public_key(), wallet::note_of(signed_, invitation));
    return {signed_, text, invitation, now, letter};
}
}  // namespace

void join_organization(Session& session, const JoinOptions& options) {
    const wallet::Invitation invitation = read_invitation(options.link);
    if (invitation.expires_ms <= unix_ms_now()) {
        throw CliError(
            CliExit::refused, "invitation_expired",
            fmt::format("The invitation held until {}.", format_time(invitation.expires_ms)),
            "Ask for another one.");
    }
    if (options.from.empty()) {
        throw CliError(CliExit::usage, "missing_key", "Which key shall be the member's?",
                       "Name one with --from KEY; it is made if there is none of that name.");
    }
    const crypto::KeyPair applicant = key_or_new(session, options.from);
    follow_invited(session, invitation);
    ensure_served(session, applicant, ServedAs::reader);
    const std::string name = printable(invitation.name, LineBreaks::escaped);
    if (is_known_member(session, applicant.id())) {
        session.print(
            {{"state", "member"}, {"account", applicant.id().hex()}},
            fmt::format("{} is a member of {} already.\n", session.display(applicant.id()), name));
        return;
    }
    const OwnApplication own = note_application(session, options, invitation, applicant);
    const Id member = crypto::id_of(own.invitation.member);
    if (!state_of_mail(session, member, own.sent_ms)) {
        send_mail(session, applicant, own.invitation.member,
                  fmt::format("I ask to be admitted.\n{}", own.text));
    }
    session.print({{"state", "waiting"},
                   {"account", applicant.id().hex()},
                   {"member", member.hex()},
                   {"application", own.text}},
                  fmt::format("{} asks {} to be admitted to {}.\n"
                              "See what becomes of it: leither org join --status\n",
                              session.display(applicant.id()), session.display(member), name));
}

namespace {

struct Standing {
    std::string state;
    std::string words;
    std::string next_step;
};

std::string way_of(Session& session, const OwnApplication& own) {
    const auto state = state_of_mail(session, crypto::id_of(own.invitation.member), own.sent_ms);
    if (!state) return "it has not been sent yet: run leither org join once more with the link";
    if (*state == "delivered") return "it has arrived; a supervisor is to decide";
    if (*state == "held") return "members' nodes hold it until the member is back";
    return "no node has taken it yet: see whether any is connected with leither peers";
}

Standing standing_of(Session& session, const std::vector<OpenedLetter>& mail,
                     const OwnApplication& own) {
    const Id account = crypto::id_of(own.signed_.application.applicant);
    if (is_known_member(session, account)) {
        return {"member", "is a member", "Be paid with: leither request AMOUNT --to KEY"};
    }
    const ChainId& chain = own.invitation.introduction.chain;
    if (const auto declined = find_decline(mail, chain, own.text)) {
        return {"refused",
                fmt::format("was refused by {}: {}", session.display(crypto::id_of(declined->by)),
                            printable(declined->reason, LineBreaks::escaped)),
                "Ask again, with another note perhaps: leither org join LINK --from KEY"};
    }
    if (own.signed_.application.expiry <= own.invitation.pulse_at(unix_ms_now())) {
        return {"expired", "was not decided on while the application held",
                "Ask again: leither org join LINK --from KEY"};
    }
    return {"waiting", "is waiting: " + way_of(session, own), ""};
}
}  // namespace

void show_standing(Session& session, const std::string& from) {
    const ChainId chain = followed_chain(session);
    const std::vector<OpenedLetter> mail = read_mail(session);
    json all = json::array();
    std::string text;
    for (const auto& known : session.keyring().list()) {
        if (!from.empty() && known.name != from && known.id.hex() != from) continue;
        const auto own = own_application(mail, known.id, chain);
        if (!own) continue;
        const Standing standing = standing_of(session, mail, *own);
        all.push_back({{"account", known.id.hex()},
                       {"state", standing.state},
                       {"words", standing.words},
                       {"member", crypto::id_of(own->invitation.member).hex()},
                       {"sent_ms", own->sent_ms}});
        text += fmt::format("{} {}.\n", session.display(known.id), standing.words);
        if (!standing.next_step.empty()) text += standing.next_step + "\n";
    }
    if (all.empty()) {
        throw CliError(CliExit::refused, "not_found", "No key of this wallet has applied here.",
                       "Join with: leither org join LINK --from KEY");
    }
    session.print(all, text);
}

namespace {

// ---- Deciding ----------------------------------------------------------------------------------

std::string state_of(Session& session, const Application& application) {
    if (is_known_member(session, application.applicant())) return "member";
    const bool holds = application.signed_.application.expiry >= session.pulse_now();
    return holds ? "waiting" : "expired";
}
}  // namespace

void list_applications(Session& session) {
    json all = json::array();
    TextTable table({{"APPLICANT"}, {"ARRIVED"}, {"FROM"}, {"STATE"}, {"NOTE"}});
    for (const auto& one : applications_in(session, read_mail(session))) {
        const auto& application = one.signed_.application;
        const Id carrier = crypto::id_of(one.carrier);
        const std::string state = state_of(session, one);
        all.push_back(
            {{"applicant", one.applicant().hex()},
             {"key", application.applicant.hex()},
             {"sent_ms", one.sent_ms},
             {"carrier", carrier.hex()},
             {"sponsor", application.sponsor ? json(application.sponsor->hex()) : json(nullptr)},
             {"account", one.account.hex()},
             {"note", std::string(application.note)},
             {"state", state},
             {"expiry", application.expiry.value()},
             {"application", one.text}});
        table.add({one.applicant().hex(), format_time(one.sent_ms),
                   carrier == one.applicant() ? "themselves" : session.short_name(carrier), state,
                   printable(application.note, LineBreaks::escaped)});
    }
    session.print(all, table.empty()
                           ? "No applications.\n"
                           : table.text() +
                                 "Decide with: leither org approve APPLICANT, or leither org "
                                 "refuse APPLICANT --reason TEXT\n"
                                 "Who is no supervisor: leither org sponsor APPLICANT\n");
}

void approve_applicant(Session& session, const JoinOptions& options) {
    const Application application = find_application(session, options.applicant);
    if (is_known_member(session, application.applicant())) {
        forget_mail(session, application.letters);
        throw CliError(
            CliExit::refused, "member_exists",
            fmt::format("{} is a member already.", session.display(application.applicant())),
            "Nothing is left to decide.");
    }
    SupervisorsAct act{protocol::Join{application.signed_.application},
                       application.signed_.signature, nullptr,
                       fmt::format("Admitted {}.", session.display(application.applicant()))};
    const auto outcome = act_as_supervisors(session, std::move(act), options.act);
    if (outcome == ActOutcome::submitted && options.act.wait) {
        forget_mail(session, application.letters);
    }
}

void refuse_applicant(Session& session, const JoinOptions& options) {
    const Application application = find_application(session, options.applicant);
    const crypto::KeyPair supervisor = session.supervisor_key(options.act.by);
    const Hash id =
        decline_by_letter(session, supervisor, application.signed_.application.applicant,
                          application.text, options.reason);
    forget_mail(session, application.letters);
    session.print({{"id", id.hex()}, {"applicant", application.applicant().hex()}},
                  fmt::format("Refused {}; the reason is on its way to them.\n",
                              session.display(application.applicant())));
}

void sponsor_applicant(Session& session, const JoinOptions& options) {
    const Application application = find_application(session, options.applicant);
    const crypto::KeyPair member =
        session.key(options.from.empty() ? application.account.hex() : options.from);
    std::vector<Id> to;
    for (const std::string& name : options.to) to.push_back(session.account(name));
    if (options.to.empty()) to = session.organization().supervisors;
    std::erase(to, member.id());
    if (options.to.empty() && to.size() > kTurnedToMax) to.resize(kTurnedToMax);
    if (to.empty()) {
        throw CliError(CliExit::usage, "nobody_to_ask", "There is no other supervisor to ask.",
                       "Decide with: leither org approve APPLICANT");
    }
    ensure_served(session, member, ServedAs::member);
    std::string names;
    for (const Id& id : to) {
        send_mail(session, member, key_of(session, id),
                  fmt::format("I speak for this applicant.\n{}", application.text));
        names += (names.empty() ? "" : ", ") + session.display(id);
    }
    forget_mail(session, application.letters);
    session.print(
        {{"applicant", application.applicant().hex()}},
        fmt::format("Passed on {} to {}.\n", session.display(application.applicant()), names));
}

namespace {

// ---- leave -------------------------------------------------------------------------------------
}  // namespace

void leave_organization(Session& session, const JoinOptions& options) {
    const crypto::KeyPair member = session.key(options.from);
    const json found = session.call("account.get", {{"account", member.id().hex()}});
    const json& record = found.at("record");
    if (record.is_null() || record.at("kind") != "member") {
        throw CliError(CliExit::refused, "not_a_member",
                       fmt::format("{} is no member.", session.display(member.id())),
                       "See who is with: leither member list");
    }
    if (record.at("sum") != "0") {
        throw CliError(
            CliExit::refused, "balance_not_zero",
            fmt::format("The account still holds {}.", session.format_units(record.at("sum"))),
            "Pay it to somebody first, and release what is pledged: whoever leaves, "
            "leaves nothing behind.");
    }
    const auto& supervisors = session.organization().supervisors;
    const auto keys = session.keyring().list();
    const bool can_sign = std::ranges::any_of(
        keys, [&](const auto& known) { return std::ranges::count(supervisors, known.id) > 0; });
    if (can_sign) {
        SupervisorsAct act{protocol::Leave{member.id()}, std::nullopt, &member,
                           fmt::format("{} leaves.", session.display(member.id()))};
        act_as_supervisors(session, std::move(act), options.act);
        return;
    }
    // A supervisor makes the act, whose number it bears; the member signs it last.
    ensure_served(session, member, ServedAs::member);
    std::size_t asked = 0;
    for (const Id& id : supervisors) {
        if (id == member.id() || asked == kTurnedToMax) continue;
        send_mail(session, member, key_of(session, id),
                  fmt::format("I want to leave the organization. Please run:\n"
                              "leither member leave {} --offer",
                              member.id().hex()));
        ++asked;
    }
    session.print({{"asked", asked}},
                  fmt::format("Asked {} for a signature. When their letter is here, sign last: "
                              "leither cosign\n",
                              count_of(asked, "supervisor")));
}

void add_joining_commands(CLI::App& group, Session& session) {
    const auto options = std::make_shared<JoinOptions>();

    auto* joins = group.add_subcommand("join", "Join an organization by an invitation");
    joins->add_option("LINK", options->link, "leither:invite:...");
    joins->add_option("--from", options->from, "Key that shall be the member's; made if missing")
        ->type_name("KEY");
    joins->add_option("--note", options->note, "A line to those who decide");
    joins->add_option("--days", options->days, "How long the application holds")
        ->check(CLI::Range(1u, kDaysMax))
        ->capture_default_str();
    joins->add_flag("--status", options->status, "Say where it stands");
    joins->footer(
        "Examples:\n"
        "  leither org join leither:invite:qpzr... --from anna --note \"bakes bread\"\n"
        "  leither org join --status\n"
        "Run it again whenever it was cut off: it goes on where it was.");
    joins->callback([&session, options] {
        if (options->status) return show_standing(session, options->from);
        if (!options->link.empty()) return join_organization(session, *options);
        throw CliError(CliExit::usage, "missing_link", "Join what?",
                       "Give the invitation's link, or ask with --status.");
    });

    auto* list = group.add_subcommand("applications", "Who asks to be admitted");
    list->footer("Example: leither org applications");
    list->callback([&session] { list_applications(session); });

    auto* approves = group.add_subcommand("approve", "Admit an applicant (a supervisor's act)");
    approves
        ->add_option("APPLICANT", options->applicant,
                     "Account or its first digits, or leither:join:... text")
        ->required();
    add_offer_options(*approves, options->act);
    approves->footer(
        "Examples:\n"
        "  leither org approve 3f2a\n"
        "  leither org approve 3f2a --offer     where several supervisors must sign");
    approves->callback([&session, options] { approve_applicant(session, *options); });

    auto* refuses = group.add_subcommand("refuse", "Turn an applicant down, with a reason");
    refuses
        ->add_option("APPLICANT", options->applicant,
                     "Account or its first digits, or leither:join:... text")
        ->required();
    refuses->add_option("--reason", options->reason, "Why; the applicant reads it")->required();
    refuses->add_option("--by", options->act.by, "Key of the supervisor")->type_name("KEY");
    refuses->footer("Example: leither org refuse 3f2a --reason \"come to the meeting first\"");
    refuses->callback([&session, options] { refuse_applicant(session, *options); });

    auto* sponsors = group.add_subcommand("sponsor", "Pass an application on to supervisors");
    sponsors
        ->add_option("APPLICANT", options->applicant,
                     "Account or its first digits, or leither:join:... text")
        ->required();
    sponsors->add_option("--from", options->from, "Key of the member who speaks for them")
        ->type_name("KEY");
    sponsors->add_option("--to", options->to, "Account of a supervisor; default: up to three")
        ->type_name("ACCOUNT")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    sponsors->footer("Example: leither org sponsor 3f2a");
    sponsors->callback([&session, options] { sponsor_applicant(session, *options); });

    auto* leaves = group.add_subcommand("leave", "Leave the organization with an empty account");
    leaves->add_option("--from", options->from, "Key of the member who leaves")
        ->required()
        ->type_name("KEY");
    add_supervisor_options(*leaves, options->act);
    leaves->footer("Example: leither org leave --from anna");
    leaves->callback([&session, options] { leave_organization(session, *options); });
}

}  // namespace leither::app
