#include "leither/wallet/policy.h"

#include <gtest/gtest.h>

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::kChain;
using testing::kOtherChain;

class PolicyTest : public ::testing::Test, protected testing::DeskWorld {
 protected:
    PolicyTest() {
        policy.push_back({kChain, payee.id(), Amount::of(100), Amount::of(250)});
        policy.push_back({kOtherChain, stranger.id(), Amount::of(9), Amount::of(9)});
    }
    PolicyQuestion question(std::uint64_t amount, std::uint64_t spent = 0) const {
        return {kChain, payee.id(), payee.id(), Amount::of(amount), Amount::of(spent)};
    }
    PolicyVerdict verdict(const PolicyQuestion& asked) const {
        return judge(policy, asked).verdict;
    }

    Policy policy;
};

TEST_F(PolicyTest, PaysUpToItsLimitsAndNotAboveThem) {
    EXPECT_EQ(verdict(question(100)), PolicyVerdict::pays);
    EXPECT_EQ(judge(policy, question(101)),
              (PolicyAnswer{PolicyVerdict::above_amount_max, Amount::of(101), Amount::of(100)}));
    EXPECT_EQ(verdict(question(100, 150)), PolicyVerdict::pays);
    EXPECT_EQ(judge(policy, question(100, 151)),
              (PolicyAnswer{PolicyVerdict::above_per_day, Amount::of(251), Amount::of(250)}));
}

TEST_F(PolicyTest, ARuleIsAboutOnePayeeOfOneOrganization) {
    auto asked = question(1);
    asked.payee = asked.sender = stranger.id();
    EXPECT_EQ(verdict(asked), PolicyVerdict::no_rule);
    asked = question(1);
    asked.chain = kOtherChain;
    EXPECT_EQ(verdict(asked), PolicyVerdict::no_rule);
    EXPECT_EQ(judge({}, question(1)).verdict, PolicyVerdict::no_rule);
}

TEST_F(PolicyTest, ARequestPassedOnByAnotherIsNotPaid) {
    auto asked = question(1);
    asked.sender = stranger.id();
    EXPECT_EQ(verdict(asked), PolicyVerdict::foreign_letter);
}

TEST_F(PolicyTest, TheLargestSumsDoNotWrap) {
    policy.front() = {kChain, payee.id(), Amount::of(Amount::kMax), Amount::of(Amount::kMax)};
    EXPECT_EQ(verdict(question(Amount::kMax)), PolicyVerdict::pays);
    EXPECT_EQ(verdict(question(Amount::kMax, 1)), PolicyVerdict::above_per_day);
}

TEST_F(PolicyTest, TheFirstRuleAboutAPayeeDecides) {
    policy.push_back({kChain, payee.id(), Amount::of(1'000), Amount::of(1'000)});
    EXPECT_EQ(verdict(question(101)), PolicyVerdict::above_amount_max);
}

}  // namespace
}  // namespace leither::wallet
