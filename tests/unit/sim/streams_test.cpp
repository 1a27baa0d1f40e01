#include <numeric>

#include <gtest/gtest.h>

#include "sim_probe.h"

namespace leither::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr StreamId kDialed(1);

Bytes pattern(std::size_t size) {
    Bytes out(size);
    Prng prng(size);
    prng.fill(out);
    return out;
}

class StreamsTest : public ::testing::Test {
 protected:
    Yard yard;
    HostId a = yard.add("20.0.0.1:1");
    HostId b = yard.add("20.0.1.1:1");
    Probe& pa = yard.probe(a);
    Probe& pb = yard.probe(b);
    StreamId at_b;

    void open() {
        at_b = yard.dial(a, b);
        ASSERT_EQ(pa.opened.size(), 1u);
    }
};

TEST_F(StreamsTest, BytesArriveInOrderWhateverIsLost) {
    Line line = Line::home();
    line.loss_per_mille = 200;
    const HostId c = yard.add("20.0.2.1:1", line);
    const StreamId there = yard.dial(c, b);
    const Bytes sent = pattern(1'000'000);
    for (std::size_t at = 0; at < sent.size(); at += 5000) {
        yard.probe(c).wire->write(kDialed, Bytes(sent.begin() + at, sent.begin() + at + 5000));
    }
    yard.world.run_for(minutes(2));
    EXPECT_EQ(pb.received, sent);
    yard.probe(b).wire->write(there, pattern(100));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(yard.probe(c).received, pattern(100));
}

TEST_F(StreamsTest, ALargeWriteComesInChunksAsFastAsTheLineIs) {
    Line line = Line::home();
    line.bytes_per_second = 100'000;
    const HostId c = yard.add("20.0.2.1:1", line);
    yard.dial(c, b);
    yard.probe(c).wire->write(kDialed, pattern(400'000));
    yard.world.run_for(seconds(2));
    EXPECT_LT(pb.received.size(), 200'001u);
    EXPECT_GT(pb.received.size(), 150'000u);
    EXPECT_LE(*std::max_element(pb.pieces.begin(), pb.pieces.end()), 16u << 10);
    yard.world.run_for(seconds(3));
    EXPECT_EQ(pb.received.size(), 400'000u);
}

TEST_F(StreamsTest, AReaderWhoPausesMakesTheWriterWait) {
    open();
    pb.wire->set_reading(at_b, Reading::paused);
    pa.wire->write(kDialed, pattern(300'000));
    yard.world.run_for(minutes(1));
    EXPECT_TRUE(pb.received.empty());
    ASSERT_FALSE(pa.queued.empty());
    EXPECT_EQ(pa.queued.back(), 300'000u - (64u << 10));
    pb.wire->set_reading(at_b, Reading::resumed);
    yard.world.run_for(seconds(10));
    EXPECT_EQ(pb.received, pattern(300'000));
    EXPECT_EQ(pa.queued.back(), 0u);
}

TEST_F(StreamsTest, WhoHasFinishedCanStillRead) {
    open();
    pa.wire->write(kDialed, pattern(100'000));
    pa.wire->finish(kDialed);
    pa.wire->write(kDialed, pattern(5));
    yard.world.run_for(seconds(5));
    EXPECT_EQ(pb.received, pattern(100'000));
    EXPECT_EQ(pb.ended.size(), 1u);
    EXPECT_TRUE(pb.closed.empty());
    pb.wire->write(at_b, pattern(10));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pa.received, pattern(10));
    pb.wire->close(at_b);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pa.ended.size(), 1u);
}

TEST_F(StreamsTest, WhatWasQueuedIsSentBeforeAClose) {
    open();
    pa.wire->write(kDialed, pattern(200'000));
    pa.wire->close(kDialed);
    yard.world.run_for(seconds(10));
    EXPECT_EQ(pb.received, pattern(200'000));
    EXPECT_EQ(pb.ended.size(), 1u);
    // Nobody is there any more.
    pb.wire->write(at_b, pattern(1));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pb.closed, std::vector{at_b});
}

TEST_F(StreamsTest, AResetEndsBothWays) {
    open();
    pb.wire->reset(at_b);
    pa.wire->write(kDialed, pattern(10));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pa.closed, std::vector{kDialed});
    EXPECT_TRUE(pb.received.empty());
    EXPECT_TRUE(pb.closed.empty());
}

TEST_F(StreamsTest, WhereNobodyListensTheDialIsRefusedAtOnce) {
    Place place;
    place.endpoint = *Endpoint::parse("20.0.2.1:1");
    yard.network.add(std::make_unique<Probe>(), place);
    pa.wire->dial(kDialed, place.endpoint);
    yard.world.run_for(milliseconds(150));
    EXPECT_EQ(pa.closed, std::vector{kDialed});
}

TEST_F(StreamsTest, WhereNobodyIsTheDialIsGivenUp) {
    pa.wire->dial(kDialed, *Endpoint::parse("20.0.2.1:1"));
    yard.world.run_for(seconds(14));
    EXPECT_TRUE(pa.closed.empty());
    yard.world.run_for(seconds(20));
    EXPECT_EQ(pa.closed, std::vector{kDialed});
}

TEST_F(StreamsTest, AStreamOutlivesAShortPartition) {
    open();
    const PartitionId partition = yard.network.split({a});
    pa.wire->write(kDialed, pattern(100'000));
    yard.world.run_for(minutes(3));
    EXPECT_TRUE(pb.received.empty());
    yard.network.heal(partition);
    yard.world.run_for(seconds(30));
    EXPECT_EQ(pb.received, pattern(100'000));
    EXPECT_TRUE(pa.closed.empty());
}

TEST_F(StreamsTest, AStreamBreaksInALongPartition) {
    open();
    yard.network.split({a});
    pa.wire->write(kDialed, pattern(10));
    yard.world.run_for(minutes(16));
    EXPECT_EQ(pa.closed, std::vector{kDialed});
    EXPECT_TRUE(pb.closed.empty());
}

TEST_F(StreamsTest, AProgramThatEndsResetsItsStreamsAMachineThatCrashesDoesNot) {
    open();
    const StreamId other = yard.dial(a, b, StreamId(2));
    EXPECT_NE(other, at_b);
    yard.network.crash(b);
    yard.world.run_for(seconds(10));
    EXPECT_TRUE(pa.closed.empty());
    yard.network.start(b);
    // The kernel that has come back knows nothing of it.
    pa.wire->write(kDialed, pattern(10));
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pa.closed, std::vector{kDialed});
    yard.dial(a, b, StreamId(3));
    yard.network.stop(b);
    yard.world.run_for(seconds(1));
    EXPECT_EQ(pa.closed, (std::vector{kDialed, StreamId(3)}));
}

}  // namespace
}  // namespace leither::sim
