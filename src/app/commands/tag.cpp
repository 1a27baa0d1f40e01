// tag add, remove, search: the organization's public index.
#include "leither/protocol/tag.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/pack_names.h"
#include "app/printable.h"
#include "app/served.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr auto kPollInterval = std::chrono::milliseconds(250);

// In small letters, as tags are. Throws CliError.
std::string read_tag(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (protocol::is_tag(text)) return text;
    throw CliError(CliExit::usage, "bad_tag",
                   fmt::format("\"{}\" is no tag.", printable(text, LineBreaks::escaped)),
                   fmt::format("A tag is one word of 1 to {} bytes: letters, digits, '-', '_' and "
                               "'.'.",
                               protocol::kTagBytesMax));
}

// As tag.search gives it.
protocol::TagTarget target_in(const json& target) {
    if (target.contains("pack")) {
        return protocol::PackTarget{Hash::parse(target.at("pack").get<std::string>()).value()};
    }
    if (target.contains("account")) {
        return protocol::AccountTarget{Id::parse(target.at("account").get<std::string>()).value()};
    }
    return protocol::TextTarget{
        decltype(protocol::TextTarget::text)(target.at("text").get<std::string>())};
}

protocol::TagTarget target_of(const std::string& text) {
    if (const auto pack = Hash::parse(text)) return protocol::PackTarget{*pack};
    if (const auto account = Id::parse(text)) return protocol::AccountTarget{*account};
    check_text(text, decltype(protocol::TextTarget::text)::kMax, "target");
    protocol::TextTarget target{decltype(protocol::TextTarget::text)(text)};
    if (target.is_canonical()) return target;
    throw CliError(CliExit::usage, "bad_text", "The target holds control characters.",
                   "Write plain text.");
}
}  // namespace

void add_tag(Session& session, const TagOptions& options) {
    protocol::TagEntry entry;
    entry.tag = decltype(entry.tag)(read_tag(options.tag));
    entry.target = target_of(options.target);
    const crypto::KeyPair author = session.key(options.from);
    ensure_served(session, author, ServedAs::member);
    entry.author = author.public_key();
    entry.validity = protocol::Validity::from(instant_from_unix_ms(unix_ms_now()),
                                              std::chrono::hours(24 * options.days));
    const auto signed_ = protocol::sign(followed_chain(session), entry, author);
    const json added = session.call("tag.add", {{"entry", to_hex(bcs::encode(signed_))}});
    session.print(added, fmt::format("Tagged until {}.\n", format_time(entry.validity.expires_ms)));
}

namespace {

struct RemoveOptions {
    std::string tag;
    std::string target;
    std::string from;
};

// Of the author's own entries under a tag, the one about this target; null if there is none.
json entry_of(Session& session, const std::string& tag, const Id& author,
              const protocol::TagTarget& target) {
    for (const json& one : session.call("tag.search", {{"tag", tag}})) {
        const bool is_it =
            one.at("author") == author.hex() && target_in(one.at("target")) == target;
        if (is_it) return one;
    }
    return nullptr;
}

void remove(Session& session, const RemoveOptions& options) {
    protocol::TagWithdrawal withdrawal;
    withdrawal.tag = decltype(withdrawal.tag)(read_tag(options.tag));
    withdrawal.target = target_of(options.target);
    const ChainId chain = followed_chain(session);
    const Id account = session.account(options.from);
    const json entry = entry_of(session, withdrawal.tag, account, withdrawal.target);
    if (entry.is_null()) {
        throw CliError(CliExit::refused, "not_found",
                       fmt::format("{} has not tagged that \"{}\", as far as is known here.",
                                   session.display(account), withdrawal.tag),
                       "See what is tagged: leither tag search " + withdrawal.tag);
    }
    const crypto::KeyPair author = session.key(options.from);
    ensure_served(session, author, ServedAs::member);
    withdrawal.author = author.public_key();
    // Behind what it withdraws, whichever clock that was signed by.
    withdrawal.issued_ms = std::max(unix_ms_now(), entry.at("issued_ms").get<std::uint64_t>() + 1);
    const auto signed_ = protocol::sign(chain, withdrawal, author);
    const json removed = session.call("tag.remove", {{"withdrawal", to_hex(bcs::encode(signed_))}});
    session.print(removed, "The tag is withdrawn; other nodes hear of it as they connect.\n");
}

// Names of the packs that are known here, by id.
std::map<std::string, std::string> pack_names(Session& session) {
    std::map<std::string, std::string> names;
    for (const json& pack : session.call("app.list", json::object())) {
        names[pack.at("id").get<std::string>()] =
            pack.at("name").get<std::string>() + " " + pack.at("version").get<std::string>();
    }
    return names;
}

std::string target_text(Session& session, const json& target,
                        const std::map<std::string, std::string>& names) {
    if (target.contains("text")) {
        return printable(target.at("text").get<std::string>(), LineBreaks::escaped);
    }
    if (target.contains("account")) {
        return "account " +
               session.display(Id::parse(target.at("account").get<std::string>()).value());
    }
    const auto id = target.at("pack").get<std::string>();
    const auto known = names.find(id);
    if (known == names.end()) return "pack " + id;
    return fmt::format("pack {} ({})", printable(known->second, LineBreaks::escaped),
                       id.substr(0, kPackDigits));
}

struct SearchOptions {
    std::string tag;
    unsigned wait_s = 5;
};

// What is not known here may be elsewhere: nodes that have it are looked for.
json search_for(Session& session, const SearchOptions& options, const json& params) {
    json found = session.call("tag.search", params);
    if (!found.empty() || options.wait_s == 0) return found;
    session.call("tag.find", params);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_s);
    while (found.empty() && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(kPollInterval);
        found = session.call("tag.search", params);
    }
    return found;
}

