#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/dht/item.h"

#include "app/commands/commands.h"
#include "app/small_file.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct DhtOptions {
    std::string target;
    std::string text;
    std::string file;
    std::string key;
    std::string salt;
    std::optional<std::uint64_t> sequence;
    std::optional<std::uint64_t> cas;
    std::uint16_t port = 0;
    bool is_hex = false;
};

[[noreturn]] void refuse_usage(const std::string& name, const std::string& message,
                               const std::string& next_step) {
    throw CliError(CliExit::usage, name, message, next_step);
}

std::string hex_id(const std::string& text) {
    if (const auto id = Id::parse(text)) return id->hex();
    refuse_usage("bad_id", fmt::format("\"{}\" is no id.", text), "Write 40 hex digits.");
}

dht::ItemSalt salt_of(const DhtOptions& options) {
    if (const auto salt = dht::ItemSalt::from(as_bytes(options.salt))) return *salt;
    refuse_usage("salt_too_big", fmt::format("The salt has {} bytes.", options.salt.size()),
                 fmt::format("Use at most {}.", dht::kSaltBytesMax));
}

// ---- What lies in the DHT

std::string effort(const json& result) {
    return fmt::format("queries {}, answers {}, hops {}", result.at("queries").dump(),
                       result.at("answers").dump(), result.at("hops").dump());
}

std::string copies_text(const json& result) {
    return fmt::format("stored at {}{}", count_of(result.at("copies").get<std::uint64_t>(), "node"),
                       result.value("stored_here", false) ? " and here" : "");
}

// Others' bytes are shown as they are only if the daemon calls them printable.
std::string shown(const json& item, const DhtOptions& options) {
    const json& content = item.at("content");
    if (content.is_null()) return "bencode " + item.at("value").get<std::string>();
    if (!options.is_hex && item.at("text").is_string()) return item.at("text").get<std::string>();
    return (options.is_hex ? "" : "hex ") + content.get<std::string>();
}

json find_item(Session& session, const json& where) {
    return session.call("dht.get", where);
}

json slot_of(const PublicKey& key, const dht::ItemSalt& salt) {
    return {{"key", key.hex()}, {"salt", to_hex(salt.view())}};
}

void get(Session& session, const DhtOptions& options) {
    if (options.target.empty() == options.key.empty()) {
        refuse_usage("target_or_key", "Name what to read.",
                     "Write the target of an immutable item, or --key for a mutable one.");
    }
    if (options.key.empty() && !options.salt.empty()) {
        refuse_usage("target_or_key", "Only a mutable item has a salt.", "Name its key: --key.");
    }
    json where;
    if (options.key.empty()) {
        where = {{"target", hex_id(options.target)}};
    } else {
        const auto known = PublicKey::parse(options.key);
        where = slot_of(known ? *known : session.key(options.key).public_key(), salt_of(options));
    }
    const json item = find_item(session, where);
    std::vector<std::pair<std::string, std::string>> fields = {
        {"value", shown(item, options)}, {"target", item.at("target").get<std::string>()}};
    if (item.contains("seq")) {
        fields.insert(
            fields.end(),
            {{"sequence", item.at("seq").dump()},
             {"signature", item.at("signature_valid").get<bool>() ? "holds" : "does not hold"}});
    }
    fields.insert(fields.end(), {{"holders", fmt::format("{}, {}", item.at("holders").dump(),
                                                         item.at("quorum").at("reached").get<bool>()
                                                             ? "enough to be sure"
                                                             : "fewer than wanted to be sure")},
                                 {"effort", effort(item)}});
    session.print(item, format_fields(fields));
}

// ---- Writing

