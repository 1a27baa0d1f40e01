#include "app/receipt_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/cli_error.h"
#include "app/small_file.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

[[noreturn]] void refuse(const std::string& name, const std::string& message) {
    throw CliError(CliExit::refused, name, message,
                   "Do not rely on this receipt; ask its owner to export a new one.");
}

[[noreturn]] void refuse(ledger::ReceiptError error) {
    refuse(ledger::to_string(error),
           fmt::format("The receipt does not hold: {}.", ledger::to_string(error)));
}

std::string amount_in(const protocol::Charter& charter, Amount amount) {
    return format_amount(amount, charter.decimals) + " " + charter.unit;
}

// What every receipt says of its organization and moment.
template <class P>
Json common_facts(const protocol::Charter& charter, const P& proven) {
    return {{"organization", proven.organization.hex()},
            {"name", charter.name},
            {"sequence", proven.sequence.value()},
            {"time", format_time(proven.time_ms)},
            {"trusted", proven.trusted}};
}

void add_member(Json& facts, const protocol::Charter& charter,
                const protocol::MemberRecord& member) {
    const Amount sum = protocol::sum_of(member).value_or(Amount());
    facts["holds"] = "member";
    facts["key"] = member.key.hex();
    facts["role"] = protocol::to_string(member.role);
    facts["balance"] = amount_in(charter, member.balance);
    facts["locked"] = amount_in(charter, sum.minus(member.balance).value_or(Amount()));
}

Json facts_of(const ledger::Receipt& receipt, const ledger::Proven& proven) {
    const protocol::Charter& charter = receipt.charter.charter;
    Json facts = common_facts(charter, proven);
    facts["account"] = receipt.proof.id.hex();
    if (!proven.record) {
        facts["holds"] = "nothing";
    } else if (const auto* member = std::get_if<protocol::MemberRecord>(&*proven.record)) {
        add_member(facts, charter, *member);
    } else if (const auto* treasury = std::get_if<protocol::TreasuryRecord>(&*proven.record)) {
        facts["holds"] = "treasury";
        facts["balance"] = amount_in(charter, treasury->balance);
    } else {
        facts["holds"] =
            std::holds_alternative<protocol::VoteRecord>(*proven.record) ? "vote" : "bookkeeping";
    }
    return facts;
}

std::string text_of(const Prefix& prefix) {
    return fmt::format("{}/{}", prefix.id.hex(), prefix.bits);
}

Json facts_of(const ledger::EndorsedReceipt& receipt, const ledger::ProvenEndorsed& proven) {
    const protocol::Charter& charter = receipt.charter.charter;
    Json facts = common_facts(charter, proven);
    facts["account"] = proven.account.hex();
    facts["holds"] = proven.holding ? protocol::to_string(proven.holding->kind) : "nothing";
    if (proven.holding) {
        facts["balance"] = amount_in(charter, proven.holding->balance);
        facts["locked"] = amount_in(charter, proven.holding->frozen);
    }
    facts["branch"] = text_of(proven.branch);
    facts["branch_sum"] = amount_in(charter, proven.branch_sum);
    return facts;
}

Json facts_of(const ledger::ChildReceipt& receipt, const ledger::ProvenChild& proven) {
    const protocol::Charter& charter = receipt.charter.charter;
    Json facts = common_facts(charter, proven);
    facts["prefix"] = text_of(receipt.proof.prefix);
    facts["hash"] = proven.synopsis.hash.hex();
    facts["sum"] = amount_in(charter, proven.synopsis.sum);
    return facts;
}

template <class R>
Json prove(const R& receipt, std::optional<Id> organization) {
    const auto proven = ledger::verify(receipt, organization);
    if (!proven) refuse(proven.error());
    return facts_of(receipt, *proven);
}

struct KindOf {
    const char* operator()(const ledger::Receipt&) const { return "account"; }
    const char* operator()(const ledger::ChildReceipt&) const { return "child"; }
    const char* operator()(const ledger::EndorsedReceipt&) const { return "endorsed"; }
};
const char* kind_of(const AnyReceipt& receipt) {
    return std::visit(KindOf{}, receipt);
}

bool field_is(const Json& file, const char* name, const Json& value) {
    const auto field = file.find(name);
    return field != file.end() && *field == value;
}

