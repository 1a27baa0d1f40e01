// app publish, list, show, fetch, remove: business packs.
#include "leither/protocol/pack.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "app/commands/commands.h"
#include "app/pack_folder.h"
#include "app/pack_names.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;
using protocol::Pack;
using protocol::PackContents;
using std::chrono::steady_clock;

constexpr auto kPollInterval = std::chrono::milliseconds(250);
constexpr const char* kKinds = "search, social, content, service or tool";

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 1024) return fmt::format("{} B", bytes);
    if (bytes < (1 << 20)) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

std::string one_line(const json& text) {
    return printable(text.get<std::string>(), LineBreaks::escaped);
}

// ---- publish

struct PublishOptions {
    std::string folder;
    std::vector<std::string> kinds;
    std::vector<std::string> entries;
    std::string name;
    std::string version = "1";
    std::string text;
    std::string from;
};

// The entry of an application whose --entry was not given.
std::string default_entry(const PackContents& contents) {
    if (contents.files.size() == 1) return contents.files.front().path;
    if (contents.file("index.html") != nullptr) return "index.html";
    throw CliError(CliExit::usage, "no_entry", "Nothing says which file is to be opened first.",
                   "Name it with --entry, or call it index.html.");
}

Bounded<protocol::PackApplication, protocol::kPackApplicationsMax> applications_of(
    const PublishOptions& options, const PackContents& contents) {
    if (options.kinds.size() > protocol::kPackApplicationsMax ||
        options.entries.size() > options.kinds.size()) {
        throw CliError(CliExit::usage, "bad_applications",
                       fmt::format("A pack has 1 to {} applications, each with one --kind and at "
                                   "most one --entry.",
                                   protocol::kPackApplicationsMax),
                       "Write --kind KIND --entry FILE once for each.");
    }
    Bounded<protocol::PackApplication, protocol::kPackApplicationsMax> applications;
    for (std::size_t i = 0; i < options.kinds.size(); ++i) {
        const auto kind = protocol::application_kind(options.kinds[i]);
        if (!kind) {
            throw CliError(CliExit::usage, "bad_kind",
                           fmt::format("\"{}\" is no kind of application.", options.kinds[i]),
                           fmt::format("Kinds are {}.", kKinds));
        }
        const std::string entry =
            i < options.entries.size() ? options.entries[i] : default_entry(contents);
        if (contents.file(entry) == nullptr) {
            throw CliError(CliExit::usage, "no_entry",
                           fmt::format("\"{}\" is no file below {}.", entry, options.folder),
                           "Write its path as seen from that folder.");
        }
        applications.push_back({*kind, decltype(protocol::PackApplication::entry)(entry)});
    }
    return applications;
}

Pack pack_of(const PublishOptions& options, const PackContents& contents) {
    check_text(options.name, decltype(Pack::name)::kMax, "name");
    check_text(options.version, decltype(Pack::version)::kMax, "version");
    if (!options.text.empty()) check_text(options.text, decltype(Pack::text)::kMax, "text");
    Pack pack;
    pack.name = decltype(pack.name)(options.name);
    pack.version = decltype(pack.version)(options.version);
    pack.text = decltype(pack.text)(options.text);
    pack.published_ms = unix_ms_now();
    pack.applications = applications_of(options, contents);
    const Bytes list = bcs::encode(contents);
    pack.contents = crypto::blake2b_256(list);
    pack.contents_bytes = static_cast<std::uint32_t>(list.size());
    pack.bytes = contents.bytes();
    if (!pack.is_canonical()) {
        throw CliError(CliExit::usage, "bad_text",
                       "Name, version or text holds control characters.", "Write plain text.");
    }
    return pack;
}

void publish(Session& session, const PublishOptions& options) {
    const PackContents contents = read_folder(options.folder);
    Pack pack = pack_of(options, contents);
    const crypto::KeyPair publisher = session.key(options.from);
    ensure_served(session, publisher, ServedAs::member);
    const ChainId chain = followed_chain(session);
    pack.publisher = publisher.public_key();
    const Hash id = protocol::pack_id(chain, pack);
    json progress =
        session.call("app.publish", {{"pack", to_hex(bcs::encode(sign(chain, pack, publisher)))},
                                     {"contents", to_hex(bcs::encode(contents))}});
    each_piece(options.folder, contents, [&](Bytes&& piece) {
        if (progress.at("state") == "complete") return;
        progress = session.call("app.put", {{"id", id.hex()}, {"data", to_hex(piece)}});
    });
    if (progress.at("state") != "complete") {
        throw CliError(CliExit::local, "changed", "A file has changed while it was read.",
                       "Try again once nobody writes to the folder.");
    }
    session.print({{"id", id.hex()},
                   {"name", options.name},
                   {"version", options.version},
                   {"files", contents.files.size()},
                   {"bytes", pack.bytes}},
                  fmt::format("Published {} {}: {}, {}.\nid: {}\nOthers get it with: leither app "
                              "fetch {} --out DIR\n",
                              printable(options.name, LineBreaks::escaped),
                              printable(options.version, LineBreaks::escaped),
                              count_of(contents.files.size(), "file"), bytes_text(pack.bytes),
                              id.hex(), id.hex().substr(0, kPackDigits)));
}

