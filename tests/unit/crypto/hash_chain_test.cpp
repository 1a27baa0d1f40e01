#include "leither/crypto/hash_chain.h"

#include <gtest/gtest.h>

namespace leither::crypto {
namespace {

constexpr std::string_view kTag = "leither/test-link/1";
const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));
const Hash kSecret = Hash::copy_of(Bytes(32, 0x5e));

TEST(HashChain, EachLinkLeadsToTheOneBeforeItAndToNoOther) {
    const HashChain chain(kTag, kChain, kSecret, 5);
    EXPECT_EQ(chain.head(), chain.link(0));
    EXPECT_EQ(chain.link(5), kSecret);
    for (std::uint32_t i = 0; i < 5; ++i) {
        for (std::uint32_t j = 0; j <= 5; ++j) {
            EXPECT_EQ(link_follows(kTag, kChain, chain.link(i), chain.link(j)), j == i + 1);
        }
    }
}

TEST(HashChain, AnotherTagOrOrganizationIsAnotherChain) {
    const HashChain chain(kTag, kChain, kSecret, 3);
    EXPECT_FALSE(link_follows("leither/other/1", kChain, chain.head(), chain.link(1)));
    EXPECT_FALSE(link_follows(kTag, ChainId{}, chain.head(), chain.link(1)));
    EXPECT_NE(HashChain(kTag, ChainId{}, kSecret, 3).head(), chain.head());
    EXPECT_NE(HashChain(kTag, kChain, kSecret, 4).head(), chain.head());
}

}  // namespace
}  // namespace leither::crypto
