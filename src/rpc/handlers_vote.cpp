// vote.*, reward.*
#include "leither/codec/bcs.h"
#include "leither/protocol/ballot.h"

#include "handlers.h"

namespace leither::rpc {
namespace {

using node::VoteItem;
using protocol::Grant;
using protocol::ParamProposal;

constexpr std::uint64_t kVotesDefault = 50;

// What is said of votes, out of one look at the ledger.
struct View {
    const node::LedgerStatus& ledger;
    Pulse now;

    std::uint64_t time_ms(Pulse pulse) const {
        return time_ms_at(ledger.organization.charter, pulse);
    }
};

// ---- State -------------------------------------------------------------------------------------

const char* state_of(const VoteItem& vote, Pulse now) {
    if (vote.record.outcome != protocol::Outcome::open) return to_string(vote.record.outcome);
    if (vote.counted_from && *vote.counted_from > vote.record.closes) return "waiting";
    return now < vote.record.closes ? "open" : "counting";
}

Json threshold_json(std::uint64_t needed, std::uint64_t yes) {
    return {{"needed", needed}, {"reached", yes >= needed}};
}

// Why it is rejected, or would be if it were counted now.
Json lacks_json(const protocol::VoteRecord& vote) {
    Json lacks = Json::array();
    if (vote.yes < protocol::quorum_of(vote.members)) lacks.push_back("quorum");
    if (vote.yes < protocol::majority_of(vote.yes, vote.no)) lacks.push_back("majority");
    return lacks;
}

// ---- What it is about, and what has come of it -------------------------------------------------

// What there is to choose from.
Json choice_json(const protocol::Params& params, const protocol::ParamInfo& row) {
    return {{"parameter", row.name},
            {"now", params.*row.member},
            {"least", row.min},
            {"most", row.max},
            {"unit", row.unit}};
}

// As the record has it, and of a parameter what there is to choose from.
Json full_subject_json(const View& view, const protocol::Subject& subject) {
    Json out = rpc::subject_json(subject);
    if (const auto* proposal = std::get_if<ParamProposal>(&subject)) {
        const protocol::ParamInfo& row = protocol::kParamTable[proposal->change.param];
        out.update(choice_json(view.ledger.bookkeeping.params, row));
    }
    return out;
}

struct EffectJson {
    const View& view;
    const Hash& proposal;

