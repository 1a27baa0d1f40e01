#include "leither/rpc/json.h"

#include <type_traits>

namespace leither::rpc {
namespace {

using namespace protocol;

Json locks_json(const MemberRecord& record) {
    Json locks = Json::array();
    for (const auto& lock : record.locks) {
        Json entry = {{"purpose", "pledge"}, {"amount", amount_text(lock.amount)}};
        if (lock.until) entry["until"] = lock.until->value();
        locks.push_back(std::move(entry));
    }
    return locks;
}

Json fields_json(const MemberRecord& record) {
    Json lanes = Json::array();
    for (const auto& lane : record.lanes) {
        lanes.push_back({{"lane", lane.lane}, {"next", lane.next}});
    }
    Json out = {{"kind", "member"},
                {"key", record.key.hex()},
                {"balance", amount_text(record.balance)},
                {"role", to_string(record.role)},
                {"created", record.created.value()},
                {"locks", locks_json(record)},
                {"lanes", std::move(lanes)},
                {"cycle", record.cycle},
                {"cycle_transactions", record.cycle_transactions}};
    if (record.candidacy) {
        out["candidacy"] = {{"node_key", record.candidacy->node_key.hex()},
                            {"last_link", record.candidacy->last_link.hex()}};
        if (const auto& revealed = record.candidacy->revealed) {
            out["candidacy"]["revealed"] = {{"cycle", revealed->cycle},
                                            {"vote_key", revealed->vote_key.hex()}};
        }
        Json history = Json::array();
        for (const auto& work : record.candidacy->history) {
            history.push_back(
                {{"cycle", work.cycle}, {"assigned", work.assigned}, {"done", work.done}});
        }
        out["candidacy"]["history"] = std::move(history);
    }
    return out;
}

Json fields_json(const TreasuryRecord& record) {
    Json pending = Json::array();
    for (const auto& reward : record.pending) {
        pending.push_back({{"transaction", reward.transaction.hex()},
                           {"member", reward.member.hex()},
                           {"amount", amount_text(reward.amount)},
                           {"due", reward.due.value()}});
    }
    return {{"kind", "treasury"},
            {"balance", amount_text(record.balance)},
            {"pending", std::move(pending)},
            {"day", record.day},
            {"day_base", amount_text(record.day_base)},
            {"day_announced", amount_text(record.day_announced)}};
}

Json fields_json(const BookkeepingRecord& record) {
    Json supervisors = Json::array();
    for (const auto& id : record.supervisors) supervisors.push_back(id.hex());
    Json votes = Json::array();
    for (const auto& open : record.votes) {
        votes.push_back({{"vote", open.vote.hex()}, {"closes", open.closes.value()}});
    }
    Json changes = Json::array();
    for (const auto& coming : record.changes) {
        changes.push_back({{"cycle", coming.cycle},
                           {"parameter", kParamTable[coming.change.param].name},
                           {"value", coming.change.value}});
    }
    return {{"kind", "bookkeeping"},
            {"params", to_json(record.params)},
            {"supervisors", std::move(supervisors)},
            {"members", record.members},
            {"votes", std::move(votes)},
            {"changes", std::move(changes)}};
}

Json seats_json(const Seats& seats) {
    Json out = Json::array();
    for (const auto& seat : seats) {
        out.push_back({{"member", seat.member.hex()},
                       {"node_key", seat.node_key.hex()},
                       {"vote_key", seat.vote_key.hex()}});
    }
    return out;
}

Json committee_json(const Committee& committee) {
    return {{"seats", seats_json(committee.seats)}, {"spares", seats_json(committee.spares)}};
}

Json fields_json(const ElectionRecord& record) {
    Json rewards = Json::array();
    for (const auto& root : record.rewards) {
        rewards.push_back(
            {{"cycle", root.cycle}, {"root", root.root.hex()}, {"claimed", root.claimed}});
    }
    return {{"kind", "election"},
            {"cycle", record.cycle},
            {"first_pulse", record.first_pulse.value()},
            {"end_pulse", record.end_pulse.value()},
            {"first_sequence", record.first_sequence.value()},
            {"seed", record.seed.hex()},
            {"former", seats_json(record.former)},
            {"present", seats_json(record.present)},
            {"next", committee_json(record.next)},
            {"after_next", committee_json(record.after_next)},
            {"ready", record.ready},
            {"rewards", std::move(rewards)}};
}

Json fields_json(const CandidateTable& table) {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
        rows.push_back({{"member", row.member.hex()},
                        {"node_key", row.node_key.hex()},
                        {"pledge", amount_text(row.pledge)}});
    }
    return {{"kind", "candidates"}, {"candidates", std::move(rows)}};
}

Json fields_json(const TallyRecord& tally) {
    return {{"kind", "tally"}, {"blocks", tally.blocks}, {"signed_by", tally.signed_by}};
}

Json fields_json(const VoteRecord& vote) {
    return {{"kind", "vote"},
            {"proposal", vote.proposal.hex()},
            {"proposer", vote.proposer.hex()},
            {"subject", subject_json(vote.subject)},
            {"opened", vote.opened.value()},
            {"closes", vote.closes.value()},
            {"yes", vote.yes},
            {"no", vote.no},
            {"members", vote.members},
            {"outcome", to_string(vote.outcome)}};
}

}  // namespace

std::string amount_text(Amount amount) {
    return std::to_string(amount.units());
}

Json subject_json(const protocol::Subject& subject) {
    if (const auto* proposal = std::get_if<protocol::ParamProposal>(&subject)) {
        return {{"kind", "parameter"},
                {"parameter", kParamTable[proposal->change.param].name},
                {"value", proposal->change.value},
                {"reason", proposal->reason}};
    }
    const auto& grant = std::get<protocol::Grant>(subject);
    return {{"kind", to_string(grant.kind)},
            {"member", grant.member.hex()},
            {"amount", amount_text(grant.amount)},
            {"reason", grant.reason},
            {"proof", grant.proof}};
}

Json to_json(const Synopsis& synopsis) {
    return {{"hash", synopsis.hash.hex()}, {"sum", amount_text(synopsis.sum)}};
}

Json to_json(const Refused& refused) {
    return {{"name", to_string(refused.code)},
            {"actual", refused.actual},
            {"limit", refused.limit},
            {"message", explain(refused)}};
}

Json to_json(const node::Finality& finality) {
    return {{"final", finality.is_final},
            {"certified", finality.is_certified},
            {"countersigned", finality.countersigned},
            {"online", finality.online},
            {"needed", finality.needed},
            {"dissenting", finality.dissenting}};
}

Json to_json(const Params& params) {
    Json out = Json::object();
    for (const auto& row : kParamTable) out[std::string(row.name)] = params.*row.member;
    return out;
}

Json to_json(const Record& record) {
    Json out = std::visit([](const auto& held) { return fields_json(held); }, record);
    out["sum"] = amount_text(sum_of(record).value_or(Amount{}));
    return out;
}

std::string to_text(const Json& json) {
    return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace leither::rpc
