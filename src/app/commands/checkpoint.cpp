#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli_error.h"
#include "app/commands/commands.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

// Rounded down to the largest unit that fits.
std::string age_text(std::uint64_t age_ms) {
    const std::uint64_t minutes = age_ms / 60'000;
    if (minutes < 120) return fmt::format("{} minutes", minutes);
    if (minutes < 2 * 24 * 60) return fmt::format("{} hours", minutes / 60);
    return fmt::format("{} days", minutes / 60 / 24);
}

std::string share_text(Session& session, const json& item) {
    const auto pledge = item.at("pledge").get<std::string>();
    if (pledge == "0") return "nobody has pledged: the bookkeepers' certificate stands alone";
    return fmt::format("{} of {} pledged, by {} candidates",
                       session.format_units(item.at("signed_pledge")),
                       session.format_units(item.at("pledge")), item.at("signatures").dump());
}

void show(Session& session) {
    const json status = session.call("node.status", json::object());
    const json& organization = status.at("organization");
    if (organization.is_null()) {
        throw CliError(CliExit::refused, "no_organization", "This node keeps no ledger yet.",
                       "Ask a member whose node does.");
    }
    const json& checkpoint = organization.at("checkpoint");
    const json& newest = checkpoint.at("newest");
    const json& gathering = checkpoint.at("gathering");
    if (newest.is_null() && gathering.is_null()) {
        throw CliError(CliExit::refused, "no_checkpoint", "No cycle has ended here yet.",
                       "Try again after the end of a cycle: leither committee");
    }
    std::vector<std::pair<std::string, std::string>> fields;
    if (!newest.is_null()) {
        fields.insert(fields.end(), {{"checkpoint", newest.at("name").get<std::string>()},
                                     {"cycle", newest.at("cycle").dump()},
                                     {"age", age_text(newest.at("age_ms").get<std::uint64_t>())},
                                     {"signed", share_text(session, newest)}});
    }
    if (!gathering.is_null()) {
        fields.insert(fields.end(), {{"not yet", gathering.at("name").get<std::string>()},
                                     {"signed so far", share_text(session, gathering)}});
    }
    fields.emplace_back("leads from",
                        fmt::format("cycle {} to {}", checkpoint.at("from_cycle").dump(),
                                    checkpoint.at("to_cycle").dump()));
    session.print(checkpoint, format_fields(fields));
}

}  // namespace

void add_checkpoint_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("checkpoint", "Blocks that candidates answer for");
    group->require_subcommand(1);
    group->add_subcommand("show", "The newest: what a newcomer may pin")->callback([&session] {
        show(session);
    });
}

}  // namespace leither::app
