#include "leither/io/udp_socket.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "loopback.h"

namespace leither::io {
namespace {

using testing::kLoopback;
using testing::kLoopback6;
using testing::RawSocket;
using testing::run_ready;
using testing::run_until;

struct Datagram {
    Endpoint from;
    std::string bytes;
};

class CountedBudget final : public Budget {
 public:
    std::size_t take(std::size_t wanted) override { return wanted; }
    void give_back(std::size_t) override {}
    void charge(std::size_t bytes) override { charged += bytes; }
    Duration refill_in() override { return Duration(1); }

    std::size_t charged = 0;
};

class UdpSocketTest : public ::testing::Test {
 protected:
    std::unique_ptr<UdpSocket> make(UdpOptions options = {}) {
        return std::make_unique<UdpSocket>(
            options, reactor_, [this](const Endpoint& from, ByteView bytes) {
                received_.push_back({from, std::string(as_text(bytes))});
                if (then_) then_();
            });
    }
    static std::uint16_t bind(UdpSocket& socket, const IpAddress& address = kLoopback) {
        return socket.bind({address, 0}).value().port;
    }
    static void send_numbers(std::uint16_t port, int count) {
        RawSocket client = RawSocket::connected_to(port, SOCK_DGRAM);
        for (int i = 0; i < count; ++i) ASSERT_TRUE(client.send(std::to_string(i)));
    }

    Reactor reactor_;
    std::vector<Datagram> received_;
    std::function<void()> then_;
};

TEST_F(UdpSocketTest, EveryByteOfAnAddressCounts) {
    const auto socket = make();
    EXPECT_EQ(socket->bind({kLoopback6, 0}).value().address, kLoopback6);
    EXPECT_FALSE(make()->bind({*IpAddress::parse("::2"), 0}));
}

TEST_F(UdpSocketTest, AnAnswerReachesWhoAskedInBothFamilies) {
    for (const IpAddress& address : {kLoopback, kLoopback6}) {
        received_.clear();
        const auto asker = make();
        const auto answerer = make();
        const std::uint16_t asker_port = bind(*asker, address);
        const std::uint16_t answerer_port = bind(*answerer, address);
        asker->send({address, answerer_port}, as_bytes("ping"));
        ASSERT_TRUE(run_until(reactor_, [&] { return received_.size() == 1; }));
        EXPECT_EQ(received_[0].from, (Endpoint{address, asker_port}));
        answerer->send(received_[0].from, as_bytes("pong"));
        ASSERT_TRUE(run_until(reactor_, [&] { return received_.size() == 2; }));
        EXPECT_EQ(received_[1].from, (Endpoint{address, answerer_port}));
        EXPECT_EQ(received_[1].bytes, "pong");
    }
}

TEST_F(UdpSocketTest, BothFamiliesShareOnePort) {
    const auto v6 = make();
    const auto v4 = make();
    const std::uint16_t port = bind(*v6, *IpAddress::parse("::"));
    EXPECT_EQ(v4->bind({*IpAddress::parse("0.0.0.0"), port}).value().port, port);
}

TEST_F(UdpSocketTest, APortThatIsTakenIsSaidInWords) {
    const auto first = make();
    const auto second = make();
    const std::uint16_t port = bind(*first);
    const auto refused = second->bind({kLoopback, port});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "cannot receive datagrams on 127.0.0.1:" + std::to_string(port) +
                                   ": Address already in use");
    EXPECT_TRUE(second->bind({kLoopback, 0}));
}

TEST_F(UdpSocketTest, ReadsMoreThanOneBatchInOneTurnAndInOrder) {
    const auto socket = make({.batch_max = 8, .wake_max = 100});
    send_numbers(bind(*socket), 50);
    run_ready(reactor_);
    ASSERT_EQ(received_.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(received_[i].bytes, std::to_string(i));
    EXPECT_EQ(socket->counters().received, 50U);
    EXPECT_EQ(socket->counters().received_bytes, 90U);
}

TEST_F(UdpSocketTest, AFloodLeavesOthersTheirTurn) {
    const auto socket = make({.batch_max = 4, .wake_max = 6});
    send_numbers(bind(*socket), 20);
    std::size_t seen_by_other = 0;
    then_ = [&] {
        then_ = nullptr;
        reactor_.post([&] { seen_by_other = received_.size(); });
    };
    run_ready(reactor_);
    EXPECT_EQ(seen_by_other, 6U);
    EXPECT_EQ(received_.size(), 20U);
}

TEST_F(UdpSocketTest, OneByteAboveTheMaximumIsDropped) {
    const auto socket = make({.datagram_bytes_max = 100});
    RawSocket client = RawSocket::connected_to(bind(*socket), SOCK_DGRAM);
    client.send(std::string(101, 'a'));
    client.send(std::string(100, 'b'));
    client.send("");
    run_ready(reactor_);
    ASSERT_EQ(received_.size(), 2U);
    EXPECT_EQ(received_[0].bytes, std::string(100, 'b'));
    EXPECT_EQ(received_[1].bytes, "");
    EXPECT_EQ(socket->counters().oversized, 1U);
}

TEST_F(UdpSocketTest, WhatTheKernelRefusesIsCountedAndHoldsUpNothing) {
    const auto socket = make();
    bind(*socket);
    RawSocket client(SOCK_DGRAM);
    const Endpoint to{kLoopback, client.bind()};
    socket->send(to, as_bytes("first"));
    socket->send(to, Bytes(70'000));
    socket->send({kLoopback6, 1}, as_bytes("no IPv6 here"));
    socket->send(to, as_bytes("last"));
    run_ready(reactor_);
    EXPECT_EQ(client.receive(), "first");
    EXPECT_EQ(client.receive(), "last");
    EXPECT_EQ(socket->counters().sent, 2U);
    EXPECT_EQ(socket->counters().sent_bytes, 9U);
    EXPECT_EQ(socket->counters().refused, 2U);
}

TEST_F(UdpSocketTest, MoreThanABatchIsSentWithoutWaiting) {
    const auto socket = make({.batch_max = 4});
    bind(*socket);
    RawSocket client(SOCK_DGRAM);
    const Endpoint to{kLoopback, client.bind()};
    for (int i = 0; i < 10; ++i) socket->send(to, as_bytes(std::to_string(i)));
    socket->close();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(client.receive(), std::to_string(i));
    socket->send(to, as_bytes("late"));
    EXPECT_EQ(socket->counters().refused, 1U);
}

TEST_F(UdpSocketTest, MayBeClosedOrDestroyedByItsCallback) {
    auto socket = make();
    const std::uint16_t port = bind(*socket);
    send_numbers(port, 3);
    then_ = [&] { socket->close(); };
    run_ready(reactor_);
    EXPECT_EQ(received_.size(), 1U);

    socket = make();
    send_numbers(bind(*socket), 3);
    then_ = [&] { socket.reset(); };
    run_ready(reactor_);
    EXPECT_EQ(received_.size(), 2U);
}

TEST_F(UdpSocketTest, ChargesBudgetsForWhatMoves) {
    CountedBudget download;
    CountedBudget upload;
    const auto socket = make({.download = &download, .upload = &upload});
    const std::uint16_t port = bind(*socket);
    socket->send({kLoopback, port}, Bytes(1'000));
    ASSERT_TRUE(run_until(reactor_, [&] { return !received_.empty(); }));
    EXPECT_EQ(download.charged, 1'000U);
    EXPECT_EQ(upload.charged, 1'000U);
}

}  // namespace
}  // namespace leither::io
