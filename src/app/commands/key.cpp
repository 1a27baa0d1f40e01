#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/io/os_entropy.h"

#include "app/commands/commands.h"
#include "app/passphrase.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

json key_json(const wallet::NamedKey& key) {
    return {{"name", key.name}, {"account", key.id.hex()}, {"key", key.key.hex()}};
}

std::string key_text(const wallet::NamedKey& key) {
    return format_fields({{"name", key.name}, {"account", key.id.hex()}, {"key", key.key.hex()}});
}

void make_key(Session& session, const std::string& name) {
    const auto named = new_key(session, name);
    session.print(key_json(named), key_text(named) + "Back it up: " +
                                       session.keyring().directory() + "/" + name + ".key\n");
}

// What a key file tells without its passphrase.
void show_key(Session& session, const std::string& name) {
    for (const auto& known : session.keyring().list()) {
        if (known.name != name && known.id.hex() != name) continue;
        return session.print(key_json(known), key_text(known));
    }
    session.key(name);  // says what is wrong with it
}

void list_keys(Session& session) {
    json items = json::array();
    TextTable table({{"NAME"}, {"ACCOUNT"}, {"KEY"}});
    for (const auto& key : session.keyring().list()) {
        items.push_back(key_json(key));
        table.add({key.name, key.id.hex(), key.key.hex()});
    }
    session.print(items, table.empty()
                             ? "The wallet is empty; make a key with: leither key new NAME\n"
                             : table.text());
}

json protection_json(Session& session) {
    return {{"encrypted", session.keyring().is_protected()},
            {"keys", session.keyring().list().size()}};
}

void protect(Session& session) {
    auto& keyring = session.keyring();
    const auto what = keyring.is_protected() ? AskFor::the_passphrase : AskFor::a_new_passphrase;
    const auto keys = keyring.list();
    if (keys.empty()) fail_on_passphrase(wallet::KeyringError::empty, keyring.directory());
    const auto passphrase = read_passphrase(session.options().passphrase_fd, what);
    if (!passphrase) {
        throw CliError(CliExit::local, "no_passphrase", "There is nowhere to ask for a passphrase.",
                       "Run this on a terminal, or give it by --passphrase-fd or "
                       "LEITHER_PASSPHRASE_FILE.");
    }
    io::OsEntropy entropy;
    if (auto done = keyring.protect(passphrase->view(), entropy); !done) {
        fail_on_passphrase(done.error(), keyring.directory());
    }
    session.print(protection_json(session),
                  fmt::format("Sealed: {} of {}. Without the passphrase nobody can use them, you "
                              "neither: there is no other way in. Copies from before, in backups, "
                              "are still plain.\n",
                              keys.size() == 1 ? "One key" : fmt::format("{} keys", keys.size()),
                              keyring.directory()));
}

void unprotect(Session& session) {
    auto& keyring = session.keyring();
    if (!keyring.is_protected()) {
        fail_on_passphrase(wallet::KeyringError::not_protected, keyring.directory());
    }
    session.unlock();
    if (auto done = keyring.unprotect(); !done) {
        fail_on_passphrase(done.error(), keyring.directory());
    }
    session.print(protection_json(session),
                  fmt::format("The keys of {} are plain files now: whoever reads them can spend.\n",
                              keyring.directory()));
}

}  // namespace

void add_key_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("key", "Keys of the wallet");
    group->require_subcommand(1);
    const auto name = std::make_shared<std::string>();

    auto* make = group->add_subcommand("new", "Make a key");
    make->add_option("NAME", *name, "What to call it")->required();
    make->footer("Example: leither key new anna");
    make->callback([&session, name] { make_key(session, *name); });

    auto* show = group->add_subcommand("show", "Show a key's account number and public key");
    show->add_option("NAME", *name, "Name, or account number")->required();
    show->footer("Example: leither key show anna");
    show->callback([&session, name] { show_key(session, *name); });

    auto* list = group->add_subcommand("list", "List all keys");
    list->footer("Example: leither key list --json");
    list->callback([&session] { list_keys(session); });

    auto* seal = group->add_subcommand("protect", "Seal all keys under one passphrase");
    seal->footer(
        "Examples:\n"
        "  leither key protect\n"
        "  leither --passphrase-fd 3 key protect 3< passphrase.txt");
    seal->callback([&session] { protect(session); });

    auto* open = group->add_subcommand("unprotect", "Make all keys plain files again");
    open->footer("Example: leither key unprotect");
    open->callback([&session] { unprotect(session); });
}

}  // namespace leither::app
