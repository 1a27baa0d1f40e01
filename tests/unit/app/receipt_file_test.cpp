#include "app/receipt_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "leither/ledger/endorsement.h"

#include "app/cli_error.h"
#include "support/ledger_world.h"

namespace leither::app {
namespace {

using nlohmann::json;
using testing::id_of;
using testing::must;

class ReceiptFileTest : public ::testing::Test {
 protected:
    std::string account_file(const std::string& name) {
        const ledger::Seal& seal = world_.seals.back();
        return receipt_to_text(
            ledger::Receipt{world_.genesis.charter,
                            {},
                            seal.header,
                            seal.certificate,
                            must(world_.tree.prove_at(version_of(seal), id_of(name)))});
    }
    std::string child_file() {
        const ledger::Seal& seal = world_.seals.back();
        return receipt_to_text(
            ledger::ChildReceipt{world_.genesis.charter,
                                 {},
                                 seal.header,
                                 seal.certificate,
                                 must(world_.tree.prove_at(version_of(seal), Prefix{}))});
    }
    std::string endorsed_file(const std::string& name) {
        const ledger::Seal& seal = world_.seals.back();
        auto made =
            must(ledger::endorsable(world_.organization, world_.tree, seal, 0, id_of(name)));
        const Bytes message = signing_message(world_.organization.chain, made.claim);
        return receipt_to_text(
            ledger::EndorsedReceipt{world_.genesis.charter,
                                    {},
                                    seal.header,
                                    seal.certificate,
                                    std::move(made.claim),
                                    std::move(made.path),
                                    {{0, testing::key_of("node").sign(message)}}});
    }
    std::string error_of(const std::string& text, std::optional<Id> organization = {}) {
        try {
            verify_receipt_text(text, organization);
        } catch (const CliError& error) {
            EXPECT_EQ(error.exit(), CliExit::refused);
            return error.name();
        }
        return "none";
    }

    testing::LedgerWorld world_{
        {.params = {}, .supply = 10'000, .allocations = {{"alice", 1234}, {"bob", 0}}}};
};

TEST_F(ReceiptFileTest, AMemberIsProvenInWords) {
    const ProvenFile proven = verify_receipt_text(account_file("alice"), std::nullopt);
    EXPECT_NE(proven.words.find("held 12.34 hour, and 0.00 hour locked"), std::string::npos)
        << proven.words;
    EXPECT_NE(proven.words.find("trusts its bookkeepers"), std::string::npos);
    EXPECT_EQ(json::parse(proven.facts_json).at("balance"), "12.34 hour");
}

TEST_F(ReceiptFileTest, AnAbsentAccountIsProvenToo) {
    const ProvenFile proven = verify_receipt_text(account_file("nobody"), std::nullopt);
    EXPECT_EQ(json::parse(proven.facts_json).at("holds"), "nothing");
    EXPECT_NE(proven.words.find("did not exist"), std::string::npos);
}

TEST_F(ReceiptFileTest, AChildOrganizationIsProvenBySum) {
    const ProvenFile proven = verify_receipt_text(child_file(), std::nullopt);
    EXPECT_EQ(json::parse(proven.facts_json).at("sum"), "100.00 hour");
}

TEST_F(ReceiptFileTest, AnEndorsedMemberIsProvenWithoutKeyAndRole) {
    const std::string text = endorsed_file("alice");
    const ProvenFile proven = verify_receipt_text(text, std::nullopt);
    EXPECT_NE(proven.words.find("(member) held 12.34 hour, and 0.00 hour locked"),
              std::string::npos)
        << proven.words;
    EXPECT_NE(proven.words.find("for strangers"), std::string::npos);
    const json facts = json::parse(proven.facts_json);
    EXPECT_EQ(facts.at("kind"), "endorsed");
    EXPECT_EQ(facts.at("branch_sum"), "100.00 hour");
    EXPECT_FALSE(facts.contains("key") || facts.contains("role"));
    EXPECT_EQ(text.find(testing::key_of("alice").public_key().hex()), std::string::npos);
    EXPECT_NE(verify_receipt_text(endorsed_file("nobody"), std::nullopt).words.find("not exist"),
              std::string::npos);
    EXPECT_NE(
        verify_receipt_text(account_file("alice"), std::nullopt).words.find("only to members"),
        std::string::npos);
}

TEST_F(ReceiptFileTest, EveryReadableFieldMustSayWhatIsProven) {
    for (const json& file :
         {json::parse(account_file("alice")), json::parse(endorsed_file("alice"))}) {
        for (const auto& [name, value] : file.items()) {
            json altered = file;
            altered[name] = value.is_boolean() ? json(!value.get<bool>()) : json("altered");
            EXPECT_NE(error_of(altered.dump()), "none") << name;
            altered.erase(name);
            EXPECT_NE(error_of(altered.dump()), "none") << name;
        }
        json richer = file;
        richer["balance"] = "99.99 hour";
        EXPECT_EQ(error_of(richer.dump()), "field_mismatch");
    }
}

TEST_F(ReceiptFileTest, AnotherOrganizationIsRefused) {
    EXPECT_EQ(error_of(account_file("alice"), world_.organization.treasury), "none");
    EXPECT_EQ(error_of(account_file("alice"), Id()), "wrong_organization");
}

TEST_F(ReceiptFileTest, WhatIsNoReceiptIsRefused) {
    for (const char* text :
         {"", "[]", "{}", "7", "{\"leither_receipt\": 2}", "{\"leither_receipt\": \"1\"}",
          "{\"leither_receipt\": 1}", "{\"leither_receipt\": 1, \"data\": \"zz\"}",
          "{\"leither_receipt\": 1, \"data\": \"00\", \"kind\": 3}"}) {
        EXPECT_EQ(error_of(text), "not_a_receipt") << text;
    }
}

}  // namespace
}  // namespace leither::app