Bytes value_given(const DhtOptions& options) {
    if (options.text.empty() == options.file.empty()) {
        refuse_usage("text_or_file", "Say what to store.", "Write a text, or --file FILE.");
    }
    // In hex a byte takes two digits, and a line end may follow.
    const std::size_t bytes_max =
        options.is_hex ? 2 * dht::kContentBytesMax + 3 : dht::kContentBytesMax;
    const std::string given =
        options.file.empty() ? options.text : read_small_file(options.file, bytes_max);
    auto content = Bytes(given.begin(), given.end());
    if (options.is_hex) {
        const auto end = given.find_last_not_of(" \r\n");
        const auto bytes = from_hex(std::string_view(given).substr(0, end + 1));
        if (!bytes) {
            refuse_usage("bad_hex", "That is no hex.", "Write two hex digits for each byte.");
        }
        content = *bytes;
    }
    if (content.size() <= dht::kContentBytesMax) return dht::value_of(content);
    refuse_usage("value_too_big",
                 fmt::format("An item holds at most {} bytes.", dht::kContentBytesMax),
                 "Shorten it, or put parts and a list of their targets.");
}

void put_immutable(Session& session, const DhtOptions& options) {
    if (!options.salt.empty() || options.sequence || options.cas) {
        refuse_usage("needs_key", "Salt and sequences belong to a mutable item.",
                     "Name the wallet key that signs it with --key.");
    }
    const json done = session.call("dht.put", {{"value", to_hex(value_given(options))}});
    session.print(done, format_fields({{"target", done.at("target").get<std::string>()},
                                       {"copies", copies_text(done)},
                                       {"effort", effort(done)}}));
}

// The sequence to sign: the one given, else one above what the network has.
std::int64_t sequence_for(Session& session, const DhtOptions& options, const json& slot) {
    std::uint64_t sequence = options.sequence.value_or(0);
    if (!options.sequence) {
        try {
            sequence = find_item(session, slot).at("seq").get<std::uint64_t>() + 1;
        } catch (const RpcError& error) {
            if (error.details().name != "not_found") throw;
            sequence = 1;
        }
    }
    if (sequence <= static_cast<std::uint64_t>(dht::kSequenceMax)) {
        return static_cast<std::int64_t>(sequence);
    }
    refuse_usage("sequence_out_of_range", fmt::format("Sequence {} is too high.", sequence),
                 fmt::format("At most {} is written; use another salt.", dht::kSequenceMax));
}

void put_mutable(Session& session, const DhtOptions& options) {
    const crypto::KeyPair key = session.key(options.key);
    const dht::ItemSalt salt = salt_of(options);
    Bytes value = value_given(options);
    const json slot = slot_of(key.public_key(), salt);
    const std::int64_t sequence = sequence_for(session, options, slot);
    const dht::Item item = dht::sign_item(key, salt, sequence, std::move(value));
    json order = slot;
    order.update({{"seq", sequence},
                  {"value", to_hex(item.value)},
                  {"signature", item.author.value().signature.hex()}});
    if (options.cas) order["cas"] = *options.cas;
    json done = session.call("dht.put_signed", order);
    done["key"] = key.public_key().hex();
    done["seq"] = sequence;
    session.print(done, format_fields({{"target", done.at("target").get<std::string>()},
                                       {"key", key.public_key().hex()},
                                       {"sequence", std::to_string(sequence)},
                                       {"copies", copies_text(done)},
                                       {"effort", effort(done)}}));
}

void put(Session& session, const DhtOptions& options) {
    options.key.empty() ? put_immutable(session, options) : put_mutable(session, options);
}

// ---- Nodes and peers

void lookup(Session& session, const DhtOptions& options) {
    const json found = session.call("dht.lookup", {{"target", hex_id(options.target)}});
    TextTable table(
        {{"NODE"}, {"ADDRESS"}, {"DISTANCE BITS", Align::right}, {"RTT MS", Align::right}});
    for (const json& node : found.at("nodes")) {
        const double rtt_ms = node.at("rtt_us").get<double>() / 1000;
        table.add({node.at("id").get<std::string>(), node.at("address").get<std::string>(),
                   node.at("distance_bits").dump(), fmt::format("{:.1f}", rtt_ms)});
    }
    session.print(found, table.text() + effort(found) + "\n");
}

