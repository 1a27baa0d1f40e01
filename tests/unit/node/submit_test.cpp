// The way of a submitted transaction to its verdict.
#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

using protocol::Refusal;

// `count` payments of 1 from member 0 to member 1, with rising nonces.
std::vector<protocol::Transaction> row_of(const NodeHost& host, std::size_t count) {
    const auto payer = host.community().member(0);
    const auto payee = host.community().member(1);
    std::vector<protocol::Transaction> row;
    Signing signing = host.signing(payer);
    for (std::size_t i = 0; i < count; ++i, ++signing.counter) {
        row.push_back(host.community().pay(payer, payee, 1, signing));
    }
    return row;
}

std::vector<Refusal> refusals_of(const node::SubmitReply& reply) {
    std::vector<Refusal> refusals;
    for (const auto& verdict : reply.verdicts) {
        if (!verdict) refusals.push_back(verdict.error().code);
    }
    return refusals;
}

TEST(NodeSubmit, ARowOfNoncesIsAdmittedInOrderWhateverTheOrderOfChecks) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        NodeHost host({.checking = Checking::shuffled, .seed = seed});
        ASSERT_TRUE(host.found());
        host.submit(row_of(host, 200));
        ASSERT_EQ(host.submit_replies().size(), 1u);
        EXPECT_TRUE(refusals_of(host.submit_replies()[0]).empty());
        host.pass_pulses(2);
        EXPECT_EQ(host.balance(1), 1'200u);
    }
}

TEST(NodeSubmit, TwoSubmitsUnderWayKeepTheirOrder) {
    NodeHost host({.checking = Checking::held});
    ASSERT_TRUE(host.found());
    const auto row = row_of(host, 100);
    host.submit({row.begin(), row.begin() + 50});
    host.submit({row.begin() + 50, row.end()});
    EXPECT_TRUE(host.submit_replies().empty());
    host.check_signatures();
    ASSERT_EQ(host.submit_replies().size(), 2u);
    EXPECT_TRUE(refusals_of(host.submit_replies()[0]).empty());
    EXPECT_TRUE(refusals_of(host.submit_replies()[1]).empty());
}

TEST(NodeSubmit, BytesThatAreNoTransactionAreRefusedByName) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    Bytes trailing = bcs::encode(row_of(host, 1)[0]);
    trailing.push_back(0);
    host.step(node::Submit{7, {Bytes{}, trailing, Bytes(protocol::kTransactionBytesMax + 1)}});
    ASSERT_EQ(host.submit_replies().size(), 1u);
    EXPECT_EQ(host.submit_replies()[0].token, 7u);
    EXPECT_EQ(refusals_of(host.submit_replies()[0]),
              (std::vector{Refusal::malformed, Refusal::malformed, Refusal::too_large}));
}

TEST(NodeSubmit, AnEmptyRowIsAnsweredAtOnce) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    host.submit({});
    ASSERT_EQ(host.submit_replies().size(), 1u);
    EXPECT_TRUE(host.submit_replies()[0].verdicts.empty());
}

TEST(NodeSubmit, WithoutAnOrganizationEverythingIsRefused) {
    NodeHost host;
    const auto verdict = host.submit_one(row_of(host, 1)[0]);
    ASSERT_FALSE(verdict);
    EXPECT_EQ(verdict.error().code, Refusal::no_organization);
}

TEST(NodeSubmit, ASpoiltSignatureIsNamedByItsIndex) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    for (std::size_t index = 0; index < 2; ++index) {
        auto spoilt = row_of(host, 1)[0];
        spoilt.signatures[index][5] ^= 1;
        const auto verdict = host.submit_one(spoilt);
        ASSERT_FALSE(verdict);
        EXPECT_EQ(verdict.error().code, Refusal::bad_signature);
        EXPECT_EQ(verdict.error().actual, index);
    }
}

TEST(NodeSubmit, ARepeatedTransactionIsRecognised) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto payment = row_of(host, 1)[0];
    ASSERT_TRUE(host.submit_one(payment));
    EXPECT_EQ(host.submit_one(payment).error().code, Refusal::already_pending);
    host.pass_pulses(2);
    EXPECT_EQ(host.submit_one(payment).error().code, Refusal::already_committed);
    ASSERT_TRUE(host.reopen());
    EXPECT_EQ(host.submit_one(payment).error().code, Refusal::already_committed);
}

TEST(NodeSubmit, ACopyUnderWayIsRefusedAndCannotHoldUpTheOriginal) {
    NodeHost host({.checking = Checking::held});
    ASSERT_TRUE(host.found());
    const auto payment = row_of(host, 1)[0];
    auto spoilt = payment;
    spoilt.signatures[1][0] ^= 1;
    host.submit({spoilt, payment, payment});
    host.check_signatures();
    EXPECT_EQ(refusals_of(host.submit_replies()[0]),
              (std::vector{Refusal::bad_signature, Refusal::already_pending}));
    host.pass_pulses(2);
    EXPECT_EQ(host.balance(1), 1'001u);
}

TEST(NodeSubmit, AForgottenTransactionIsStillStoppedByItsNonce) {
    HostOptions options;
    options.node.recent_transactions = 1;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    const auto row = row_of(host, 3);
    host.submit(row);
    host.pass_pulses(2);
    EXPECT_EQ(host.submit_one(row[0]).error().code, Refusal::bad_nonce);
    EXPECT_EQ(host.submit_one(row[2]).error().code, Refusal::already_committed);
}

TEST(NodeSubmit, AJoinAndPaymentsToAndByTheNewMemberFitInOneRow) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        NodeHost host({.checking = Checking::shuffled, .seed = seed});
        ASSERT_TRUE(host.found());
        const Community& town = host.community();
        const auto newcomer = town.member(77);
        const auto payer = town.member(0);
        Signing welcome = host.signing(payer);
        // The join will be in sequence 1, where the newcomer's counters begin.
        Signing first{std::uint64_t{1} << 20, welcome.expiry};
        host.submit({town.join(newcomer, host.signing(town.founder())),
                     town.pay(payer, newcomer, 30, welcome),
                     town.pay(newcomer, town.member(1), 10, first)});
        ASSERT_EQ(host.submit_replies().size(), 1u);
        EXPECT_TRUE(refusals_of(host.submit_replies()[0]).empty());
        host.pass_pulses(2);
        EXPECT_EQ(host.balance(77), 20u);
        EXPECT_EQ(host.balance(1), 1'010u);
    }
}

