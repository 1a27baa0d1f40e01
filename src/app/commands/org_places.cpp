// org list, open, close: the organizations that one daemon serves.
#include <chrono>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/org_commands.h"
#include "app/printable.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr auto kPatience = std::chrono::seconds(15);

std::string port_text(const json& port) {
    return port.is_null() ? "-" : port.dump();
}

std::string organization_text(const json& place) {
    const json& organization = place.at("organization");
    if (organization.is_null()) return place.at("state") == "serving" ? "none yet" : "-";
    const auto name = organization.at("name").get<std::string>();
    const auto id = organization.at("id").get<std::string>();
    return name.empty() ? id : fmt::format("{} ({})", printable(name, LineBreaks::escaped), id);
}

void list(Session& session) {
    const json places = session.call("place.list", json::object());
    TextTable table({{"name"}, {"state"}, {"organization"}, {"udp"}, {"tcp"}, {"directory"}});
    std::string failures;
    for (const json& place : places) {
        const auto name = place.at("name").get<std::string>();
        const std::string shown = name.empty() ? "(first)" : name;
        table.add({shown, place.at("state").get<std::string>(), organization_text(place),
                   port_text(place.at("udp_port")), port_text(place.at("tcp_port")),
                   place.at("directory").get<std::string>()});
        if (place.at("detail").is_null()) continue;
        failures += fmt::format("\n{}: {}\n", shown, place.at("detail").get<std::string>());
    }
    session.print(places, table.text() + failures);
}

void open(Session& session, const std::string& name) {
    check_place_name(name);
    const json done = session.call("place.open", {{"name", name}});
    session.print(done, fmt::format("Open. Found or join an organization there:\n"
                                    "  leither --org {0} org create\n"
                                    "  leither --org {0} org join INVITATION\n",
                                    name));
}

// The place as the daemon has it now. Throws CliError.
json find(Session& session, const std::string& name) {
    for (const json& place : session.call("place.list", json::object())) {
        if (place.at("name") == name) return place;
    }
    throw CliError(CliExit::refused, "no_such_place",
                   fmt::format("The daemon has no organization under the name \"{}\".", name),
                   "See: leither org list");
}

void close(Session& session, const std::string& name, bool is_forced) {
    check_place_name(name);
    if (session.options().org == name) {
        throw CliError(CliExit::usage, "bad_argument",
                       "An organization is not closed through itself.",
                       "Leave --org, or LEITHER_ORG, out.");
    }
    session.call("place.close", {{"name", name}, {"how", is_forced ? "forced" : "careful"}});
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    json place = find(session, name);
    while (place.at("state") == "closing") {
        if (std::chrono::steady_clock::now() >= deadline) {
            throw CliError(CliExit::undecided, "closing", "It is still closing.",
                           "See: leither org list");
        }
        std::this_thread::sleep_for(kPollInterval);
        place = find(session, name);
    }
    session.print(place, fmt::format("Closed. Its files stay in {}.\nServe it again with: leither "
                                     "org open {}\n",
                                     place.at("directory").get<std::string>(), name));
}

}  // namespace

void add_place_commands(CLI::App& group, Session& session) {
    auto* all = group.add_subcommand("list", "The organizations that this daemon serves");
    all->footer(
        "Name one of them to any command with --org NAME, or LEITHER_ORG; the first needs no "
        "name.\n"
        "Example: leither org list");
    all->callback([&session] { list(session); });

    const auto name = std::make_shared<std::string>();
    auto* make = group.add_subcommand("open", "Make room for another organization on this daemon");
    make->add_option("NAME", *name, "What it is called here: 1 to 32 of a-z, 0-9 and '-'")
        ->required();
    make->footer(
        "It has a node, ports and a directory of its own, and the same wallet. One that was "
        "closed, "
        "or\nhas failed, is served again.\n"
        "Examples:\n"
        "  leither org open choir\n"
        "  leither --org choir org create --name \"Choir\"");
    make->callback([&session, name] { open(session, *name); });

    const auto is_forced = std::make_shared<bool>(false);
    auto* end = group.add_subcommand("close", "Serve an organization no more; its files stay");
    end->add_option("NAME", *name, "What it is called here")->required();
    end->add_flag("--force", *is_forced, "Also while others count on its node");
    end->footer("Example: leither org close choir");
    end->callback([&session, name, is_forced] { close(session, *name, *is_forced); });
}

}  // namespace leither::app
