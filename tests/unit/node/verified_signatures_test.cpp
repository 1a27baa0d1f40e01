#include "node/verified_signatures.h"

#include <gtest/gtest.h>

namespace leither::node {
namespace {

ledger::SignatureCheck check_of(std::uint8_t number) {
    ledger::SignatureCheck check;
    check.key[0] = 1;
    check.message = {2, number};
    check.signature[0] = 3;
    return check;
}

void add(VerifiedSignatures& verified, std::uint8_t number) {
    verified.add(VerifiedSignatures::digest(check_of(number)));
}

TEST(VerifiedSignatures, RememberNothingUntilThereIsALimit) {
    VerifiedSignatures verified;
    add(verified, 0);
    EXPECT_FALSE(verified.contains(check_of(0)));
    verified.set_limit(4);
    add(verified, 0);
    EXPECT_TRUE(verified.contains(check_of(0)));
}

TEST(VerifiedSignatures, AnotherKeyMessageOrSignatureIsAnotherCheck) {
    VerifiedSignatures verified;
    verified.set_limit(4);
    add(verified, 0);
    auto other = check_of(0);
    other.key[31] ^= 1;
    EXPECT_FALSE(verified.contains(other));
    other = check_of(0);
    other.message.push_back(0);
    EXPECT_FALSE(verified.contains(other));
    other = check_of(0);
    other.signature[63] ^= 1;
    EXPECT_FALSE(verified.contains(other));
}

TEST(VerifiedSignatures, TheLastOfThemAreKeptAndNeverMoreThanTwiceTheLimit) {
    VerifiedSignatures verified;
    verified.set_limit(4);
    for (std::uint8_t number = 0; number < 8; ++number) add(verified, number);
    EXPECT_EQ(verified.size(), 8u);
    EXPECT_TRUE(verified.contains(check_of(0)));
    add(verified, 8);
    EXPECT_EQ(verified.size(), 5u);
    EXPECT_FALSE(verified.contains(check_of(0)));
    for (std::uint8_t number = 5; number <= 8; ++number) {
        EXPECT_TRUE(verified.contains(check_of(number))) << int{number};
    }
}

TEST(VerifiedSignatures, ASmallerLimitForgetsWhatIsAboveIt) {
    VerifiedSignatures verified;
    verified.set_limit(4);
    for (std::uint8_t number = 0; number < 4; ++number) add(verified, number);
    verified.set_limit(1);
    EXPECT_EQ(verified.size(), 0u);
    verified.set_limit(4);
    add(verified, 0);
    verified.clear();
    EXPECT_FALSE(verified.contains(check_of(0)));
}

}  // namespace
}  // namespace leither::node
