#include "leither/base/endpoint.h"

#include <gtest/gtest.h>

namespace leither {
namespace {

IpAddress address(std::string_view text) {
    return IpAddress::parse(text).value();
}

TEST(IpAddress, TextOfEveryFormIsCanonical) {
    const std::pair<const char*, const char*> cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
    };
    for (const auto& [text, canonical] : cases) {
        const auto parsed = IpAddress::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->text(), canonical);
        EXPECT_EQ(IpAddress::from(parsed->bytes()), parsed) << text;
    }
}

TEST(IpAddress, OtherTextIsRefused) {
    for (const char* text :
         {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.x", "1.2.3.4 ", ":",
          ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4::5:6:7:8",
          "12345::", "g::", "1:", ":1", "::1.2.3", "1.2.3.4::"}) {
        EXPECT_FALSE(IpAddress::parse(text)) << text;
    }
    EXPECT_FALSE(IpAddress::from(Bytes(5)));
}

TEST(IpAddress, RangesAreToldApart) {
    for (const char* text : {"127.0.0.1", "127.255.0.9", "::1"}) {
        EXPECT_TRUE(address(text).is_loopback()) << text;
        EXPECT_FALSE(address(text).is_global()) << text;
    }
    for (const char* text : {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                             "169.254.1.1", "100.64.0.1", "fd00::1", "fe80::1"}) {
        EXPECT_TRUE(address(text).is_private()) << text;
        EXPECT_FALSE(address(text).is_global()) << text;
    }
    for (const char* text : {"224.0.0.1", "255.255.255.255", "ff02::1", "0.1.2.3", "::"}) {
        EXPECT_FALSE(address(text).is_global()) << text;
    }
    for (const char* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"}) {
        EXPECT_TRUE(address(text).is_global()) << text;
        EXPECT_FALSE(address(text).is_private()) << text;
    }
}

TEST(IpAddress, ABlockIsWhatOneSubscriberHolds) {
    EXPECT_EQ(address("192.0.2.77").block().text(), "192.0.2.0");
    EXPECT_EQ(address("2001:db8:1:2233:4::5").block().text(), "2001:db8:1:2200::");
}

TEST(Endpoint, ParsesWhatItPrints) {
    for (const char* text : {"192.0.2.1:80", "[2001:db8::1]:65535", "0.0.0.0:0"}) {
        const auto parsed = Endpoint::parse(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->text(), text);
    }
    for (const char* text :
         {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "2001:db8::1:80",
          "[1.2.3.4]:80", "[::1]", "[::1]80", "[]:80", "localhost:80"}) {
        EXPECT_FALSE(Endpoint::parse(text)) << text;
    }
}

}  // namespace
}  // namespace leither
