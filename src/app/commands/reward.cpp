#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/contributions.h"
#include "app/supervising.h"

namespace leither::app {

namespace {

protocol::RewardKind kind_of(const std::string& name) {
    using protocol::RewardKind;
    for (const auto kind : {RewardKind::structural, RewardKind::service, RewardKind::operation}) {
        if (name == protocol::to_string(kind)) return kind;
    }
    return RewardKind::mining;
}
}  // namespace

void reward_member(Session& session, const RewardOptions& options) {
    const Id member = session.account(options.member);
    const Amount amount = session.amount(options.amount);
    const Grounds grounds = grounds_for(session, member, options.work, options.given);
    const protocol::Reward act{kind_of(options.kind), member, amount, grounds.reason,
                               grounds.proof};
    // In force, which need not be what the charter says.
    const auto info = session.call("organization.info", nlohmann::json::object());
    const auto publicity = info.at("params").at("publicity_pulses").get<std::uint64_t>();
    act_as_supervisors(
        session,
        {.action = act,
         .what = fmt::format("Reward of {} to {}, to be paid {} pulses after it is committed.",
                             session.format(amount), session.display(member), publicity)},
        options.act);
}

void add_reward_command(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<RewardOptions>();
    auto* command = cli.add_subcommand("reward", "Reward a member from the treasury");
    command->add_option("MEMBER", options->member, "Key name or account number")->required();
    command->add_option("AMOUNT", options->amount, "How much")->required();
    add_work_options(*command, options->work);
    command->add_option(
        "--reason", options->given.reason,
        "What for; public to the organization; default: what the contribution says");
    command->add_option("--proof", options->given.proof, "Where the evidence is");
    command->add_option("--kind", options->kind, "structural, service, operation or mining")
        ->check(CLI::IsMember({"structural", "service", "operation", "mining"}))
        ->capture_default_str();
    add_offer_options(*command, options->act);
    command->footer(
        "Examples:\n"
        "  leither reward anna 40 --reason \"repaired the oven\"\n"
        "  leither reward anna 40 --contribution 0f6211ab\n"
        "  leither reward anna 40 --contribution 0f6211ab --offer");
    command->callback([&session, options] { reward_member(session, *options); });
}

}  // namespace leither::app
