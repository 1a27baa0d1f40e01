#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/io/os_entropy.h"
#include "leither/wallet/payment.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/commands/org_commands.h"
#include "app/csv.h"
#include "app/parameter.h"
#include "app/publishing.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

// One for each organization of the daemon: its id is the key's.
std::string organization_key_name(const Session& session, const std::string& given) {
    if (!given.empty()) return given;
    const std::string& place = session.options().org;
    return place.empty() ? "organization" : "organization-" + place;
}

[[noreturn]] void refuse_usage(const std::string& name, const std::string& message,
                               const std::string& next_step) {
    throw CliError(CliExit::usage, name, message, next_step);
}

}  // namespace

crypto::KeyPair key_or_new(Session& session, const std::string& name) {
    auto known = session.keyring().load(name);
    if (known || known.error() != crypto::KeyFileError::not_found) return session.key(name);
    session.unlock();
    io::OsEntropy entropy;
    const auto fresh = crypto::KeyPair::generate(entropy);
    if (auto added = session.keyring().add(name, fresh, entropy); !added) return session.key(name);
    return fresh;
}

namespace {

Amount parse_for(const OrgOptions& options, const std::string& text, const std::string& what) {
    const auto amount = parse_amount(text, options.decimals);
    if (amount) return *amount;
    refuse_usage("bad_amount", fmt::format("{} \"{}\" is no amount.", what, text),
                 fmt::format("Write digits with at most {} decimals.", options.decimals));
}

// Of a wallet key by its name, the founder's made if there is none, or as 64 digits.
PublicKey public_key_of(Session& session, const OrgOptions& options, const std::string& text) {
    if (const auto key = PublicKey::parse(text)) return *key;
    if (text == options.founder) return key_or_new(session, text).public_key();
    return session.key(text).public_key();
}

// What is wrong with a share's amount or reason; empty if nothing.
std::string complaint_about(const OrgOptions& options, const OrgOptions::Share& share) {
    if (!parse_amount(share.amount, options.decimals)) {
        return fmt::format("\"{}\" is no amount", share.amount);
    }
    const auto& reason = share.reason;
    const bool is_text = reason.size() <= protocol::Text::kMax && bcs::is_utf8(as_bytes(reason));
    if (is_text && !reason.empty()) return "";
    return fmt::format("the reason must have 1 to {} bytes of UTF-8", protocol::Text::kMax);
}

protocol::Allocation allocation_of(Session& session, const OrgOptions& options,
                                   const OrgOptions::Share& share) {
    return {public_key_of(session, options, share.key),
            parse_amount(share.amount, options.decimals).value(), protocol::Text(share.reason)};
}

protocol::Allocations read_allocations(Session& session, const OrgOptions& options) {
    protocol::Allocations allocations;
    for (const OrgOptions::Share& share : options.shares) {
        const std::string complaint = complaint_about(options, share);
        if (complaint.empty() && !allocations.full()) {
            allocations.push_back(allocation_of(session, options, share));
            continue;
        }
        refuse_usage("bad_share",
                     fmt::format("Share {} of the first distribution: {}.", allocations.size() + 1,
                                 complaint.empty() ? "there are too many" : complaint),
                     "Correct it; nothing was founded.");
    }
    if (options.allocation_file.empty()) return allocations;
    CsvReader rows(options.allocation_file, "key,amount,reason");
    while (rows.next()) {
        if (allocations.full()) rows.refuse("too many allocations");
        const OrgOptions::Share share{std::string(rows.text(0)), std::string(rows.text(1)),
                                      std::string(rows.text(2))};
        const std::string complaint = complaint_about(options, share);
        if (!complaint.empty()) rows.refuse(complaint);
        allocations.push_back(allocation_of(session, options, share));
    }
    return allocations;
}

void set_param(protocol::Params& params, const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
        refuse_usage("bad_parameter", fmt::format("\"{}\" sets no parameter.", text),
                     "Write NAME=VALUE, for example vote_pulses=600.");
    }
    const auto& row = parameter_named(text.substr(0, equals));
    params.*row.member = parameter_value(row, text.substr(equals + 1));
}

template <std::size_t Max>
BoundedText<Max> bounded(const std::string& text, const char* what) {
    if (!text.empty() && text.size() <= Max && bcs::is_utf8(as_bytes(text))) {
        return BoundedText<Max>(text);
    }
    refuse_usage("bad_text", fmt::format("The {} must have 1 to {} bytes of UTF-8.", what, Max),
                 "Shorten it.");
}

protocol::Charter charter_of(const OrgOptions& options) {
    if (options.decimals > kDecimalsMax) {
        refuse_usage("bad_decimals", fmt::format("{} decimals are too many.", options.decimals),
                     fmt::format("Choose 0 to {}.", kDecimalsMax));
    }
    protocol::Charter charter;
    charter.name = bounded<64>(options.name, "name");
    charter.unit = bounded<16>(options.unit, "unit");
    charter.decimals = static_cast<std::uint8_t>(options.decimals);
    charter.time_ms = unix_ms_now();
    charter.supply = parse_for(options, options.supply, "The supply");
    charter.announcement = bounded<280>(options.announcement, "announcement");
    for (const auto& text : options.params) set_param(charter.params, text);
    return charter;
}

