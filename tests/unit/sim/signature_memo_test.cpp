#include "leither/sim/signature_memo.h"

#include <gtest/gtest.h>

#include "leither/crypto/sign.h"

namespace leither::sim {
namespace {

Bytes numbered(std::uint32_t number) {
    Bytes bytes(4);
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return bytes;
}

TEST(SignatureMemo, AnswersWhatVerifyAnswersAlsoTheSecondTime) {
    const crypto::KeyPair key = crypto::derive_key({}, 1);
    const crypto::KeyPair other = crypto::derive_key({}, 2);
    const Bytes message = numbered(7);
    const Signature good = key.sign(message);
    Signature bad = good;
    bad[5] ^= 1;
    SignatureMemo memo;
    for (int time = 0; time < 3; ++time) {
        EXPECT_TRUE(memo.holds(key.public_key(), message, good));
        EXPECT_FALSE(memo.holds(key.public_key(), message, bad));
        EXPECT_FALSE(memo.holds(other.public_key(), message, good));
        EXPECT_FALSE(memo.holds(key.public_key(), numbered(8), good));
    }
    EXPECT_EQ(memo.checked(), 4u);
}

TEST(SignatureMemo, ForgetsWhatNobodyAsksForAndNeverGrowsBeyondTwoGenerations) {
    const crypto::KeyPair key = crypto::derive_key({}, 1);
    const Bytes kept = numbered(UINT32_MAX);
    const Signature signature = key.sign(kept);
    Signature refused;  // above the group's order: refused at a glance
    for (std::size_t i = 0; i < Signature::kSize; ++i) refused[i] = 0xff;
    SignatureMemo memo;
    EXPECT_TRUE(memo.holds(key.public_key(), kept, signature));
    constexpr std::size_t kMany = 3 * SignatureMemo::kGeneration;
    for (std::size_t n = 0; n < kMany; ++n) {
        EXPECT_FALSE(
            memo.holds(key.public_key(), numbered(static_cast<std::uint32_t>(n)), refused));
        if (n % 1000 == 0) {
            EXPECT_TRUE(memo.holds(key.public_key(), kept, signature));
        }
        ASSERT_LE(memo.size(), 2 * SignatureMemo::kGeneration);
    }
    EXPECT_EQ(memo.checked(), kMany + 1);  // what is asked for stays
    EXPECT_FALSE(memo.holds(key.public_key(), numbered(0), refused));
    EXPECT_EQ(memo.checked(), kMany + 2);
}

}  // namespace
}  // namespace leither::sim
