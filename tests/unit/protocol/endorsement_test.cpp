#include "leither/protocol/endorsement.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

namespace leither::protocol {
namespace {

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

TEST(Endorsement, AQuestionIsItsOwnersForOneStateAndOneTerm) {
    const crypto::KeyPair owner = crypto::derive_key({}, 1);
    const AskEndorsement ask = ask_endorsement(kChain, 7, Sequence(42), owner);
    EXPECT_TRUE(is_signed(ask, kChain));
    EXPECT_FALSE(is_signed(ask, ChainId{}));
    AskEndorsement other = ask;
    other.cycle = 8;
    EXPECT_FALSE(is_signed(other, kChain));
    other = ask;
    other.sequence = Sequence(43);
    EXPECT_FALSE(is_signed(other, kChain));
    other = ask;
    other.account = crypto::derive_key({}, 2).public_key();
    EXPECT_FALSE(is_signed(other, kChain));
}

TEST(Endorsement, WhatIsSaidFillsItsMessage) {
    EXPECT_EQ(bcs::encode(AskEndorsement{}).size(), AskEndorsement::kBytesMax);
    EXPECT_EQ(bcs::encode(EndorsementReply{}).size(), EndorsementReply::kBytesMax);
    EndorsementReply refused;
    refused.said = EndorsementRefusal::not_kept;
    EXPECT_LT(bcs::encode(refused).size(), EndorsementReply::kBytesMax);
}

TEST(Endorsement, AClaimHasOneForm) {
    EndorsementClaim claim;
    EXPECT_TRUE(bcs::decode<EndorsementClaim>(bcs::encode(claim)).has_value());
    claim.slot.round = 1;
    EXPECT_FALSE(bcs::decode<EndorsementClaim>(bcs::encode(claim)).has_value());
    claim.slot.round = 0;
    claim.slot.branch.id[0] = 1;
    EXPECT_FALSE(bcs::decode<EndorsementClaim>(bcs::encode(claim)).has_value());
}

}  // namespace
}  // namespace leither::protocol
