#include "leither/wallet/payment_state.h"

#include <gtest/gtest.h>

namespace leither::wallet {
namespace {

constexpr std::uint32_t kPublicity = 100;

PaymentState at(std::uint64_t now, bool is_final, bool is_contested = false) {
    return state_of({Pulse(50), is_final, is_contested}, kPublicity, Pulse(now));
}

TEST(PaymentStates, SecuredIsWhatFinalitySaysAndSettledWhatItsPublicityHasLeft) {
    EXPECT_EQ(at(50, false), PaymentState::committed);
    EXPECT_EQ(at(50, true), PaymentState::secured);
    EXPECT_EQ(at(149, true), PaymentState::secured);
    EXPECT_EQ(at(150, true), PaymentState::settled);
    EXPECT_EQ(settles_at(Pulse(50), kPublicity), Pulse(150));
}

TEST(PaymentStates, TimeAloneSettlesNothing) {
    EXPECT_EQ(at(9'999, false), PaymentState::committed) << "nobody has checked it";
    EXPECT_EQ(at(9'999, true, true), PaymentState::secured) << "somebody objects";
}

TEST(PaymentStates, AnOrganizationWithoutPublicitySettlesAtOnce) {
    EXPECT_EQ(state_of({Pulse(50), true, false}, 0, Pulse(50)), PaymentState::settled);
}

TEST(PaymentStates, EachIsReadFromItsWord) {
    for (const char* word : {"pending", "committed", "secured", "settled", "refused", "expired"}) {
        const auto state = payment_state(word);
        ASSERT_TRUE(state) << word;
        EXPECT_STREQ(to_string(*state), word);
        const bool is_in_block = *state == PaymentState::committed ||
                                 *state == PaymentState::secured || *state == PaymentState::settled;
        EXPECT_EQ(is_decided(*state), is_in_block) << word;
    }
    EXPECT_FALSE(payment_state("final"));
    EXPECT_FALSE(payment_state(""));
}

}  // namespace
}  // namespace leither::wallet
