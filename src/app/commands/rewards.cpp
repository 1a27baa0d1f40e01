// rewards, rewards proof: what the treasury gives and has given.
#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/contributions.h"
#include "app/printable.h"
#include "app/reward_register.h"
#include "app/text_table.h"
#include "app/vote_text.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct RewardsOptions {
    std::string account;
    std::uint64_t cycle = 0;
    std::uint64_t limit = 20;
    std::string member;
    std::string kind;  // of contribution
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

// "production by anna: 200 recipes", for each contribution that the reward names.
std::string work_text(Session& session, const json& contributions) {
    std::string text;
    for (const json& one : contributions) {
        if (!text.empty()) text += "; ";
        const std::string id = one.at("id").get<std::string>().substr(0, kContributionDigits);
        if (!one.at("known").get<bool>()) {
            text += id + ": evidence not known here";
            continue;
        }
        text += fmt::format("{}: {} by {}: {}", id, one.at("kind").get<std::string>(),
                            session.short_name(id_in(one, "author")),
                            printable(one.at("text").get<std::string>(), LineBreaks::escaped));
        for (const json& base : one.at("builds_on")) {
            text += ", on " + base.get<std::string>().substr(0, kContributionDigits);
        }
    }
    return text;
}

// What the proof says to people, and what the contributions it names say of theirs.
std::string evidence_text(const json& reward) {
    std::string words = reward.value("proof", "");
    std::vector<std::string> all;
    for (const json& one : reward.at("contributions")) {
        const auto id = Hash::parse(one.at("id").get<std::string>()).value();
        const std::string name = protocol::proof_text({id}, {});
        if (const auto at = words.find(name); at != std::string::npos) {
            words.erase(at, name.size() + (at + name.size() < words.size() ? 1 : 0));
        }
        if (const auto evidence = one.value("evidence", ""); !evidence.empty()) {
            all.push_back(evidence);
        }
    }
    if (!words.empty()) all.push_back(words);
    return printable(fmt::format("{}", fmt::join(all, "; ")), LineBreaks::escaped);
}

std::string first_text(Session& session, const json& first) {
    std::string text = "\nFirst distribution, at the founding";
    const auto announcement = first.at("announcement").get<std::string>();
    text +=
        announcement.empty() ? ":\n" : ": " + printable(announcement, LineBreaks::escaped) + "\n";
    if (first.at("allocations").empty()) {
        return announcement.empty() ? text + "All credit went to the treasury.\n" : text;
    }
    TextTable table({{"ACCOUNT"}, {"AMOUNT", Align::right}, {"REASON"}});
    for (const json& one : first.at("allocations")) {
        table.add({session.short_name(id_in(one, "account")),
                   session.format_units(one.at("amount")),
                   printable(one.at("reason").get<std::string>(), LineBreaks::escaped)});
    }
    return text + table.text();
}

std::string totals_text(Session& session, const json& totals) {
    if (totals.empty()) return "";
    TextTable table({{"FOR"}, {"REWARDS", Align::right}, {"AMOUNT", Align::right}});
    for (const json& total : totals) {
        table.add({total.at("kind").get<std::string>(), total.at("rewards").dump(),
                   session.format_units(total.at("amount"))});
    }
    return "\nBy kind of contribution:\n" + table.text();
}

