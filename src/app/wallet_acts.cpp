#include "app/wallet_acts.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/acts.h"

namespace leither::app {

namespace {

using nlohmann::json;

std::string text(const json& params, const char* field, const char* otherwise = "") {
    return params.value(field, std::string(otherwise));
}

// Smallest units, as the API has them, in the form commands take.
std::string amount_text(const json& params, const char* field, unsigned decimals) {
    const std::string units = text(params, field);
    if (const auto amount = parse_amount(units, 0)) return format_amount(*amount, decimals);
    throw CliError(CliExit::usage, "bad_amount",
                   fmt::format("\"{}\" must be a text of digits, in smallest units.", field),
                   "Send \"1250\" for 12.50 at two decimals.");
}

std::string amount_text(Session& session, const json& params) {
    return amount_text(params, "amount", session.organization().charter.decimals);
}

// Whether others sign elsewhere: then what lacks signatures is sent to them.
ActOptions act_options(const json& params) {
    ActOptions act;
    act.by = text(params, "account");
    act.wait = false;
    act.offer = text(params, "offer") == "yes";
    return act;
}

// ---- Beginning ---------------------------------------------------------------------------------

std::string share_text(const json& share, const char* field) {
    const auto found = share.find(field);
    return found != share.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void found(Session& session, const json& params) {
    OrgOptions options;
    options.name = text(params, "name");
    options.unit = text(params, "unit", options.unit.c_str());
    options.decimals = params.value("decimals", options.decimals);
    if (params.contains("supply")) {
        options.supply = amount_text(params, "supply", std::min(options.decimals, kDecimalsMax));
    }
    options.announcement = text(params, "announcement", options.announcement.c_str());
    options.founder = text(params, "account", options.founder.c_str());
    for (const json& share : params.value("shares", json::array())) {
        options.shares.push_back(
            {share_text(share, "key"),
             amount_text(share, "amount", std::min(options.decimals, kDecimalsMax)),
             share_text(share, "reason")});
    }
    found_organization(session, options);
}

JoinOptions join_options(const json& params) {
    JoinOptions options;
    options.link = text(params, "link");
    options.from = text(params, "account");
    options.note = text(params, "note");
    options.days = params.value("days", options.days);
    options.applicant = text(params, "applicant");
    options.reason = text(params, "reason");
    options.act = act_options(params);
    return options;
}

// ---- Deciding ----------------------------------------------------------------------------------

void change_role(Session& session, const json& params) {
    MemberOptions options;
    options.member = text(params, "member");
    options.role = text(params, "role");
    options.act = act_options(params);
    set_role(session, options);
}

void propose(Session& session, const json& params) {
    VoteOptions options;
    options.reason = text(params, "reason");
    options.proof = text(params, "proof");
    options.act = act_options(params);
    const std::string kind = text(params, "kind");
    if (kind == "parameter") {
        options.parameter = text(params, "parameter");
        options.value = std::to_string(params.value("value", std::uint64_t{0}));
        return propose_parameter(session, options);
    }
    options.member = text(params, "member");
    options.amount = amount_text(session, params);
    const auto reward =
        kind == "structural" ? protocol::RewardKind::structural : protocol::RewardKind::operation;
    propose_reward(session, options, reward);
}

void reward(Session& session, const json& params) {
    RewardOptions options;
    options.member = text(params, "member");
    options.amount = amount_text(session, params);
    options.kind = text(params, "kind", options.kind.c_str());
    options.given = {text(params, "reason"), text(params, "proof")};
    if (params.contains("contribution")) {
        options.work.contributions.push_back(text(params, "contribution"));
    }
    options.act = act_options(params);
    reward_member(session, options);
}

// ---- Tasks -------------------------------------------------------------------------------------

TaskOptions task_options(const json& params) {
    TaskOptions options;
    options.title = text(params, "title");
    options.text = text(params, "text");
    options.days = params.value("days", options.days);
    options.task = text(params, "task");
    options.from = text(params, "account");
    options.worker = text(params, "worker");
    options.note = text(params, "note");
    options.reason = text(params, "reason");
    options.act = act_options(params);
    return options;
}

void promise(Session& session, const json& params) {
    TaskOptions options = task_options(params);
    options.amount = amount_text(session, params);
    create_task(session, options);
}

// Waits for the block: from then on the letters that carry the work are gone, and nobody accepts it
// once more while its pay is only announced.
void confirm(Session& session, const json& params) {
    TaskOptions options = task_options(params);
    options.act.wait = true;
    confirm_task(session, options);
}

// ---- The table ---------------------------------------------------------------------------------

using Command = void (*)(Session& session, const json& params);
template <Command act>
json answer(Session& session, const json& params) {
    act(session, params);
    return session.take_answer();
}

void make_invitation(Session& session, const json& params) {
    InviteOptions options;
    options.by = text(params, "account");
    options.days = params.value("days", options.days);
    invite(session, options);
}
void read_invitation_text(Session& session, const json& params) {
    show_invitation(session, text(params, "text"));
}
void all_standing(Session& session, const json&) {
    show_standing(session, "");
}
void cosign(Session& session, const json& params) {
    cosign_offer(session, {text(params, "id"), act_options(params)});
}
void tag(Session& session, const json& params) {
    add_tag(session, {text(params, "tag"), text(params, "target"), text(params, "account"),
                      params.value("days", kTagDaysMax)});
}
// Commands that are told by the options of joining, and of tasks.
template <void (*act)(Session&, const JoinOptions&)>
void join_act(Session& session, const json& params) {
    act(session, join_options(params));
}
template <void (*act)(Session&, const TaskOptions&)>
void task_act(Session& session, const json& params) {
    act(session, task_options(params));
}
template <void (*act)(Session&)>
void list_act(Session& session, const json&) {
    act(session);
}

const std::map<std::string_view, WalletAct> kActs = {
    {"wallet.found", answer<found>},
    {"wallet.invite", answer<make_invitation>},
    {"wallet.invitation", answer<read_invitation_text>},
    {"wallet.join", answer<join_act<join_organization>>},
    {"wallet.standing", answer<all_standing>},
    {"wallet.applications", answer<list_act<list_applications>>},
    {"wallet.approve", answer<join_act<approve_applicant>>},
    {"wallet.refuse", answer<join_act<refuse_applicant>>},
    {"wallet.sponsor", answer<join_act<sponsor_applicant>>},
    {"wallet.leave", answer<join_act<leave_organization>>},
    {"wallet.set_role", answer<change_role>},
    {"wallet.offers", answer<list_act<list_offers>>},
    {"wallet.cosign", answer<cosign>},
    {"wallet.propose", answer<propose>},
    {"wallet.reward", answer<reward>},
    {"wallet.tag", answer<tag>},
    {"wallet.tasks", answer<list_act<list_tasks>>},
    {"wallet.create_task", answer<promise>},
    {"wallet.claim_task", answer<task_act<claim_task>>},
    {"wallet.submit_task", answer<task_act<submit_task>>},
    {"wallet.confirm_task", answer<confirm>},
    {"wallet.refuse_task", answer<task_act<refuse_task_work>>},
};

}  // namespace

WalletAct find_wallet_act(std::string_view method) {
    const auto act = kActs.find(method);
    return act == kActs.end() ? nullptr : act->second;
}

}  // namespace leither::app
