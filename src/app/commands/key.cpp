#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/io/os_entropy.h"

#include "app/commands/commands.h"
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
    if (!wallet::Keyring::is_valid_name(name)) {
        throw CliError(CliExit::usage, "bad_name",
                       fmt::format("\"{}\" is no name for a key.", name),
                       "Use 1 to 64 of a-z, 0-9, '_', '.' and '-', starting with none of the last "
                       "two.");
    }
    io::OsEntropy entropy;
    const auto key = crypto::KeyPair::generate(entropy);
    if (auto added = session.keyring().add(name, key); !added) {
        const bool exists = added.error() == crypto::KeyFileError::exists;
        throw CliError(
            CliExit::local, crypto::to_string(added.error()),
            exists ? fmt::format("The wallet has a key \"{}\" already.", name)
                   : fmt::format("The key cannot be written to {}.", session.keyring().directory()),
            exists ? "Choose another name." : "Check the directory, or use --wallet.");
    }
    const wallet::NamedKey named{name, key.id(), key.public_key()};
    session.print(key_json(named), key_text(named) + "Back it up: " +
                                       session.keyring().directory() + "/" + name + ".key\n");
}

void show_key(Session& session, const std::string& name) {
    const auto key = session.key(name);
    const wallet::NamedKey named{name, key.id(), key.public_key()};
    session.print(key_json(named), key_text(named));
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
}

}  // namespace leither::app
