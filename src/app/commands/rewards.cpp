// rewards, rewards proof: what the treasury gives and has given.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/printable.h"
#include "app/text_table.h"
#include "app/vote_text.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct RewardsOptions {
    std::string account;
    std::uint64_t cycle = 0;
    std::uint64_t limit = 20;
};

Id id_in(const json& object, const char* field) {
    return Id::parse(object.at(field).get<std::string>()).value_or(Id());
}

std::string pending_text(Session& session, const json& pending) {
    if (pending.empty()) return "No reward is announced and not yet paid.\n";
    TextTable table({{"MEMBER"}, {"AMOUNT", Align::right}, {"PAID FROM"}, {"ANNOUNCED BY"}});
    for (const json& reward : pending) {
        table.add({session.short_name(id_in(reward, "member")),
                   session.format_units(reward.at("amount")),
                   format_time(reward.at("due_ms").get<std::uint64_t>()),
                   reward.at("transaction").get<std::string>()});
    }
    return "Announced and not yet paid:\n" + table.text();
}

// Who said that it was deserved: a supervisor, or one and the members.
std::string recommended_by(Session& session, const json& reward) {
    const std::string supervisor = session.short_name(id_in(reward, "signer"));
    return reward.contains("vote") ? supervisor + " and a vote" : supervisor;
}

std::string given_text(Session& session, const json& given) {
    if (given.empty()) return "\nNothing has been rewarded yet, as far as this node remembers.\n";
    const auto words = [](const json& reward, const char* field) {
        return printable(reward.value(field, std::string()), LineBreaks::escaped);
    };
    TextTable table({{"TIME"},
                     {"MEMBER"},
                     {"AMOUNT", Align::right},
                     {"RECOMMENDED BY"},
                     {"REASON"},
                     {"EVIDENCE"}});
    for (const json& reward : given) {
        table.add({format_time(reward.at("time_ms").get<std::uint64_t>()),
                   session.short_name(id_in(reward, "counterparty")),
                   session.format_units(reward.at("amount")), recommended_by(session, reward),
                   words(reward, "reference"), words(reward, "proof")});
    }
    return "\nRewarded, newest first:\n" + table.text();
}

std::string voted_text(Session& session, const json& votes) {
    if (votes.empty()) return "";
    TextTable table({{"VOTE"}, {"STATE"}, {"ABOUT"}, {"EFFECT"}});
    for (const json& vote : votes) {
        constexpr std::size_t kShortIdDigits = 12;
        table.add({vote.at("vote").get<std::string>().substr(0, kShortIdDigits),
                   vote.at("state").get<std::string>(), subject_text(session, vote.at("subject")),
                   effect_text(vote)});
    }
    return "\nBy vote of the members:\n" + table.text();
}

std::string mining_text(Session& session, const json& mining) {
    if (mining.empty()) return "\nNo cycle's mining rewards can be claimed.\n";
    TextTable table({{"CYCLE", Align::right},
                     {"LINE", Align::right},
                     {"ACCOUNT"},
                     {"AMOUNT", Align::right},
                     {"CLAIMED"}});
    for (const json& term : mining) {
        const auto cycle = term.at("cycle").dump();
        if (term.at("lines").is_null()) {
            table.add({cycle, "", "behind the history window", "", ""});
            continue;
        }
        for (const json& line : term.at("lines")) {
            table.add({cycle, line.at("line").dump(), session.short_name(id_in(line, "account")),
                       session.format_units(line.at("amount")),
                       line.at("claimed").get<bool>() ? "yes" : "no"});
        }
    }
    return "\nMining rewards:\n" + table.text();
}

// Of the closed votes, those on rewards.
json rewards_voted(Session& session, std::uint64_t limit) {
    json rewards = json::array();
    const json votes = session.call("vote.list", {{"state", "closed"}, {"limit", limit}});
    for (const json& vote : votes.at("items")) {
        if (vote.at("subject").at("kind") != "parameter") rewards.push_back(vote);
    }
    return rewards;
}

// The treasury's account is public: what it was to give stands in its history, with reason,
// evidence, and who recommended it. Mining rewards follow from a rule.
json rewards_given(Session& session, std::uint64_t limit) {
    json given = json::array();
    json params = {{"account", session.organization().id.hex()}, {"limit", 500}};
    while (given.size() < limit) {
        const json page = session.call("account.history", params);
        for (const json& item : page.at("items")) {
            const bool is_reward = item.at("kind") == "reward" || item.at("kind") == "earn";
            if (is_reward && given.size() < limit) given.push_back(item);
        }
        if (!page.contains("next")) break;
        params["before"] = page.at("next");
    }
    return given;
}

void list(Session& session, const RewardsOptions& options) {
    json rewards = session.call("reward.list", json::object());
    rewards["given"] = rewards_given(session, options.limit);
    rewards["voted"] = rewards_voted(session, options.limit);
    session.print(rewards, pending_text(session, rewards.at("pending")) +
                               given_text(session, rewards.at("given")) +
                               voted_text(session, rewards.at("voted")) +
                               mining_text(session, rewards.at("mining")));
}

void proof(Session& session, const RewardsOptions& options) {
    const json found = session.call(
        "reward.proof",
        {{"account", session.account(options.account).hex()}, {"cycle", options.cycle}});
    std::string path;
    for (const json& sibling : found.at("path")) {
        path += (path.empty() ? "" : "\n          ") + sibling.get<std::string>();
    }
    session.print(found, format_fields({{"account", session.display(id_in(found, "account"))},
                                        {"cycle", found.at("cycle").dump()},
                                        {"amount", session.format_units(found.at("amount"))},
                                        {"line", found.at("line").dump()},
                                        {"root", found.at("root").get<std::string>()},
                                        {"claimed", found.at("claimed").get<bool>() ? "yes" : "no"},
                                        {"siblings", path}}));
}

}  // namespace

void add_rewards_command(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<RewardsOptions>();
    auto* group = cli.add_subcommand(
        "rewards", "Who was rewarded, why, on which evidence, and who recommended it");
    group->require_subcommand(0, 1);
    group->add_option("--limit", options->limit, "So many rewards, and closed votes looked at")
        ->capture_default_str();
    group->footer(
        "Examples:\n"
        "  leither rewards\n"
        "  leither rewards proof anna --cycle 12");
    group->callback([&session, options, group] {
        if (group->get_subcommands().empty()) list(session, *options);
    });

    auto* one = group->add_subcommand("proof", "Proof of an account's mining reward of a cycle");
    one->add_option("ACCOUNT", options->account, "Key name or account number")->required();
    one->add_option("--cycle", options->cycle, "The cycle; leither rewards names them")->required();
    one->footer("Example: leither rewards proof anna --cycle 12");
    one->callback([&session, options] { proof(session, *options); });
}

}  // namespace leither::app