void announce(Session& session, const DhtOptions& options) {
    json order = {{"info_hash", hex_id(options.target)}};
    if (options.port != 0) order["port"] = options.port;
    const json done = session.call("dht.announce", order);
    session.print(done, format_fields({{"announced under", done.at("info_hash").get<std::string>()},
                                       {"copies", copies_text(done)},
                                       {"effort", effort(done)}}));
}

void peers(Session& session, const DhtOptions& options) {
    const json found = session.call("dht.peers", {{"info_hash", hex_id(options.target)}});
    std::string text;
    for (const json& peer : found.at("peers")) text += peer.get<std::string>() + "\n";
    session.print(found, text + effort(found) + "\n");
}

// ---- This node

std::string of_max(const json& store, const std::string& name) {
    return fmt::format("{} of {}", store.at(name).dump(), store.at(name + "_max").dump());
}

std::string or_unknown(const json& address) {
    return address.is_null() ? "not known" : address.get<std::string>();
}

void add_buckets(TextTable& table, const json& buckets, const char* family) {
    std::size_t bits = 0;
    for (const json& bucket : buckets) {
        const bool is_empty = bucket.at("nodes") == 0 && bucket.at("waiting") == 0;
        if (!is_empty) {
            table.add({family, std::to_string(bits), bucket.at("nodes").dump(),
                       bucket.at("places").dump(), bucket.at("waiting").dump()});
        }
        ++bits;
    }
}

std::string bucket_table(const json& status) {
    TextTable table({{"FAMILY"},
                     {"BITS SHARED", Align::right},
                     {"NODES", Align::right},
                     {"PLACES", Align::right},
                     {"WAITING", Align::right}});
    add_buckets(table, status.at("buckets_v4"), "v4");
    add_buckets(table, status.at("buckets_v6"), "v6");
    return table.empty() ? "" : "\n" + table.text();
}

void status(Session& session) {
    const json status = session.call("dht.status", json::object());
    const json& store = status.at("store");
    const json& traffic = status.at("traffic");
    const json& dropped = status.at("dropped");
    const json& lookups = status.at("lookups");
    const auto moved = [&traffic](const std::string& way) {
        return fmt::format("{} datagrams, {} bytes", traffic.at("datagrams_" + way).dump(),
                           traffic.at("bytes_" + way).dump());
    };
    const std::string fields = format_fields(
        {{"id", status.at("id").get<std::string>()},
         {"state", status.at("ready").get<bool>() ? "ready" : "joining"},
         {"role", status.at("role") == "member" ? "member" : "reader: answers nobody"},
         {"network", fmt::format("{}, admits {}", status.at("network").get<std::string>(),
                                 status.at("admit").get<std::string>())},
         {"seen as", fmt::format("IPv4 {}, IPv6 {}", or_unknown(status.at("external_v4")),
                                 or_unknown(status.at("external_v6")))},
         {"nodes", fmt::format("{} by IPv4, {} by IPv6", status.at("nodes_v4").dump(),
                               status.at("nodes_v6").dump())},
         {"items", of_max(store, "items")},
         {"item bytes", of_max(store, "item_bytes")},
         {"peers", of_max(store, "peers")},
         {"lookups",
          fmt::format("{} at work, {} begun; {} queries in flight", lookups.at("at_work").dump(),
                      lookups.at("begun").dump(), lookups.at("queries_in_flight").dump())},
         {"received", moved("in")},
         {"sent", moved("out")},
         {"dropped", fmt::format("{} malformed, {} above limits, {} walled, {} unexpected",
                                 dropped.at("malformed").dump(), dropped.at("limited").dump(),
                                 dropped.at("walled").dump(), dropped.at("unexpected").dump())}});
    session.print(status, fields + bucket_table(status));
}

