#include "app/contributions.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/decision.h"
#include "app/letters.h"
#include "app/printable.h"
#include "app/reward_register.h"
#include "app/served.h"

namespace leither::app {

namespace {

using nlohmann::json;
using protocol::Contribution;
using protocol::ContributionKind;

constexpr std::size_t kDigitsMin = 4;
constexpr std::uint64_t kListMax = 4'096;

protocol::Contribution contribution_of(Session& session, const ContributionOrder& order) {
    check_text(order.text, decltype(Contribution::text)::kMax, "contribution's text");
    if (!order.evidence.empty()) {
        check_text(order.evidence, decltype(Contribution::evidence)::kMax, "piece of evidence");
    }
    Contribution made;
    made.kind = order.kind;
    made.text = decltype(made.text)(order.text);
    made.evidence = decltype(made.evidence)(order.evidence);
    if (order.builds_on.size() > protocol::kBasesMax) {
        throw CliError(
            CliExit::usage, "too_many_bases",
            fmt::format("A contribution builds on at most {} others.", protocol::kBasesMax),
            "Name those it could not do without; they name what they build on.");
    }
    for (const std::string& which : order.builds_on) {
        made.builds_on.push_back(find_contribution(session, which));
    }
    std::ranges::sort(made.builds_on);
    made.builds_on.erase(std::unique(made.builds_on.begin(), made.builds_on.end()),
                         made.builds_on.end());
    if (made.is_canonical()) return made;
    throw CliError(CliExit::usage, "bad_text", "Text or evidence holds control characters.",
                   "Write plain text.");
}

std::string short_id(const Hash& id) {
    return id.hex().substr(0, kContributionDigits);
}

// A reward that went to `member` and names it; null if there is none.
const json* reward_naming(const json& given, const Hash& id, const Id& member) {
    const auto found = std::ranges::find_if(given, [&](const json& reward) {
        const auto named = protocol::contributions_in(reward.value("proof", ""));
        return reward.value("counterparty", "") == member.hex() &&
               std::ranges::find(named, id) != named.end();
    });
    return found == given.end() ? nullptr : &*found;
}

void refuse_if_rewarded(Session& session, const Id& member, const std::vector<Hash>& ids) {
    constexpr const char* kAgain = "To reward it once more, add --again.";
    const json given = rewards_given(session);
    const json open = session.call("vote.list", {{"state", "open"}}).at("items");
    for (const Hash& id : ids) {
        if (const json* reward = reward_naming(given, id, member)) {
            throw CliError(CliExit::refused, "already_rewarded",
                           fmt::format("Contribution {} was rewarded with {} by transaction {}.",
                                       short_id(id), session.format_units(reward->at("amount")),
                                       reward->at("id").get<std::string>()),
                           kAgain);
        }
        for (const json& vote : open) {
            const auto named = protocol::contributions_in(vote.at("subject").value("proof", ""));
            if (std::ranges::find(named, id) == named.end()) continue;
            throw CliError(CliExit::refused, "already_proposed",
                           fmt::format("Vote {} is about a reward for contribution {}.",
                                       vote.at("vote").get<std::string>(), short_id(id)),
                           kAgain);
        }
    }
}

// What they say, in the same order.
std::vector<std::string> check_named(Session& session, const Id& member, const NamedWork& named,
                                     const std::vector<Hash>& ids) {
    std::vector<std::string> texts;
    const json known = ids.empty() ? json::array() : known_contributions(session);
    for (const Hash& id : ids) {
        const auto one = std::ranges::find_if(
            known, [&](const json& item) { return item.at("id") == id.hex(); });
        if (one == known.end()) {
            throw CliError(CliExit::refused, "unknown_contribution",
                           fmt::format("No contribution {} is known here.", short_id(id)),
                           "Wait until it has come, or see: leither contribution list");
        }
        const auto author = Id::parse(one->at("author").get<std::string>()).value();
        if (author != member) {
            throw CliError(CliExit::refused, "not_theirs",
                           fmt::format("Contribution {} is {}'s, not {}'s.", short_id(id),
                                       session.display(author), session.display(member)),
                           "Reward whoever made it.");
        }
        texts.push_back(one->at("text").get<std::string>());
    }
    if (!ids.empty() && !named.again) refuse_if_rewarded(session, member, ids);
    return texts;
}

}  // namespace

std::string contribution_kinds() {
    std::string words;
    for (const auto kind :
         {ContributionKind::development, ContributionKind::production, ContributionKind::support,
          ContributionKind::promotion, ContributionKind::appreciation}) {
        words += (words.empty() ? "" : ", ") + std::string(protocol::to_string(kind));
    }
    return words;
}

ContributionKind contribution_kind_of(const std::string& word) {
    if (const auto kind = protocol::contribution_kind(word)) return *kind;
    throw CliError(
        CliExit::usage, "bad_kind",
        fmt::format("\"{}\" is no kind of contribution.", printable(word, LineBreaks::escaped)),
        fmt::format("Kinds are {}.", contribution_kinds()));
}

// ---- Made --------------------------------------------------------------------------------------

json contribute(Session& session, const ContributionOrder& order) {
    Contribution made = contribution_of(session, order);
    const crypto::KeyPair author = session.key(order.account);
    ensure_served(session, author, ServedAs::member);
    made.author = author.public_key();
    made.issued_ms = unix_ms_now();
    const auto signed_ = protocol::sign(followed_chain(session), made, author);
    return session.call("contribution.add", {{"entry", to_hex(bcs::encode(signed_))}});
}

json contribute_once(Session& session, const ContributionOrder& order) {
    const Id author = session.account(order.account);
    for (const json& one : known_contributions(session)) {
        const bool is_same = one.at("author") == author.hex() &&
                             one.at("kind") == protocol::to_string(order.kind) &&
                             one.at("text") == order.text && one.at("evidence") == order.evidence;
        if (is_same) return {{"id", one.at("id")}};
    }
    return contribute(session, order);
}

Hash find_contribution(Session& session, const std::string& which) {
    std::vector<std::string> found;
    for (const json& one : known_contributions(session)) {
        auto id = one.at("id").get<std::string>();
        if (id.starts_with(which)) found.push_back(std::move(id));
    }
    const std::string shown = printable(which, LineBreaks::escaped);
    if (which.size() < kDigitsMin || found.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" may be any of {} contributions.", shown, found.size()),
                       "Write more digits of the id: leither contribution list");
    }
    if (found.size() == 1) return Hash::parse(found.front()).value();
    throw CliError(CliExit::refused, "unknown_contribution",
                   fmt::format("No contribution {} is known here.", shown),
                   "See all of them with: leither contribution list");
}

