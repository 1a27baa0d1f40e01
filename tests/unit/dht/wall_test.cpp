#include "leither/dht/wall.h"

#include <gtest/gtest.h>

namespace leither::dht {
namespace {

const IpAddress kGlobal = IpAddress::v4({20, 1, 2, 3});
const IpAddress kSite = IpAddress::v4({192, 168, 1, 2});
const IpAddress kHost = IpAddress::v4({127, 0, 0, 1});
constexpr VersionTag kForeign = {'L', 'T', 2, 0};

Wall wall(Network network, Admission admission) {
    return Wall({.network = network, .admission = admission, .allow = {}});
}

TEST(AddressRange, IsWrittenAsPrefixOrAddress) {
    EXPECT_TRUE(AddressRange::parse("10.0.0.0/8")->contains(IpAddress::v4({10, 200, 0, 1})));
    EXPECT_FALSE(AddressRange::parse("10.0.0.0/8")->contains(IpAddress::v4({11, 0, 0, 1})));
    EXPECT_TRUE(AddressRange::parse("10.0.0.128/25")->contains(IpAddress::v4({10, 0, 0, 200})));
    EXPECT_FALSE(AddressRange::parse("10.0.0.128/25")->contains(IpAddress::v4({10, 0, 0, 100})));
    EXPECT_TRUE(AddressRange::parse("20.1.2.3")->contains(kGlobal));
    EXPECT_FALSE(AddressRange::parse("20.1.2.3")->contains(kSite));
    EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->contains(kGlobal));
    EXPECT_TRUE(AddressRange::parse("2001:db8::/32")->contains(*IpAddress::parse("2001:db8::9")));
    EXPECT_FALSE(AddressRange::parse("2001:db8::/32")->contains(kGlobal));
    for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                            "::/129", "10.0.0/8"}) {
        EXPECT_FALSE(AddressRange::parse(bad)) << bad;
    }
}

TEST(Wall, GuestsAreAnsweredEverywhereAndCountOnlyOnOurHostOrSite) {
    const Wall guests = wall(Network::separate, Admission::guests);
    EXPECT_TRUE(guests.reads(kForeign));
    EXPECT_TRUE(guests.reads(std::nullopt));
    EXPECT_FALSE(guests.counts(kGlobal, kForeign));
    EXPECT_FALSE(guests.counts(kGlobal, std::nullopt));
    EXPECT_TRUE(guests.counts(kGlobal, kPrivateNetworkTag));
    EXPECT_TRUE(guests.counts(kSite, kForeign));
    EXPECT_TRUE(guests.counts(kHost, std::nullopt));
}

TEST(Wall, AStrangerOnOurSiteIsNotBelievedAboutTheWorld) {
    const Wall guests = wall(Network::separate, Admission::guests);
    EXPECT_TRUE(guests.believes(kForeign, kSite));
    EXPECT_FALSE(guests.believes(kForeign, kGlobal));
    EXPECT_TRUE(guests.believes(kPrivateNetworkTag, kGlobal));
}

TEST(Wall, TaggedReadsNobodyElseAndAnyCountsEverybody) {
    const Wall tagged = wall(Network::separate, Admission::tagged);
    EXPECT_FALSE(tagged.reads(kForeign));
    EXPECT_FALSE(tagged.reads(std::nullopt));
    EXPECT_FALSE(tagged.counts(kSite, kForeign));
    EXPECT_TRUE(tagged.counts(kGlobal, kPrivateNetworkTag));
    const Wall any = wall(Network::separate, Admission::any);
    EXPECT_TRUE(any.counts(kGlobal, kForeign));
    EXPECT_TRUE(any.believes(std::nullopt, kGlobal));
}

TEST(Wall, MainlineKeepsOutWhoBelongsToASeparateNetwork) {
    const Wall mainline = wall(Network::mainline, Admission::guests);
    EXPECT_EQ(mainline.tag(), kPublicNetworkTag);
    EXPECT_TRUE(mainline.counts(kGlobal, kForeign));
    EXPECT_TRUE(mainline.counts(kGlobal, kPublicNetworkTag));
    EXPECT_FALSE(mainline.reads(kPrivateNetworkTag));
    EXPECT_FALSE(mainline.counts(kGlobal, kPrivateNetworkTag));
}

TEST(Wall, AListOfRangesShutsOutAllOthers) {
    const Wall listed({.allow = {*AddressRange::parse("20.1.0.0/16")}});
    EXPECT_TRUE(listed.open_to(kGlobal));
    EXPECT_FALSE(listed.open_to(kSite));
    EXPECT_FALSE(listed.believes(kPrivateNetworkTag, kSite));
    EXPECT_TRUE(wall(Network::separate, Admission::guests).open_to(kSite));
}

}  // namespace
}  // namespace leither::dht
