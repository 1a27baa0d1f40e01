#include "leither/protocol/sync_messages.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/protocol/checkpoint.h"

#include "support/generate.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

using testing::generate;
using testing::worked_bytes;

// Lists, texts and optionals as long as they may be.
SignedCharter longest_charter() {
    SignedCharter charter;
    charter.charter.name = BoundedText<64>(std::string(64, 'n'));
    charter.charter.unit = BoundedText<16>(std::string(16, 'u'));
    charter.charter.announcement = LongText(std::string(LongText::kMax, 'a'));
    charter.charter.bookkeepers.resize(kSeatsMax);
    return charter;
}

DecidedBlock longest_block() {
    DecidedBlock block;
    block.certificate.signatures.resize(kSeatsMax);
    return block;
}

template <class T>
void survives_the_wire() {
    Prng prng(7);
    for (int i = 0; i < 200; ++i) {
        const Bytes bytes = bcs::encode(generate<T>(prng));
        const auto again = bcs::decode<T>(bytes);
        ASSERT_TRUE(again.has_value());
        EXPECT_EQ(bcs::encode(*again), bytes);
        EXPECT_LE(bytes.size(), T::kBytesMax);
    }
}

TEST(SyncMessages, EachSurvivesTheWire) {
    survives_the_wire<AskBlocks>();
    survives_the_wire<BlocksReply>();
    survives_the_wire<AskGenesis>();
    survives_the_wire<GenesisReply>();
    survives_the_wire<AskChain>();
    survives_the_wire<ChainReply>();
    survives_the_wire<AskPiece>();
    survives_the_wire<PieceReply>();
    survives_the_wire<CheckpointVotes>();
}

TEST(SyncMessages, TheLongestFillTheirMaximum) {
    EXPECT_EQ(bcs::encode(AskBlocks{}).size(), AskBlocks::kBytesMax);
    EXPECT_EQ(bcs::encode(AskGenesis{}).size(), AskGenesis::kBytesMax);
    EXPECT_EQ(bcs::encode(AskChain{}).size(), AskChain::kBytesMax);
    EXPECT_EQ(bcs::encode(AskPiece{}).size(), AskPiece::kBytesMax);

    GenesisReply genesis;
    genesis.charter = longest_charter();
    EXPECT_EQ(bcs::encode(genesis.charter).size(), GenesisReply::kCharterBytesMax);
    genesis.allocations.resize(kAllocationsPerReply);
    for (auto& line : genesis.allocations) line.reason = Text(std::string(Text::kMax, 'r'));
    EXPECT_EQ(bcs::encode(genesis).size(), GenesisReply::kBytesMax);

    ChainReply chain;
    chain.chain.resize(kSyncReplyBytes);
    EXPECT_EQ(bcs::encode(chain).size(), ChainReply::kBytesMax);

    PieceReply piece;
    piece.outcome = PieceOutcome::piece;
    piece.piece.resize(kPieceBytesMax);
    EXPECT_EQ(bcs::encode(piece).size(), PieceReply::kBytesMax);

    // Transactions count besides; their number takes one byte here and up to four.
    EXPECT_EQ(bcs::encode(longest_block()).size(), DecidedBlock::kOverheadBytesMax - 4);
    BlocksReply blocks;
    blocks.blocks.push_back(longest_block());
    EXPECT_LE(bcs::encode(blocks).size() + kLargestBlockBytes, BlocksReply::kBytesMax);
}

TEST(SyncMessages, OneBeyondAMaximumIsRefused) {
    GenesisReply genesis;
    genesis.allocations.resize(kAllocationsPerReply);
    Bytes bytes = bcs::encode(genesis);
    EXPECT_TRUE(bcs::decode<GenesisReply>(bytes).has_value());
    // The count of the list, 1024, stands behind everything else of the same size.
    const std::size_t count_at = bcs::encode(genesis.charter).size() + 8;
    ASSERT_EQ(bytes[count_at], 0x80);
    bytes[count_at] = 0x81;
    EXPECT_EQ(bcs::decode<GenesisReply>(bytes).error(), bcs::DecodeError::too_long);
}

TEST(SyncMessages, BlocksComeInARow) {
    BlocksReply reply;
    reply.from = Sequence(5);
    reply.head = Sequence(9);
    reply.blocks.resize(2);
    reply.blocks[0].header.sequence = Sequence(5);
    reply.blocks[1].header.sequence = Sequence(6);
    EXPECT_TRUE(bcs::decode<BlocksReply>(bcs::encode(reply)).has_value());
    reply.blocks[1].header.sequence = Sequence(7);
    EXPECT_EQ(bcs::decode<BlocksReply>(bcs::encode(reply)).error(),
              bcs::DecodeError::not_canonical);
    reply.blocks.clear();
    reply.oldest = Sequence(10);
    EXPECT_EQ(bcs::decode<BlocksReply>(bcs::encode(reply)).error(),
              bcs::DecodeError::not_canonical);
}

TEST(CheckpointVotes, TheyFillTheirMaximumAndStandByRisingKey) {
    CheckpointVotes votes;
    for (std::size_t n = 0; n < CheckpointVotes::kSignaturesMax; ++n) {
        CheckpointSignature one;
        one.node_key[0] = static_cast<std::uint8_t>(n);
        votes.signatures.push_back(one);
    }
    const Bytes bytes = bcs::encode(votes);
    EXPECT_EQ(bytes.size(), CheckpointVotes::kBytesMax);
    EXPECT_TRUE(bcs::decode<CheckpointVotes>(bytes).has_value());
    std::swap(votes.signatures[3], votes.signatures[4]);
    EXPECT_EQ(bcs::decode<CheckpointVotes>(bcs::encode(votes)).error(),
              bcs::DecodeError::not_canonical);
}

TEST(BlockName, HasOneText) {
    const BlockName name{Sequence(1'234), Hash::copy_of(Bytes(32, 0xab))};
    const std::string text = to_text(name);
    EXPECT_EQ(text.substr(0, 9), "1234:abab");
    EXPECT_EQ(parse_block_name(text), name);
    for (const std::string& wrong :
         {std::string(), std::string("1234"), "0" + text, " " + text, text + " ", "+" + text,
          text.substr(0, text.size() - 1), "18446744073709551616" + text.substr(4)}) {
        EXPECT_FALSE(parse_block_name(wrong)) << wrong;
    }
}

TEST(SyncMessages, OnlyAPieceCarriesOne) {
    PieceReply reply;
    EXPECT_TRUE(reply.is_canonical());
    reply.piece.push_back(1);
    EXPECT_EQ(bcs::decode<PieceReply>(bcs::encode(reply)).error(), bcs::DecodeError::not_canonical);
    reply.outcome = PieceOutcome::piece;
    EXPECT_TRUE(bcs::decode<PieceReply>(bcs::encode(reply)).has_value());
}

TEST(SyncMessages, TheyEncodeAsShown) {
    const char* page = "protocol/sync.md";
    EXPECT_EQ(bcs::encode(AskBlocks{Sequence(301), kSyncReplyBytes}),
              worked_bytes(page, "ask blocks"));
    EXPECT_EQ(bcs::encode(AskChain{7, Sequence(21'600)}), worked_bytes(page, "ask chain"));
    Prefix half;
    half.id[0] = 0x80;
    half.bits = 1;
    EXPECT_EQ(bcs::encode(AskPiece{Sequence(301), half}), worked_bytes(page, "ask piece"));
    EXPECT_EQ(bcs::encode(PieceReply{Sequence(301), half, PieceOutcome::split, {}}),
              worked_bytes(page, "split"));
}

}  // namespace
}  // namespace leither::protocol
