#include "app/place_plan.h"

#include <gtest/gtest.h>

namespace leither::app {
namespace {

TEST(PlacePlan, ANameIsShortAndOfFewCharacters) {
    for (const char* name : {"a", "choir", "bakers-row-2", "-"}) {
        EXPECT_TRUE(is_place_name(name)) << name;
    }
    EXPECT_TRUE(is_place_name(std::string(kPlaceNameMax, 'a')));
    EXPECT_FALSE(is_place_name(std::string(kPlaceNameMax + 1, 'a')));
    for (const char* name : {"", ".", "..", "a/b", "Choir", "a b", "a_b", "ä", "a\n"}) {
        EXPECT_FALSE(is_place_name(name)) << name;
    }
}

TEST(PlacePlan, OneOrganizationHasAll) {
    EXPECT_EQ(share_of({}, 1), Config{});
}

TEST(PlacePlan, SeveralDivideMemoryDiskAndConnectionsAndNothingElse) {
    const Config whole;
    Config expected = whole;
    expected.memory_max = 40_MiB;
    expected.content_max_bytes = 64_MiB;
    expected.peer_connections_max = 32;
    EXPECT_EQ(share_of(whole, 4), expected);
}

TEST(PlacePlan, NoShareIsBelowWhatAKeyAllows) {
    Config whole;
    whole.memory_max = 16_MiB;
    whole.content_max_bytes = 1_MiB;
    whole.peer_connections_max = 5;
    const Config part = share_of(whole, 64);
    EXPECT_EQ(part.memory_max, 16_MiB);
    EXPECT_EQ(part.content_max_bytes, 1_MiB);
    EXPECT_EQ(part.peer_connections_max, 5u);
    whole.peer_connections_max = 100;
    EXPECT_EQ(share_of(whole, 64).peer_connections_max, 32u) << "enough to meet a committee";
}

TEST(PlacePlan, PortsAreRememberedAsText) {
    const PlacePorts ports{7401, 7402};
    EXPECT_EQ(parse_place_ports(to_text(ports)), ports);
    EXPECT_EQ(parse_place_ports("7401 0"), (PlacePorts{7401, 0}));
    for (const char* text : {"", "7401", "7401 ", " 7401 7402", "7401  7402", "7401 7402 ",
                             "7401 65536", "-1 7402", "a b"}) {
        EXPECT_FALSE(parse_place_ports(text)) << text;
    }
}

TEST(PlacePlan, APlaceTriesTheNextPortsAndFirstThoseItHad) {
    auto choices = port_choices({7400, 7500}, std::nullopt);
    ASSERT_EQ(choices.size(), kPortChoices);
    EXPECT_EQ(choices.front(), (PlacePorts{7401, 7501}));
    EXPECT_EQ(choices.back(), (PlacePorts{7464, 7564}));

    choices = port_choices({7400, 7400}, PlacePorts{7403, 7403});
    ASSERT_EQ(choices.size(), kPortChoices);
    EXPECT_EQ(choices[0], (PlacePorts{7403, 7403}));
    EXPECT_EQ(choices[1], (PlacePorts{7401, 7401}));
}

TEST(PlacePlan, NoPortIsAboveTheLastAndAnyFreeOneStaysSo) {
    EXPECT_EQ(port_choices({65'534, 7400}, std::nullopt),
              (std::vector<PlacePorts>{{65'535, 7401}}));
    EXPECT_TRUE(port_choices({65'535, 0}, std::nullopt).empty());
    EXPECT_EQ(port_choices({0, 0}, std::nullopt), (std::vector<PlacePorts>{{0, 0}}));
}

TEST(PlacePlan, SharesOfMemoryLeaveRoomForTheRest) {
    const MemoryShares shares = share_memory(160_MiB);
    const std::uint64_t sum = shares.tree_cache.bytes + shares.page_cache.bytes +
                              2 * shares.write_buffer.bytes + shares.block_cache.bytes +
                              shares.mempool.bytes;
    EXPECT_LT(sum, (160_MiB).bytes);
    EXPECT_GT(sum, (128_MiB).bytes);
}

}  // namespace
}  // namespace leither::app
