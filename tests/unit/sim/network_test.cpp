#include "leither/sim/network.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim_probe.h"

namespace leither::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Line lossy(unsigned per_mille) {
    Line line = Line::home();
    line.loss_per_mille = per_mille;
    return line;
}

TEST(Network, ADatagramArrivesWithinItsLinesLatency) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    for (std::uint8_t i = 0; i < 200; ++i) yard.send(a, b, i);
    yard.world.run_for(milliseconds(9));
    EXPECT_TRUE(yard.probe(b).datagrams.empty());
    yard.world.run_for(milliseconds(41));
    ASSERT_EQ(yard.probe(b).datagrams.size(), 200u);
    EXPECT_EQ(yard.probe(b).datagrams[0].first, yard.at(a));
    // Jitter alone has changed their order.
    EXPECT_FALSE(std::is_sorted(yard.probe(b).datagrams.begin(), yard.probe(b).datagrams.end(),
                                [](const auto& x, const auto& y) { return x.second < y.second; }));
}

TEST(Network, APairsDistanceIsAlwaysTheSameAndBothWays) {
    Yard yard;
    Line line = Line::world();
    line.latency_max = line.latency_min;
    std::vector<HostId> hosts;
    for (int i = 0; i < 20; ++i) {
        hosts.push_back(yard.add("20.0." + std::to_string(i) + ".1:1", line));
    }
    std::vector<Duration> all;
    for (int i = 1; i < 20; ++i) {
        const Instant start = yard.world.now();
        yard.send(hosts[0], hosts[i]);
        yard.world.run_for(seconds(1));
        const Duration there = yard.probe(hosts[i]).arrived_at.back() - start;
        const Instant again = yard.world.now();
        yard.send(hosts[i], hosts[0]);
        yard.world.run_for(seconds(1));
        EXPECT_EQ(yard.probe(hosts[0]).arrived_at.back() - again, there);
        all.push_back(there);
    }
    EXPECT_GT(*std::max_element(all.begin(), all.end()), milliseconds(100));
    EXPECT_LT(*std::min_element(all.begin(), all.end()), milliseconds(60));
}

TEST(Network, AsManyAreLostAndDoubledAsTheLineSays) {
    Yard yard;
    Line line = lossy(50);
    line.duplicate_per_mille = 100;
    const HostId a = yard.add("20.0.0.1:1", line);
    const HostId b = yard.add("20.0.1.1:1");
    for (int i = 0; i < 20'000; ++i) yard.send(a, b);
    yard.world.run_for(seconds(1));
    const NetworkCounters& counters = yard.network.counters();
    EXPECT_EQ(counters.datagrams, 20'000u);
    EXPECT_NEAR(static_cast<double>(counters.lost), 1000, 100);
    EXPECT_NEAR(static_cast<double>(counters.duplicated), 1900, 140);
    EXPECT_EQ(counters.delivered, 20'000 - counters.lost + counters.duplicated);
    EXPECT_EQ(yard.probe(b).datagrams.size(), counters.delivered);
}

TEST(Network, SomeAreHeldBackIfTheLineReorders) {
    Yard yard;
    Line line = Line::lan();
    line.reorder_per_mille = 200;
    const HostId a = yard.add("20.0.0.1:1", line);
    const HostId b = yard.add("20.0.1.1:1");
    for (int i = 0; i < 1000; ++i) yard.send(a, b);
    yard.world.run_for(milliseconds(1));
    const std::size_t at_once = yard.probe(b).datagrams.size();
    yard.world.run_for(milliseconds(200));
    EXPECT_EQ(yard.probe(b).datagrams.size(), 1000u);
    EXPECT_GT(at_once, 750u);
    EXPECT_LT(at_once, 850u);
}

TEST(Network, BothFamiliesArriveButNotFromOneToTheOther) {
    Yard yard;
    const HostId a = yard.add("[2001:db8::1]:1");
    const HostId b = yard.add("[2001:db8:1::1]:1");
    const HostId c = yard.add("20.0.0.1:1");
    yard.send(a, b);
    yard.send(a, c);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(b).datagrams.size(), 1u);
    EXPECT_EQ(yard.probe(c).datagrams.size(), 0u);
    EXPECT_EQ(yard.network.counters().dropped, 1u);
}

// ---- Partitions

TEST(Network, NothingCrossesAPartitionUntilItHeals) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    const HostId c = yard.add("20.0.2.1:1");
    const PartitionId partition = yard.network.split({a, b});
    yard.send(a, b);
    yard.send(a, c);
    yard.send(c, a);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(b).datagrams.size(), 1u);
    EXPECT_EQ(yard.probe(c).datagrams.size(), 0u);
    EXPECT_EQ(yard.probe(a).datagrams.size(), 0u);
    EXPECT_EQ(yard.network.counters().cut, 2u);
    yard.network.heal(partition);
    yard.send(c, a);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(a).datagrams.size(), 1u);
}

