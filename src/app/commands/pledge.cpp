#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/wallet_files.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct PledgeOptions {
    std::string id;  // of a payment to take back
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

// What was signed for a request and is in no block yet, by its id or the request's, or their first
// digits. Throws CliError.
protocol::Transaction signed_payment(Session& session, const std::string& id) {
    constexpr std::size_t kDigitsMin = 4;
    const auto journal = WalletFiles(session.keyring().directory()).journal();
    const ChainId& chain = session.organization().chain;
    std::vector<const wallet::Paying*> found;
    for (const auto* paying : journal.payments()) {
        if (paying->chain != chain) continue;
        const Hash request = wallet::request_id(chain, wallet::request_of(*paying));
        const Hash transaction = protocol::transaction_id(chain, paying->transaction.body);
        if (request.hex().starts_with(id) || transaction.hex().starts_with(id)) {
            found.push_back(paying);
        }
    }
    if (found.size() == 1 && id.size() >= kDigitsMin) return found.front()->transaction;
    throw CliError(
        CliExit::usage, found.size() > 1 ? "ambiguous_id" : "not_found",
        fmt::format("\"{}\" names {} of the payments this wallet has signed.", id, found.size()),
        "See them with: leither requests");
}

// In the place of what may not be committed any more.
void cancel(Session& session, const PledgeOptions& options) {
    if (options.id.empty()) {
        return act_alone(session, options, protocol::Cancel{}, "Next nonce cancelled.");
    }
    const auto owner = session.key(options.from);
    const auto former = signed_payment(session, options.id);
    if (former.body.signer != owner.id()) {
        throw CliError(CliExit::usage, "wrong_signer", "Another account has signed that payment.",
                       "Name it: --from " + former.body.signer.hex());
    }
    auto draft = draft_for(session, owner.id());
    draft.nonce = former.body.nonce;
    const auto transaction = wallet::sign(draft, protocol::Cancel{}, owner, nullptr);
    carry_out(session, transaction, options.act,
              "Taken back: what was signed with that number can be committed no more.");
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

    auto* undo = cli.add_subcommand(
        "cancel",
        "Use up a nonce of the account, so that nothing else signed with it can land: that of a "
        "payment this wallet has signed, else the next one");
    undo->add_option("ID", options->id,
                     "The payment, or its request, as leither requests lists it");
    add_from_option(*undo, *options);
    undo->footer(
        "Examples:\n"
        "  leither cancel 3f2a81c04d77 --from anna\n"
        "  leither cancel --from anna");
    undo->callback([&session, options] { cancel(session, *options); });
}

}  // namespace leither::app