void search(Session& session, const SearchOptions& options) {
    followed_chain(session);
    const std::string tag = read_tag(options.tag);
    const json found = search_for(session, options, {{"tag", tag}});
    const auto names = pack_names(session);
    TextTable table({{"TARGET"}, {"BY"}, {"UNTIL"}});
    for (const json& one : found) {
        table.add({target_text(session, one.at("target"), names),
                   session.short_name(Id::parse(one.at("author").get<std::string>()).value()),
                   format_time(one.at("expires_ms").get<std::uint64_t>())});
    }
    session.print(found, table.empty() ? fmt::format("Nobody has tagged anything \"{}\".\n", tag)
                                       : table.text());
}

}  // namespace

void add_tag_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("tag", "Tags: the organization's public index");
    group->require_subcommand(1);

    const auto given = std::make_shared<TagOptions>();
    auto* mark = group->add_subcommand("add", "Put something under a tag, for everybody to find");
    mark->add_option("TAG", given->tag, "One word of at most 32 bytes")->required();
    mark->add_option("TARGET", given->target,
                     "A pack's id (64 digits), an account's (40 digits), or any text of at most "
                     "200 bytes")
        ->required();
    mark->add_option("--from", given->from, "Key of the member who tags")
        ->required()
        ->type_name("KEY");
    mark->add_option("--days", given->days, "How long it is to be found")
        ->check(CLI::Range(1u, kTagDaysMax))
        ->capture_default_str();
    mark->footer(
        "Tagging the same again with other --days replaces the entry.\n"
        "Examples:\n"
        "  leither tag add bread \"Anna's bakery, 12 Mill Lane\" --from anna\n"
        "  leither tag add flour 0f62... --from bert --days 7");
    mark->callback([&session, given] { add_tag(session, *given); });

    const auto withdrawn = std::make_shared<RemoveOptions>();
    auto* withdraw = group->add_subcommand("remove", "Withdraw what you have put under a tag");
    withdraw->add_option("TAG", withdrawn->tag, "The tag")->required();
    withdraw->add_option("TARGET", withdrawn->target, "As it was given to tag add")->required();
    withdraw->add_option("--from", withdrawn->from, "Key of the member who has tagged it")
        ->required()
        ->type_name("KEY");
    withdraw->footer(
        "Example: leither tag remove bread \"Anna's bakery, 12 Mill Lane\" --from anna");
    withdraw->callback([&session, withdrawn] { remove(session, *withdrawn); });

    const auto wanted = std::make_shared<SearchOptions>();
    auto* find = group->add_subcommand("search", "What members have put under a tag");
    find->add_option("TAG", wanted->tag, "The tag")->required();
    find->add_option("--wait", wanted->wait_s,
                     "Seconds to wait for other nodes if nothing is known here")
        ->check(CLI::Range(0u, 600u))
        ->capture_default_str();
    find->footer("Example: leither tag search bread");
    find->callback([&session, wanted] { search(session, *wanted); });
}

}  // namespace leither::app
