#include "leither/protocol/transaction.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/generate.h"

namespace leither::protocol {
namespace {

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xc1));

Transaction some_transaction(std::uint64_t seed) {
    Prng prng(seed);
    return testing::generate<Transaction>(prng);
}

TEST(Transaction, IdExcludesSignatures) {
    Transaction transaction = some_transaction(1);
    const Hash id = EncodedTransaction(transaction).id(kChain);
    transaction.signatures.push_back(Signature{});
    EXPECT_EQ(EncodedTransaction(transaction).id(kChain), id);
    EXPECT_EQ(transaction_id(kChain, transaction.body), id);
}

TEST(Transaction, CommitmentCoversSignatures) {
    Transaction transaction = some_transaction(1);
    const Hash before = EncodedTransaction(transaction).commitment();
    transaction.signatures.push_back(Signature{});
    EXPECT_NE(EncodedTransaction(transaction).commitment(), before);
}

TEST(Transaction, IdAndMessagesAreBoundToTheChain) {
    const TransactionBody body = some_transaction(2).body;
    EXPECT_NE(transaction_id(kChain, body), transaction_id(ChainId{}, body));
    EXPECT_NE(signing_message(kChain, body), signing_message(ChainId{}, body));
    EXPECT_NE(signing_message(kChain, PaymentRequest{}),
              signing_message(ChainId{}, PaymentRequest{}));
    EXPECT_NE(signing_message(kChain, Application{}), signing_message(ChainId{}, Application{}));
}

TEST(Transaction, EncodedOnceIsTheSameAsEncodedApart) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const Transaction transaction = some_transaction(seed);
        const EncodedTransaction encoded(transaction);
        const Bytes bytes = bcs::encode(transaction);
        EXPECT_TRUE(std::ranges::equal(encoded.bytes(), bytes));
        EXPECT_EQ(encoded.size(), bytes.size());
        EXPECT_EQ(encoded.id(kChain), transaction_id(kChain, transaction.body));
        EXPECT_EQ(encoded.signing_message(kChain), signing_message(kChain, transaction.body));
    }
}

TEST(Transaction, EachKindHasItsNameCounterpartyAndSignatures) {
    const Id member = Id::copy_of(Bytes(20, 7));
    const PublicKey applicant = PublicKey::copy_of(Bytes(32, 8));
    Transfer transfer;
    transfer.request.payee = member;
    Join join;
    join.application.applicant = applicant;
    Earn earn;
    earn.application.applicant = applicant;
    Reward reward;
    reward.member = member;
    struct Row {
        Action action;
        const char* name;
        std::optional<Id> counterparty;
    };
    const Row rows[] = {
        {transfer, "transfer", member},
        {join, "join", crypto::id_of(applicant)},
        {Leave{member}, "leave", member},
        {SetRole{member, Role::supervisor}, "role", member},
        {reward, "reward", std::nullopt},
        {Pledge{}, "pledge", std::nullopt},
        {Release{}, "release", std::nullopt},
        {Cancel{}, "cancel", std::nullopt},
        {Reveal{}, "reveal", std::nullopt},
        {Ready{}, "ready", std::nullopt},
        {Claim{}, "claim", std::nullopt},
        {Propose{}, "propose", std::nullopt},
        {Cast{}, "cast", std::nullopt},
        {Evidence{}, "evidence", std::nullopt},
        {HandOver{}, "hand_over", std::nullopt},
        {Recovery{}, "recovery", std::nullopt},
        {earn, "earn", crypto::id_of(applicant)},
    };
    static_assert(std::size(rows) == std::variant_size_v<Action>);
    for (const Row& row : rows) {
        EXPECT_STREQ(kind_name(row.action), row.name);
        EXPECT_EQ(counterparty(row.action), row.counterparty) << row.name;
        TransactionBody body;
        body.action = row.action;
        EXPECT_EQ(signatures_needed(body), row.counterparty ? 2U : 1U) << row.name;
        body.cosigners.push_back(Id{});
        EXPECT_EQ(signatures_needed(body), row.counterparty ? 3U : 2U) << row.name;
    }
}

TEST(Transaction, CosignersRiseAndAreNotTheSigner) {
    TransactionBody body;
    body.signer = Id::copy_of(Bytes(20, 5));
    body.cosigners = {Id::copy_of(Bytes(20, 1)), Id::copy_of(Bytes(20, 2))};
    EXPECT_TRUE(body.is_canonical());
    std::swap(body.cosigners[0], body.cosigners[1]);
    EXPECT_FALSE(body.is_canonical());
    body.cosigners = {body.signer};
    EXPECT_FALSE(body.is_canonical());
}

TEST(Transaction, OnlyRevealsAndReadyOpenNoHeight) {
    const auto opens = [](Action action) {
        Transaction transaction;
        transaction.body.action = std::move(action);
        return opens_height(transaction);
    };
    EXPECT_FALSE(opens(Reveal{}));
    EXPECT_FALSE(opens(Ready{}));
    EXPECT_TRUE(opens(Claim{}));
    EXPECT_TRUE(opens(Transfer{}));
    EXPECT_TRUE(opens(Recovery{}));
}

// So that too_large can only ever mean bytes that are no transaction.
TEST(Transaction, TheGreatestOfEachKindFitsItsLimit) {
    const LongText longest(std::string(LongText::kMax, 'r'));
    Reward reward;
    reward.reason = longest;
    reward.proof = longest;
    Earn earn;
    earn.application.sponsor = Id{};
    earn.application.note = Text(std::string(Text::kMax, 'n'));
    earn.reason = longest;
    earn.proof = longest;
    Grant grant;
    grant.reason = longest;
    grant.proof = longest;
    Evidence evidence;
    evidence.conflict.first = {1, Hash{}, {}};
    evidence.conflict.second = {2, Hash{}, {}};
    HandOver hand_over;
    hand_over.seats.resize(kTinyCommitteeMax);
    hand_over.countersigned.resize(kCountersignersMax);
    Recovery recovery;
    recovery.signatures.resize(kCandidatesMax);
    for (const Action& action : {Action(reward), Action(earn), Action(Propose{grant}),
                                 Action(evidence), Action(hand_over), Action(recovery)}) {
        Transaction transaction;
        transaction.body.cosigners.resize(kCosignersMax);
        transaction.body.action = action;
        transaction.signatures.resize(kCosignersMax + 2);
        EXPECT_LE(EncodedTransaction(transaction).size(), bytes_max(action)) << kind_name(action);
    }
}

}  // namespace
}  // namespace leither::protocol
