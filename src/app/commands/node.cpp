#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

void status(Session& session) {
    const json status = session.call("node.status", json::object());
    std::vector<std::pair<std::string, std::string>> fields = {
        {"version", status.at("version").get<std::string>()},
        {"node key", status.at("node_key").get<std::string>()},
        {"up", status.at("uptime_s").dump() + " s"}};
    const json& organization = status.at("organization");
    if (organization.is_null()) {
        fields.emplace_back("organization", "none yet; found one with: leither org create");
    } else {
        fields.insert(
            fields.end(),
            {{"organization", organization.at("name").get<std::string>()},
             {"id", organization.at("id").get<std::string>()},
             {"pulse", status.at("pulse").dump()},
             {"sequence", fmt::format("{} (oldest readable {})", organization.at("sequence").dump(),
                                      organization.at("oldest_sequence").dump())},
             {"root", organization.at("root").at("hash").get<std::string>()},
             {"sum", session.format_units(organization.at("root").at("sum"))},
             {"members", organization.at("members").dump()},
             {"waiting", organization.at("mempool").at("transactions").dump()}});
    }
    session.print(status, format_fields(fields));
}

}  // namespace

void add_node_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("node", "The daemon itself");
    group->require_subcommand(1);

    auto* show = group->add_subcommand("status", "What the daemon keeps and how it fares");
    show->footer("Example: leither node status --json");
    show->callback([&session] { status(session); });

    auto* stop = group->add_subcommand("stop", "Stop the daemon");
    stop->footer("Example: leither node stop");
    stop->callback([&session] {
        const json stopped = session.call("node.stop", json::object());
        session.print(stopped, "The daemon stops.\n");
    });
}

}  // namespace leither::app