// The receipt inside the file, its form checked.
AnyReceipt decode(const Json& file) {
    if (!file.is_object() || !field_is(file, "leither_receipt", kFormat)) {
        refuse("not_a_receipt", "This is no receipt file of this version.");
    }
    const auto bytes = hex_field(file, "data");
    if (!bytes) refuse("not_a_receipt", "The file's field \"data\" is not hexadecimal.");
    if (field_is(file, "kind", "child")) {
        if (auto receipt = bcs::decode<ledger::ChildReceipt>(*bytes)) return std::move(*receipt);
    } else if (field_is(file, "kind", "endorsed")) {
        if (auto receipt = bcs::decode<ledger::EndorsedReceipt>(*bytes)) return std::move(*receipt);
    } else {
        if (auto receipt = bcs::decode<ledger::Receipt>(*bytes)) return std::move(*receipt);
    }
    refuse("not_a_receipt", "The file's field \"data\" is no receipt.");
}

std::string value_text(const Json& facts, const char* field) {
    const Json& value = facts.at(field);
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string held_words(const Json& facts) {
    const std::string& holds = facts.at("holds").get_ref<const std::string&>();
    const std::string account = value_text(facts, "account");
    if (holds == "nothing") return fmt::format("account {} did not exist", account);
    if (holds == "treasury") {
        return fmt::format("the treasury held {}", value_text(facts, "balance"));
    }
    if (holds == "member") {
        const std::string role = facts.contains("role") ? value_text(facts, "role") : "member";
        return fmt::format("account {} ({}) held {}, and {} locked", account, role,
                           value_text(facts, "balance"), value_text(facts, "locked"));
    }
    if (holds == "vote") return fmt::format("account {} was a vote of the members", account);
    return fmt::format("account {} keeps the books and holds no credit", account);
}

std::string proven_words(const Json& facts) {
    const std::string what =
        facts.contains("prefix")
            ? fmt::format("the accounts below {} held {} together", value_text(facts, "prefix"),
                          value_text(facts, "sum"))
            : held_words(facts);
    std::string words =
        fmt::format("Proven: in \"{}\" (organization {}), at sequence {} of {}, {}.\n",
                    value_text(facts, "name"), value_text(facts, "organization"),
                    value_text(facts, "sequence"), value_text(facts, "time"), what);
    if (facts.at("trusted") == true) {
        words += "The committee is smaller than 4: the proof trusts its bookkeepers not to lie.\n";
    }
    return words;
}

// What whoever reads the file learns beside.
struct ShownWords {
    const Json& facts;
    std::string operator()(const ledger::Receipt&) const {
        const bool is_member = facts.at("holds") == "member";
        return fmt::format(
            "Full form: the file also shows {}sums beside its path, the lowest often one "
            "neighbour's balance. Show it only to members and to those entitled.\n",
            is_member ? "the account's key, role and nonces, and " : "");
    }
    std::string operator()(const ledger::ChildReceipt&) const { return {}; }
    std::string operator()(const ledger::EndorsedReceipt& receipt) const {
        const std::string sums =
            receipt.claim.slot.branch.bits == 0
                ? std::string("the sum of all accounts")
                : fmt::format("sums of 64 accounts or more, such as {} below {}",
                              value_text(facts, "branch_sum"), value_text(facts, "branch"));
        return fmt::format(
            "Endorsed form, for strangers: the bookkeepers in office answer for it. The file also "
            "shows {}; no neighbour's balance, and neither key nor role of the account.\n",
            sums);
    }
};

std::string words_of(const Json& facts, const AnyReceipt& receipt) {
    return proven_words(facts) + std::visit(ShownWords{facts}, receipt);
}

}  // namespace

std::string receipt_to_text(const AnyReceipt& receipt) {
    Json file = {{"leither_receipt", kFormat}, {"kind", kind_of(receipt)}};
    file.update(std::visit([](const auto& r) { return prove(r, std::nullopt); }, receipt));
    file["data"] = std::visit([](const auto& r) { return to_hex(bcs::encode(r)); }, receipt);
    return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

ProvenFile verify_receipt_text(const std::string& text, std::optional<Id> organization) {
    if (text.size() > kReceiptBytesMax)
        refuse("not_a_receipt", "The file is too large for a receipt.");
    const Json file = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const AnyReceipt receipt = decode(file);
    Json facts = std::visit([&](const auto& r) { return prove(r, organization); }, receipt);
    facts["kind"] = kind_of(receipt);
    // Whoever reads the file sees these fields, so each must be true and none may be missing.
    for (const auto& [name, proven] : facts.items()) {
        const auto claimed = file.find(name);
        if (claimed != file.end() && *claimed == proven) continue;
        refuse("field_mismatch",
               fmt::format("The field \"{}\" says {}, but {} is proven.", name,
                           claimed == file.end() ? "nothing" : claimed->dump(), proven.dump()));
    }
    return {facts.dump(2), words_of(facts, receipt)};
}

}  // namespace leither::app
