#include "leither/sim/world.h"

#include <string>

#include <gtest/gtest.h>

namespace leither::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(World, EventsHappenInOrderOfTimeThenOfInsertion) {
    World world(1);
    std::string order;
    world.after(seconds(2), [&] { order += 'c'; });
    world.after(seconds(1), [&] { order += 'a'; });
    world.after(seconds(1), [&] { order += 'b'; });
    world.run_for(seconds(1));
    EXPECT_EQ(order, "ab");
    world.run_for(seconds(1));
    EXPECT_EQ(order, "abc");
    EXPECT_EQ(world.elapsed(), seconds(2));
}

TEST(World, WhatAnEventPlansForThePastHappensNow) {
    World world(1);
    Instant seen;
    world.after(seconds(5), [&] { world.at(kStart, [&] { seen = world.now(); }); });
    world.run_for(seconds(5));
    EXPECT_EQ(seen, kStart + seconds(5));
}

TEST(World, EveryRepeatsFromNowUntilItsEnd) {
    World world(1);
    int count = 0;
    world.every(seconds(10), world.now() + seconds(30), [&] { ++count; });
    world.run_for(seconds(100));
    EXPECT_EQ(count, 4);
}

TEST(World, RunWhileNotStopsAtTheEventThatMakesItTrue) {
    World world(1);
    bool holds = false;
    world.after(seconds(3), [&] { holds = true; });
    world.after(seconds(4), [&] { holds = false; });
    EXPECT_TRUE(world.run_while_not([&] { return holds; }, kStart + seconds(10)));
    EXPECT_EQ(world.elapsed(), seconds(3));
    EXPECT_FALSE(world.run_while_not([] { return false; }, kStart + seconds(10)));
    EXPECT_EQ(world.elapsed(), seconds(10));
}

TEST(World, StreamsOfChanceDependOnSeedPurposeAndNumberAlone) {
    World world(1);
    Prng first = world.stream("network");
    for (int i = 0; i < 100; ++i) (void)first.next();
    EXPECT_EQ(world.stream("churn").next(), World(1).stream("churn").next());
    EXPECT_NE(world.stream("churn").next(), world.stream("network").next());
    EXPECT_NE(world.stream("host", 1).next(), world.stream("host", 2).next());
    EXPECT_NE(world.stream("churn").next(), World(2).stream("churn").next());
}

TEST(World, TheHashCoversTimeKindEndpointsAndBytes) {
    const Endpoint a{IpAddress::v4({20, 0, 0, 1}), 1};
    const Endpoint b{IpAddress::v4({20, 0, 0, 2}), 1};
    const auto hash = [](Duration when, const Happening& what) {
        World world(1);
        world.run_for(when);
        world.note(what);
        return world.hash();
    };
    const Bytes bytes = {1, 2};
    const Bytes others = {1, 3};
    const Hash plain = hash(seconds(1), {Kind::datagram, a, b, bytes});
    EXPECT_EQ(hash(seconds(1), {Kind::datagram, a, b, bytes}), plain);
    EXPECT_NE(hash(milliseconds(1001), {Kind::datagram, a, b, bytes}), plain);
    EXPECT_NE(hash(seconds(1), {Kind::lost, a, b, bytes}), plain);
    EXPECT_NE(hash(seconds(1), {Kind::datagram, b, a, bytes}), plain);
    EXPECT_NE(hash(seconds(1), {Kind::datagram, a, b, others}), plain);
}

TEST(World, LookingAtTheHashChangesNothing) {
    World looked(1);
    World unseen(1);
    const Bytes bytes(1000, 7);
    for (int i = 0; i < 200; ++i) {
        looked.note({Kind::datagram, {}, {}, bytes});
        unseen.note({Kind::datagram, {}, {}, bytes});
        (void)looked.hash();
    }
    EXPECT_EQ(looked.hash(), unseen.hash());
    EXPECT_EQ(looked.happenings(), 200u);
}

TEST(World, TheTraceSaysWhatHappened) {
    struct Lines : TraceSink {
        void line(std::string_view text) override { last = text; }
        std::string last;
    } lines;
    World world(1, &lines);
    world.run_for(milliseconds(1500));
    const Bytes bytes = {1, 2, 3};
    world.note({Kind::datagram,
                {IpAddress::v4({20, 0, 0, 1}), 6881},
                {IpAddress::v4({20, 0, 1, 1}), 6881},
                bytes});
    EXPECT_EQ(lines.last, "+1.500000 datagram 20.0.0.1:6881 > 20.0.1.1:6881 3 bytes");
    world.note("the siege begins");
    EXPECT_EQ(lines.last, "+1.500000 the siege begins");
}

TEST(World, TheLastEventsAreRememberedAndNotesLongerThanTraffic) {
    World world(1);
    const Endpoint a{IpAddress::v4({20, 0, 0, 1}), 1};
    const Endpoint b{IpAddress::v4({20, 0, 0, 2}), 1};
    world.note("first");
    for (std::size_t i = 0; i < Recent::kOthersMax + 10; ++i) {
        world.run_for(seconds(1));
        world.note({Kind::datagram, a, b, Bytes(i, 0)});
    }
    world.note("last");
    const auto lines = world.last_lines();
    ASSERT_EQ(lines.size(), Recent::kOthersMax + 2);
    EXPECT_EQ(lines.front(), "+0.000000 first");
    EXPECT_EQ(lines[1], "+11.000000 datagram 20.0.0.1:1 > 20.0.0.2:1 10 bytes");
    EXPECT_EQ(lines.back(), "+70.000000 last");
    for (std::size_t i = 0; i < Recent::kNotesMax; ++i) world.note("more");
    EXPECT_EQ(world.last_lines().size(), Recent::kOthersMax + Recent::kNotesMax);
    EXPECT_NE(world.last_lines().front(), "+0.000000 first");
}

}  // namespace
}  // namespace leither::sim
