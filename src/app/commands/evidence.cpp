#include <fstream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/evidence_file.h"
#include "app/small_file.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

struct EvidenceOptions {
    std::string subject;  // id or file
    std::string file;
    std::string organization;
    std::string from;
    std::optional<std::uint16_t> seat;
    ActOptions act;
};

std::string seats_of(const json& item) {
    if (item.contains("seat")) return item.at("seat").dump();
    std::string seats;
    for (const json& guilty : item.value("guilty", json::array())) {
        seats += (seats.empty() ? "" : ",") + guilty.at("seat").dump();
    }
    return seats.empty() ? "-" : seats;
}

void list(Session& session) {
    const json items = session.call("evidence.list", json::object());
    TextTable table({{"ID"},
                     {"KIND"},
                     {"TERM", Align::right},
                     {"HEIGHT", Align::right},
                     {"SEAT", Align::right},
                     {"PLEDGE AT STAKE", Align::right}});
    for (const json& item : items) {
        const json& stake = item.at("at_stake");
        table.add({item.at("id").get<std::string>().substr(0, 16),
                   item.at("kind").get<std::string>(), item.at("cycle").dump(),
                   item.at("height").dump(), seats_of(item),
                   stake.is_null() ? "none" : session.format_units(stake)});
    }
    session.print(items,
                  items.empty() ? "Nothing is recorded against any bookkeeper.\n" : table.text());
}

// The whole id of what the daemon has recorded, by its first digits.
std::string whole_id(Session& session, const std::string& digits) {
    constexpr std::size_t kDigitsMin = 4;
    std::vector<std::string> found;
    for (const json& item : session.call("evidence.list", json::object())) {
        auto id = item.at("id").get<std::string>();
        if (id.starts_with(digits)) found.push_back(std::move(id));
    }
    if (digits.size() < kDigitsMin || found.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {}.", digits, count_of(found.size(), "record")),
                       "Write more digits of it.");
    }
    if (!found.empty()) return found.front();
    throw CliError(CliExit::refused, "not_found",
                   fmt::format("The daemon has recorded no evidence {}.", digits),
                   "See what it has with: leither evidence list");
}

// As a file would hold it.
std::string text_from_daemon(Session& session, const std::string& digits) {
    const json answer = session.call("evidence.get", {{"id", whole_id(session, digits)}});
    const auto bytes = from_hex(answer.at("evidence").get<std::string>());
    const auto record = ledger::read_evidence(bytes.value_or(Bytes()));
    if (record) return evidence_to_text(*record);
    throw CliError(CliExit::unreachable, "bad_evidence",
                   "The daemon's evidence cannot be read by this version of leither.",
                   "Use the versions of leither and leitherd that belong together.");
}

void export_record(Session& session, const EvidenceOptions& options) {
    const std::string text = text_from_daemon(session, options.subject);
    std::ofstream file(options.file, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    if (!file) {
        throw CliError(CliExit::local, "io", fmt::format("{} cannot be written.", options.file),
                       "Choose another place.");
    }
    session.print({{"file", options.file}},
                  fmt::format("{}Written to {}.\n", judge_evidence_text(text, std::nullopt).words,
                              options.file));
}

std::optional<Id> expected_organization(const EvidenceOptions& options) {
    if (options.organization.empty()) return std::nullopt;
    if (const auto id = Id::parse(options.organization)) return id;
    throw CliError(CliExit::usage, "bad_id", "--organization must be 40 hexadecimal digits.");
}

void verify(Session& session, const EvidenceOptions& options) {
    const JudgedFile judged = judge_evidence_text(
        read_small_file(options.subject, kEvidenceTextMax), expected_organization(options));
    session.print(json::parse(judged.facts_json), judged.words);
}

// Which of the guilty the report is about.
std::size_t chosen(const ledger::Judgement& judgement, std::optional<std::uint16_t> seat) {
    const auto& guilty = judgement.guilty;
    if (guilty.empty()) {
        throw CliError(CliExit::refused, "nobody_guilty",
                       "Nobody signed both in one round, so the ledger's rule takes nothing.",
                       "Show the evidence to the members: the organization decides.");
    }
    if (!seat && guilty.size() > 1) {
        throw CliError(CliExit::usage, "several_guilty",
                       fmt::format("{} are guilty.", count_of(guilty.size(), "seat")),
                       "Choose one with --seat, and report each.");
    }
    for (std::size_t i = 0; i < guilty.size(); ++i) {
        if (!seat || guilty[i].seat == *seat) return i;
    }
    throw CliError(CliExit::usage, "bad_seat",
                   fmt::format("Seat {} is not among the guilty.", *seat),
                   "See them with: leither evidence verify FILE");
}

void report(Session& session, const EvidenceOptions& options) {
    const bool is_file = std::ifstream(options.subject).good();
    const std::string text = is_file ? read_small_file(options.subject, kEvidenceTextMax)
                                     : text_from_daemon(session, options.subject);
    const JudgedFile judged = judge_evidence_text(text, session.organization().id);
    const std::size_t which = chosen(judged.judgement, options.seat);
    const auto reporter = session.key(options.from);
    const Id& accused = judged.judgement.guilty[which].who.member;
    const protocol::Evidence act{accused, judged.judgement.conflicts[which]};
    const auto transaction =
        wallet::sign(draft_for(session, reporter.id()), act, reporter, nullptr);
    carry_out(session, transaction, options.act,
              fmt::format("Evidence against {} sent.", session.display(accused)));
}

}  // namespace

void add_evidence_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("evidence", "Proofs that a bookkeeper broke the rules");
    group->require_subcommand(1);
    const auto options = std::make_shared<EvidenceOptions>();

    auto* all = group->add_subcommand("list", "What the daemon has recorded");
    all->footer("Example: leither evidence list");
    all->callback([&session] { list(session); });

    auto* get = group->add_subcommand("export", "Write evidence to a file that proves itself");
    get->add_option("ID", options->subject, "Its id, or the first digits of it")->required();
    get->add_option("FILE", options->file, "File to write")->required();
    get->footer("Example: leither evidence export 5c1e0a77 seat-2.json");
    get->callback([&session, options] { export_record(session, *options); });

    auto* check = group->add_subcommand("verify", "Judge evidence; needs no daemon");
    check->add_option("FILE", options->subject, "Evidence file")->required();
    check->add_option("--organization", options->organization,
                      "Refuse evidence of any other organization");
    check->footer("Example: leither evidence verify seat-2.json");
    check->callback([&session, options] { verify(session, *options); });

    auto* tell = group->add_subcommand("report", "Have the ledger take the pledge");
    tell->add_option("FILE|ID", options->subject, "Evidence file, or id in the daemon")->required();
    tell->add_option("--from", options->from, "Key of the member who reports, and is rewarded")
        ->required()
        ->type_name("KEY");
    tell->add_option("--seat", options->seat, "Whom to report if several are guilty")
        ->type_name("N");
    add_wait_option(*tell, options->act);
    tell->footer("Example: leither evidence report seat-2.json --from anna");
    tell->callback([&session, options] { report(session, *options); });
}

}  // namespace leither::app
