#include "leither/crypto/sign.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

namespace leither::crypto {
namespace {

TEST(KeyPair, SameSeedGivesTheSameKey) {
    const KeyPair::Seed seed = {1, 2, 3};
    EXPECT_EQ(KeyPair::from_seed(seed).public_key(), KeyPair::from_seed(seed).public_key());
    EXPECT_EQ(KeyPair::from_seed(seed).seed(), seed);
}

TEST(KeyPair, IdIsBlake2b160OfThePublicKey) {
    const KeyPair pair = KeyPair::from_seed({9});
    EXPECT_EQ(pair.id(), id_of(pair.public_key()));
}

TEST(KeyPair, GenerateTakesItsSeedFromEntropy) {
    Prng entropy(42);
    Prng twin(42);
    KeyPair::Seed seed{};
    twin.fill(seed);
    EXPECT_EQ(KeyPair::generate(entropy).seed(), seed);
    EXPECT_NE(KeyPair::generate(entropy).seed(), seed);
}

TEST(KeyPair, SignatureFailsWhenAnyBitOfItChanges) {
    const KeyPair pair = KeyPair::from_seed({5});
    const Bytes message = {'h', 'i'};
    const Signature good = pair.sign(message);
    ASSERT_TRUE(verify(pair.public_key(), message, good));
    for (std::size_t bit = 0; bit < 8 * Signature::kSize; ++bit) {
        Signature bad = good;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(verify(pair.public_key(), message, bad)) << "bit " << bit;
    }
}

TEST(DeriveKey, FamilyMembersDifferAndRepeat) {
    const KeyPair::Seed family = {1};
    EXPECT_EQ(derive_key(family, 7).public_key(), derive_key(family, 7).public_key());
    EXPECT_NE(derive_key(family, 7).public_key(), derive_key(family, 8).public_key());
    EXPECT_NE(derive_key(family, 7).public_key(), derive_key({2}, 7).public_key());
}

TEST(DeriveKey, SeedIsTheHashOfFamilyAndLittleEndianNumber) {
    const KeyPair::Seed family = {0xaa};
    Bytes input(family.begin(), family.end());
    input.insert(input.end(), {0x02, 0x01, 0, 0, 0, 0, 0, 0});
    const KeyPair::Seed derived = derive_key(family, 0x0102).seed();
    EXPECT_EQ(to_hex(derived), blake2b_256(input).hex());
}

}  // namespace
}  // namespace leither::crypto
