#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/crypto/hash_chain.h"
#include "leither/protocol/domain_tags.h"

#include "app/act.h"
#include "app/commands/commands.h"

namespace leither::app {

namespace {

using nlohmann::json;

// A candidate reveals one link a cycle; a year of half-hour cycles and some.
constexpr unsigned kRevealLinks = 20'000;
// Which of the keys derived from a wallet key is the reveal chain's secret end.
constexpr std::uint64_t kRevealFamily = 1;

struct PledgeOptions {
    std::string amount;
    std::string from;
    std::string node_key;
    ActOptions act;
};

// The head of the chain that the key's owner can always compute again.
Hash reveal_chain_head(Session& session, const crypto::KeyPair& owner) {
    auto seed = crypto::derive_key(owner.seed(), kRevealFamily).seed();
    const Hash secret = crypto::blake2b_256(seed);
    return crypto::HashChain(protocol::tags::kRevealLink, session.organization().chain, secret,
                             kRevealLinks)
        .head();
}

PublicKey node_key_of(Session& session, const PledgeOptions& options) {
    const std::string hex =
        options.node_key.empty()
            ? session.call("node.status", json::object()).at("node_key").get<std::string>()
            : options.node_key;
    if (const auto key = PublicKey::parse(hex)) return *key;
    throw CliError(CliExit::usage, "bad_key", "--node-key must be 64 hexadecimal digits.");
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
    const protocol::Registration registration{node_key_of(session, options),
                                              reveal_chain_head(session, owner)};
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
    lock->add_option("--node-key", options->node_key,
                     "Node that keeps the books; default: this one")
        ->type_name("HEX");
    add_from_option(*lock, *options);
    lock->footer("Example: leither pledge 100 --from anna");
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
