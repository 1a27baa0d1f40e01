#include "app/replay/signer.h"

#include <atomic>

#include <gtest/gtest.h>

namespace leither::app {
namespace {

TEST(OnAllCores, EveryIndexIsWorkedOnce) {
    std::vector<std::atomic<int>> seen(1000);
    on_all_cores(seen.size(), [&](std::size_t i) { ++seen[i]; });
    for (const auto& count : seen) EXPECT_EQ(count, 1);
}

TEST(Signer, ChunksComeInOrderAndWhole) {
    Signer signer({.count = 1003, .chunk = 10, .chunks_ahead = 3}, [](std::size_t i) {
        return SignedTransaction{i, {}, {}};
    });
    std::uint64_t expected = 0;
    for (auto chunk = signer.next(); !chunk.empty(); chunk = signer.next()) {
        EXPECT_LE(chunk.size(), 10u);
        for (const auto& signed_transaction : chunk) EXPECT_EQ(signed_transaction.row, expected++);
    }
    EXPECT_EQ(expected, 1003u);
}

TEST(Signer, NothingToSignEndsAtOnce) {
    Signer signer({}, [](std::size_t) { return SignedTransaction{}; });
    EXPECT_TRUE(signer.next().empty());
}

TEST(Signer, ItMayBeLeftBeforeTheEnd) {
    Signer signer({.count = 100'000, .chunk = 1, .chunks_ahead = 2}, [](std::size_t i) {
        return SignedTransaction{i, {}, {}};
    });
    EXPECT_EQ(signer.next().size(), 1u);
}

}  // namespace
}  // namespace leither::app
