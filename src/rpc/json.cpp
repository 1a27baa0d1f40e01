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
                            {"reveal_chain", record.candidacy->reveal_chain.hex()}};
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
    return {{"kind", "bookkeeping"},
            {"params", to_json(record.params)},
            {"supervisors", std::move(supervisors)},
            {"members", record.members}};
}

}  // namespace

std::string amount_text(Amount amount) {
    return std::to_string(amount.units());
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
