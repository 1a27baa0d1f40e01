#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include "leither/base/endpoint.h"
#include "leither/protocol/delegation.h"

#include "app/commands/commands.h"
#include "app/payment_words.h"
#include "app/served.h"
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

// How the ledger stands beside what neighbours have.
std::string ledger_text(const json& progress) {
    const auto stage = progress.at("stage").get<std::string>();
    const auto trouble = progress.at("trouble").get<std::string>();
    if (trouble == "anchor_too_old") {
        return "refused: what this node trusts is older than the release delay; pin a newer "
               "checkpoint of a member you trust (history.checkpoint), or have the organization "
               "published again";
    }
    if (trouble == "pin_not_found") {
        return "refused: no neighbour's ledger contains the pinned checkpoint; compare "
               "history.checkpoint with a member you trust";
    }
    const std::string behind = progress.at("behind").dump();
    if (stage == "halted") {
        return "halted: it refuses what the bookkeepers have decided; see its log";
    }
    if (stage == "state") {
        return fmt::format("taking the state from neighbours, {}/1000",
                           progress.at("state_permille").dump());
    }
    if (stage != "idle") return fmt::format("catching up, {} sequences behind", behind);
    return behind == "0" ? "in step" : fmt::format("{} sequences behind", behind);
}

// "none", or what must be looked at.
std::string evidence_text(const json& evidence) {
    const auto conflicts = evidence.at("conflicts").get<std::uint64_t>();
    const json& forks = evidence.at("forks");
    if (forks.empty() && conflicts == 0) return "none";
    std::string text =
        fmt::format("{} recorded: leither evidence list", count_of(conflicts, "conflict"));
    if (forks.empty()) return text;
    return fmt::format(
        "TWO BLOCKS DECIDED at height {}: take no payment as final, ask the other bookkeepers; {}",
        forks.back().dump(), text);
}

// Up to where payments can be relied on.
std::string secured_text(const json& organization) {
    const json& last = organization.at("final_sequence");
    const std::string newest = finality_text(organization.at("finality"));
    if (last == organization.at("sequence")) return fmt::format("all of it; {}", newest);
    return fmt::format("up to sequence {}; of the newest: {}", last.dump(), newest);
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
             {"secured", secured_text(organization)},
             {"root", organization.at("root").at("hash").get<std::string>()},
             {"sum", session.format_units(organization.at("root").at("sum"))},
             {"members", organization.at("members").dump()},
             {"waiting", organization.at("mempool").at("transactions").dump()},
             {"evidence", evidence_text(organization.at("evidence"))}});
    }
    const json& progress = status.at("catching_up");
    if (!progress.is_null()) fields.emplace_back("ledger", ledger_text(progress));
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

void serve_key(Session& session, const std::string& name, unsigned days) {
    const crypto::KeyPair key = session.key(name);
    serve(session, key, days);
    session.print({{"account", key.id().hex()}, {"days", days}},
                  fmt::format("This node serves {} for {}.\n", session.display(key.id()),
                              count_of(days, "day")));
}

// HOST:PORT with the host's first address in figures, as the daemon takes it.
std::string resolve(const std::string& text) {
    if (const auto given = Endpoint::parse(text); given && given->port != 0) return text;
    const auto colon = text.rfind(':');
    const auto refuse = [&text](const char* next_step) {
        throw CliError(CliExit::usage, "bad_endpoint",
                       fmt::format("\"{}\" is no address of a node.", text), next_step);
    };
    if (colon == std::string::npos || colon == 0) refuse("Write HOST:PORT.");
    const std::string host = text.substr(0, colon);
    const std::string port = text.substr(colon + 1);
    std::uint16_t port_number = 0;
    const char* end = port.data() + port.size();
    const auto [stop, error] = std::from_chars(port.data(), end, port_number);
    // getaddrinfo would take 65536 for 0.
    if (error != std::errc{} || stop != end || port_number == 0) {
        refuse("Write a port from 1 to 65535.");
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &first) != 0) {
        refuse("See whether the host's name is right.");
    }
    char figures[NI_MAXHOST] = {};
    char number[NI_MAXSERV] = {};
    const int failed = ::getnameinfo(first->ai_addr, first->ai_addrlen, figures, sizeof(figures),
                                     number, sizeof(number), NI_NUMERICHOST | NI_NUMERICSERV);
    const bool is_v6 = first->ai_family == AF_INET6;
    ::freeaddrinfo(first);
    if (failed != 0) refuse("Write the host's address in figures.");
    return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), figures, number);
}

void connect(Session& session, const std::string& endpoint) {
    const json done = session.call("network.connect", {{"endpoint", resolve(endpoint)}});
    session.print(done, "The node dials it, and again whenever the connection is lost.\n");
}

void bans(Session& session) {
    const json bans = session.call("network.bans", json::object());
    TextTable table({{"NODE"}, {"UNTIL"}});
    for (const json& ban : bans) {
        table.add({ban.at("node").get<std::string>(),
                   format_time(ban.at("until_ms").get<std::uint64_t>())});
    }
    session.print(bans, bans.empty() ? "No node is banned.\n" : table.text());
}

void ban(Session& session, const std::string& node, unsigned hours) {
    const json done =
        session.call("network.ban", {{"node", node}, {"seconds", std::uint64_t{hours} * 3600}});
    session.print(done, hours == 0 ? "The ban is over.\n"
                                   : fmt::format("Banned for {}.\n", count_of(hours, "hour")));
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

    const auto name = std::make_shared<std::string>();
    const auto days = std::make_shared<unsigned>(365);
    auto* keep = group->add_subcommand("serve", "Let this node keep an account's messages");
    keep->add_option("KEY", *name, "Key of the account")->required();
    constexpr unsigned kDaysMax = protocol::kDelegationLifetimeMax / std::chrono::hours(24);
    keep->add_option("--days", *days, "For how long")
        ->check(CLI::Range(1u, kDaysMax))
        ->capture_default_str();
    keep->footer("Example: leither node serve anna --days 90");
    keep->callback([&session, name, days] { serve_key(session, *name, *days); });

    auto* dial = group->add_subcommand("connect", "Connect to a node of the organization");
    dial->add_option("HOST:PORT", *name, "Where it listens")->required();
    dial->footer("Example: leither node connect 192.0.2.1:7400");
    dial->callback([&session, name] { connect(session, *name); });

    auto* banned = group->add_subcommand("bans", "Nodes no connection is made with");
    banned->footer("Example: leither node bans");
    banned->callback([&session] { bans(session); });

    const auto hours = std::make_shared<unsigned>(24);
    auto* keep_away = group->add_subcommand("ban", "Make no connection with a node for a time");
    keep_away->add_option("NODE", *name, "Its id, as leither peers shows it")->required();
    constexpr unsigned kHoursMax = 366 * 24;
    keep_away->add_option("--hours", *hours, "For how long; 0 ends a ban")
        ->check(CLI::Range(0u, kHoursMax))
        ->capture_default_str();
    keep_away->footer(
        "Examples:\n"
        "  leither node ban 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8 --hours 48\n"
        "  leither node ban 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8 --hours 0");
    keep_away->callback([&session, name, hours] { ban(session, *name, *hours); });

    auto* stop = group->add_subcommand("stop", "Stop the daemon");
    stop->footer("Example: leither node stop");
    stop->callback([&session] {
        const json stopped = session.call("node.stop", json::object());
        session.print(stopped, "The daemon stops.\n");
    });
}

}  // namespace leither::app