TEST(Network, AOneWayCutLetsTheOtherWayPass) {
    for (const Cut cut : {Cut::outbound, Cut::inbound}) {
        Yard yard;
        const HostId a = yard.add("20.0.0.1:1");
        const HostId b = yard.add("20.0.1.1:1");
        yard.network.split({a}, cut);
        yard.send(a, b);
        yard.send(b, a);
        yard.world.run_for(seconds(1));
        EXPECT_EQ(yard.probe(a).datagrams.size(), cut == Cut::outbound ? 1u : 0u);
        EXPECT_EQ(yard.probe(b).datagrams.size(), cut == Cut::outbound ? 0u : 1u);
    }
}

// ---- Routers

class Home : public ::testing::Test {
 protected:
    Yard yard;
    NatId nat = yard.network.add_nat(IpAddress::v4({30, 0, 0, 1}));
    HostId inside = yard.add("192.168.0.2:1", Line::home(), nat);
    HostId neighbour = yard.add("192.168.0.3:1", Line::home(), nat);
    HostId a = yard.add("20.0.0.1:1");
    HostId b = yard.add("20.0.1.1:1");

    // Where others see `inside`.
    Endpoint mapped() {
        yard.send(inside, a);
        yard.world.run_for(milliseconds(60));
        return yard.probe(a).datagrams.back().first;
    }
    std::size_t heard(HostId id) { return yard.probe(id).datagrams.size(); }
};

TEST_F(Home, OnlyWhoWasWrittenToCanAnswer) {
    const Endpoint outside = mapped();
    EXPECT_EQ(outside.address, IpAddress::v4({30, 0, 0, 1}));
    yard.probe(b).wire->send(outside, Bytes{1});
    yard.world.run_for(seconds(1));
    EXPECT_EQ(heard(inside), 0u);
    yard.probe(a).wire->send(outside, Bytes{1});
    yard.world.run_for(seconds(1));
    ASSERT_EQ(heard(inside), 1u);
    EXPECT_EQ(yard.probe(inside).datagrams[0].first, yard.at(a));
}

TEST_F(Home, TheSamePortIsSeenByEverybody) {
    const Endpoint outside = mapped();
    yard.send(inside, b);
    yard.send(neighbour, b);
    yard.world.run_for(seconds(1));
    ASSERT_EQ(heard(b), 2u);
    const auto& seen = yard.probe(b).datagrams;
    EXPECT_EQ(seen[0].first == outside ? 1 : 0, seen[1].first == outside ? 0 : 1);
    EXPECT_EQ(seen[0].first.address, seen[1].first.address);
}

TEST_F(Home, AWayClosesTwoMinutesAfterItWasUsedLast) {
    const Endpoint outside = mapped();
    yard.world.run_for(seconds(110));
    yard.probe(a).wire->send(outside, Bytes{1});
    yard.world.run_for(seconds(5));
    EXPECT_EQ(heard(inside), 1u);
    // What comes in prolongs nothing.
    yard.world.run_for(seconds(10));
    yard.probe(a).wire->send(outside, Bytes{1});
    yard.world.run_for(seconds(5));
    EXPECT_EQ(heard(inside), 1u);
    EXPECT_NE(mapped(), outside);
}

TEST_F(Home, NeighboursMeetAtHomeAndNotByTheirRouter) {
    yard.send(inside, neighbour);
    yard.world.run_for(seconds(1));
    ASSERT_EQ(heard(neighbour), 1u);
    EXPECT_EQ(yard.probe(neighbour).datagrams[0].first, yard.at(inside));
    yard.probe(neighbour).wire->send(mapped(), Bytes{1});
    yard.world.run_for(seconds(1));
    EXPECT_EQ(heard(inside), 0u);
}

TEST_F(Home, WhoDialsInHearsSilenceAndWhoDialsOutIsSeenAtTheRouter) {
    const Endpoint outside = mapped();
    yard.probe(a).wire->dial(StreamId(1), outside);
    yard.world.run_for(seconds(10));
    EXPECT_TRUE(yard.probe(a).closed.empty());
    yard.world.run_for(minutes(1));
    EXPECT_EQ(yard.probe(a).closed.size(), 1u);
    EXPECT_TRUE(yard.probe(inside).accepted.empty());
    yard.dial(inside, a);
    EXPECT_EQ(yard.probe(a).accepted.back().second.address, IpAddress::v4({30, 0, 0, 1}));
    EXPECT_EQ(yard.probe(inside).opened.size(), 1u);
}