// ---- list, show

std::string state_text(const json& local) {
    if (local.is_null()) return "-";
    const auto state = local.at("state").get<std::string>();
    if (state == "complete") return "here";
    const auto total = local.at("total_bytes").get<std::uint64_t>();
    const auto done = local.at("done_bytes").get<std::uint64_t>();
    return fmt::format("{} {} %", state, total == 0 ? 0 : done * 100 / total);
}

std::string kinds_text(const json& pack) {
    std::string text;
    for (const json& one : pack.at("applications")) {
        const auto kind = one.at("kind").get<std::string>();
        if (text.find(kind) != std::string::npos) continue;
        text += (text.empty() ? "" : ", ") + kind;
    }
    return text;
}

Id publisher_of(const json& pack) {
    return Id::parse(pack.at("publisher").get<std::string>()).value();
}

void list(Session& session) {
    followed_chain(session);
    const json packs = session.call("app.list", json::object());
    TextTable table({{"ID"},
                     {"NAME"},
                     {"VERSION"},
                     {"KIND"},
                     {"SIZE", Align::right},
                     {"BY"},
                     {"ON THIS NODE"}});
    for (const json& pack : packs) {
        table.add({pack.at("id").get<std::string>().substr(0, kPackDigits),
                   one_line(pack.at("name")), one_line(pack.at("version")), kinds_text(pack),
                   bytes_text(pack.at("bytes").get<std::uint64_t>()),
                   session.short_name(publisher_of(pack)), state_text(pack.at("local"))});
    }
    session.print(packs, table.empty() ? "Nobody has published a pack yet.\n" : table.text());
}

void show(Session& session, const std::string& which) {
    followed_chain(session);
    const json pack = session.call("app.show", {{"id", find_pack(session, which).hex()}});
    std::string text = format_fields({
        {"id", pack.at("id").get<std::string>()},
        {"name", one_line(pack.at("name"))},
        {"version", one_line(pack.at("version"))},
        {"text", one_line(pack.at("text"))},
        {"by", session.display(publisher_of(pack))},
        {"published", format_time(pack.at("published_ms").get<std::uint64_t>())},
        {"size", bytes_text(pack.at("bytes").get<std::uint64_t>())},
        {"on this node", state_text(pack.at("local"))},
    });
    for (const json& one : pack.at("applications")) {
        text += format_fields({{one.at("kind").get<std::string>(), one_line(one.at("entry"))}});
    }
    if (pack.at("files").is_null()) {
        text += "The list of its files comes with: leither app fetch\n";
    } else {
        TextTable table({{"FILE"}, {"SIZE", Align::right}});
        for (const json& file : pack.at("files")) {
            table.add(
                {one_line(file.at("path")), bytes_text(file.at("bytes").get<std::uint64_t>())});
        }
        text += "\n" + table.text();
    }
    session.print(pack, text);
}

// ---- fetch

struct FetchOptions {
    std::string which;
    std::string out;
    unsigned wait_s = 60;
};

void show_progress(const Session& session, const json& progress) {
    if (session.wants_json()) return;
    fmt::print(stderr, "\r{} of {} from {}    ",
               bytes_text(progress.at("done_bytes").get<std::uint64_t>()),
               bytes_text(progress.at("total_bytes").get<std::uint64_t>()),
               count_of(progress.at("asked_nodes").get<std::uint64_t>(), "node"));
    std::fflush(stderr);
}

