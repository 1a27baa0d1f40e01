#include "leither/dht/node_id.h"

#include <gtest/gtest.h>

#include "leither/base/prefix.h"
#include "leither/base/prng.h"

#include "support/shared_data.h"

namespace leither::dht {
namespace {

using leither::testing::load_vectors;

Id random_id(Prng& prng) {
    Id id;
    prng.fill(id.span());
    return id;
}

TEST(NodeId, CloserIsTheOrderOfTheXor) {
    Prng prng(3);
    for (int round = 0; round < 2000; ++round) {
        const Id target = random_id(prng);
        const Id a = random_id(prng);
        // Often alike in front, so that later bytes decide.
        Id b = prng.chance(1, 2) ? a : random_id(prng);
        b[prng.below(Id::kSize)] ^= static_cast<std::uint8_t>(prng.below(256));
        ASSERT_EQ(closer(target, a, b), distance(target, a) < distance(target, b));
        ASSERT_EQ(CloserTo{target}(a, b), closer(target, a, b));
    }
}

TEST(NodeId, NothingIsCloserThanItself) {
    const Id a = Id::copy_of(as_bytes("abcdefghij0123456789"));
    EXPECT_FALSE(closer(Id{}, a, a));
    EXPECT_FALSE(closer(a, a, a));
    EXPECT_TRUE(distance(a, a).is_zero());
}

TEST(Bep42, ThePublishedIds) {
    REQUIRE_SHARED_DATA();
    for (const auto& vector : load_vectors("bep42/node_ids.json")) {
        const auto address = IpAddress::parse(vector["ip"].get<std::string>()).value();
        const auto id = Id::parse(vector["node_id"].get<std::string>()).value();
        EXPECT_EQ(bep42_valid(id, address), vector["valid"].get<bool>()) << vector;
        if (!vector.contains("rand")) continue;
        EXPECT_EQ(id[Id::kSize - 1], vector["rand"].get<int>() & 0xff);
        EXPECT_EQ(bep42_id(address, id), id) << vector;
    }
}

TEST(Bep42, AnIdMadeForAnAddressIsValidThereAndHardlyElsewhere) {
    Prng prng(5);
    int elsewhere = 0;
    for (int round = 0; round < 1000; ++round) {
        IpAddress::V6 bytes{};
        prng.fill(bytes);
        bytes[0] = 0x20;
        const IpAddress v6 = IpAddress::v6(bytes);
        const IpAddress v4 = IpAddress::v4({8, bytes[1], bytes[2], bytes[3]});
        const Id random = random_id(prng);
        const Id id = bep42_id(v4, random);
        ASSERT_TRUE(bep42_valid(id, v4));
        ASSERT_TRUE(bep42_valid(bep42_id(v6, random), v6));
        elsewhere += bep42_valid(id, IpAddress::v4({9, bytes[3], bytes[2], bytes[1]})) ? 1 : 0;
        // All but the 21 bound bits are random's.
        ASSERT_EQ(id[2] & 7, random[2] & 7);
        for (std::size_t i = 3; i < Id::kSize; ++i) ASSERT_EQ(id[i], random[i]);
    }
    EXPECT_LE(elsewhere, 1);
}

TEST(Bep42, LocalAddressesAreExempt) {
    const Id id = Id::copy_of(as_bytes("abcdefghij0123456789"));
    for (const char* text :
         {"127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.31.0.1", "fe80::1"}) {
        EXPECT_TRUE(bep42_valid(id, IpAddress::parse(text).value())) << text;
    }
    EXPECT_FALSE(bep42_valid(id, IpAddress::parse("8.8.8.8").value()));
}

}  // namespace
}  // namespace leither::dht
