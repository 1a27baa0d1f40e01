#include <gtest/gtest.h>

#include "leither/store/kv.h"

namespace leither::store {
namespace {

TEST(VersionKey, HasItsBytes) {
    EXPECT_EQ(to_hex(version_key(0x0102030405060708, KeyKind::page, 0x0a0b0c0d)),
              "0102030405060708020a0b0c0d");
}

TEST(VersionKey, SortsBySequenceThenKindThenIndex) {
    const std::vector<Bytes> rising = {
        version_key(0, KeyKind::seal),         version_key(0, KeyKind::genesis, UINT32_MAX),
        version_key(1, KeyKind::seal),         version_key(1, KeyKind::block),
        version_key(1, KeyKind::page, 0),      version_key(1, KeyKind::page, 255),
        version_key(1, KeyKind::page, 256),    version_key(256, KeyKind::seal),
        version_key(UINT64_MAX, KeyKind::seal)};
    EXPECT_TRUE(std::is_sorted(rising.begin(), rising.end()));
}

TEST(VersionKey, ReadsBack) {
    const auto key = parse_version_key(version_key(7, KeyKind::block, 9));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->sequence, 7u);
    EXPECT_EQ(key->kind, KeyKind::block);
    EXPECT_EQ(key->index, 9u);
}

TEST(VersionKey, RefusesOtherKeys) {
    Bytes key = version_key(7, KeyKind::vote);
    EXPECT_TRUE(parse_version_key(key));
    key[8] = 5;
    EXPECT_FALSE(parse_version_key(key));
    EXPECT_FALSE(parse_version_key(Bytes(12)));
    EXPECT_FALSE(parse_version_key(Bytes(14)));
}

}  // namespace
}  // namespace leither::store
