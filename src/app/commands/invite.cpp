// invite: what a newcomer needs to join, as a link or a QR code.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/checkpoint.h"
#include "leither/wallet/invitation.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/joining.h"
#include "app/printable.h"
#include "app/publishing.h"
#include "app/qr.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr unsigned kDaysMax = 90;

bool is_member(Session& session, const Id& account) {
    const json found = session.call("account.get", {{"account", account.hex()}});
    const json& record = found.at("record");
    return !record.is_null() && record.at("kind") == "member";
}

// The key named, else the wallet's of a supervisor, else of any member.
crypto::KeyPair inviting_key(Session& session, const std::string& name) {
    if (!name.empty()) {
        crypto::KeyPair key = session.key(name);
        if (is_member(session, key.id())) return key;
        throw CliError(CliExit::refused, "not_a_member",
                       fmt::format("{} is no member.", session.display(key.id())),
                       "Members invite: name a member's key with --by.");
    }
    const auto& supervisors = session.organization().supervisors;
    std::string found;
    bool is_supervisor = false;
    for (const auto& known : session.keyring().list()) {
        if (is_supervisor || !is_member(session, known.id)) continue;
        is_supervisor = std::ranges::count(supervisors, known.id) > 0;
        if (is_supervisor || found.empty()) found = known.name;
    }
    if (!found.empty()) return session.key(found);
    throw CliError(CliExit::local, "no_member_key", "No key of this wallet belongs to a member.",
                   "Run this on a member's machine.");
}

// Newcomers find nothing before the organization has said where it is: its key's holder says so
// now.
void ensure_published(Session& session) {
    const json status = session.call("node.status", json::object());
    const json& network = status.at("network");
    if (network.is_null()) {
        throw CliError(CliExit::refused, "no_network", "The daemon runs without network.",
                       "Set network.enabled to true and start it again.");
    }
    const json& community = network.at("organization");
    if (!community.is_null() && !community.at("manifest").is_null()) return;
    const Id organization = session.organization().id;
    for (const auto& known : session.keyring().list()) {
        if (known.id != organization) continue;
        const auto manifest = manifest_of_draft(session.call("organization.draft", json::object()));
        session.call("organization.publish", sign_manifest(manifest, session.key(known.name)));
        return;
    }
    followed_chain(session);  // says what is missing
}

wallet::Invitation make_invitation(Session& session, const InviteOptions& options,
                                   const PublicKey& member) {
    const json answer = session.call("organization.introduction", json::object());
    const auto bytes = from_hex(answer.at("introduction").get<std::string>()).value_or(Bytes{});
    auto introduction = bcs::decode<protocol::Introduction>(bytes);
    if (!introduction) {
        throw CliError(CliExit::unreachable, "bad_answer", "The daemon's answer cannot be read.",
                       "Use the versions of leither and leitherd that belong together.");
    }
    if (introduction->entries.empty()) {
        throw CliError(CliExit::refused, "no_address",
                       "Neither this node nor a keeper of the manifest has an address that others "
                       "could begin at.",
                       "Let the daemon listen (network.listen), or have the organization published "
                       "at a node that does.");
    }
    const auto& charter = session.organization().charter;
    wallet::Invitation invitation;
    invitation.introduction = *std::move(introduction);
    invitation.name = charter.name;
    invitation.time_ms = charter.time_ms;
    invitation.pulse_ms = charter.params.pulse_ms;
    invitation.member = member;
    invitation.expires_ms = unix_ms_now() + options.days * std::uint64_t{86'400'000};
    return invitation;
}

std::string endpoints_of(const wallet::Invitation& invitation) {
    std::string text;
    for (const auto& entry : invitation.introduction.entries) {
        for (const auto& endpoint : entry.endpoints) {
            text += (text.empty() ? "" : ", ") + endpoint.endpoint().text();
        }
    }
    return text;
}

json to_json(const wallet::Invitation& invitation) {
    const auto& introduction = invitation.introduction;
    json nodes = json::array();
    for (const auto& entry : introduction.entries) {
        json endpoints = json::array();
        for (const auto& endpoint : entry.endpoints)
            endpoints.push_back(endpoint.endpoint().text());
        nodes.push_back({{"node_key", entry.node.hex()}, {"endpoints", std::move(endpoints)}});
    }
    json checkpoint = nullptr;
    if (introduction.checkpoint) {
        checkpoint = protocol::to_text(
            protocol::BlockName{introduction.checkpoint->sequence, introduction.checkpoint->block});
    }
    return {{"organization", crypto::id_of(introduction.organization).hex()},
            {"name", invitation.name},
            {"chain_id", introduction.chain.hex()},
            {"checkpoint", std::move(checkpoint)},
            {"nodes", std::move(nodes)},
            {"member", crypto::id_of(invitation.member).hex()},
            {"expires_ms", invitation.expires_ms},
            {"expired", invitation.expires_ms <= unix_ms_now()}};
}
}  // namespace

void invite(Session& session, const InviteOptions& options) {
    const crypto::KeyPair member = inviting_key(session, options.by);
    ensure_published(session);
    ensure_served(session, member, ServedAs::reader);  // what is answered finds this node
    const auto invitation = make_invitation(session, options, member.public_key());
    const std::string text = wallet::to_text(invitation);
    json out = to_json(invitation);
    out["invitation"] = text;
    std::string shown = text + "\n";
    if (options.qr) shown += show_qr(wallet::in_capitals(text));
    session.print(out, fmt::format("{}Hand this to whoever shall join, until {}; they run:\n"
                                   "  leither org join LINK --from KEY\n",
                                   shown, format_time(invitation.expires_ms)));
}

void show_invitation(Session& session, const std::string& text) {
    const wallet::Invitation invitation = read_invitation(text);
    const json out = to_json(invitation);
    const json& checkpoint = out.at("checkpoint");
    const bool is_over = out.at("expired").get<bool>();
    session.print(
        out, format_fields(
                 {{"name", printable(invitation.name, LineBreaks::escaped)},
                  {"organization", out.at("organization").get<std::string>()},
                  {"chain", out.at("chain_id").get<std::string>()},
                  {"checkpoint", checkpoint.is_null() ? "none yet" : checkpoint.get<std::string>()},
                  {"begin at", endpoints_of(invitation)},
                  {"invited by", out.at("member").get<std::string>()},
                  {is_over ? "expired" : "holds until", format_time(invitation.expires_ms)}}));
}

void add_invite_commands(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<InviteOptions>();
    auto* command = cli.add_subcommand("invite", "Invite somebody to join the organization");
    command->add_option("--by", options->by, "Key of the member who invites")->type_name("KEY");
    command->add_option("--days", options->days, "How long the invitation holds")
        ->check(CLI::Range(1u, kDaysMax))
        ->capture_default_str();
    command->add_flag("--qr", options->qr, "Show it as a QR code too");
    command->require_subcommand(0, 1);
    command->footer(
        "Examples:\n"
        "  leither invite\n"
        "  leither invite --by anna --days 3 --qr\n"
        "  leither invite show leither:invite:qpzr...");
    auto* shown = command->add_subcommand("show", "What an invitation says; needs no daemon");
    shown->add_option("LINK", options->text, "leither:invite:...")->required();
    shown->footer("Example: leither invite show leither:invite:qpzr...");
    shown->callback([&session, options] { show_invitation(session, options->text); });
    command->callback([&session, options, command] {
        if (command->get_subcommands().empty()) invite(session, *options);
    });
}

}  // namespace leither::app
