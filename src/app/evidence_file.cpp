#include "app/evidence_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/rpc/evidence_json.h"

#include "app/cli_error.h"
#include "app/printable.h"
#include "app/small_file.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using Json = nlohmann::ordered_json;
using ledger::Accused;
using ledger::EvidenceError;
using ledger::Judgement;
using ledger::OffenceKind;

constexpr int kFormat = 1;

[[noreturn]] void refuse(const std::string& name, const std::string& message) {
    throw CliError(CliExit::refused, name, message,
                   std::string(ledger::explain(EvidenceError::malformed).remedy));
}

[[noreturn]] void refuse(EvidenceError error) {
    const auto [cause, remedy] = ledger::explain(error);
    throw CliError(CliExit::refused, ledger::to_string(error),
                   fmt::format("The evidence does not hold: {}", cause), std::string(remedy));
}

Json facts_of(const protocol::Charter& charter, const Judgement& judged) {
    const bool is_fork = judged.name.kind == OffenceKind::fork;
    Json facts = {{"kind", ledger::to_string(judged.name.kind)},
                  {"id", ledger::evidence_id(judged.chain, judged.name).hex()},
                  {"organization", judged.organization.hex()},
                  {"name", charter.name},
                  {"chain_id", judged.chain.hex()},
                  {"cycle", judged.name.cycle},
                  {"height", judged.name.height.value()}};
    if (!is_fork) facts["round"] = judged.name.round;
    facts["after"] = format_time(judged.after_time_ms);
    facts["committee"] = judged.committee;
    facts["guilty"] = rpc::to_json(judged.guilty);
    facts["answerable"] = rpc::to_json(judged.answerable);
    return facts;
}

Judgement judged(const ledger::EvidenceRecord& record, std::optional<Id> organization) {
    auto judgement = ledger::judge(record, {organization, std::nullopt});
    if (!judgement) refuse(judgement.error());
    return *std::move(judgement);
}

// The record inside the file, its form checked.
ledger::EvidenceRecord decode(const Json& file) {
    const auto format = file.is_object() ? file.find("leither_evidence") : file.end();
    if (!file.is_object() || format == file.end() || *format != kFormat) {
        refuse("not_evidence", "This is no evidence file of this version.");
    }
    const auto bytes = hex_field(file, "data");
    if (!bytes) refuse("not_evidence", "The file's field \"data\" is not hexadecimal.");
    auto record = ledger::read_evidence(*bytes);
    if (!record) refuse(record.error());
    return *std::move(record);
}

const char* deed(OffenceKind kind) {
    switch (kind) {
        case OffenceKind::double_proposal: return "proposed two different blocks";
        case OffenceKind::double_prevote: return "cast two different prevotes";
        case OffenceKind::double_precommit: return "cast two different precommits";
        case OffenceKind::fork: return "signed both certificates";
    }
    UNREACHABLE();
}

// The charter's bookkeepers sit with their node keys, without an account.
bool is_of_charter(const Accused& accused) {
    return accused.who.node_key == accused.who.vote_key;
}

std::string lines_of(const std::vector<Accused>& accused) {
    std::string lines;
    for (const Accused& one : accused) {
        lines += fmt::format("  seat {}: {} {}, node key {}\n", one.seat,
                             is_of_charter(one) ? "bookkeeper of the charter, node" : "member",
                             one.who.member.hex(), one.who.node_key.hex());
    }
    return lines;
}

std::string price_of(const std::vector<Accused>& guilty) {
    if (guilty.empty()) return "Nobody loses a pledge by this alone.\n";
    if (is_of_charter(guilty.front())) {
        return "The charter gave the seat, so no pledge answers for it: the organization has to "
               "replace this bookkeeper.\n";
    }
    return "It costs the whole pledge that stood before that term, a tenth for who reports it and "
           "the rest\nfor the treasury, and the candidacy; in that term and the one after it. "
           "Report it with:\nleither evidence report FILE --from KEY\n";
}

std::string words_of(const protocol::Charter& charter, const Judgement& judgement) {
    const auto& name = judgement.name;
    const std::string where =
        fmt::format("in \"{}\" (organization {}), term {}, height {}",
                    printable(charter.name, LineBreaks::escaped), judgement.organization.hex(),
                    name.cycle, name.height.value());
    std::string words;
    if (name.kind == OffenceKind::fork) {
        words = fmt::format("Proven: {}, after {}, the committee of {} decided two blocks.\n",
                            where, format_time(judgement.after_time_ms),
                            count_of(judgement.committee, "seat"));
        if (!judgement.guilty.empty()) {
            words += "Guilty, for they signed both certificates in one round:\n";
        }
    } else {
        words = fmt::format("Proven: {}, round {}, after {}, one of {} {}. Guilty:\n", where,
                            name.round, format_time(judgement.after_time_ms),
                            count_of(judgement.committee, "seat"), deed(name.kind));
    }
    words += lines_of(judgement.guilty);
    if (!judgement.answerable.empty()) {
        words +=
            "Answerable, for they signed both in different rounds, unless prevotes freed them in "
            "between:\n" +
            lines_of(judgement.answerable);
    }
    return words + price_of(judgement.guilty);
}

}  // namespace

std::string evidence_to_text(const ledger::EvidenceRecord& record) {
    Json file = {{"leither_evidence", kFormat}};
    file.update(facts_of(record.charter.charter, judged(record, std::nullopt)));
    file["data"] = to_hex(bcs::encode(record));
    return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

JudgedFile judge_evidence_text(const std::string& text, std::optional<Id> organization) {
    if (text.size() > kEvidenceTextMax) refuse(EvidenceError::too_large);
    const Json file = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const ledger::EvidenceRecord record = decode(file);
    Judgement judgement = judged(record, organization);
    const protocol::Charter& charter = record.charter.charter;
    const Json facts = facts_of(charter, judgement);
    // Whoever reads the file sees these fields, so each must be true and none may be missing.
    for (const auto& [name, proven] : facts.items()) {
        const auto claimed = file.find(name);
        if (claimed != file.end() && *claimed == proven) continue;
        refuse("field_mismatch",
               fmt::format("The field \"{}\" says {}, but {} is proven.", name,
                           claimed == file.end() ? "nothing" : claimed->dump(), proven.dump()));
    }
    std::string words = words_of(charter, judgement);
    return {std::move(judgement), facts.dump(2), std::move(words)};
}

}  // namespace leither::app
