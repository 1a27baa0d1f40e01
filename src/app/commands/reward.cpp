#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/decision.h"

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
    const protocol::Reward act{kind_of(options.kind), session.account(options.member),
                               session.amount(options.amount), long_text(options.reason, "reason"),
                               long_text(options.proof, "proof")};
    const auto supervisor = session.supervisor_key(options.act.by);
    const auto transaction = wallet::sign(draft_for(session, supervisor.id()), act, supervisor,
                                          nullptr, cosigners_of(session, options.act));
    // In force, which need not be what the charter says.
    const auto info = session.call("organization.info", nlohmann::json::object());
    const auto publicity = info.at("params").at("publicity_pulses").get<std::uint64_t>();
    carry_out(session, transaction, options.act,
              fmt::format("Reward of {} to {}, to be paid {} pulses after it is committed.",
                          session.format(act.amount), session.display(act.member), publicity));
}

void add_reward_command(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<RewardOptions>();
    auto* command = cli.add_subcommand("reward", "Reward a member from the treasury");
    command->add_option("MEMBER", options->member, "Key name or account number")->required();
    command->add_option("AMOUNT", options->amount, "How much")->required();
    command->add_option("--reason", options->reason, "What for; public to the organization")
        ->required();
    command->add_option("--proof", options->proof, "Where the evidence is");
    command->add_option("--kind", options->kind, "structural, service, operation or mining")
        ->check(CLI::IsMember({"structural", "service", "operation", "mining"}))
        ->capture_default_str();
    add_supervisor_options(*command, options->act);
    command->footer("Example: leither reward anna 40 --reason \"repaired the oven\"");
    command->callback([&session, options] { reward_member(session, *options); });
}

}  // namespace leither::app