// Until it is complete; gives up when nothing has come for a while.
void wait_for_pack(Session& session, const FetchOptions& options, const std::string& id) {
    std::uint64_t last = 0;
    auto since = steady_clock::now();
    for (bool shown = false;; shown = true) {
        const json progress = session.call("app.fetch", {{"id", id}});
        if (progress.at("state") == "complete") {
            if (shown && !session.wants_json()) fmt::print(stderr, "\n");
            return;
        }
        const auto done = progress.at("done_bytes").get<std::uint64_t>();
        if (done != last) since = steady_clock::now();
        last = done;
        show_progress(session, progress);
        if (steady_clock::now() - since > std::chrono::seconds(options.wait_s)) {
            if (!session.wants_json()) fmt::print(stderr, "\n");
            throw CliError(
                CliExit::undecided, "not_here_yet",
                fmt::format("{} of {} bytes are here, and nothing more has come for {} "
                            "seconds.",
                            done, progress.at("total_bytes").get<std::uint64_t>(), options.wait_s),
                "The daemon goes on whenever a node that has it is connected; run this "
                "again later. Only members' nodes are given files: leither node serve");
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

Bytes piece_of(Session& session, const std::string& name) {
    const json answer = session.call("app.piece", {{"piece", name}});
    const auto bytes = from_hex(answer.at("data").get<std::string>());
    if (bytes && crypto::blake2b_256(*bytes).hex() == name) return *bytes;
    throw CliError(CliExit::local, "damaged", fmt::format("The piece {} is damaged.", name),
                   "Remove the pack with `leither app remove` and fetch it again.");
}

Bytes file_of(Session& session, const json& file) {
    Bytes content;
    for (const json& piece : file.at("pieces")) {
        const Bytes bytes = piece_of(session, piece.get<std::string>());
        content.insert(content.end(), bytes.begin(), bytes.end());
    }
    if (content.size() == file.at("bytes").get<std::uint64_t>()) return content;
    throw CliError(
        CliExit::refused, "bad_pack",
        fmt::format("{} is not as long as its publisher has signed.", one_line(file.at("path"))),
        "Tell the publisher.");
}

void fetch(Session& session, const FetchOptions& options) {
    followed_chain(session);
    const std::string id = find_pack(session, options.which).hex();
    wait_for_pack(session, options, id);
    const json pack = session.call("app.show", {{"id", id}});
    for (const json& file : pack.at("files")) {
        const auto path = file.at("path").get<std::string>();
        if (!protocol::is_safe_path(path)) {
            throw CliError(CliExit::refused, "bad_path",
                           fmt::format("The pack holds a file \"{}\", which is not safe to write.",
                                       one_line(file.at("path"))),
                           "Use the versions of leither and leitherd that belong together.");
        }
        write_below(options.out, path, file_of(session, file));
    }
    json result = {{"id", id}, {"out", options.out}, {"files", pack.at("files").size()}};
    std::string text = fmt::format("{} {} is in {}: {}.\n", one_line(pack.at("name")),
                                   one_line(pack.at("version")), options.out,
                                   count_of(pack.at("files").size(), "file"));
    for (const json& one : pack.at("applications")) {
        text += fmt::format("{}: open {}/{}\n", one.at("kind").get<std::string>(), options.out,
                            one_line(one.at("entry")));
    }
    session.print(result, text);
}

void remove(Session& session, const std::string& which) {
    followed_chain(session);
    const json done = session.call("app.remove", {{"id", find_pack(session, which).hex()}});
    session.print(done, "Its files are no longer kept on this node.\n");
}

}  // namespace

void add_app_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("app", "Packs: what members publish for each other");
    group->require_subcommand(1);

    const auto given = std::make_shared<PublishOptions>();
    auto* make = group->add_subcommand("publish", "Publish all files of a folder as a pack");
    make->add_option("DIR", given->folder, "The folder")->required();
    make->add_option("--kind", given->kinds, kKinds + std::string("; once for each application"))
        ->required()
        ->type_name("KIND")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    make->add_option("--entry", given->entries,
                     "File to open first, one for each --kind; default: index.html, or the only "
                     "file")
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    make->add_option("--name", given->name,
                     "At most 48 bytes; a later pack of yours with this "
                     "name replaces it")
        ->required();
    make->add_option("--version", given->version, "At most 24 bytes")->capture_default_str();
    make->add_option("--text", given->text, "What it is, in at most 500 bytes");
    make->add_option("--from", given->from, "Key of the member who publishes")
        ->required()
        ->type_name("KEY");
    make->footer(
        "Examples:\n"
        "  leither app publish ./prices --kind content --name Prices --version 3 --from anna\n"
        "  leither app publish ./shop --kind service --entry shop.html --name Shop --from anna");
    make->callback([&session, given] { publish(session, *given); });

    auto* all = group->add_subcommand("list", "All packs of the organization, newest first");
    all->footer("Example: leither app list --json");
    all->callback([&session] { list(session); });

    const auto which = std::make_shared<std::string>();
    auto* one = group->add_subcommand("show", "One pack and its files");
    one->add_option("ID", *which, "Its id, the first 8 digits or more of it, or its name")
        ->required();
    one->footer("Example: leither app show Prices");
    one->callback([&session, which] { show(session, *which); });

    const auto wanted = std::make_shared<FetchOptions>();
    auto* get = group->add_subcommand("fetch", "Get a pack's files from other members' nodes");
    get->add_option("ID", wanted->which, "Its id, the first 8 digits or more of it, or its name")
        ->required();
    get->add_option("--out", wanted->out, "Folder to write the files to")
        ->required()
        ->type_name("DIR");
    get->add_option("--wait", wanted->wait_s, "Give up when nothing has come for so many seconds")
        ->check(CLI::Range(1u, 86'400u))
        ->capture_default_str();
    get->footer(
        "What has come stays on the node: after a crash or a cut, run it again.\n"
        "Example: leither app fetch Prices --out ./prices");
    get->callback([&session, wanted] { fetch(session, *wanted); });

    auto* drop = group->add_subcommand("remove", "Keep a pack's files no longer on this node");
    drop->add_option("ID", *which, "Its id, the first 8 digits or more of it, or its name")
        ->required();
    drop->footer("Example: leither app remove Prices");
    drop->callback([&session, which] { remove(session, *which); });
}

}  // namespace leither::app
