// The worked examples of docs/protocol/receipts.md and storage.md, compared with the code.
#include <gtest/gtest.h>

#include "leither/ledger/evidence_record.h"
#include "leither/ledger/receipt.h"

#include "support/ledger_world.h"
#include "support/worked_bytes.h"

namespace leither::ledger {
namespace {

using testing::worked_bytes;

TEST(Docs, TheReceiptShownProvesAlicesBalance) {
    const auto receipt = bcs::decode<Receipt>(worked_bytes("protocol/receipts.md", "receipt"));
    ASSERT_TRUE(receipt.has_value()) << bcs::to_string(receipt.error());
    const auto proven = verify(*receipt, testing::id_of("org"));
    ASSERT_TRUE(proven.has_value()) << to_string(proven.error());
    EXPECT_EQ(proven->account, testing::id_of("alice"));
    EXPECT_EQ(proven->sequence, Sequence(1));
    EXPECT_EQ(std::get<protocol::MemberRecord>(*proven->record).balance, Amount::of(70));
}

TEST(Docs, TheEndorsementClaimIsAsShown) {
    protocol::EndorsementClaim claim;
    claim.account = Id::copy_of(Bytes(20, 0x33));
    claim.account[0] = 0xa1;
    claim.slot = {7, {prefix_of(claim.account, 3), 3}, Sequence(42), 0};
    claim.block = Hash::copy_of(Bytes(32, 0x11));
    claim.synopsis = {Hash::copy_of(Bytes(32, 0x22)), Amount::of(10'000)};
    claim.holding = {protocol::HolderKind::member, Amount::of(2'750), Amount::of(500)};
    EXPECT_EQ(bcs::encode(claim), worked_bytes("protocol/receipts.md", "endorsement claim"));
}

TEST(Docs, TheIdOfTheConflictShownIsAsShown) {
    const auto conflict =
        bcs::decode<protocol::Conflict>(worked_bytes("protocol/election.md", "conflict"));
    ASSERT_TRUE(conflict.has_value());
    const Hash id = evidence_id(ChainId::copy_of(Bytes(32, 0xcc)), name_of(*conflict));
    EXPECT_EQ(id, Hash::copy_of(worked_bytes("protocol/election.md", "evidence id")));
}

TEST(Docs, KeysAndSealAreAsShown) {
    const char* page = "protocol/storage.md";
    using store::KeyKind;
    EXPECT_EQ(store::version_key(3, KeyKind::seal), worked_bytes(page, "seal key"));
    EXPECT_EQ(store::version_key(3, KeyKind::page, 1), worked_bytes(page, "page key"));

    const auto header = bcs::decode<BlockHeader>(worked_bytes("protocol/blocks.md", "header"));
    ASSERT_TRUE(header.has_value());
    Seal seal{*header, {}, {9}};
    seal.certificate.slot.cycle = 2;
    seal.certificate.slot.height = header->sequence;
    seal.certificate.block = block_hash(ChainId::copy_of(Bytes(32, 0xcc)), *header);
    seal.certificate.signatures.push_back({0, Signature::copy_of(Bytes(64, 0xab))});
    EXPECT_EQ(bcs::encode(seal), worked_bytes(page, "seal"));
}

}  // namespace
}  // namespace leither::ledger
