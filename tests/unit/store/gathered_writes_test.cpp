#include "leither/store/gathered_writes.h"

#include <gtest/gtest.h>

namespace leither::store {
namespace {

const Bytes kKey{1};
const Bytes kOther{2};

TEST(GatheredWrites, OfTwoToOneKeyTheLaterHolds) {
    GatheredWrites writes;
    writes.put(kKey, {1});
    writes.erase(kOther);
    GatheredWrites later;
    later.erase(kKey);
    later.put(kOther, {2});
    writes.append(std::move(later));
    EXPECT_EQ(writes.bytes(), 3U) << "two keys and a value";
    EXPECT_EQ(later.bytes(), 0U);
    const auto batch = writes.take();
    ASSERT_EQ(batch.erases().size(), 1U);
    EXPECT_EQ(batch.erases()[0].key, kKey);
    ASSERT_EQ(batch.puts().size(), 1U);
    EXPECT_EQ(batch.puts()[0].key, kOther);
    EXPECT_EQ(batch.puts()[0].value, Bytes{2});
    EXPECT_TRUE(writes.empty());
}

TEST(GatheredWrites, ABatchIsTakenAsWhatCameLater) {
    GatheredWrites writes;
    writes.erase(kKey);
    writes.put(kOther, {1});
    WriteBatch later;
    later.put(kKey, {2});
    later.erase(kOther);
    writes.append(later);
    const auto batch = writes.take();
    ASSERT_EQ(batch.puts().size(), 1U);
    EXPECT_EQ(batch.puts()[0].key, kKey);
    ASSERT_EQ(batch.erases().size(), 1U);
    EXPECT_EQ(batch.erases()[0].key, kOther);
}

}  // namespace
}  // namespace leither::store