TEST(Nat, TheQuietestMappingAndTheQuietestWayGiveWay) {
    Nat::Options options;
    options.mappings_max = 2;
    options.ways_max = 2;
    Nat nat(IpAddress::v4({30, 0, 0, 1}), options);
    const auto inside = [](std::uint8_t n) { return Endpoint{IpAddress::v4({192, 168, 0, n}), 1}; };
    const auto outside = [](std::uint8_t n) { return Endpoint{IpAddress::v4({20, 0, 0, n}), 1}; };
    const auto first = nat.outbound(inside(1), outside(1), kStart).port;
    nat.outbound(inside(1), outside(2), kStart + seconds(1));
    nat.outbound(inside(1), outside(3), kStart + seconds(2));
    EXPECT_FALSE(nat.inbound(first, outside(1), kStart + seconds(2)));
    EXPECT_EQ(nat.inbound(first, outside(2), kStart + seconds(2)), inside(1));
    nat.outbound(inside(2), outside(1), kStart + seconds(3));
    nat.outbound(inside(3), outside(1), kStart + seconds(4));
    EXPECT_EQ(nat.mappings(), 2u);
    EXPECT_FALSE(nat.inbound(first, outside(2), kStart + seconds(4)));
}

// ---- Hosts

TEST(Network, AHostIsWokenAtItsDeadlineByItsOwnClock) {
    Yard yard;
    Place place;
    place.endpoint = *Endpoint::parse("20.0.0.1:1");
    place.clock_offset = hours(1);
    const HostId a = yard.network.add(std::make_unique<Probe>(), place);
    Probe& probe = yard.probe(a);
    EXPECT_EQ(probe.wire->now(), kStart + hours(1));
    probe.deadline = kStart + hours(1) + seconds(10);
    probe.wire->rearm();
    // It changes its mind; the early timer wakes nobody.
    probe.deadline = kStart + hours(1) + seconds(20);
    probe.wire->rearm();
    yard.world.run_for(seconds(19));
    EXPECT_TRUE(probe.woken.empty());
    yard.world.run_for(seconds(1));
    EXPECT_EQ(probe.woken, std::vector{kStart + hours(1) + seconds(20)});
}

TEST(Network, AClockThatIsSetMovesTheDeadline) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    Probe& probe = yard.probe(a);
    probe.deadline = kStart + seconds(100);
    probe.wire->rearm();
    yard.network.step_clock(a, -seconds(50));
    EXPECT_EQ(probe.wire->now(), kStart - seconds(50));
    yard.world.run_for(seconds(149));
    EXPECT_TRUE(probe.woken.empty());
    yard.network.step_clock(a, seconds(20));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(probe.woken, std::vector{kStart + seconds(119)});
}

TEST(Network, AClockThatDriftsWakesEarlierOrLater) {
    for (const std::int64_t ppm : {-100'000, 100'000}) {
        Yard yard;
        Place place;
        place.endpoint = *Endpoint::parse("20.0.0.1:1");
        place.clock_drift_ppm = ppm;
        const HostId a = yard.network.add(std::make_unique<Probe>(), place);
        Probe& probe = yard.probe(a);
        probe.deadline = kStart + seconds(99);
        probe.wire->rearm();
        yard.world.run_for(seconds(200));
        ASSERT_EQ(probe.woken.size(), 1u);
        EXPECT_GE(probe.woken[0], kStart + seconds(99));
        EXPECT_LE(probe.woken[0], kStart + seconds(99) + std::chrono::microseconds(2));
        EXPECT_EQ(probe.wire->now(), kStart + seconds(ppm < 0 ? 180 : 220));
    }
}

TEST(Network, WhatIsToElapseDoesSoByTrueTimeAndNotAfterACrash) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    Probe& probe = yard.probe(a);
    probe.wire->after(seconds(10), 7);
    yard.network.step_clock(a, hours(1));
    yard.world.run_for(seconds(9));
    EXPECT_TRUE(probe.elapsed.empty());
    yard.world.run_for(seconds(1));
    ASSERT_EQ(probe.elapsed.size(), 1u);
    EXPECT_EQ(probe.elapsed[0].first, 7u);
    probe.wire->after(seconds(10), 8);
    yard.network.crash(a);
    yard.network.start(a);
    yard.world.run_for(seconds(20));
    EXPECT_EQ(probe.elapsed.size(), 1u);
    // Who sleeps is told when it wakes.
    probe.wire->after(seconds(10), 9);
    yard.network.suspend(a);
    yard.world.run_for(seconds(20));
    EXPECT_EQ(probe.elapsed.size(), 1u);
    yard.network.resume(a);
    yard.world.run_for(seconds(1));
    ASSERT_EQ(probe.elapsed.size(), 2u);
    EXPECT_EQ(probe.elapsed[1].first, 9u);
}

