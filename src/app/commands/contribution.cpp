// contribution add, list, show: what members have done for the organization.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/contributions.h"
#include "app/printable.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct ContributionOptions {
    std::string kind;
    ContributionOrder order;
    std::string by;
    std::uint64_t limit = 50;
    bool unrewarded = false;
    std::string id;
};

std::string short_id(const json& id) {
    return id.get<std::string>().substr(0, kContributionDigits);
}

Id author_of(const json& contribution) {
    return Id::parse(contribution.at("author").get<std::string>()).value();
}

std::string line_of(const json& contribution, const char* field) {
    return printable(contribution.at(field).get<std::string>(), LineBreaks::escaped);
}

// "40.00 hour", "40.00 hour, 5.00 hour"; empty if nothing was given.
std::string rewards_text(Session& session, const json& rewards) {
    std::string text;
    for (const json& reward : rewards) {
        text += (text.empty() ? "" : ", ") + session.format_units(reward.at("amount"));
    }
    return text;
}

void add(Session& session, const ContributionOptions& options) {
    ContributionOrder order = options.order;
    order.kind = contribution_kind_of(options.kind);
    const json added = contribute(session, order);
    session.print(
        added, fmt::format("Contribution {} is public.\nA supervisor rewards it with:\n"
                           "  leither reward {} AMOUNT --contribution {}\n",
                           added.at("id").get<std::string>(), session.account(order.account).hex(),
                           short_id(added.at("id"))));
}

void list(Session& session, const ContributionOptions& options) {
    json params = {{"limit", options.limit}};
    if (!options.by.empty()) params["by"] = session.account(options.by).hex();
    if (!options.kind.empty())
        params["kind"] = protocol::to_string(contribution_kind_of(options.kind));
    if (options.unrewarded) params["rewarded"] = "no";
    const json found = session.call("contribution.list", params);
    TextTable table({{"ID"}, {"TIME"}, {"KIND"}, {"BY"}, {"REWARDED", Align::right}, {"WHAT"}});
    for (const json& one : found.at("items")) {
        table.add({short_id(one.at("id")), format_time(one.at("issued_ms").get<std::uint64_t>()),
                   one.at("kind").get<std::string>(), session.short_name(author_of(one)),
                   rewards_text(session, one.at("rewards")), line_of(one, "text")});
    }
    std::string text = table.empty() ? "No contributions.\n" : table.text();
    if (found.at("pruned").get<bool>()) {
        text +=
            "Older rewards than this node has looked through are not shown: see leither "
            "rewards\n";
    }
    session.print(found, text);
}

// "production by anna: collected ...", or that it is not known here.
std::string link_text(Session& session, const json& one) {
    if (!one.contains("author")) return short_id(one.at("id")) + ": not known here";
    return fmt::format("{}: {} by {}: {}", short_id(one.at("id")),
                       one.at("kind").get<std::string>(), session.short_name(author_of(one)),
                       line_of(one, "text"));
}

void show(Session& session, const ContributionOptions& options) {
    const json one =
        session.call("contribution.show", {{"id", find_contribution(session, options.id).hex()}});
    std::vector<std::pair<std::string, std::string>> fields = {
        {"id", one.at("id").get<std::string>()},
        {"kind", one.at("kind").get<std::string>()},
        {"by", session.display(author_of(one))},
        {"when", format_time(one.at("issued_ms").get<std::uint64_t>())},
        {"what", line_of(one, "text")},
        {"evidence", line_of(one, "evidence")}};
    for (const json& base : one.at("chain")) {
        fields.emplace_back("builds on", link_text(session, base));
    }
    for (const json& next : one.at("continued_by")) {
        fields.emplace_back("continued by", short_id(next));
    }
    for (const json& reward : one.at("rewards")) {
        fields.emplace_back("rewarded", fmt::format("{} ({}) by transaction {}",
                                                    session.format_units(reward.at("amount")),
                                                    reward.at("kind").get<std::string>(),
                                                    reward.at("transaction").get<std::string>()));
    }
    session.print(one, format_fields(fields));
}

}  // namespace

void add_contribution_commands(CLI::App& cli, Session& session) {
    auto* group =
        cli.add_subcommand("contribution", "What members have done, for others to reward");
    group->require_subcommand(1);
    const auto options = std::make_shared<ContributionOptions>();
    const std::string kinds = "One of " + contribution_kinds();

    auto* make = group->add_subcommand("add", "Make public what you have done");
    make->add_option("KIND", options->kind, kinds)->required();
    make->add_option("WHAT", options->order.text, "What was done, in at most 280 bytes")
        ->required();
    make->add_option("--evidence", options->order.evidence,
                     "Where to see it: a link, a pack's id, a file's hash, a sentence");
    make->add_option("--builds-on", options->order.builds_on,
                     "Earlier contribution it builds on: its id or first digits; at most 4")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    make->add_option("--from", options->order.account, "Key of the member who did it")
        ->required()
        ->type_name("KEY");
    make->footer(
        "It stays public and cannot be withdrawn.\n"
        "Examples:\n"
        "  leither contribution add development \"a plugin that collects recipes\" --from anna\n"
        "  leither contribution add production \"200 recipes\" --builds-on 0f62... --from ben");
    make->callback([&session, options] { add(session, *options); });

    auto* all = group->add_subcommand("list", "Contributions known here, newest first");
    all->add_option("--by", options->by, "Only this member's: key name or account number")
        ->type_name("MEMBER");
    all->add_option("--kind", options->kind, kinds);
    all->add_option("--limit", options->limit, "At most so many")->capture_default_str();
    all->add_flag("--unrewarded", options->unrewarded, "Only those not rewarded yet");
    all->footer(
        "Examples:\n"
        "  leither contribution list --unrewarded\n"
        "  leither contribution list --by anna --kind production");
    all->callback([&session, options] { list(session, *options); });

    auto* one = group->add_subcommand("show", "One contribution, its rewards, what it builds on");
    one->add_option("ID", options->id, "Its id, or the first digits of it")->required();
    one->footer("Example: leither contribution show 0f6211ab");
    one->callback([&session, options] { show(session, *options); });
}

}  // namespace leither::app
