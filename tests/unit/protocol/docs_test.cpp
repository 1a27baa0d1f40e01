// The worked examples and tables of docs/protocol, compared with the code.
#include <sstream>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/protocol/agreement.h"
#include "leither/protocol/refusal.h"

#include "support/shared_data.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

using testing::worked_bytes;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

PaymentRequest worked_request() {
    PaymentRequest request;
    request.payee = Id::copy_of(Bytes(20, 0x22));
    request.amount = Amount::of(2500);
    request.reference = Text("bread");
    request.expiry = Pulse(600);
    return request;
}

Transaction worked_transfer() {
    Transaction transaction;
    transaction.body.signer = Id::copy_of(Bytes(20, 0x11));
    transaction.body.nonce = {0, 7};
    transaction.body.expiry = Pulse(590);
    transaction.body.action = Transfer{worked_request()};
    transaction.signatures.push_back(Signature::copy_of(Bytes(64, 0xaa)));
    transaction.signatures.push_back(Signature::copy_of(Bytes(64, 0xbb)));
    return transaction;
}

MemberRecord worked_member() {
    MemberRecord member;
    member.key = PublicKey::copy_of(Bytes(32, 0x33));
    member.balance = Amount::of(2500);
    member.created = Sequence(3);
    member.locks.push_back({LockPurpose::pledge, Amount::of(1000), std::nullopt, 1});
    member.lanes.push_back({0, member.first_counter() + 5});
    member.candidacy = Candidacy{PublicKey::copy_of(Bytes(32, 0x44)),
                                 Hash::copy_of(Bytes(32, 0x55)),
                                 Revealed{1, PublicKey::copy_of(Bytes(32, 0x77))},
                                 {CycleWork{1, 30, 28}}};
    member.cycle = 2;
    member.cycle_transactions = 5;
    member.salt = Salt::copy_of(Bytes(16, 0x66));
    return member;
}

BlockHeader worked_header() {
    BlockHeader header;
    header.sequence = Sequence(3);
    header.pulse = Pulse(4711);
    header.parent = Hash::copy_of(Bytes(32, 0x77));
    header.root = {Hash::copy_of(Bytes(32, 0x88)), Amount::of(1'000'000)};
    header.transactions = Hash::copy_of(Bytes(32, 0x99));
    header.transaction_count = 2;
    header.signers = 0b1101;
    return header;
}

Bytes bytes_of(ByteView view) {
    return Bytes(view.begin(), view.end());
}

TEST(Docs, ParametersEncodeAsShown) {
    EXPECT_EQ(bcs::encode(Params{}), worked_bytes("protocol/parameters.md", "params"));
}

TEST(Docs, MemberRecordEncodesAsShown) {
    EXPECT_EQ(bcs::encode(Record(worked_member())), worked_bytes("protocol/records.md", "member"));
}

TEST(Docs, TransferEncodesAndHashesAsShown) {
    const char* page = "protocol/transactions.md";
    const Transaction transfer = worked_transfer();
    EXPECT_EQ(bcs::encode(transfer), worked_bytes(page, "transfer"));
    EXPECT_EQ(signing_message(kChain, worked_request()), worked_bytes(page, "request message"));
    EXPECT_EQ(bytes_of(transaction_id(kChain, transfer.body).view()),
              worked_bytes(page, "transaction id"));
}

TEST(Docs, HeaderEncodesHashesAndIsSignedAsShown) {
    const char* page = "protocol/blocks.md";
    const BlockHeader header = worked_header();
    const Hash hash = block_hash(kChain, header);
    Slot slot;
    slot.cycle = 2;
    slot.height = header.sequence;
    EXPECT_EQ(bcs::encode(header), worked_bytes(page, "header"));
    EXPECT_EQ(bytes_of(hash.view()), worked_bytes(page, "block hash"));
    EXPECT_EQ(precommit_message(kChain, slot, hash), worked_bytes(page, "precommit"));
}

TEST(Docs, AConflictEncodesAsShown) {
    Slot slot;
    slot.cycle = 2;
    slot.height = Sequence(3);
    slot.round = 1;
    const Vote none{slot, VoteKind::prevote, std::nullopt, 2, Signature::copy_of(Bytes(64, 0xab))};
    const Vote block{slot, VoteKind::prevote, Hash::copy_of(Bytes(32, 0x11)), 2,
                     Signature::copy_of(Bytes(64, 0xcd))};
    EXPECT_EQ(bcs::encode(conflict_between(block, none).value()),
              worked_bytes("protocol/election.md", "conflict"));
}

TEST(Docs, WhatBookkeepersSignIsAsShown) {
    const char* page = "protocol/agreement.md";
    Slot slot;
    slot.cycle = 2;
    slot.height = Sequence(3);
    slot.round = 1;
    const Hash block = block_hash(kChain, worked_header());
    const Vote prevote{slot, VoteKind::prevote, block, 2, Signature::copy_of(Bytes(64, 0xab))};
    EXPECT_EQ(bcs::encode(prevote), worked_bytes(page, "vote"));
    EXPECT_EQ(signing_message(kChain, prevote), worked_bytes(page, "prevote message"));
    const Vote nil{slot, VoteKind::precommit, std::nullopt, 2, {}};
    EXPECT_EQ(signing_message(kChain, nil), worked_bytes(page, "nil precommit message"));
    const ProposalClaim claim{slot, 0, block, {}};
    EXPECT_EQ(signing_message(kChain, claim), worked_bytes(page, "proposal message"));
    const Heartbeat heartbeat{2, Sequence(3), block, Pulse(4720), 0, {}};
    EXPECT_EQ(signing_message(kChain, heartbeat), worked_bytes(page, "heartbeat message"));
    Status status;
    status.cycle = 2;
    status.height = Sequence(3);
    status.round = 1;
    status.step = RoundStep::prevote;
    status.pulse = Pulse(4712);
    status.interest = Interest::votes;
    status.connected = 0b1101;
    status.rounds.push_back({1, true, 0b1101, 0});
    EXPECT_EQ(bcs::encode(status), worked_bytes(page, "status"));
}

// The names in the first column of a page's tables, in order.
std::vector<std::string> first_column(const std::string& page) {
    const auto docs = testing::source_dir() / "docs";
    std::istringstream lines(testing::load_text(docs / page));
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) continue;
        names.push_back(line.substr(3, line.find('`', 3) - 3));
    }
    return names;
}

TEST(Docs, RefusalsAreListedInTheirOrder) {
    std::vector<std::string> expected;
    for (int code = 0; code <= static_cast<int>(last_of(Refusal{})); ++code) {
        expected.emplace_back(to_string(static_cast<Refusal>(code)));
    }
    EXPECT_EQ(first_column("protocol/refusals.md"), expected);
}

TEST(Docs, ParametersAreListedWithDefaultAndBounds) {
    const auto docs = testing::source_dir() / "docs";
    const std::string page = testing::load_text(docs / "protocol/parameters.md");
    for (const ParamInfo& row : kParamTable) {
        std::ostringstream line;
        line << "| `" << row.name << "` | " << Params{}.*row.member << " | " << row.min << " | "
             << row.max << " | " << row.unit;
        EXPECT_NE(page.find(line.str()), std::string::npos) << line.str();
    }
    EXPECT_EQ(first_column("protocol/parameters.md").size(), std::size(kParamTable));
}

}  // namespace
}  // namespace leither::protocol
