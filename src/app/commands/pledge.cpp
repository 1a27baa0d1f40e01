#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/act.h"
#include "app/commands/commands.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct PledgeOptions {
    std::string amount;
    std::string from;
    std::string node_key;
    std::string reveal_chain;
    ActOptions act;
};

// What this node, or the one the options name, registers for the account.
protocol::Registration registration_of(Session& session, const PledgeOptions& options,
                                       const Id& owner) {
    json said = {{"node_key", options.node_key}, {"reveal_chain", options.reveal_chain}};
    if (options.node_key.empty()) {
        const json candidacy = session.call("office.status", json::object()).at("candidacy");
        if (!candidacy.is_null() && candidacy.at("account") != owner.hex()) {
            throw CliError(CliExit::refused, "node_in_use",
                           fmt::format("This node stands for {} already.",
                                       candidacy.at("account").get<std::string>()),
                           "A node acts for one candidate only: pledge at another one.");
        }
        said = session.call("office.registration", {{"account", owner.hex()}});
    }
    const auto node_key = PublicKey::parse(said.at("node_key").get<std::string>());
    const auto chain = Hash::parse(said.at("reveal_chain").get<std::string>());
    if (node_key && chain) return {*node_key, *chain};
    throw CliError(CliExit::usage, "bad_key",
                   "--node-key and --reveal-chain must be 64 hexadecimal digits each.",
                   "Ask the other node with: leither committee --registration ACCOUNT");
}

// An act that its owner alone signs.
void act_alone(Session& session, const PledgeOptions& options, const protocol::Action& action,
               const std::string& what) {
    const auto owner = session.key(options.from);
    const auto transaction = wallet::sign(draft_for(session, owner.id()), action, owner, nullptr);
    carry_out(session, transaction, options.act, what);
}

void pledge(Session& session, const PledgeOptions& options) {
    const auto owner = session.key(options.from);
    const Amount amount = session.amount(options.amount);
    const auto registration = registration_of(session, options, owner.id());
    act_alone(session, options, protocol::Pledge{amount, registration},
              fmt::format("{} pledged.", session.format(amount)));
}

void add_from_option(CLI::App& command, PledgeOptions& options) {
    command.add_option("--from", options.from, "Key of the account")->required()->type_name("KEY");
    add_wait_option(command, options.act);
}

}  // namespace

void add_pledge_commands(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<PledgeOptions>();

    auto* lock = cli.add_subcommand("pledge", "Freeze credit and stand as a bookkeeper");
    lock->add_option("AMOUNT", options->amount, "How much")->required();
    auto* key = lock->add_option("--node-key", options->node_key,
                                 "Node that keeps the books; default: this one")
                    ->type_name("HEX");
    auto* chain = lock->add_option("--reveal-chain", options->reveal_chain,
                                   "The reveal chain that node gives for the account")
                      ->type_name("HEX");
    key->needs(chain);
    chain->needs(key);
    add_from_option(*lock, *options);
    lock->footer(
        "Examples:\n"
        "  leither pledge 100 --from anna\n"
        "  leither pledge 100 --from anna --node-key HEX --reveal-chain HEX");
    lock->callback([&session, options] { pledge(session, *options); });

    auto* free = cli.add_subcommand(
        "release", "Announce the end of a pledge; sent again after the delay, get it back");
    add_from_option(*free, *options);
    free->footer("Example: leither release --from anna");
    free->callback([&session, options] {
        act_alone(session, *options, protocol::Release{}, "Release of the pledge sent.");
    });

    auto* cancel = cli.add_subcommand(
        "cancel", "Use up the account's next nonce, so that nothing else signed with it can land");
    add_from_option(*cancel, *options);
    cancel->footer("Example: leither cancel --from anna");
    cancel->callback([&session, options] {
        act_alone(session, *options, protocol::Cancel{}, "Next nonce cancelled.");
    });
}

}  // namespace leither::app
