// contribution.*: what members have done, by their own signed word, and what the ledger says they
// were given for it.
#include <algorithm>
#include <map>
#include <set>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

using protocol::SignedContribution;

constexpr std::uint64_t kContributionsDefault = 50;
// Of the treasury's history, newest first: entries looked through for rewards.
constexpr std::size_t kHistoryLooked = 1'000;
// Contributions that one builds on, over however many steps.
constexpr std::size_t kChainMax = 64;

// What was given for contributions, by the proofs of rewards.
struct Rewards {
    struct Given {
        Hash transaction;
        Sequence sequence;
        protocol::RewardKind kind;
        Id member;
        Amount amount;
    };
    std::multimap<Hash, Given> by_contribution;  // newest first
    bool pruned = false;                         // there may be older ones
};

Rewards rewards_of(const node::Queries& queries) {
    Rewards found;
    found.pruned = true;
    const auto status = queries.status();
    if (!status) return found;
    const auto history =
        queries.history(status->organization.treasury, std::nullopt, kHistoryLooked);
    if (!history) return found;
    for (const auto& item : history->items) {
        const auto given = reward_given(item);
        if (!given) continue;
        for (const Hash& id : protocol::contributions_in(given->proof)) {
            found.by_contribution.emplace(id, Rewards::Given{item.id, item.sequence, given->kind,
                                                             given->member, given->amount});
        }
    }
    found.pruned = history->next || history->pruned;
    return found;
}

Json ids_json(const auto& ids) {
    Json out = Json::array();
    for (const Hash& id : ids) out.push_back(id.hex());
    return out;
}

// Whoever names another's contribution in a reward has not rewarded it.
Json contribution_json(const Hash& id, const SignedContribution& signed_, const Rewards& rewards) {
    const protocol::Contribution& one = signed_.contribution;
    const Id author = crypto::id_of(one.author);
    Json given = Json::array();
    const auto [first, last] = rewards.by_contribution.equal_range(id);
    for (auto at = first; at != last; ++at) {
        const Rewards::Given& reward = at->second;
        if (reward.member != author) continue;
        given.push_back({{"transaction", reward.transaction.hex()},
                         {"sequence", reward.sequence.value()},
                         {"amount", amount_text(reward.amount)},
                         {"kind", protocol::to_string(reward.kind)}});
    }
    return {{"id", id.hex()},
            {"kind", protocol::to_string(one.kind)},
            {"author", author.hex()},
            {"key", one.author.hex()},
            {"text", one.text},
            {"evidence", one.evidence},
            {"builds_on", ids_json(one.builds_on)},
            {"issued_ms", one.issued_ms},
            {"rewards", std::move(given)}};
}

// What it builds on, step by step, each once; of what is not known here only the id.
Json chain_json(const node::Queries& queries, const SignedContribution& of,
                const Rewards& rewards) {
    Json out = Json::array();
    std::vector<Hash> next(of.contribution.builds_on.begin(), of.contribution.builds_on.end());
    std::set<Hash> seen(next.begin(), next.end());
    for (std::size_t at = 0; at < next.size(); ++at) {
        const Hash id = next[at];
        const auto held = queries.contribution(id);
        if (!held) {
            out.push_back({{"id", id.hex()}});
            continue;
        }
        out.push_back(contribution_json(id, *held, rewards));
        for (const Hash& base : held->contribution.builds_on) {
            if (next.size() < kChainMax && seen.insert(base).second) next.push_back(base);
        }
    }
    return out;
}

}  // namespace

Outcome contribution_add(Call& call) {
    auto entry = bcs::decode<SignedContribution>(call.args.get<Bytes>("entry"));
    if (!entry) {
        return bad_bytes("entry", "signed contribution; make it with `leither contribution add`");
    }
    return ask_network(call, node::AddEntry{*std::move(entry)});
}

Outcome contribution_list(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const auto queries = call.host.queries();
    const ChainId chain = queries.chain().value();
    const auto by = call.args.find<Id>("by");
    const auto kind = call.args.find<std::string_view>("kind");
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kContributionsDefault);
    const auto rewarded = call.args.find<std::string_view>("rewarded");
    const Rewards rewards = rewards_of(queries);
    Json items = Json::array();
    for (const auto& one : queries.contributions()) {
        if (items.size() >= limit) break;
        const protocol::Contribution& held = one.contribution;
        if (by && crypto::id_of(held.author) != *by) continue;
        if (kind && *kind != protocol::to_string(held.kind)) continue;
        Json item = contribution_json(protocol::contribution_id(chain, held), one, rewards);
        if (rewarded && (*rewarded == "yes") == item.at("rewards").empty()) continue;
        items.push_back(std::move(item));
    }
    return Json{{"items", std::move(items)}, {"pruned", rewards.pruned}};
}

Outcome contribution_show(Call& call) {
    if (auto error = not_ready(call)) return *std::move(error);
    const auto queries = call.host.queries();
    const Hash id = call.args.get<Hash>("id");
    const auto held = queries.contribution(id);
    if (!held) {
        return named_error(ErrorCode::not_found, "unknown_contribution",
                           "no contribution of that id is known here; contribution.list names "
                           "those that are");
    }
    const Rewards rewards = rewards_of(queries);
    Json out = contribution_json(id, *held, rewards);
    out["chain"] = chain_json(queries, *held, rewards);
    out["continued_by"] = Json::array();
    for (const auto& one : queries.contributions()) {
        const auto& bases = one.contribution.builds_on;
        if (std::ranges::find(bases, id) == bases.end()) continue;
        out["continued_by"].push_back(
            protocol::contribution_id(*queries.chain(), one.contribution).hex());
    }
    out["pruned"] = rewards.pruned;
    return out;
}

}  // namespace leither::rpc