// ---- The command line

using Options = std::shared_ptr<DhtOptions>;

void declare_get(CLI::App& group, Session& session, const Options& options) {
    auto* command = group.add_subcommand("get", "Read an item");
    command->add_option("TARGET", options->target, "Of an immutable item: 40 hex digits");
    command->add_option(
        "--key", options->key,
        "Of a mutable item: name of a wallet key, or a public key of 64 hex digits");
    command->add_option("--salt", options->salt, "Of a mutable item, if it has one");
    command->add_flag("--hex", options->is_hex, "Show the value in hex");
    command->footer(
        "Examples:\n"
        "  leither dht get e5f96f6f38320f0f33959cb4d3d656452117aadb\n"
        "  leither dht get --key anna --salt notice");
    command->callback([&session, options] { get(session, *options); });
}

void declare_put(CLI::App& group, Session& session, const Options& options) {
    auto* command = group.add_subcommand("put", "Store an item for two hours");
    command->add_option("TEXT", options->text, "What to store, at most 990 bytes");
    command->add_option("--file", options->file, "Store a file's content instead")
        ->type_name("FILE");
    command->add_flag("--hex", options->is_hex, "The text or file is hex");
    command->add_option("--key", options->key,
                        "Wallet key that signs; the item can then be replaced");
    command->add_option("--salt", options->salt, "Tells items under one key apart");
    // Else -1 would be read as the greatest number there is.
    const CLI::Range sequences(std::int64_t{0}, dht::kSequenceMax);
    command
        ->add_option("--seq", options->sequence, "Its sequence; default: one above what is there")
        ->check(sequences);
    command->add_option("--cas", options->cas, "Only if this sequence is the newest there is")
        ->check(sequences);
    command->footer(
        "Examples:\n"
        "  leither dht put \"Bakers' Row meets on Friday\"\n"
        "  leither dht put \"closed today\" --key anna --salt notice\n"
        "  leither dht put --file notice.txt --key anna --salt notice --seq 7 --cas 6");
    command->callback([&session, options] { put(session, *options); });
}

void declare_lookup(CLI::App& group, Session& session, const Options& options) {
    auto* command = group.add_subcommand("lookup", "The nodes nearest to an id");
    command->add_option("TARGET", options->target, "40 hex digits")->required();
    command->footer("Example: leither dht lookup e5f96f6f38320f0f33959cb4d3d656452117aadb");
    command->callback([&session, options] { lookup(session, *options); });
}

void declare_peers(CLI::App& group, Session& session, const Options& options) {
    auto* tell =
        group.add_subcommand("announce", "Say for two hours that this node can be reached");
    tell->add_option("INFO-HASH", options->target, "Under what: 40 hex digits")->required();
    tell->add_option("--port", options->port, "Where; default: the port of the DHT")
        ->check(CLI::Range(1, 65535));
    tell->footer(
        "Example: leither dht announce e5f96f6f38320f0f33959cb4d3d656452117aadb --port 7400");
    tell->callback([&session, options] { announce(session, *options); });

    auto* ask = group.add_subcommand("peers", "Who has announced itself");
    ask->add_option("INFO-HASH", options->target, "Under what: 40 hex digits")->required();
    ask->footer("Example: leither dht peers e5f96f6f38320f0f33959cb4d3d656452117aadb");
    ask->callback([&session, options] { peers(session, *options); });
}

}  // namespace

void add_dht_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("dht", "Items, peers and nodes of the DHT");
    group->require_subcommand(1);
    const auto options = std::make_shared<DhtOptions>();

    auto* show = group->add_subcommand("status", "This node in the DHT: table, store, traffic");
    show->footer("Example: leither dht status --json");
    show->callback([&session] { status(session); });

    declare_get(*group, session, options);
    declare_put(*group, session, options);
    declare_lookup(*group, session, options);
    declare_peers(*group, session, options);
}

}  // namespace leither::app
