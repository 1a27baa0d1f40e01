#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash.h"

#include "app/act.h"
#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/supervising.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

protocol::Application application_of(Session& session, const MemberOptions& options,
                                     const crypto::KeyPair& applicant) {
    protocol::Application application;
    application.applicant = applicant.public_key();
    if (!options.sponsor.empty()) application.sponsor = session.account(options.sponsor);
    if (options.note.size() > protocol::Text::kMax) {
        throw CliError(CliExit::usage, "bad_text", "The note is too long.",
                       fmt::format("Use at most {} bytes.", protocol::Text::kMax));
    }
    application.note = protocol::Text(options.note);
    application.expiry = Pulse(session.pulse_now().value() + pulses_of(session, options.expires));
    return application;
}

wallet::SignedApplication sign_with_wallet(Session& session, const MemberOptions& options) {
    const auto applicant = session.key(options.member);
    return wallet::sign_application(session.organization().chain,
                                    application_of(session, options, applicant), applicant);
}

void apply(Session& session, const MemberOptions& options) {
    const auto text = wallet::to_text(sign_with_wallet(session, options));
    session.print(
        {{"application", text}},
        fmt::format("{}\nHand this to a supervisor, who runs: leither member add TEXT\n", text));
}

// An application handed over as text, or one signed here and now with the wallet's own key.
wallet::SignedApplication obtain_application(Session& session, const MemberOptions& options) {
    if (!options.member.starts_with("leither:")) return sign_with_wallet(session, options);
    const auto application = wallet::application_from_text(options.member);
    if (application && application->chain == session.organization().chain) return *application;
    throw CliError(
        CliExit::usage, "bad_application",
        application ? "The application is for another organization." : "This is no application.",
        "Ask the applicant for the text that leither member apply prints.");
}

void add(Session& session, const MemberOptions& options) {
    const auto application = obtain_application(session, options);
    const Id applicant = crypto::id_of(application.application.applicant);
    act_as_supervisors(session,
                       {protocol::Join{application.application}, application.signature, nullptr,
                        fmt::format("Admitted {}.", session.display(applicant))},
                       options.act);
}

// A supervisors' act that the member concerned signs too: here, or where the key is.
void act_on_member(Session& session, const MemberOptions& options, const Id& member,
                   SupervisorsAct&& act) {
    const auto keys = session.keyring().list();
    const bool is_here = std::ranges::count(keys, member, &wallet::NamedKey::id) > 0;
    if (!is_here)
        return static_cast<void>(act_as_supervisors(session, std::move(act), options.act));
    const crypto::KeyPair key = session.key(member.hex());
    act.counterparty = &key;
    act_as_supervisors(session, std::move(act), options.act);
}

void leave(Session& session, const MemberOptions& options) {
    const Id member = session.account(options.member);
    act_on_member(session, options, member,
                  {protocol::Leave{member}, std::nullopt, nullptr,
                   fmt::format("{} leaves.", session.display(member))});
}
}  // namespace

void set_role(Session& session, const MemberOptions& options) {
    const Id member = session.account(options.member);
    const auto role =
        options.role == "supervisor" ? protocol::Role::supervisor : protocol::Role::member;
    act_on_member(session, options, member,
                  {protocol::SetRole{member, role}, std::nullopt, nullptr,
                   fmt::format("{} becomes {}.", session.display(member), options.role)});
}

namespace {

void list(Session& session, const MemberOptions& options) {
    json params = {{"limit", options.limit}};
    if (!options.from.empty()) params["from"] = session.account(options.from).hex();
    const json page = session.call("member.list", params);
    TextTable table({{"ACCOUNT"}, {"ROLE"}, {"BALANCE", Align::right}, {"LOCKED", Align::right}});
    for (const json& item : page.at("items")) {
        const auto id = Id::parse(item.at("account").get<std::string>()).value_or(Id());
        table.add({session.display(id), item.at("role").get<std::string>(),
                   session.format_units(item.at("balance")),
                   session.format_units(item.at("locked"))});
    }
    std::string text = table.text();
    if (const auto next = page.find("next"); next != page.end() && next->is_string()) {
        text += "More follow: --from " + next->get<std::string>() + "\n";
    }
    session.print(page, text);
}

void add_application_options(CLI::App& command, MemberOptions& options) {
    command.add_option("--sponsor", options.sponsor, "Member who carries the application");
    command.add_option("--note", options.note, "A line to the supervisor");
    command.add_option("--expires", options.expires, "How long the application holds")
        ->capture_default_str();
}

}  // namespace

void add_member_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("member", "Members: who belongs, who may admit");
    group->require_subcommand(1);
    const auto options = std::make_shared<MemberOptions>();

    auto* apply_command = group->add_subcommand("apply", "Sign an application for membership");
    apply_command->add_option("KEY", options->member, "Key of the applicant")->required();
    add_application_options(*apply_command, *options);
    apply_command->footer("Example: leither member apply bea --note \"bakes bread\"");
    apply_command->callback([&session, options] { apply(session, *options); });

    auto* add_command = group->add_subcommand("add", "Admit an applicant (the supervisor's act)");
    add_command
        ->add_option("APPLICANT", options->member, "A key of this wallet, or leither:join:... text")
        ->required();
    add_application_options(*add_command, *options);
    add_offer_options(*add_command, options->act);
    add_command->footer(
        "Examples:\n"
        "  leither member add anna\n"
        "  leither member add leither:join:00ab... --by founder");
    add_command->callback([&session, options] { add(session, *options); });

    auto* leave_command = group->add_subcommand("leave", "Remove a member whose account is empty");
    leave_command
        ->add_option("MEMBER", options->member,
                     "Key of the member, who signs too; with --offer also an account")
        ->required();
    add_offer_options(*leave_command, options->act);
    leave_command->footer("Example: leither member leave anna --by founder");
    leave_command->callback([&session, options] { leave(session, *options); });

    auto* role_command = group->add_subcommand("role", "Make a member supervisor, or member again");
    role_command
        ->add_option("MEMBER", options->member,
                     "Key of the member, who signs too; with --offer also an account")
        ->required();
    role_command->add_option("ROLE", options->role, "supervisor or member")
        ->required()
        ->check(CLI::IsMember({"supervisor", "member"}));
    add_offer_options(*role_command, options->act);
    role_command->footer("Example: leither member role anna supervisor");
    role_command->callback([&session, options] { set_role(session, *options); });

    auto* list_command = group->add_subcommand("list", "List members with their balances");
    list_command->add_option("--from", options->from, "Start at this account");
    list_command->add_option("--limit", options->limit, "At most so many")->capture_default_str();
    list_command->footer("Example: leither member list --limit 20");
    list_command->callback([&session, options] { list(session, *options); });
}

}  // namespace leither::app