std::string given_text(Session& session, const json& given) {
    if (given.empty()) return "\nNothing was rewarded, as far as this node remembers.\n";
    const auto words = [](const json& reward, const char* field) {
        return printable(reward.value(field, std::string()), LineBreaks::escaped);
    };
    TextTable table({{"TIME"},
                     {"MEMBER"},
                     {"AMOUNT", Align::right},
                     {"KIND"},
                     {"RECOMMENDED BY"},
                     {"REASON"},
                     {"EVIDENCE"},
                     {"CONTRIBUTION"}});
    for (const json& reward : given) {
        table.add({format_time(reward.at("time_ms").get<std::uint64_t>()),
                   session.short_name(id_in(reward, "counterparty")),
                   session.format_units(reward.at("amount")),
                   reward.at("reward").get<std::string>(), recommended_by(session, reward),
                   words(reward, "reference"), evidence_text(reward),
                   work_text(session, reward.at("contributions"))});
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

// What each reward names in its proof, as far as it is known here.
void add_contributions(Session& session, json& given) {
    const json all = known_contributions(session);
    std::map<std::string, const json*> known;
    for (const json& one : all) known[one.at("id").get<std::string>()] = &one;
    for (json& reward : given) {
        reward["contributions"] = json::array();
        for (const Hash& id : protocol::contributions_in(reward.value("proof", ""))) {
            const auto held = known.find(id.hex());
            json one = {{"id", id.hex()}, {"known", held != known.end()}};
            if (held != known.end()) {
                for (const char* field : {"kind", "author", "text", "evidence", "builds_on"}) {
                    one[field] = held->second->at(field);
                }
            }
            reward["contributions"].push_back(std::move(one));
        }
    }
}

// Under which kind a reward counts: that of the first contribution it names.
std::string kind_of(const json& reward) {
    const json& contributions = reward.at("contributions");
    if (contributions.empty()) return "no contribution";
    return contributions.front().value("kind", "not known here");
}

bool is_wanted(const json& reward, const std::string& member, const std::string& kind) {
    if (!member.empty() && reward.at("counterparty") != member) return false;
    return kind.empty() || std::ranges::any_of(reward.at("contributions"), [&](const json& one) {
               return one.value("kind", "") == kind;
           });
}

// Of all that were given, by the kind under which each counts.
json totals_of(const json& given) {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> totals;
    for (const json& reward : given) {
        auto& [rewards, units] = totals[kind_of(reward)];
        ++rewards;
        units += std::stoull(reward.at("amount").get<std::string>());
    }
    json out = json::array();
    for (const auto& [kind, total] : totals) {
        out.push_back(
            {{"kind", kind}, {"rewards", total.first}, {"amount", std::to_string(total.second)}});
    }
    return out;
}

void list(Session& session, const RewardsOptions& options) {
    const std::string member =
        options.member.empty() ? std::string() : session.account(options.member).hex();
    const std::string kind = options.kind.empty()
                                 ? std::string()
                                 : protocol::to_string(contribution_kind_of(options.kind));
    json given = rewards_given(session);
    add_contributions(session, given);
    std::erase_if(given.get_ref<json::array_t&>(),
                  [&](const json& reward) { return !is_wanted(reward, member, kind); });

    json rewards = session.call("reward.list", json::object());
    rewards["totals"] = totals_of(given);
    if (given.size() > options.limit) given.get_ref<json::array_t&>().resize(options.limit);
    rewards["given"] = std::move(given);
    rewards["voted"] = rewards_voted(session, options.limit);
    rewards["first"] = {{"announcement", session.organization().charter.announcement},
                        {"allocations", session.call("organization.allocations", json::object())}};
    const std::string found =
        given_text(session, rewards.at("given")) + totals_text(session, rewards.at("totals"));
    if (!member.empty() || !kind.empty()) return session.print(rewards, found.substr(1));
    session.print(rewards, pending_text(session, rewards.at("pending")) + found +
                               voted_text(session, rewards.at("voted")) +
                               mining_text(session, rewards.at("mining")) +
                               first_text(session, rewards.at("first")));
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
    group
        ->add_option("--limit", options->limit,
                     "So many rewards are shown, and closed votes looked at")
        ->capture_default_str();
    group->add_option("--member", options->member, "Only this one's: key name or account number")
        ->type_name("MEMBER");
    group->add_option("--kind", options->kind,
                      "Only those for contributions of this kind: " + contribution_kinds());
    group->footer(
        "Examples:\n"
        "  leither rewards\n"
        "  leither rewards --kind production --member anna\n"
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
