// chat send, read, follow: the organization's conversation.
#include "leither/protocol/chat.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/commands/commands.h"
#include "app/letters.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr unsigned kPageMax = 1'000;
constexpr unsigned kPollPage = 50;
constexpr auto kPollInterval = std::chrono::milliseconds(250);

void send(Session& session, const std::string& text, const std::string& from) {
    const json said = say_line(session, from, text);
    session.print(said, "Said.\n");
}

std::string line_text(Session& session, const json& line) {
    const auto author = Id::parse(line.at("author").get<std::string>()).value();
    return fmt::format("{}  {}: {}\n", format_time(line.at("time_ms").get<std::uint64_t>()),
                       session.short_name(author),
                       printable(line.at("text").get<std::string>(), LineBreaks::escaped));
}

struct ReadOptions {
    unsigned count = 20;
    std::string author;
    std::string before;
    std::uint64_t limit = 0;  // of follow: lines until it ends; 0: never
};

json page(Session& session, const ReadOptions& options, unsigned count) {
    json params = {{"limit", count}};
    if (!options.author.empty()) params["author"] = session.account(options.author).hex();
    if (!options.before.empty()) params["before"] = options.before;
    return session.call("chat.read", params);
}

void read(Session& session, const ReadOptions& options) {
    followed_chain(session);
    const json lines = page(session, options, options.count);
    std::string text;
    for (const json& line : lines) text += line_text(session, line);
    session.print(lines, lines.empty() ? "Nothing has been said yet.\n" : text);
}

volatile std::sig_atomic_t interrupted = 0;

// By asking again and again: a line is shown a quarter of a second after it has come, unless it
// comes so late that a whole page of newer ones stands there already.
void follow(Session& session, const ReadOptions& options) {
    followed_chain(session);
    std::signal(SIGINT, [](int) { interrupted = 1; });
    std::set<std::string> shown;
    std::uint64_t count = 0;
    const json old = page(session, options, kPageMax);
    std::size_t skipped = old.size() - std::min<std::size_t>(options.count, old.size());
    for (const json& line : old) {
        if (skipped == 0) break;
        shown.insert(line.at("id").get<std::string>());
        --skipped;
    }
    while (interrupted == 0) {
        json lines = page(session, options, kPollPage);
        const bool may_be_more =
            lines.size() == kPollPage && !shown.contains(lines[0].at("id").get<std::string>());
        if (may_be_more) lines = page(session, options, kPageMax);
        for (const json& line : lines) {
            if (!shown.insert(line.at("id").get<std::string>()).second) continue;
            fmt::print("{}", session.wants_json() ? line.dump() + "\n" : line_text(session, line));
            std::fflush(stdout);
            if (++count == options.limit) return;
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

}  // namespace

void add_chat_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("chat", "The conversation of all members");
    group->require_subcommand(1);

    const auto text = std::make_shared<std::string>();
    const auto from = std::make_shared<std::string>();
    auto* say = group->add_subcommand("send", "Say a line to all members");
    say->add_option("TEXT", *text, "At most 500 bytes")->required();
    say->add_option("--from", *from, "Key of the member who speaks")->required()->type_name("KEY");
    say->footer("Example: leither chat send \"Who has flour?\" --from anna");
    say->callback([&session, text, from] { send(session, *text, *from); });

    const auto options = std::make_shared<ReadOptions>();
    const auto add_choice = [&options](CLI::App& command, const char* what) {
        command.add_option("-n", options->count, what)
            ->check(CLI::Range(0u, kPageMax))
            ->capture_default_str();
        command.add_option("--author", options->author, "Only lines of this account")
            ->type_name("ACCOUNT");
    };
    auto* show = group->add_subcommand("read", "The last lines");
    add_choice(*show, "How many");
    show->add_option("--before", options->before, "Only older ones than the line of this id")
        ->type_name("ID");
    show->footer(
        "Examples:\n"
        "  leither chat read -n 50\n"
        "  leither chat read --author anna --json");
    show->callback([&session, options] { read(session, *options); });

    auto* listen = group->add_subcommand("follow", "Show lines as they come, until Ctrl-C");
    add_choice(*listen, "How many of the last lines to begin with");
    listen->add_option("--limit", options->limit, "End after so many lines; 0: never");
    listen->footer(
        "Examples:\n"
        "  leither chat follow\n"
        "  leither chat follow -n 0 --limit 1 --json");
    listen->callback([&session, options] { follow(session, *options); });
}

}  // namespace leither::app