void add_bookkeeper(protocol::Charter& charter, const std::string& text) {
    const auto key = PublicKey::parse(text);
    if (!key || std::ranges::count(charter.bookkeepers, *key) > 0) {
        refuse_usage("bad_bookkeeper", fmt::format("\"{}\" is no further node's key.", text),
                     "Write the 64 digits of `leither node status` at that node.");
    }
    if (charter.bookkeepers.full()) {
        refuse_usage("too_many_bookkeepers",
                     fmt::format("There can be at most {}.", protocol::kSeatsMax), "Name fewer.");
    }
    charter.bookkeepers.push_back(*key);
}

// ---- Guided founding
// -----------------------------------------------------------------------------

// The answer to a question on the terminal; `usual` if it is left empty.
std::string ask(const std::string& question, const std::string& usual) {
    fmt::print("{}{}: ", question, usual.empty() ? "" : fmt::format(" [{}]", usual));
    std::fflush(stdout);
    std::string answer;
    if (!std::getline(std::cin, answer)) {
        fmt::print("\n");
        refuse_usage("cancelled", "Nothing was founded.", "Begin again, or give --name.");
    }
    const auto begin = answer.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return usual;
    return answer.substr(begin, answer.find_last_not_of(" \t\r") - begin + 1);
}

// Asks until `check`, which throws CliError at what may not be, takes the answer.
std::string ask_until(const std::string& question, const std::string& usual,
                      const std::function<void(const std::string&)>& check) {
    for (;;) {
        std::string answer = ask(question, usual);
        try {
            check(answer);
            return answer;
        } catch (const CliError& error) {
            fmt::print("{} {}\n", error.what(), error.next_step());
        }
    }
}

bool confirm(const std::string& question) {
    const std::string answer = ask(question, "yes");
    return answer == "yes" || answer == "y";
}

// What --help says of each option, one question after the other.
OrgOptions ask_for(const OrgOptions& given) {
    OrgOptions options = given;
    fmt::print("Founding an organization. An empty answer takes what stands in brackets.\n");
    options.name = ask_until("What is it called", "", [](const std::string& text) {
        static_cast<void>(bounded<64>(text, "name"));
    });
    options.unit = ask_until("What is its credit called", given.unit, [](const std::string& text) {
        static_cast<void>(bounded<16>(text, "unit"));
    });
    options.supply = ask_until(
        "How much credit will there ever be", given.supply, [&given](const std::string& text) {
            if (parse_for(given, text, "The supply").is_zero()) {
                refuse_usage("bad_amount", "Without credit there is nothing to pay with.",
                             "Name an amount above zero.");
            }
        });
    options.announcement = ask_until(
        "What shall everybody know of its first distribution", given.announcement,
        [](const std::string& text) { static_cast<void>(bounded<280>(text, "announcement")); });
    if (confirm(
            fmt::format("Found \"{}\" with {} {}", options.name, options.supply, options.unit))) {
        return options;
    }
    refuse_usage("cancelled", "Nothing was founded.", "Begin again, or give --name.");
}
}  // namespace

void found_organization(Session& session, const OrgOptions& options) {
    protocol::Charter charter = charter_of(options);
    auto allocations = read_allocations(session, options);
    const auto node_key = PublicKey::parse(
        session.call("node.status", json::object()).at("node_key").get<std::string>());
    charter.bookkeepers.push_back(node_key.value());
    for (const std::string& text : options.bookkeepers) add_bookkeeper(charter, text);
    charter.founder = key_or_new(session, options.founder).public_key();
    const auto organization =
        key_or_new(session, organization_key_name(session, options.organization_key));
    const auto genesis = wallet::found(std::move(charter), std::move(allocations), organization);
    json result = session.call("organization.create", {{"genesis", to_hex(bcs::encode(genesis))}});
    const std::string id = result.at("id").get<std::string>();
    result["founder"] = crypto::id_of(genesis.charter.charter.founder).hex();
    session.print(result,
                  fmt::format("Founded \"{}\" with {} as its first member and supervisor.\n{}\n"
                              "Let others join with: leither invite\n",
                              options.name, options.founder, id));
}

