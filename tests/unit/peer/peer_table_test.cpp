#include "leither/peer/peer_table.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace leither::peer {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'750'000'000'000);
const Context kContext = Context::of(ChainId::copy_of(Bytes(32, 0xcc)));

Endpoint at(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {IpAddress::v4({a, b, c, d}), 4242};
}

PeerAddress told(const Endpoint& endpoint, Source source = Source::told) {
    PeerAddress address;
    address.endpoint = endpoint;
    address.context = kContext;
    address.source = source;
    return address;
}

Authenticated somebody(std::uint8_t n) {
    Authenticated remote;
    remote.node[0] = n;
    remote.static_key[0] = n;
    remote.context = kContext;
    return remote;
}

bool any(const KnownAddress&) {
    return true;
}

class Table : public ::testing::Test {
 protected:
    void TearDown() override { table.check_invariants(); }
    PeerTable::Options options;
    PeerTable table{options, 1};
};

TEST_F(Table, WhatCannotBeDialedIsNotLearned) {
    EXPECT_FALSE(table.learn(told({IpAddress::v4({8, 8, 8, 8}), 0}), kStart));
    EXPECT_FALSE(table.learn(told(at(0, 0, 0, 0)), kStart));
    EXPECT_FALSE(table.learn(told(at(224, 0, 0, 1)), kStart));
    EXPECT_TRUE(table.learn(told(at(8, 8, 8, 8)), kStart));
    EXPECT_TRUE(table.learn(told(at(127, 0, 0, 1)), kStart));
}

TEST_F(Table, ABlockHoldsItsMaximumAndNotOneMore) {
    for (std::uint8_t n = 0; n < options.per_block_max; ++n) {
        EXPECT_TRUE(table.learn(told(at(8, 8, 8, n)), kStart));
    }
    EXPECT_FALSE(table.learn(told(at(8, 8, 8, 100)), kStart));
    EXPECT_TRUE(table.learn(told(at(8, 8, 9, 100)), kStart));
    EXPECT_TRUE(table.learn(told(at(8, 8, 8, 101), Source::configured), kStart));
    // One that has failed gives way.
    table.failed(at(8, 8, 8, 3), kStart);
    EXPECT_TRUE(table.learn(told(at(8, 8, 8, 100)), kStart));
    EXPECT_EQ(table.find(at(8, 8, 8, 3)), nullptr);
}

TEST_F(Table, LocalAddressesShareOneMaximum) {
    std::size_t taken = 0;
    for (std::uint8_t b = 0; b < 4; ++b) {
        for (std::uint8_t n = 1; n < 200; ++n) taken += table.learn(told(at(10, 0, b, n)), kStart);
    }
    EXPECT_EQ(taken, options.local_max);
}

TEST(TableEviction, AFloodOfAddressesDisplacesOnlyItsLike) {
    PeerTable::Options options;
    options.addresses_max = 100;
    PeerTable table(options, 1);
    std::set<Endpoint> honest;
    for (std::uint8_t n = 0; n < 40; ++n) {
        const Endpoint endpoint = at(20, n, 1, 1);
        honest.insert(endpoint);
        table.learn(told(endpoint), kStart);
        if (n < 20) table.succeeded(endpoint, somebody(n), kStart);
    }
    // Sixty-five thousand blocks of one provider.
    for (int n = 0; n < 5000; ++n) {
        const auto c = static_cast<std::uint8_t>(n % 250);
        table.learn(told(at(66, 7, c, static_cast<std::uint8_t>(n / 250))), kStart + seconds(n));
        table.check_invariants();
    }
    EXPECT_EQ(table.all().size(), options.addresses_max);
    for (const Endpoint& endpoint : honest) EXPECT_NE(table.find(endpoint), nullptr);
}

TEST(TableEviction, AddressesOnceReachedNeverGiveWayToUntriedOnes) {
    PeerTable::Options options;
    options.addresses_max = 10;
    PeerTable table(options, 1);
    for (std::uint8_t n = 0; n < 10; ++n) {
        table.learn(told(at(20, n, 1, 1)), kStart);
        table.succeeded(at(20, n, 1, 1), somebody(n), kStart);
    }
    EXPECT_FALSE(table.learn(told(at(30, 1, 1, 1)), kStart));
    EXPECT_TRUE(table.learn(told(at(30, 1, 1, 1), Source::configured), kStart));
    table.check_invariants();
}

