#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

std::string dht_text(const json& network) {
    const json& dht = network.at("dht");
    const int nodes = dht.at("nodes_v4").get<int>() + dht.at("nodes_v6").get<int>();
    if (nodes == 0 && network.at("connections").get<int>() > 0) {
        return "no other node that can be asked: those connected cannot be dialed themselves";
    }
    if (nodes == 0) {
        return "nobody known yet; every node but a network's first needs an address in "
               "dht.bootstrap "
               "that answers";
    }
    const bool is_reader = dht.at("role").get<std::string>() == "reader";
    return fmt::format(
        "{} {} known{}", nodes, nodes == 1 ? "node" : "nodes",
        is_reader ? "; asks them and is asked by none, since nobody can dial it" : "");
}

// Of a node that keeps no ledger.
std::string followed_text(const json& network) {
    const json followed = network.is_null() ? json() : network.at("organization");
    if (followed.is_null()) {
        return "none yet; found one with: leither org create, or: leither org follow ID";
    }
    const json& manifest = followed.at("manifest");
    return fmt::format("{}; this node takes part, its ledger is kept by others",
                       manifest.is_null()
                           ? followed.at("id").get<std::string>() + " (not found yet)"
                           : manifest.at("name").get<std::string>());
}

void status(Session& session) {
    const json status = session.call("node.status", json::object());
    std::vector<std::pair<std::string, std::string>> fields = {
        {"version", status.at("version").get<std::string>()},
        {"node key", status.at("node_key").get<std::string>()},
        {"up", status.at("uptime_s").dump() + " s"}};
    const json& organization = status.at("organization");
    const json& network = status.at("network");
    if (organization.is_null()) {
        fields.emplace_back("organization", followed_text(network));
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
    if (!network.is_null()) {
        fields.insert(fields.end(),
                      {{"DHT", dht_text(network)},
                       {"connections", network.at("connections").dump()},
                       {"reachability", network.at("reachability").get<std::string>()},
                       {"ports", network.at("ports").get<std::string>()}});
    }
    session.print(status, format_fields(fields));
}

std::string since(const json& peer) {
    return format_time(peer.at("since_ms").get<std::uint64_t>());
}

void peers(Session& session) {
    const json peers = session.call("network.peers", json::object());
    TextTable table({{"NODE"},
                     {"HOW"},
                     {"ENDPOINT"},
                     {"SINCE"},
                     {"IN", Align::right},
                     {"OUT", Align::right},
                     {"SCORE", Align::right},
                     {"AGENT"}});
    for (const json& peer : peers) {
        table.add({peer.at("node").get<std::string>(),
                   fmt::format("{} {}", peer.at("direction").get<std::string>(),
                               peer.at("pattern").get<std::string>()),
                   peer.at("endpoint").get<std::string>(), since(peer), peer.at("bytes_in").dump(),
                   peer.at("bytes_out").dump(), peer.at("score").dump(),
                   peer.at("agent").get<std::string>()});
    }
    session.print(
        peers, peers.empty()
                   ? "No connections yet. They come with an organization: leither org follow ID\n"
                   : table.text());
}

}  // namespace

void add_node_commands(CLI::App& cli, Session& session) {
    auto* connected = cli.add_subcommand("peers", "Nodes the daemon is connected to");
    connected->footer("Example: leither peers --json");
    connected->callback([&session] { peers(session); });

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