namespace {

void info(Session& session) {
    const json info = session.call("organization.info", json::object());
    const auto& charter = session.organization().charter;
    session.print(
        info, format_fields({{"name", charter.name},
                             {"id", session.organization().id.hex()},
                             {"chain", session.organization().chain.hex()},
                             {"founded", format_time(charter.time_ms)},
                             {"founder", session.display(crypto::id_of(charter.founder))},
                             {"supply", session.format(charter.supply)},
                             {"treasury", session.format_units(info.at("treasury").at("balance"))},
                             {"members", info.at("bookkeeping").at("members").dump()},
                             {"bookkeepers", std::to_string(charter.bookkeepers.size())},
                             {"announcement", charter.announcement}}));
}

// What the holder of the organization key says of it, for whoever looks for it.
void publish(Session& session, const std::string& given_key) {
    const std::string organization_key = organization_key_name(session, given_key);
    const crypto::KeyPair key = session.key(organization_key);
    const protocol::Manifest manifest =
        manifest_of_draft(session.call("organization.draft", json::object()));
    if (manifest.organization != key.public_key()) {
        throw CliError(CliExit::refused, "wrong_key",
                       fmt::format("\"{}\" is not the key of this organization.", organization_key),
                       "Name the key that founded it with --organization-key.");
    }
    const json done = session.call("organization.publish", sign_manifest(manifest, key));
    session.print(done,
                  fmt::format("Published for {} days. Others find it by its id:\n  leither org "
                              "info {}\n",
                              kManifestDays, key.id().hex()));
}

// Any organization, by its id alone.
void find(Session& session, const std::string& text) {
    const auto id = Id::parse(text);
    if (!id) {
        refuse_usage("bad_id", fmt::format("\"{}\" is no id.", text), "Write 40 hex digits.");
    }
    const json found = session.call("organization.find", {{"organization", id->hex()}});
    std::string keepers;
    for (const json& keeper : found.at("keepers")) {
        for (const json& endpoint : keeper.at("endpoints")) {
            keepers += (keepers.empty() ? "" : ", ") + endpoint.get<std::string>();
        }
    }
    session.print(
        found,
        format_fields({{"name", found.at("name").get<std::string>()},
                       {"id", found.at("id").get<std::string>()},
                       {"chain", found.at("chain_id").get<std::string>()},
                       {"unit", found.at("unit").get<std::string>()},
                       {"sequence", found.at("checkpoint").at("sequence").dump()},
                       {"kept by", keepers},
                       {"published", format_time(found.at("issued_ms").get<std::uint64_t>())},
                       {"holds until", format_time(found.at("expires_ms").get<std::uint64_t>())}}));
}

void follow(Session& session, const std::string& id) {
    const json done = session.call("organization.follow", {{"organization", id}});
    session.print(done, "This node takes part in the organization from now on.\n");
}

}  // namespace

void add_org_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("org", "The organization");
    group->require_subcommand(1);
    const auto options = std::make_shared<OrgOptions>();

    auto* make = group->add_subcommand("create", "Found an organization on the daemon");
    make->add_option("--name", options->name,
                     "What it is called; on a terminal, what is missing is asked for");
    make->add_option("--unit", options->unit, "What its credit is called")->capture_default_str();
    make->add_option("--decimals", options->decimals, "Decimals of amounts")->capture_default_str();
    make->add_option("--supply", options->supply, "All credit there will ever be")
        ->capture_default_str();
    make->add_option("--founder", options->founder, "Key of the first supervisor; made if missing")
        ->capture_default_str();
    make->add_option("--organization-key", options->organization_key,
                     "Key that signs the charter, made if missing; default: organization, or "
                     "organization-NAME with --org NAME");
    make->add_option("--announce", options->announcement, "Reasons for the first distribution");
    make->add_option("--allocate", options->allocation_file,
                     "First distribution: CSV with key,amount,reason")
        ->type_name("FILE");
    make->add_option("--bookkeeper", options->bookkeepers,
                     "Key of another node that keeps the ledger; may be repeated")
        ->type_name("NODE-KEY")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    make->add_option("--param", options->params, "Set a parameter; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    make->footer(
        "Examples:\n"
        "  leither org create\n"
        "  leither org create --name \"Bakers' Row\" --unit hour --supply 10000\n"
        "  leither org create --name Test --allocate first.csv --param pulse_ms=500");
    make->callback([&session, options] {
        if (!options->name.empty()) return found_organization(session, *options);
        const bool can_ask = isatty(STDIN_FILENO) == 1 && !session.wants_json();
        if (!can_ask) throw CLI::RequiredError("--name");
        found_organization(session, ask_for(*options));
    });

    auto* show = group->add_subcommand("info", "What is known of an organization");
    const auto wanted = std::make_shared<std::string>();
    show->add_option("ORG-ID", *wanted,
                     "Any organization, found in the network; else the daemon's");
    show->footer(
        "Examples:\n"
        "  leither org info --json\n"
        "  leither org info 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8");
    show->callback(
        [&session, wanted] { wanted->empty() ? info(session) : find(session, *wanted); });

    auto* tell =
        group->add_subcommand("publish", "Let others find the organization in the network");
    tell->add_option("--organization-key", options->organization_key,
                     "Key that founded it; default: as for org create");
    tell->footer("Example: leither org publish");
    tell->callback([&session, options] { publish(session, options->organization_key); });

    auto* join = group->add_subcommand("follow", "Take part in an organization with this node");
    join->add_option("ORG-ID", *wanted, "Its id")->required();
    join->footer("Example: leither org follow 4c6a381a17a108f3407dfa19f7276d06a4e0b2b8");
    join->callback([&session, wanted] { follow(session, *wanted); });

    add_joining_commands(*group, session);
    add_place_commands(*group, session);
}

}  // namespace leither::app