    Json operator()(const ParamProposal& asked) const {
        const protocol::ParamChange& change = asked.change;
        const auto& book = view.ledger.bookkeeping;
        for (const auto& coming : book.changes) {
            if (coming.change == change) return {{"in_force", false}, {"from_cycle", coming.cycle}};
        }
        // Else it has come, and perhaps gone by a later vote.
        const auto value = book.params.*protocol::kParamTable[change.param].member;
        return {{"in_force", value == change.value}};
    }
    Json operator()(const Grant&) const {
        for (const auto& reward : view.ledger.treasury.pending) {
            if (reward.transaction != proposal) continue;
            return {{"pending", true},
                    {"due", reward.due.value()},
                    {"due_ms", view.time_ms(reward.due)}};
        }
        return {{"pending", false}};
    }
};

Json vote_json(const VoteItem& vote, const View& view) {
    const protocol::VoteRecord& record = vote.record;
    Json out = {
        {"vote", vote.id.hex()},
        {"proposal", record.proposal.hex()},
        {"proposer", record.proposer.hex()},
        {"subject", full_subject_json(view, record.subject)},
        {"opened", record.opened.value()},
        {"closes", record.closes.value()},
        {"closes_ms", view.time_ms(record.closes)},
        {"state", state_of(vote, view.now)},
        {"yes", record.yes},
        {"no", record.no},
        {"members", record.members},
        {"quorum", threshold_json(protocol::quorum_of(record.members), record.yes)},
        {"majority", threshold_json(protocol::majority_of(record.yes, record.no), record.yes)},
        {"lacks", lacks_json(record)}};
    if (vote.counted) out["counted"] = vote.counted->value();
    if (vote.counted_from && *vote.counted_from > record.closes) {
        out["retry"] = vote.counted_from->value();
        out["retry_ms"] = view.time_ms(*vote.counted_from);
    }
    if (record.outcome == protocol::Outcome::passed) {
        out["effect"] = std::visit(EffectJson{view, record.proposal}, record.subject);
    }
    return out;
}

// ---- One's own part ----------------------------------------------------------------------------

enum class Detail : std::uint8_t {
    standing,  // cheap
    ballot,    // what was cast, out of the account's history
};

node::Answer<Json> own_json(const node::Queries& queries, const VoteItem& vote, const Id& account,
                            Instant now, Detail detail) {
    const auto standing = TRY(queries.standing(vote, account, now));
    Json own = {{"account", account.hex()}, {"standing", node::to_string(standing)}};
    if (detail == Detail::standing) return own;
    const auto ballot = TRY(queries.ballot(vote, account));
    if (ballot) {
        // Of a closed vote the account itself may know nothing any more.
        own["standing"] = node::to_string(node::Suffrage::has_cast);
        own["choice"] = ballot->choice == protocol::Choice::yes ? "yes" : "no";
        own["sequence"] = ballot->sequence.value();
        own["transaction"] = ballot->transaction.hex();
    }
    return own;
}

struct Asked {
    std::optional<Id> account;
    Detail detail = Detail::standing;
};

node::Answer<Json> full_json(Call& call, const VoteItem& vote, const View& view,
                             const Asked& asked) {
    Json out = vote_json(vote, view);
    if (asked.account) {
        out["own"] =
            TRY(own_json(call.host.queries(), vote, *asked.account, call.host.now(), asked.detail));
    }
    return out;
}

node::Answer<Json> list_json(Call& call, std::string_view state) {
    const auto queries = call.host.queries();
    const auto status = TRY(queries.status());
    const View view{status, queries.pulse(call.host.now())};
    const Asked asked{call.args.find<Id>("account"), Detail::standing};
    Json out = {{"items", Json::array()}, {"pruned", false}};
    if (state != "closed" && !call.args.has("before")) {
        for (const VoteItem& vote : TRY(queries.open_votes())) {
            out["items"].push_back(TRY(full_json(call, vote, view, asked)));
        }
    }
    if (state == "open") return out;

    const auto before = call.args.find<std::uint64_t>("before");
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kVotesDefault);
    const auto closed =
        TRY(queries.closed_votes(before ? std::optional(Sequence(*before)) : std::nullopt, limit));
    for (const VoteItem& vote : closed.items) {
        out["items"].push_back(TRY(full_json(call, vote, view, asked)));
    }
    if (closed.next) out["next"] = closed.next->value();
    out["pruned"] = closed.pruned;
    return out;
}

CallError not_found(std::string_view name, std::string message) {
    return named_error(ErrorCode::not_found, name, std::move(message));
}

// ---- Rewards -----------------------------------------------------------------------------------

Json pending_json(const node::LedgerStatus& ledger) {
    Json pending = Json::array();
    for (const auto& reward : ledger.treasury.pending) {
        pending.push_back({{"transaction", reward.transaction.hex()},
                           {"member", reward.member.hex()},
                           {"amount", amount_text(reward.amount)},
                           {"due", reward.due.value()},
                           {"due_ms", time_ms_at(ledger.organization.charter, reward.due)}});
    }
    return pending;
}

Json lines_json(const ledger::MiningRewards& rewards) {
    Json lines = Json::array();
    for (std::size_t line = 0; line < rewards.lines.size(); ++line) {
        lines.push_back({{"line", line},
                         {"account", rewards.lines[line].member.hex()},
                         {"amount", amount_text(rewards.lines[line].amount)},
                         {"claimed", rewards.is_claimed(line)}});
    }
    return lines;
}

node::Answer<Json> rewards_json(const node::Queries& queries) {
    const auto status = TRY(queries.status());
    Json mining = Json::array();
    for (const auto& root : TRY(queries.election()).rewards) {
        Json term = {{"cycle", root.cycle}, {"root", root.root.hex()}};
        const auto rewards = TRY(queries.mining(root.cycle));
        term["lines"] = rewards ? lines_json(*rewards) : Json(nullptr);
        mining.push_back(std::move(term));
    }
    return Json{{"pending", pending_json(status)}, {"mining", std::move(mining)}};
}

CallError mining_error(ledger::MiningError error) {
    switch (error) {
        case ledger::MiningError::unknown:
            return not_found("rewards_unknown",
                             "no mining rewards of that cycle can be claimed: it is not over, was "
                             "longer ago than eight cycles, or shared out nothing; reward.list "
                             "names the cycles that can");
        case ledger::MiningError::pruned:
            return named_error(ErrorCode::no_version, "pruned",
                               "this node no longer keeps the history of that cycle; ask one that "
                               "keeps more of it");
    }
    UNREACHABLE();
}

Json proof_json(const ledger::MiningRewards& rewards, std::size_t line, const ChainId& chain) {
    const protocol::Claim claim = ledger::claim_of(chain, rewards, line);
    Json path = Json::array();
    for (const Hash& sibling : claim.proof.path) path.push_back(sibling.hex());
    return {{"account", rewards.lines[line].member.hex()},
            {"cycle", claim.cycle},
            {"amount", amount_text(claim.amount)},
            {"line", line},
            {"path", std::move(path)},
            {"root", rewards.root.root.hex()},
            {"claimed", rewards.is_claimed(line)},
            {"claim", to_hex(bcs::encode(claim))}};
}

}  // namespace

Outcome vote_list(Call& call) {
    const auto state = call.args.find<std::string_view>("state").value_or("open");
    const auto list = list_json(call, state);
    if (!list) return query_error(list.error());
    return *list;
}

Outcome vote_get(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const auto vote = queries.vote(call.args.get<Id>("vote"));
    if (!vote) return query_error(vote.error());
    if (!*vote)
        return not_found("not_found", "no vote has this id; vote.list names those there are");
    const View view{*status, queries.pulse(call.host.now())};
    const auto json =
        full_json(call, **vote, view, {call.args.find<Id>("account"), Detail::ballot});
    if (!json) return query_error(json.error());
    return *json;
}

Outcome vote_parameters(Call& call) {
    const auto status = call.host.queries().status();
    if (!status) return query_error(status.error());
    Json rows = Json::array();
    for (const auto& row : protocol::kParamTable) {
        const bool is_fixed = &row == &protocol::kParamTable[protocol::kFixedParam];
        if (!is_fixed) rows.push_back(choice_json(status->bookkeeping.params, row));
    }
    return rows;
}

Outcome reward_list(Call& call) {
    const auto list = rewards_json(call.host.queries());
    if (!list) return query_error(list.error());
    return *list;
}

Outcome reward_proof(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const auto rewards = queries.mining(call.args.get<std::uint64_t>("cycle"));
    if (!rewards) return query_error(rewards.error());
    if (!*rewards) return mining_error(rewards->error());
    const auto line = (*rewards)->line_of(call.args.get<Id>("account"));
    if (!line) return not_found("no_seat", "the account had no seat in that cycle");
    if ((*rewards)->lines[*line].amount.is_zero()) {
        return not_found("nothing_earned", "the account's node signed none of the cycle's blocks");
    }
    return proof_json(**rewards, *line, status->organization.chain);
}

}  // namespace leither::rpc