TEST_F(Table, FailuresRestLongerAndLongerWithinTheirBounds) {
    table.learn(told(at(8, 8, 8, 8), Source::configured), kStart);
    Duration longest{};
    for (int n = 1; n <= 30; ++n) {
        table.failed(at(8, 8, 8, 8), kStart);
        const Duration rest = table.find(at(8, 8, 8, 8))->next_attempt - kStart;
        const Duration least = seconds(1) * (1 << std::min(n - 1, 9));
        EXPECT_GE(rest, std::min<Duration>(least, minutes(15))) << n;
        EXPECT_LE(rest, minutes(30)) << n;
        longest = std::max(longest, rest);
    }
    EXPECT_GT(longest, minutes(15));
    table.succeeded(at(8, 8, 8, 8), somebody(1), kStart);
    EXPECT_EQ(table.find(at(8, 8, 8, 8))->next_attempt, kStart);
    // To answer is not enough, to stay is.
    table.failed(at(8, 8, 8, 8), kStart);
    EXPECT_GE(table.find(at(8, 8, 8, 8))->next_attempt, kStart + minutes(15));
    table.succeeded(at(8, 8, 8, 8), somebody(1), kStart);
    table.lasted(at(8, 8, 8, 8));
    table.failed(at(8, 8, 8, 8), kStart);
    EXPECT_LE(table.find(at(8, 8, 8, 8))->next_attempt, kStart + seconds(2));
}

TEST_F(Table, TheRestDiffersFromAddressToAddress) {
    std::set<Instant> attempts;
    for (std::uint8_t n = 0; n < 20; ++n) {
        table.learn(told(at(20, n, 1, 1)), kStart);
        for (int i = 0; i < 5; ++i) table.failed(at(20, n, 1, 1), kStart);
        attempts.insert(table.find(at(20, n, 1, 1))->next_attempt);
    }
    EXPECT_GT(attempts.size(), 15u);
}

TEST_F(Table, AnAddressIsGivenUpAfterManyFailuresUnlessConfigured) {
    table.learn(told(at(8, 8, 8, 8)), kStart);
    table.learn(told(at(9, 9, 9, 9), Source::configured), kStart);
    for (std::uint32_t n = 0; n < options.failures_max; ++n) {
        EXPECT_NE(table.find(at(8, 8, 8, 8)), nullptr);
        table.failed(at(8, 8, 8, 8), kStart);
        table.failed(at(9, 9, 9, 9), kStart);
    }
    EXPECT_EQ(table.find(at(8, 8, 8, 8)), nullptr);
    EXPECT_NE(table.find(at(9, 9, 9, 9)), nullptr);
}

TEST_F(Table, ConfiguredComeFirstThenThoseOnceReached) {
    table.learn(told(at(1, 1, 1, 1)), kStart);
    table.learn(told(at(2, 2, 2, 2)), kStart);
    table.learn(told(at(3, 3, 3, 3), Source::configured), kStart);
    table.succeeded(at(2, 2, 2, 2), somebody(2), kStart);
    EXPECT_EQ(table.choose(any, kStart)->endpoint, at(3, 3, 3, 3));
    table.failed(at(3, 3, 3, 3), kStart);
    EXPECT_EQ(table.choose(any, kStart)->endpoint, at(2, 2, 2, 2));
    table.rest_until(at(2, 2, 2, 2), kStart + minutes(5));
    EXPECT_EQ(table.choose(any, kStart)->endpoint, at(1, 1, 1, 1));
    table.failed(at(1, 1, 1, 1), kStart);
    EXPECT_EQ(table.choose(any, kStart), nullptr);
    const Instant due = table.next_due(any).value();
    EXPECT_GT(due, kStart);
    EXPECT_NE(table.choose(any, due), nullptr);
}

TEST_F(Table, HearsayReplacesNeitherProofNorBetterSources) {
    PeerAddress record = told(at(8, 8, 8, 8), Source::manifest);
    record.static_key = somebody(1).static_key;
    table.learn(record, kStart);
    PeerAddress lie = told(at(8, 8, 8, 8), Source::told);
    lie.static_key = somebody(66).static_key;
    table.learn(lie, kStart);
    EXPECT_EQ(table.find(at(8, 8, 8, 8))->static_key, somebody(1).static_key);
    table.succeeded(at(8, 8, 8, 8), somebody(2), kStart);
    lie.source = Source::configured;
    table.learn(lie, kStart);
    EXPECT_EQ(table.find(at(8, 8, 8, 8))->static_key, somebody(2).static_key);
    EXPECT_EQ(table.find(at(8, 8, 8, 8))->source, Source::configured);
}

TEST_F(Table, AKeyFromHearsayThatFailsIsForgotten) {
    PeerAddress lie = told(at(8, 8, 8, 8));
    lie.static_key = somebody(66).static_key;
    lie.node = somebody(66).node;
    table.learn(lie, kStart);
    table.failed(at(8, 8, 8, 8), kStart);
    EXPECT_FALSE(table.find(at(8, 8, 8, 8))->static_key.has_value());
    EXPECT_FALSE(table.find(at(8, 8, 8, 8))->node.has_value());
}

TEST_F(Table, AnAddressKeepsItsLatestContexts) {
    for (std::uint8_t n = 0; n <= kContextsPerAddress; ++n) {
        PeerAddress address = told(at(8, 8, 8, 8));
        address.context = Context::of(ChainId::copy_of(Bytes(32, n)));
        table.learn(address, kStart);
    }
    const auto& contexts = table.find(at(8, 8, 8, 8))->contexts;
    ASSERT_EQ(contexts.size(), kContextsPerAddress);
    EXPECT_EQ(contexts.front(), Context::of(ChainId::copy_of(Bytes(32, 1))));
}

}  // namespace
}  // namespace leither::peer
