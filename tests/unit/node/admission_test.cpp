// What admission remembers for the blocks to come.
#include "node/admission.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/store/memory_store.h"

#include "support/node/community.h"

namespace leither::node {
namespace {

constexpr ledger::Place kPlace{Pulse(1), Sequence(1)};

// Admission to a founded ledger, and no node around it.
class AdmissionTest : public ::testing::Test {
 protected:
    AdmissionTest() {
        crypto::initialise();
        auto founded =
            ledger::execute_genesis(town_.organization(), tree_, town_.genesis()).value();
        CHECK(store_.write(founded.update.take_writes()).has_value());
        tree_.commit(std::move(founded.update));
    }

    protocol::Transaction payment() const {
        return town_.pay(town_.member(0), town_.member(1), 1, {0, Pulse(100)});
    }
    // What the host is to check.
    std::vector<SignatureJob> submit(const protocol::Transaction& transaction) {
        Effects fx;
        CHECK(admission_.submit(Submit{7, {bcs::encode(transaction)}}, kPlace, fx).has_value());
        admission_.check_invariants();
        return std::move(fx.verify);
    }
    std::vector<SignatureJob> hear(const Id& from, const protocol::Transaction& transaction) {
        Effects fx;
        protocol::TransactionPost post;
        post.transactions.push_back(transaction);
        CHECK(admission_.submit(from, std::move(post), kPlace, fx).has_value());
        admission_.check_invariants();
        return std::move(fx.verify);
    }
    void answer(const SignatureJob& job) {
        SignaturesChecked checked{job.job, {}};
        for (const auto& check : job.checks) {
            checked.holds.push_back(crypto::verify(check.key, check.message, check.signature));
        }
        Effects fx;
        CHECK(admission_.on_checked(checked, kPlace, fx).has_value());
        admission_.check_invariants();
    }
    bool remembers(const ledger::SignatureCheck& check) {
        return admission_.verified().contains(check);
    }

    testing::Community town_{testing::CommunityOptions{}};
    store::MemoryStore store_;
    tree::Tree tree_{tree::Options{}, store_};
    consensus::Mempool mempool_{{}, town_.organization(), tree_};
    RecentTransactions recent_{100};
    Admission admission_{town_.organization(), 1000, mempool_, recent_};
};

TEST_F(AdmissionTest, WhatHoldsIsRememberedOnceItIsKnownTo) {
    admission_.verified().set_limit(100);
    const auto jobs = submit(payment());
    ASSERT_EQ(jobs.size(), 1u);
    ASSERT_EQ(jobs[0].checks.size(), 2u);
    for (const auto& check : jobs[0].checks) EXPECT_FALSE(remembers(check));
    answer(jobs[0]);
    for (const auto& check : jobs[0].checks) EXPECT_TRUE(remembers(check));
}

TEST_F(AdmissionTest, OfASpoiltTransactionNothingIsRemembered) {
    admission_.verified().set_limit(100);
    auto spoilt = payment();
    spoilt.signatures[1][0] ^= 1;
    const auto jobs = submit(spoilt);
    answer(jobs.at(0));
    for (const auto& check : jobs[0].checks) EXPECT_FALSE(remembers(check));
}

TEST_F(AdmissionTest, ACopyUnderWayIsNotCheckedAgain) {
    const auto jobs = submit(payment());
    EXPECT_TRUE(hear(town_.member(3).id(), payment()).empty());
    answer(jobs.at(0));
    EXPECT_EQ(mempool_.size(), 1u);
}

TEST_F(AdmissionTest, ACopyOfASpoiltTransactionIsRefusedWithIt) {
    auto spoilt = payment();
    spoilt.signatures[0][0] ^= 1;
    const auto jobs = submit(spoilt);
    EXPECT_TRUE(submit(spoilt).empty());
    // With the right signatures it is another, and owes nothing to the spoilt one.
    const auto good = submit(payment());
    ASSERT_EQ(good.size(), 1u);
    answer(jobs.at(0));
    EXPECT_EQ(mempool_.size(), 0u);
    answer(good[0]);
    EXPECT_EQ(mempool_.size(), 1u);
}

TEST_F(AdmissionTest, WhoSentWhatWasAdmittedIsTold) {
    const Id neighbour = town_.member(3).id();
    answer(hear(neighbour, payment()).at(0));
    EXPECT_EQ(admission_.take_admitted_from(), (std::vector<std::optional<Id>>{neighbour}));
    EXPECT_TRUE(admission_.take_admitted_from().empty());
    // Who sends it again changes nothing.
    EXPECT_TRUE(submit(payment()).empty());
    EXPECT_TRUE(admission_.take_admitted_from().empty());
}

TEST_F(AdmissionTest, APostOfNothingIsNothing) {
    Effects fx;
    ASSERT_TRUE(admission_.submit(Id{}, protocol::TransactionPost{}, kPlace, fx).has_value());
    EXPECT_TRUE(fx.replies.empty() && fx.verify.empty());
    admission_.check_invariants();
}

}  // namespace
}  // namespace leither::node