TEST(NodeSubmit, AnUnknownSignerIsRefusedOnceNothingIsLeftThatCouldCreateIt) {
    NodeHost host({.checking = Checking::held});
    ASSERT_TRUE(host.found());
    const Community& town = host.community();
    auto row = row_of(host, 1);
    row.push_back(town.pay(town.member(88), town.member(0), 1, {0, Pulse(50)}));
    row.push_back(town.pay(town.member(0), town.member(89), 1, {1, Pulse(50)}));
    host.submit(row);
    host.check_signatures();
    ASSERT_EQ(host.submit_replies().size(), 1u);
    EXPECT_EQ(refusals_of(host.submit_replies()[0]),
              (std::vector{Refusal::signer_unknown, Refusal::payee_not_member}));
}

TEST(NodeSubmit, ThePoolTakesItsMaximumAndNotOneMore) {
    HostOptions options;
    options.node.mempool.transactions_max = 5;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    host.submit(row_of(host, 6));
    const auto& verdicts = host.submit_replies()[0].verdicts;
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(verdicts[i]);
    ASSERT_FALSE(verdicts[5]);
    EXPECT_EQ(verdicts[5].error(), (protocol::Refused{Refusal::mempool_full, 5, 5}));
    host.pass_pulses(2);
    EXPECT_TRUE(host.pay(0, 1, 1));
}

TEST(NodeSubmit, TheChecksUnderWayAreBounded) {
    HostOptions options;
    options.node.signature_checks_max = 10;
    options.checking = Checking::held;
    NodeHost host(options);
    ASSERT_TRUE(host.found());
    host.submit(row_of(host, 6));  // two signatures each
    host.check_signatures();
    const auto& verdicts = host.submit_replies()[0].verdicts;
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(verdicts[i]);
    ASSERT_FALSE(verdicts[5]);
    EXPECT_EQ(verdicts[5].error(), (protocol::Refused{Refusal::mempool_full, 12, 10}));
}

TEST(NodeSubmit, AfterAFailedWriteEverythingIsRefused) {
    NodeHost host;
    ASSERT_TRUE(host.found());
    const auto row = row_of(host, 2);
    ASSERT_TRUE(host.submit_one(row[0]));
    host.store().fail_at(host.store().operations(), store::MemoryStore::Failure::refuse);
    host.pass_pulses(1);
    ASSERT_TRUE(host.fatal());
    EXPECT_TRUE(host.sealed().empty());
    EXPECT_EQ(host.node().next_deadline(), std::nullopt);
    EXPECT_EQ(host.submit_one(row[1]).error().code, Refusal::stopping);
}

TEST(NodeSubmit, WhatIsUnderWayWhenTheNodeStopsIsAnswered) {
    NodeHost host({.checking = Checking::at_once});
    ASSERT_TRUE(host.found());
    const auto row = row_of(host, 2);
    ASSERT_TRUE(host.submit_one(row[0]));
    host.set_checking(Checking::held);
    host.submit({row[1]});
    host.store().fail_at(host.store().operations(), store::MemoryStore::Failure::refuse);
    host.pass_pulses(1);
    EXPECT_EQ(refusals_of(host.submit_replies().back()), std::vector{Refusal::stopping});
}

TEST(NodeFound, AGenesisIsAcceptedOnceByTheNodeItNames) {
    NodeHost host;
    host.step(node::Found{1, Bytes{1, 2, 3}});
    EXPECT_EQ(host.found_replies().back().organization.error(), node::FoundError::malformed);

    auto spoilt = host.community().genesis();
    spoilt.charter.signature[0] ^= 1;
    host.step(node::Found{2, bcs::encode(spoilt)});
    EXPECT_EQ(host.found_replies().back().organization.error(), node::FoundError::invalid);
    EXPECT_EQ(host.found_replies().back().genesis, ledger::GenesisError::bad_signature);

    const Community strangers({.seed = 9});
    host.step(node::Found{3, strangers.encoded_genesis()});
    EXPECT_EQ(host.found_replies().back().organization.error(), node::FoundError::not_bookkeeper);

    ASSERT_TRUE(host.found());
    EXPECT_EQ(*host.found_replies().back().organization, host.community().organization().treasury);
    host.step(node::Found{4, host.community().encoded_genesis()});
    EXPECT_EQ(host.found_replies().back().organization.error(), node::FoundError::exists);
}

}  // namespace
}  // namespace leither::testing
