#include "leither/wallet/task.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::wallet {
namespace {

constexpr std::uint64_t kNowMs = 1'800'000'000'000;

crypto::KeyPair key_named(const std::string& name) {
    crypto::KeyPair::Seed seed{};
    const Hash hash = crypto::blake2b_256(as_bytes(name));
    std::ranges::copy(hash.view(), seed.begin());
    return crypto::KeyPair::from_seed(seed);
}

class TaskTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    SignedTask promise(const std::string& title = "Repair the oven") const {
        Task task;
        task.supervisor = fay.public_key();
        task.title = TaskTitle(title);
        task.text = protocol::LongText("the left one");
        task.amount = Amount::of(4000);
        task.validity = {kNowMs, kNowMs + 86'400'000};
        return sign_task(chain, task, fay);
    }
    SignedApplication application(const crypto::KeyPair& who) const {
        protocol::Application application;
        application.applicant = who.public_key();
        application.expiry = Pulse(900);
        return sign_application(chain, application, who);
    }
    static Instant at(std::uint64_t ms) { return instant_from_unix_ms(ms); }

    ChainId chain = ChainId::copy_of(Bytes(32, 0xcc));
    crypto::KeyPair fay = key_named("fay");
    crypto::KeyPair gus = key_named("gus");
    protocol::LongText proof{"it bakes again"};
};

TEST_F(TaskTest, APromiseComesBackFromItsText) {
    const SignedTask task = promise();
    const auto read = task_from_text(to_text(task));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, task);
    EXPECT_TRUE(check(*read, chain, at(kNowMs)));
    EXPECT_EQ(task_id(chain, read->task), task_id(chain, task.task));
}

TEST_F(TaskTest, WhatIsNotPromisedIsNamed) {
    SignedTask task = promise();
    EXPECT_EQ(check(task, ChainId{}, at(kNowMs)).error(), TaskFault::wrong_organization);
    EXPECT_EQ(check(task, chain, at(kNowMs + 86'400'000)).error(), TaskFault::expired);
    task.task.amount = Amount::of(4001);
    EXPECT_EQ(check(task, chain, at(kNowMs)).error(), TaskFault::not_promised);
}

TEST_F(TaskTest, ATaskHasATitleAndPaysSomething) {
    SignedTask task = promise();
    task.task.title = TaskTitle("");
    EXPECT_FALSE(bcs::decode<SignedTask>(bcs::encode(task)));
    task = promise();
    task.task.amount = Amount{};
    EXPECT_FALSE(bcs::decode<SignedTask>(bcs::encode(task)));
}

TEST_F(TaskTest, AClaimIsWorkWithoutProofAndASubmissionWorkWithOne) {
    const SignedWork claim = sign_work(promise(), {}, gus);
    const SignedWork done = sign_work(promise(), proof, gus, application(gus));
    EXPECT_TRUE(claim_from_text(to_text(claim)).has_value());
    EXPECT_FALSE(submission_from_text(to_text(claim)).has_value());
    const auto read = submission_from_text(to_text(done));
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(check(*read, chain));
    EXPECT_EQ(read->work, done.work);
    EXPECT_EQ(read->application->application, done.application->application);
    EXPECT_FALSE(claim_from_text(to_text(done)).has_value());
}

TEST_F(TaskTest, NobodyPassesOffAnothersWork) {
    SignedWork done = sign_work(promise(), proof, gus);
    done.work.proof = protocol::LongText("all of it");
    EXPECT_EQ(check(done, chain).error(), TaskFault::not_signed);
    done = sign_work(promise(), proof, gus);
    done.work.worker = fay.public_key();
    EXPECT_EQ(check(done, chain).error(), TaskFault::not_signed);
    // Nor carries it another task, or another's application.
    done = sign_work(promise(), proof, gus);
    done.task = promise("Paint the oven");
    EXPECT_FALSE(bcs::decode<SignedWork>(bcs::encode(done)));
    done = sign_work(promise(), proof, gus);
    done.application = application(fay);
    EXPECT_FALSE(bcs::decode<SignedWork>(bcs::encode(done)));
    EXPECT_EQ(check(sign_work(promise(), proof, gus), ChainId{}).error(),
              TaskFault::wrong_organization);
    SignedWork unpromised = sign_work(promise(), proof, gus);
    unpromised.task.signature = Signature{};
    EXPECT_EQ(check(unpromised, chain).error(), TaskFault::not_promised);
}

TEST_F(TaskTest, TheLargestFitsALetter) {
    SignedTask task = promise(std::string(TaskTitle::kMax, 't'));
    task.task.text = protocol::LongText(std::string(protocol::LongText::kMax, 'x'));
    protocol::Application most;
    most.applicant = gus.public_key();
    most.sponsor = fay.id();
    most.note = protocol::Text(std::string(protocol::Text::kMax, 'n'));
    const auto work = sign_work(task, protocol::LongText(std::string(280, 'p')), gus,
                                sign_application(chain, most, gus));
    EXPECT_LE(to_text(work).size() + 100, 4096U);
    EXPECT_LE(reason_of(chain, task.task).size(), protocol::LongText::kMax);
}

TEST_F(TaskTest, TheLedgersReasonNamesTheTask) {
    const Task task = promise().task;
    const std::string digits = task_id(chain, task).hex().substr(0, 12);
    EXPECT_EQ(std::string(reason_of(chain, task)), "Repair the oven [task " + digits + "]");
}

}  // namespace
}  // namespace leither::wallet
