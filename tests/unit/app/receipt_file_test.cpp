#include "app/receipt_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

TEST_F(ReceiptFileTest, EveryReadableFieldMustSayWhatIsProven) {
    const json file = json::parse(account_file("alice"));
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