json known_contributions(Session& session) {
    if (!has_mail(session)) return json::array();
    try {
        return session.call("contribution.list", {{"limit", kListMax}}).at("items");
    } catch (const RpcError& error) {
        // Not published yet, so there is no catalogue.
        if (error.details().name != "no_organization") throw;
        return json::array();
    }
}

// ---- Rewarded ----------------------------------------------------------------------------------

void add_again_option(CLI::App& command, NamedWork& named) {
    command.add_flag("--again", named.again,
                     "Although the contribution was rewarded, or is up for a vote");
}

void add_work_options(CLI::App& command, NamedWork& named) {
    command
        .add_option("--contribution", named.contributions,
                    fmt::format("Contribution it is for: its id or first digits; at most {}",
                                protocol::kRewardedMax))
        ->type_name("ID")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_again_option(command, named);
}

Grounds grounds_for(Session& session, const Id& member, const NamedWork& named,
                    const GivenGrounds& given) {
    if (named.contributions.size() > protocol::kRewardedMax) {
        throw CliError(
            CliExit::usage, "too_many_contributions",
            fmt::format("A reward is for at most {} contributions.", protocol::kRewardedMax),
            "Give several rewards.");
    }
    std::vector<Hash> ids;
    for (const std::string& which : named.contributions) {
        const Hash id = find_contribution(session, which);
        if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
    }
    const auto texts = check_named(session, member, named, ids);
    std::string reason = given.reason;
    if (reason.empty()) reason = fmt::format("{}", fmt::join(texts, "; "));
    if (reason.empty()) {
        throw CliError(CliExit::usage, "missing_reason", "Nothing says what the reward is for.",
                       "Say it with --reason, or name the work with --contribution ID.");
    }
    return {long_text(reason, "reason"),
            long_text(protocol::proof_text(ids, given.proof), "proof")};
}

void check_rewardable(Session& session, const Id& member, const NamedWork& named,
                      std::string_view proof) {
    check_named(session, member, named, protocol::contributions_in(proof));
}

}  // namespace leither::app