TEST(Network, AProgramCanEndItself) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    yard.dial(a, b);
    yard.probe(b).wire->end();
    EXPECT_TRUE(yard.network.is_up(b));
    yard.world.run_for(seconds(1));
    EXPECT_FALSE(yard.network.is_up(b));
    EXPECT_EQ(yard.probe(b).stops, 1);
    EXPECT_EQ(yard.probe(a).closed.size(), 1u);
    // A word from before a restart ends nobody.
    yard.network.start(b);
    yard.probe(b).wire->end();
    yard.network.crash(b);
    yard.network.start(b);
    yard.world.run_for(seconds(1));
    EXPECT_TRUE(yard.network.is_up(b));
}

TEST(Network, APortIsShutAndOpened) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    yard.network.set_accepts(b, Place::Accepts::nothing);
    yard.probe(a).wire->dial(StreamId(1), yard.at(b));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(a).closed.size(), 1u);
    yard.network.set_accepts(b, Place::Accepts::streams);
    yard.dial(a, b, StreamId(2));
    EXPECT_EQ(yard.probe(a).opened.size(), 1u);
}

TEST(Network, WhatPassesALineIsCounted) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    yard.send(a, b);
    yard.dial(a, b);
    yard.probe(a).wire->write(StreamId(1), Bytes(40'000, 1));
    yard.world.run_for(seconds(2));
    const Traffic& sent = yard.network.traffic(a);
    const Traffic& received = yard.network.traffic(b);
    EXPECT_EQ(sent.sent_bytes, kHeaderBytes + 1);
    EXPECT_EQ(received.received_bytes, kHeaderBytes + 1);
    EXPECT_EQ(sent.streams_sent.bytes, 40'000u);
    EXPECT_EQ(sent.streams_sent.chunks, 3u);
    EXPECT_EQ(received.streams_received.bytes, 40'000u);
    EXPECT_EQ(received.streams_received.chunks, 3u);
}

TEST(Network, WhoHasCrashedHearsNothingUntilItStartsAgain) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    yard.network.crash(b);
    yard.send(a, b);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.network.counters().dropped, 1u);
    yard.network.start(b);
    yard.send(a, b);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(b).datagrams.size(), 1u);
    EXPECT_EQ(yard.probe(b).starts, 2);
}

TEST(Network, ASuspendedHostSleepsAndRemembers) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    const HostId b = yard.add("20.0.1.1:1");
    Probe& probe = yard.probe(b);
    probe.received = {1, 2, 3};
    probe.deadline = kStart + seconds(1);
    probe.wire->rearm();
    yard.network.suspend(b);
    yard.send(a, b);
    yard.world.run_for(seconds(5));
    EXPECT_TRUE(probe.datagrams.empty());
    EXPECT_TRUE(probe.woken.empty());
    yard.network.resume(b);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(probe.woken, std::vector{kStart + seconds(5)});
    EXPECT_EQ(probe.received, (Bytes{1, 2, 3}));
    EXPECT_EQ(probe.starts, 1);
}

TEST(Network, ARemovedHostsPlaceIsFree) {
    Yard yard;
    const HostId a = yard.add("20.0.0.1:1");
    yard.network.remove(a);
    EXPECT_FALSE(yard.network.is_up(a));
    const HostId b = yard.add("20.0.0.1:1");
    EXPECT_NE(a, b);
    EXPECT_EQ(yard.network.hosts(), std::vector{b});
}

TEST(Network, TheSameSeedGivesTheSameHashAnotherSeedAnother) {
    const auto hash = [](std::uint64_t seed) {
        Yard yard(seed);
        const HostId a = yard.add("20.0.0.1:1", lossy(100));
        const HostId b = yard.add("20.0.1.1:1", lossy(100));
        for (std::uint8_t i = 0; i < 100; ++i) yard.send(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, i);
        const StreamId at_b = yard.dial(a, b);
        yard.probe(b).wire->write(at_b, Bytes(200'000, 5));
        yard.world.run_for(seconds(10));
        return yard.world.hash();
    };
    EXPECT_EQ(hash(1), hash(1));
    EXPECT_NE(hash(1), hash(2));
}

}  // namespace
}  // namespace leither::sim
