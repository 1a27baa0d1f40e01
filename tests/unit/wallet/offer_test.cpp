#include "leither/wallet/offer.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

#include "support/ledger_world.h"

namespace leither::wallet {
namespace {

using testing::id_of;
using testing::key_of;

class OfferTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    SignedApplication application() const {
        protocol::Application application;
        application.applicant = key_of("gus").public_key();
        application.expiry = Pulse(90);
        return sign_application(draft.chain, application, key_of("gus"));
    }
    Offer admission(std::vector<Id> cosigners) const {
        const auto signed_ = application();
        return offer(draft, protocol::Join{signed_.application}, signed_.signature, key_of("fay"),
                     std::move(cosigners));
    }

    Draft draft{ChainId::copy_of(Bytes(32, 0xcc)), {1, 7}, Pulse(60)};
};

TEST_F(OfferTest, IsCompleteOnceAllHaveSignedInWhateverOrder) {
    Offer made = admission({id_of("alice"), id_of("bob")});
    EXPECT_EQ(made.missing().size(), 2U);
    EXPECT_FALSE(completed(made));
    EXPECT_TRUE(cosign(made, key_of("bob")));
    const auto read = offer_from_text(to_text(made));
    ASSERT_TRUE(read.has_value());
    made = *read;
    EXPECT_EQ(made.missing(), std::vector<Id>{id_of("alice")});
    EXPECT_TRUE(cosign(made, key_of("alice")));
    const std::vector<crypto::KeyPair> others = {key_of("alice"), key_of("bob")};
    EXPECT_EQ(completed(made), admit(draft, application(), key_of("fay"), others));
}

TEST_F(OfferTest, OnlyThoseNamedAreToSign) {
    Offer made = admission({id_of("alice")});
    const Offer before = made;
    EXPECT_FALSE(cosign(made, key_of("bob")));
    EXPECT_FALSE(cosign(made, key_of("gus")));
    EXPECT_EQ(bcs::encode(made), bcs::encode(before));
}

TEST_F(OfferTest, AMemberWhoLeavesSignsTooWhereverTheKeyIs) {
    Offer made =
        offer(draft, protocol::Leave{id_of("bob")}, std::nullopt, key_of("fay"), {id_of("alice")});
    EXPECT_EQ(made.missing(), (std::vector<Id>{id_of("bob"), id_of("alice")}));
    EXPECT_TRUE(cosign(made, key_of("alice")));
    EXPECT_TRUE(cosign(made, key_of("bob")));
    const auto bob = key_of("bob");
    const std::vector<crypto::KeyPair> others = {key_of("alice")};
    EXPECT_EQ(completed(made),
              sign(draft, protocol::Leave{id_of("bob")}, key_of("fay"), &bob, others));
}

TEST_F(OfferTest, HasAPlaceForEachSignatureAndNoMore) {
    Offer made = admission({id_of("alice")});
    made.signatures.push_back(std::nullopt);
    EXPECT_FALSE(bcs::decode<Offer>(bcs::encode(made)));
    made.signatures.resize(2);
    EXPECT_FALSE(bcs::decode<Offer>(bcs::encode(made)));
}

TEST_F(OfferTest, TheLargestFitsALetter) {
    std::vector<Id> all;
    for (std::size_t i = 0; i < protocol::kCosignersMax; ++i) {
        all.push_back(id_of("s" + std::to_string(i)));
    }
    protocol::Earn earned;
    earned.application.applicant = key_of("gus").public_key();
    earned.application.sponsor = id_of("alice");
    earned.application.note = protocol::Text(std::string(protocol::Text::kMax, 'n'));
    earned.reason = protocol::LongText(std::string(protocol::LongText::kMax, 'r'));
    earned.proof = protocol::LongText(std::string(protocol::LongText::kMax, 'p'));
    Offer made = offer(draft, earned, Signature{}, key_of("fay"), all);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        EXPECT_TRUE(cosign(made, key_of("s" + std::to_string(i))));
    }
    EXPECT_LE(to_text(made).size(), kLinkCharactersMax);
}

}  // namespace
}  // namespace leither::wallet
