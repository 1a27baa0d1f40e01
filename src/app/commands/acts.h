// Commands that the daemon's wallet carries out too, for its pages (wallet_acts.cpp): what they are
// told, and their verbs. Each answers through Session::print. All throw CliError and RpcError.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leither/protocol/record.h"
#include "leither/protocol/tag.h"

#include "app/act.h"
#include "app/contributions.h"

namespace leither::app {

// ---- org create
struct OrgOptions {
    std::string name;
    std::string unit = "hour";
    unsigned decimals = 2;
    std::string supply = "1000000";
    std::string founder = "founder";
    std::string organization_key;  // empty: the usual one
    std::string announcement = "All credit starts in the treasury; rewards bring it to members.";
    std::string allocation_file;
    std::vector<std::string> params;
    std::vector<std::string> bookkeepers;
    // The first distribution, as the rows of the file say it.
    struct Share {
        std::string key;
        std::string amount;
        std::string reason;
    };
    std::vector<Share> shares;
};
void found_organization(Session& session, const OrgOptions& options);

// ---- invite
struct InviteOptions {
    std::string by;
    unsigned days = 14;
    bool qr = false;
    std::string text;
};
void invite(Session& session, const InviteOptions& options);
void show_invitation(Session& session, const std::string& text);

// ---- org join, applications, approve, refuse, sponsor, leave
struct JoinOptions {
    std::string link;
    std::string from;
    std::string note;
    unsigned days = 14;
    bool status = false;
    // Of those who decide.
    std::string applicant;
    std::string reason;
    std::vector<std::string> to;
    ActOptions act;
};
void join_organization(Session& session, const JoinOptions& options);
// Where the applications of this wallet stand; of one key, if it is named.
void show_standing(Session& session, const std::string& from);
void list_applications(Session& session);
void approve_applicant(Session& session, const JoinOptions& options);
void refuse_applicant(Session& session, const JoinOptions& options);
void sponsor_applicant(Session& session, const JoinOptions& options);
void leave_organization(Session& session, const JoinOptions& options);

// ---- member apply, add, leave, role
struct MemberOptions {
    std::string member;  // key, account or application
    std::string sponsor;
    std::string note;
    std::string expires = "10m";
    std::string role;
    std::uint64_t limit = 100;
    std::string from;
    ActOptions act;
};
void set_role(Session& session, const MemberOptions& options);

// ---- cosign
struct CosignOptions {
    std::string what;
    ActOptions act;
};
void list_offers(Session& session);
void cosign_offer(Session& session, const CosignOptions& options);

// ---- vote
struct VoteOptions {
    std::string vote;
    std::string parameter;
    std::string value;
    std::string member;
    std::string amount;
    std::string reason;
    std::string proof;
    NamedWork work;
    std::string choice;
    std::string from;
    std::string state = "open";
    std::uint64_t limit = 50;
    std::optional<std::uint64_t> before;
    ActOptions act;
};
void propose_parameter(Session& session, const VoteOptions& options);
void propose_reward(Session& session, const VoteOptions& options, protocol::RewardKind kind);

// ---- reward
struct RewardOptions {
    std::string member;
    std::string amount;
    std::string kind = "service";
    NamedWork work;
    GivenGrounds given;
    ActOptions act;
};
void reward_member(Session& session, const RewardOptions& options);

// ---- tag add
inline constexpr unsigned kTagDaysMax =
    std::chrono::duration_cast<std::chrono::hours>(protocol::kTagLifetimeMax).count() / 24;
struct TagOptions {
    std::string tag;
    std::string target;
    std::string from;
    unsigned days = kTagDaysMax;
};
void add_tag(Session& session, const TagOptions& options);

// ---- task create, list, claim, submit, confirm, refuse
struct TaskOptions {
    std::string title;
    std::string amount;
    std::string text;
    unsigned days = 30;
    bool qr = false;
    std::string task;
    std::string from;
    std::string worker;
    std::string note;
    std::string reason;
    bool late = false;
    std::string kind;
    NamedWork work;
    ActOptions act;
};
void create_task(Session& session, const TaskOptions& options);
void list_tasks(Session& session);
void claim_task(Session& session, const TaskOptions& options);
void submit_task(Session& session, const TaskOptions& options);
void confirm_task(Session& session, const TaskOptions& options);
void refuse_task_work(Session& session, const TaskOptions& options);

}  // namespace leither::app
