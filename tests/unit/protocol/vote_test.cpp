#include <set>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/agreement.h"

#include "support/generate.h"

namespace leither::protocol {
namespace {

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

crypto::KeyPair key_of(std::uint64_t seat) {
    return crypto::derive_key(crypto::KeyPair::Seed{1}, seat);
}

std::vector<PublicKey> committee_of(std::size_t seats) {
    std::vector<PublicKey> keys;
    for (std::size_t seat = 0; seat < seats; ++seat) keys.push_back(key_of(seat).public_key());
    return keys;
}

Slot some_slot() {
    Slot slot;
    slot.cycle = 4;
    slot.height = Sequence(9);
    slot.round = 2;
    return slot;
}

Vote signed_vote(Slot slot, VoteKind kind, std::optional<Hash> block, std::uint16_t seat) {
    Vote vote{slot, kind, block, seat, {}};
    vote.signature = key_of(seat).sign(signing_message(kChain, vote));
    return vote;
}

ProposalClaim signed_claim(Slot slot, std::optional<std::uint32_t> valid_round, Hash block) {
    ProposalClaim claim{slot, valid_round, block, {}};
    claim.signature = key_of(1).sign(signing_message(kChain, claim));
    return claim;
}

const Hash kBlock = Hash::copy_of(Bytes(32, 1));
const Hash kOther = Hash::copy_of(Bytes(32, 2));

TEST(Vote, EverySlotKindAndChoiceSignsOtherBytes) {
    std::set<Bytes> messages;
    std::size_t count = 0;
    const auto take = [&](const auto& what, const ChainId& chain) {
        messages.insert(signing_message(chain, what));
        ++count;
    };
    std::vector<Slot> slots(5, some_slot());
    slots[1].cycle += 1;
    slots[2].height = slots[2].height.next();
    slots[3].round += 1;
    slots[4].branch = {Id{}, 1};
    for (const ChainId& chain : {kChain, ChainId{}}) {
        for (const Slot& slot : slots) {
            for (const auto kind : {VoteKind::prevote, VoteKind::precommit}) {
                for (const auto& block :
                     {std::optional<Hash>{}, std::optional(kBlock), std::optional(kOther)}) {
                    take(Vote{slot, kind, block, 0, {}}, chain);
                }
            }
            for (const auto round :
                 {std::optional<std::uint32_t>{}, std::optional(0U), std::optional(1U)}) {
                take(ProposalClaim{slot, round, kBlock, {}}, chain);
            }
        }
        take(Heartbeat{4, Sequence(9), kBlock, Pulse(2), 0, {}}, chain);
        take(Heartbeat{4, Sequence(9), kBlock, Pulse(2), 1, {}}, chain);
    }
    EXPECT_EQ(messages.size(), count);
}

TEST(Vote, APrecommitForABlockIsWhatCertificatesAreMadeOf) {
    const Vote vote{some_slot(), VoteKind::precommit, kBlock, 3, {}};
    EXPECT_EQ(signing_message(kChain, vote), precommit_message(kChain, some_slot(), kBlock));
}

TEST(Vote, EncodingsKeepToTheirMaxima) {
    Prng prng(3);
    std::size_t vote = 0;
    std::size_t heartbeat = 0;
    for (int i = 0; i < 200; ++i) {
        vote = std::max(vote, bcs::encode(testing::generate<Vote>(prng)).size());
        heartbeat = std::max(heartbeat, bcs::encode(testing::generate<Heartbeat>(prng)).size());
    }
    EXPECT_EQ(vote, Vote::kBytesMax);
    EXPECT_EQ(heartbeat, Heartbeat::kBytesMax);
    Status status;
    status.wanted = 3;
    for (std::uint32_t round = 0; round < Status::kRoundsMax; ++round)
        status.rounds.push_back({round, true, 1, 1});
    EXPECT_EQ(bcs::encode(status).size(), Status::kBytesMax);

    EXPECT_EQ(bcs::encode(BlockHeader{}).size(), kBlockHeaderBytes);
    Certificate certificate;
    for (std::uint16_t seat = 0; seat < kSeatsMax; ++seat)
        certificate.signatures.push_back({seat, {}});
    Proposal proposal{some_slot(), 1, certificate.signatures, {}, certificate, Transactions{}, {}};
    // A list longer than 127 has more than one byte of length.
    EXPECT_EQ(bcs::encode(proposal).size(), Proposal::kOverheadBytesMax - 4);
    const Decision decision{{}, certificate, Transactions{}};
    EXPECT_EQ(bcs::encode(decision).size(), Decision::kOverheadBytesMax - 4);
}

TEST(Proposal, AValidRoundComesBeforeItsOwn) {
    Proposal proposal;
    proposal.slot.round = 2;
    proposal.valid_round = 1;
    proposal.prevotes.push_back({3, {}});
    EXPECT_TRUE(bcs::decode<Proposal>(bcs::encode(proposal)));
    proposal.valid_round = 2;
    EXPECT_FALSE(bcs::decode<Proposal>(bcs::encode(proposal)));
}

TEST(Proposal, PrevotesGoWithAValidRoundAndRiseBySeat) {
    Proposal proposal;
    proposal.slot.round = 2;
    const auto decodes = [&] { return bcs::decode<Proposal>(bcs::encode(proposal)).has_value(); };
    EXPECT_TRUE(decodes());
    proposal.prevotes.push_back({3, {}});
    EXPECT_FALSE(decodes());
    proposal.valid_round = 1;
    EXPECT_TRUE(decodes());
    proposal.prevotes.push_back({3, {}});
    EXPECT_FALSE(decodes());
    proposal.prevotes.clear();
    EXPECT_FALSE(decodes());
}

TEST(Status, RoundsRise) {
    Status status;
    status.rounds.push_back({1, false, 0, 0});
    status.rounds.push_back({1, false, 0, 0});
    EXPECT_FALSE(bcs::decode<Status>(bcs::encode(status)));
    status.rounds[1].round = 2;
    EXPECT_TRUE(bcs::decode<Status>(bcs::encode(status)));
}

TEST(Certificate, SignersAreBits) {
    Certificate certificate;
    certificate.signatures.push_back({0, {}});
    certificate.signatures.push_back({30, {}});
    certificate.signatures.push_back({31, {}});
    certificate.signatures.push_back({60'000, {}});
    EXPECT_EQ(signers_of(certificate), 1U | 1U << 30);
}

// Whether it convicts whoever sits there in a committee of four.
bool convicts(const std::optional<Conflict>& conflict, const ChainId& chain = kChain) {
    return conflict && is_proven(*conflict, chain, key_of(conflict->seat).public_key());
}

TEST(Conflict, TwoVotesOfOneSlotAndKindConvict) {
    const Vote first = signed_vote(some_slot(), VoteKind::prevote, kBlock, 1);
    const Vote nil = signed_vote(some_slot(), VoteKind::prevote, std::nullopt, 1);
    EXPECT_TRUE(convicts(conflict_between(first, nil)));
    EXPECT_FALSE(conflict_between(first, first));
    Slot later = some_slot();
    later.round += 1;
    EXPECT_FALSE(conflict_between(first, signed_vote(later, VoteKind::prevote, kOther, 1)));
    EXPECT_FALSE(conflict_between(first, signed_vote(some_slot(), VoteKind::precommit, kOther, 1)));
    EXPECT_FALSE(conflict_between(first, signed_vote(some_slot(), VoteKind::prevote, kOther, 2)));
    Vote forged = nil;
    forged.signature[5] ^= 1;
    EXPECT_FALSE(convicts(conflict_between(first, forged)));
    EXPECT_FALSE(convicts(conflict_between(first, nil), ChainId{}));
}

TEST(Conflict, APrecommitForNoneIsAnotherThanForABlock) {
    const Vote block = signed_vote(some_slot(), VoteKind::precommit, kBlock, 2);
    const Vote nil = signed_vote(some_slot(), VoteKind::precommit, std::nullopt, 2);
    EXPECT_TRUE(convicts(conflict_between(block, nil)));
}

TEST(Conflict, TwoProposalsOfOneSlotConvict) {
    const ProposalClaim first = signed_claim(some_slot(), std::nullopt, kBlock);
    const auto conflict = [&](const ProposalClaim& second, std::uint16_t seat) {
        return conflict_between(seat, first, second);
    };
    EXPECT_TRUE(convicts(conflict(signed_claim(some_slot(), std::nullopt, kOther), 1)));
    EXPECT_TRUE(convicts(conflict(signed_claim(some_slot(), 0, kBlock), 1)));
    EXPECT_FALSE(conflict(first, 1));
    EXPECT_FALSE(convicts(conflict(signed_claim(some_slot(), std::nullopt, kOther), 2)));
    Slot later = some_slot();
    later.round += 1;
    EXPECT_FALSE(conflict(signed_claim(later, std::nullopt, kOther), 1));
}

TEST(Conflict, HasOneOrderAndOnlyWhatFitsItsKind) {
    const Vote one = signed_vote(some_slot(), VoteKind::prevote, kBlock, 1);
    const Vote other = signed_vote(some_slot(), VoteKind::prevote, kOther, 1);
    EXPECT_EQ(conflict_between(one, other), conflict_between(other, one));
    Conflict conflict = *conflict_between(one, other);
    const auto decodes = [&] { return bcs::decode<Conflict>(bcs::encode(conflict)).has_value(); };
    EXPECT_TRUE(decodes());
    std::swap(conflict.first, conflict.second);
    EXPECT_FALSE(decodes());
    std::swap(conflict.first, conflict.second);
    conflict.second.valid_round = 0;  // a vote has none
    EXPECT_FALSE(decodes());
    conflict.kind = StatementKind::proposal;
    EXPECT_TRUE(decodes());
    conflict.first.block.reset();  // a proposal names one
    EXPECT_FALSE(decodes());
}

TEST(Fork, TwoCertificatesOfOneHeightProveIt) {
    const auto committee = committee_of(4);
    // By three seats from `from` on.
    const auto certified = [](const BlockHeader& header, std::uint32_t round,
                              std::uint16_t from = 0) {
        Certificate certificate;
        certificate.slot = some_slot();
        certificate.slot.round = round;
        certificate.block = block_hash(kChain, header);
        for (std::uint16_t seat = from; seat < from + 3; ++seat) {
            certificate.signatures.push_back(
                {seat, signed_vote(certificate.slot, VoteKind::precommit, certificate.block, seat)
                           .signature});
        }
        return certificate;
    };
    BlockHeader first;
    first.sequence = some_slot().height;
    BlockHeader second = first;
    second.pulse = Pulse(7);
    const Fork apart{first, certified(first, 0), second, certified(second, 5)};
    EXPECT_TRUE(is_proven(apart, kChain, committee));
    EXPECT_TRUE(conflicts_in(apart).empty());
    EXPECT_FALSE(
        is_proven(Fork{first, certified(first, 0), first, certified(first, 5)}, kChain, committee));
    EXPECT_FALSE(is_proven(Fork{first, certified(first, 0), second, certified(first, 5)}, kChain,
                           committee));

    const Fork together{first, certified(first, 0), second, certified(second, 0, 1)};
    EXPECT_TRUE(is_proven(together, kChain, committee));
    const auto conflicts = conflicts_in(together);
    ASSERT_EQ(conflicts.size(), 2U);
    EXPECT_TRUE(convicts(conflicts[0]));
    EXPECT_EQ(conflicts[0].seat, 1);
    EXPECT_EQ(conflicts[1].seat, 2);
}

}  // namespace
}  // namespace leither::protocol
