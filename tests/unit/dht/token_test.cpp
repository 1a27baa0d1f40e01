#include "leither/dht/token.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/sign.h"

namespace leither::dht {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);
const IpAddress kAddress = IpAddress::v4({192, 0, 2, 1});
const Id kTarget = Id::copy_of(as_bytes("abcdefghij0123456789"));

TEST(Token, IsGoodForItsAddressAndTargetOnly) {
    Prng prng(1);
    TokenIssuer issuer(prng, kStart);
    const Token token = issuer.issue(kAddress, kTarget, kStart);
    EXPECT_EQ(token.size(), TokenIssuer::kTokenBytes);
    EXPECT_TRUE(issuer.accepts(token, kAddress, kTarget, kStart));
    EXPECT_FALSE(issuer.accepts(token, IpAddress::v4({192, 0, 2, 2}), kTarget, kStart));
    EXPECT_FALSE(issuer.accepts(token, kAddress, Id{}, kStart));
    EXPECT_FALSE(issuer.accepts(Token{}, kAddress, kTarget, kStart));
    TokenIssuer other(prng, kStart);
    EXPECT_FALSE(other.accepts(token, kAddress, kTarget, kStart));
}

TEST(Token, EveryAlteredOrShortenedTokenIsRefused) {
    Prng prng(2);
    TokenIssuer issuer(prng, kStart);
    const Token token = issuer.issue(kAddress, kTarget, kStart);
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
        Bytes bytes(token.view().begin(), token.view().end());
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(issuer.accepts(Token::copy_of(bytes), kAddress, kTarget, kStart));
    }
    for (std::size_t size = 0; size < token.size(); ++size) {
        const Token shorter = Token::copy_of(token.view().first(size));
        EXPECT_FALSE(issuer.accepts(shorter, kAddress, kTarget, kStart));
    }
    Bytes longer(token.view().begin(), token.view().end());
    longer.push_back(0);
    EXPECT_FALSE(issuer.accepts(Token::copy_of(longer), kAddress, kTarget, kStart));
}

TEST(Token, LivesAtLeastFiveAndLessThanTenMinutes) {
    for (int age = 0; age < 300; age += 7) {
        Prng prng(3);
        TokenIssuer issuer(prng, kStart);
        const Instant issued = kStart + seconds(age);
        const Token token = issuer.issue(kAddress, kTarget, issued);
        EXPECT_TRUE(issuer.accepts(token, kAddress, kTarget, issued + minutes(5) - seconds(1)));
        EXPECT_FALSE(issuer.accepts(token, kAddress, kTarget, issued + minutes(10))) << age;
    }
}

TEST(Token, OutlivesNoIdleHour) {
    Prng prng(4);
    TokenIssuer issuer(prng, kStart);
    const Token token = issuer.issue(kAddress, kTarget, kStart);
    EXPECT_FALSE(issuer.accepts(token, kAddress, kTarget, kStart + minutes(61)));
    EXPECT_NE(issuer.issue(kAddress, kTarget, kStart + minutes(61)), token);
}

}  // namespace
}  // namespace leither::dht
