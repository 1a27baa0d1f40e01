#include "leither/org/shelf.h"

#include <gtest/gtest.h>

namespace leither::org {
namespace {

const Bytes kKey{1};
const Bytes kOther{2};

TEST(Writes, OfTwoToOneKeyTheLaterHolds) {
    Writes writes;
    writes.put(kKey, {1});
    writes.erase(kOther);
    Writes later;
    later.erase(kKey);
    later.put(kOther, {2});
    writes.append(std::move(later));
    const auto batch = writes.take();
    ASSERT_EQ(batch.erases().size(), 1U);
    EXPECT_EQ(batch.erases()[0].key, kKey);
    ASSERT_EQ(batch.puts().size(), 1U);
    EXPECT_EQ(batch.puts()[0].key, kOther);
    EXPECT_EQ(batch.puts()[0].value, Bytes{2});
    EXPECT_TRUE(writes.empty());
}

TEST(Writes, ABatchIsTakenAsWhatCameLater) {
    Writes writes;
    writes.erase(kKey);
    writes.put(kOther, {1});
    store::WriteBatch later;
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
}  // namespace leither::org
