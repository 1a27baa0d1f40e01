#include "leither/crypto/seal.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "leither/base/prng.h"

namespace leither::crypto {
namespace {

class Seal : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { initialise(); }

    Prng prng{11};
    KeyPair account = KeyPair::generate(prng);
    X25519KeyPair key = X25519KeyPair::derive(account.seed(), "leither/test/1");
    Bytes plain = {1, 2, 3, 4, 5};
};

TEST_F(Seal, LibsodiumOpensWhatIsSealedHere) {
    const auto sealed = seal(key.public_key(), plain, prng);
    ASSERT_TRUE(sealed.has_value());
    Bytes opened(plain.size());
    ASSERT_EQ(crypto_box_seal_open(opened.data(), sealed->data(), sealed->size(),
                                   key.public_key().data(), key.secret().data()),
              0);
    EXPECT_EQ(opened, plain);
}

TEST_F(Seal, WhatLibsodiumSealsIsOpenedHere) {
    Bytes sealed(plain.size() + crypto_box_SEALBYTES);
    ASSERT_EQ(crypto_box_seal(sealed.data(), plain.data(), plain.size(), key.public_key().data()),
              0);
    EXPECT_EQ(open(key, sealed), plain);
}

TEST_F(Seal, SameEntropyGivesTheSameBytes) {
    Prng a(3);
    Prng b(3);
    EXPECT_EQ(seal(key.public_key(), plain, a), seal(key.public_key(), plain, b));
    EXPECT_NE(seal(key.public_key(), plain, a), seal(key.public_key(), plain, a));
}

TEST_F(Seal, AlikeDependsOnKeyAndBytesAlone) {
    const auto sealed = seal_alike(key.public_key(), plain);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed, seal_alike(key.public_key(), plain));
    EXPECT_EQ(open(key, *sealed), plain);
    const X25519KeyPair other = X25519KeyPair::derive(account.seed(), "leither/other/1");
    EXPECT_NE(sealed, seal_alike(other.public_key(), plain));
}

TEST_F(Seal, AnAlteredBitDoesNotOpen) {
    const auto sealed = seal(key.public_key(), plain, prng);
    for (std::size_t bit = 0; bit < 8 * sealed->size(); ++bit) {
        // X25519 ignores the top bit of a key, but the nonce covers it.
        Bytes altered = *sealed;
        altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ (1 << bit % 8));
        EXPECT_FALSE(open(key, altered).has_value()) << bit;
    }
}

TEST_F(Seal, AnotherKeyAndAShortBoxDoNotOpen) {
    const auto sealed = seal(key.public_key(), plain, prng);
    EXPECT_FALSE(open(seal_pair_of(account), *sealed).has_value());
    for (std::size_t size = 0; size < sealed->size(); ++size) {
        EXPECT_FALSE(open(key, ByteView(*sealed).first(size)).has_value());
    }
}

TEST_F(Seal, AnAccountOpensWhatIsSealedToItsPublicKey) {
    const auto to = seal_key_of(account.public_key());
    ASSERT_TRUE(to.has_value());
    const X25519KeyPair own = seal_pair_of(account);
    EXPECT_EQ(own.public_key(), *to);
    EXPECT_EQ(open(own, *seal(*to, plain, prng)), plain);
}

TEST_F(Seal, NothingIsSealedToAKeyOfSmallOrder) {
    EXPECT_FALSE(seal(X25519PublicKey{}, plain, prng).has_value());
    EXPECT_FALSE(seal_alike(X25519PublicKey{}, plain).has_value());
    PublicKey identity;
    identity[0] = 1;
    EXPECT_FALSE(seal_key_of(identity).has_value());
}

TEST_F(Seal, TagsGiveKeysThatHaveNothingInCommon) {
    const X25519KeyPair other = X25519KeyPair::derive(account.seed(), "leither/other/1");
    EXPECT_NE(key.public_key(), other.public_key());
    EXPECT_EQ(X25519KeyPair::from_secret(key.secret()).public_key(), key.public_key());
}

}  // namespace
}  // namespace leither::crypto
