// Contributions: what may be in them, their worked bytes, and how a reward's proof names them.
#include "leither/protocol/contribution.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/protocol/catalogue_messages.h"

#include "support/org/org_sample.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

using testing::kSampleNow;

class ContributionTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    // What the documents show: a collector who builds on a developer's plugin.
    SignedContribution plugin() const {
        Contribution made;
        made.author = sample.bob.public_key();
        made.kind = ContributionKind::development;
        made.text = LongText("a plugin that collects recipes");
        made.issued_ms = testing::kSampleMs;
        return sign(sample.chain, made, sample.bob);
    }
    SignedContribution recipes() const {
        Contribution made;
        made.author = sample.alice.public_key();
        made.kind = ContributionKind::production;
        made.text = LongText("200 recipes");
        made.evidence = decltype(made.evidence)("pack Recipes 1");
        made.builds_on.push_back(contribution_id(sample.chain, plugin().contribution));
        made.issued_ms = testing::kSampleMs;
        return sign(sample.chain, made, sample.alice);
    }

    testing::OrgSample sample;
};

TEST_F(ContributionTest, EachKindHasItsWord) {
    for (const char* word : {"development", "production", "support", "promotion", "appreciation"}) {
        const auto kind = contribution_kind(word);
        ASSERT_TRUE(kind) << word;
        EXPECT_STREQ(to_string(*kind), word);
    }
    EXPECT_FALSE(contribution_kind("mining"));
    EXPECT_FALSE(contribution_kind(""));
}

TEST_F(ContributionTest, SaysSomethingInPlainTextAndNamesBasesRisingAndOnce) {
    Contribution made = recipes().contribution;
    EXPECT_TRUE(made.is_canonical());
    made.text = {};
    EXPECT_FALSE(made.is_canonical());
    made.text = LongText("two\nlines");
    EXPECT_FALSE(made.is_canonical());
    made.text = LongText("plain");
    made.evidence = decltype(made.evidence)("a\x1b[31m");
    EXPECT_FALSE(made.is_canonical());
    made.evidence = {};
    EXPECT_TRUE(made.is_canonical());
    const Hash low = Hash::copy_of(Bytes(32, 1));
    const Hash high = Hash::copy_of(Bytes(32, 2));
    made.builds_on = {low, high};
    EXPECT_TRUE(made.is_canonical());
    made.builds_on = {high, low};
    EXPECT_FALSE(made.is_canonical());
    made.builds_on = {low, low};
    EXPECT_FALSE(made.is_canonical());
}

TEST_F(ContributionTest, IsOfOneOrganizationAndNeverExpires) {
    const SignedContribution made = recipes();
    EXPECT_TRUE(check(made, sample.chain, kSampleNow).has_value());
    EXPECT_TRUE(check(made, sample.chain, kSampleNow + std::chrono::hours(24 * 3650)).has_value());
    EXPECT_EQ(check(made, ChainId{}, kSampleNow).error(), RecordError::bad_signature);
    EXPECT_NE(contribution_id(sample.chain, made.contribution),
              contribution_id(ChainId{}, made.contribution));
    const Instant early = kSampleNow - kClockTolerance - std::chrono::seconds(1);
    EXPECT_EQ(check(made, sample.chain, early).error(), RecordError::from_the_future);
    SignedContribution altered = made;
    altered.contribution.kind = ContributionKind::support;
    EXPECT_EQ(check(altered, sample.chain, kSampleNow).error(), RecordError::bad_signature);
}

TEST_F(ContributionTest, TheLongestFillsItsMaximumAndTheMessagesHoldIt) {
    Contribution made = recipes().contribution;
    made.text.assign(LongText::kMax, 'a');
    made.evidence.assign(decltype(made.evidence)::kMax, 'a');
    made.builds_on.resize(kBasesMax);
    EXPECT_EQ(bcs::encode(SignedContribution{made, {}}).size(), kSignedContributionBytesMax);
    static_assert(kSignedContributionBytesMax < kSignedPackBytesMax);
}

TEST_F(ContributionTest, AProofNamesThemBesideOtherWords) {
    const Hash one = Hash::copy_of(Bytes(32, 0x11));
    const Hash two = Hash::copy_of(Bytes(32, 0x22));
    EXPECT_EQ(proof_text({}, ""), "");
    EXPECT_EQ(proof_text({}, "photo in the hall"), "photo in the hall");
    EXPECT_EQ(proof_text({one}, ""), "contribution:" + one.hex());
    const std::string proof = proof_text({one, two}, "photo in the hall");
    EXPECT_EQ(proof,
              "contribution:" + one.hex() + " contribution:" + two.hex() + " photo in the hall");
    EXPECT_EQ(contributions_in(proof), (std::vector{one, two}));
    EXPECT_EQ(contributions_in("see contribution:" + two.hex()), std::vector{two});
    EXPECT_EQ(contributions_in(proof + " contribution:" + one.hex()).size(), 2u);  // each once
    const std::vector<Hash> most(kRewardedMax, one);
    EXPECT_LE(proof_text(most, "").size(), LongText::kMax);
}

TEST_F(ContributionTest, WhatOnlyLooksLikeANameIsForPeople) {
    const std::string hex = Hash::copy_of(Bytes(32, 0x11)).hex();
    for (const std::string& proof :
         {std::string(), std::string(" "), std::string("contribution:"), hex,
          "contribution:" + hex.substr(1), "contribution:" + hex + "1", "contribution: " + hex,
          "Contribution:" + hex, "x" + ("contribution:" + hex), "contribution:" + hex + ","}) {
        EXPECT_TRUE(contributions_in(proof).empty()) << proof;
    }
}

TEST_F(ContributionTest, EncodesAndHashesAsShown) {
    const char* page = "protocol/contributions.md";
    const auto bytes_of = [](ByteView view) { return Bytes(view.begin(), view.end()); };
    const SignedContribution made = recipes();
    EXPECT_EQ(bcs::encode(made), testing::worked_bytes(page, "contribution"))
        << to_hex(bcs::encode(made));
    const Hash id = contribution_id(sample.chain, made.contribution);
    EXPECT_EQ(bytes_of(id.view()), testing::worked_bytes(page, "contribution id")) << id.hex();
    EXPECT_EQ(entry_id(sample.chain, CatalogueEntry(made)), id);
}

}  // namespace
}  // namespace leither::protocol
