// Names for other people's accounts.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/text_table.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct ContactOptions {
    std::string name;
    std::string account;
};

void add(Session& session, const ContactOptions& options) {
    const auto account = Id::parse(options.account);
    if (!account) {
        throw CliError(CliExit::usage, "bad_account",
                       fmt::format("\"{}\" is no account number.", options.account),
                       "It has 40 hexadecimal digits; its owner sees it with: leither key list");
    }
    const json done = WalletDesk(session).set_contact(*account, options.name);
    session.print(done, fmt::format("{} is called {} here, and wherever an account is asked for.\n",
                                    account->hex(), options.name));
}

void list(Session& session) {
    const json contacts = WalletDesk(session).contacts();
    TextTable table({{"NAME"}, {"ACCOUNT"}});
    for (const json& contact : contacts.at("contacts")) {
        table.add(
            {contact.at("name").get<std::string>(), contact.at("account").get<std::string>()});
    }
    session.print(contacts, table.empty() ? "Nobody has a name here yet; give one with: leither "
                                            "contact add NAME ACCOUNT\n"
                                          : table.text());
}

void remove(Session& session, const ContactOptions& options) {
    const auto* contact = wallet::find_contact(session.contacts(), options.name);
    if (contact == nullptr) {
        throw CliError(CliExit::local, "not_found",
                       fmt::format("Nobody is called \"{}\" here.", options.name),
                       "See the names with: leither contact list");
    }
    const json done = WalletDesk(session).set_contact(contact->account, "");
    session.print(done, fmt::format("{} has no name here any more.\n", contact->account.hex()));
}

}  // namespace

void add_contact_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("contact", "Names for other people's accounts");
    group->require_subcommand(1);
    const auto options = std::make_shared<ContactOptions>();

    auto* give = group->add_subcommand("add", "Call an account by a name, in this wallet alone");
    give->add_option("NAME", options->name, "What to call it")->required();
    give->add_option("ACCOUNT", options->account, "Its 40 digits")->required();
    give->footer("Example: leither contact add bea 77c4bdb7bbc88d611bb02a5c623ee78a218cca70");
    give->callback([&session, options] { add(session, *options); });

    auto* show = group->add_subcommand("list", "All names");
    show->footer("Example: leither contact list");
    show->callback([&session] { list(session); });

    auto* forget = group->add_subcommand("remove", "Forget a name");
    forget->add_option("NAME", options->name, "Which")->required();
    forget->footer("Example: leither contact remove bea");
    forget->callback([&session, options] { remove(session, *options); });
}

}  // namespace leither::app
