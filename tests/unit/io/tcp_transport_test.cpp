#include "leither/io/tcp_transport.h"

#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "leither/base/prng.h"

#include "loopback.h"

namespace leither::io {
namespace {

using testing::kLoopback;
using testing::kLoopback6;
using testing::RawSocket;
using testing::run_ready;
using testing::run_until;

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Writes down what it hears; does more where a test says so.
struct Ear final : TcpHandler {
    void on_accepted(TcpId id, const Endpoint& from) override {
        accepted.push_back(id);
        froms.push_back(from);
        if (then_accepted) then_accepted(id);
    }
    void on_opened(TcpId id) override {
        opened.push_back(id);
        if (then_opened) then_opened(id);
    }
    void on_received(TcpId id, ByteView bytes) override {
        received[id].append(as_text(bytes));
        ++reads;
        if (then_received) then_received(id);
    }
    void on_sent(TcpId id, std::size_t queued) override {
        last_queued = queued;
        if (then_sent) then_sent(id, queued);
    }
    void on_closed(TcpId id, TcpClosed reason) override {
        closed[id] = reason;
        if (then_closed) then_closed(id);
    }

    std::vector<TcpId> accepted;
    std::vector<Endpoint> froms;
    std::vector<TcpId> opened;
    std::map<TcpId, std::string> received;
    std::map<TcpId, TcpClosed> closed;
    std::size_t reads = 0;
    std::size_t last_queued = 0;
    std::function<void(TcpId)> then_accepted;
    std::function<void(TcpId)> then_opened;
    std::function<void(TcpId)> then_received;
    std::function<void(TcpId)> then_closed;
    std::function<void(TcpId, std::size_t)> then_sent;
};

// Gives what the test allows.
class Allowance final : public Budget {
 public:
    std::size_t take(std::size_t wanted) override {
        const std::size_t given = std::min(wanted, allowed);
        allowed -= given;
        return given;
    }
    void give_back(std::size_t bytes) override { allowed += bytes; }
    void charge(std::size_t) override {}
    Duration refill_in() override {
        ++waits;
        return std::chrono::milliseconds(1);
    }
    std::size_t allowed = 0;
    int waits = 0;
};

class TcpTransportTest : public ::testing::Test {
 protected:
    void start(const TcpOptions& options = {}) {
        server_ = std::make_unique<TcpTransport>(options, reactor_, ear_, Log());
        port_ = server_->listen({kLoopback, 0}).value().port;
    }
    // A raw client, accepted.
    RawSocket connect() {
        const std::size_t before = ear_.accepted.size();
        RawSocket client = RawSocket::connected_to(port_);
        EXPECT_TRUE(run_until(reactor_, [&] { return ear_.accepted.size() > before; }));
        return client;
    }
    bool closes(TcpId id) {
        return run_until(reactor_, [&] { return ear_.closed.contains(id); });
    }
    // Everything up to the end of the stream.
    static std::string receive_all(RawSocket& client) {
        std::string all;
        for (;;) {
            const std::string some = client.receive();
            if (some.empty()) return all;
            all += some;
            if (some == "<timeout>" || some == "<reset>") return all;
        }
    }
    static Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }
    static Bytes noise(std::size_t size) {
        Bytes out(size);
        Prng(7).fill(out);
        return out;
    }

    Reactor reactor_;
    Ear ear_;
    std::unique_ptr<TcpTransport> server_;
    std::uint16_t port_ = 0;
};

// ---- Opening

TEST_F(TcpTransportTest, TwoTransportsTalkInBothFamilies) {
    for (const IpAddress& address : {kLoopback, kLoopback6}) {
        Ear ear;
        Ear dialer_ear;
        TcpTransport listener({}, reactor_, ear, Log());
        TcpTransport dialer({}, reactor_, dialer_ear, Log());
        const Endpoint at = listener.listen({address, 0}).value();
        EXPECT_EQ(at.address, address);
        dialer.dial(1, at);
        ASSERT_TRUE(run_until(reactor_,
                              [&] { return !ear.accepted.empty() && !dialer_ear.opened.empty(); }));
        const TcpId accepted = ear.accepted[0];
        EXPECT_EQ(accepted, TcpId{1} << 63);
        EXPECT_EQ(ear.froms[0].address, address);
        dialer.write(1, bytes("hello "));
        dialer.write(1, bytes("there"));
        ASSERT_TRUE(run_until(reactor_, [&] { return ear.received[accepted].size() == 11; }));
        EXPECT_EQ(ear.received[accepted], "hello there");
        listener.write(accepted, bytes("and back"));
        ASSERT_TRUE(run_until(reactor_, [&] { return dialer_ear.received[1] == "and back"; }));
        EXPECT_EQ(dialer.counters().sent_bytes, 11U);
        EXPECT_EQ(dialer.counters().received_bytes, 8U);
    }
}

TEST_F(TcpTransportTest, BothFamiliesListenOnOnePort) {
    TcpTransport transport({}, reactor_, ear_, Log());
    const auto v6 = transport.listen({*IpAddress::parse("::"), 0}).value();
    EXPECT_TRUE(transport.listen({*IpAddress::parse("0.0.0.0"), v6.port}));
    const auto refused = transport.listen({kLoopback6, v6.port});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "cannot listen for peers on [::1]:" + std::to_string(v6.port) +
                                   ": Address already in use");
}

TEST_F(TcpTransportTest, ADialNobodyAnswersEnds) {
    RawSocket deaf(SOCK_STREAM);
    const std::uint16_t port = deaf.bind();
    start({.dial_timeout = std::chrono::milliseconds(50)});
    server_->dial(1, {kLoopback, port});
    ASSERT_TRUE(closes(1));
    EXPECT_EQ(ear_.closed[1], TcpClosed::refused);

    // A full backlog drops what comes.
    deaf.listen(0);
    RawSocket waiting = RawSocket::connected_to(port);
    server_->dial(2, {kLoopback, port});
    ASSERT_TRUE(closes(2));
    EXPECT_EQ(ear_.closed[2], TcpClosed::timed_out);

    server_->dial(3, {*IpAddress::parse("255.255.255.255"), 1});
    ASSERT_TRUE(closes(3));
    EXPECT_EQ(ear_.closed[3], TcpClosed::unreachable);
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(TcpTransportTest, OneDialAboveTheMaximumIsToldSo) {
    RawSocket deaf(SOCK_STREAM);
    const std::uint16_t port = deaf.bind();
    deaf.listen(8);
    start({.dialed_max = 2});
    for (const TcpId id : {TcpId{1}, TcpId{2}, TcpId{3}}) server_->dial(id, {kLoopback, port});
    EXPECT_TRUE(ear_.closed.empty()) << "a callback within a call";
    ASSERT_TRUE(run_until(reactor_, [&] { return ear_.opened.size() == 2; }));
    ASSERT_TRUE(closes(3));
    EXPECT_EQ(ear_.closed[3], TcpClosed::no_room);
    EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(TcpTransportTest, OneAcceptedAboveTheMaximumIsResetAndMakesRoomLater) {
    start({.accepted_max = 2});
    RawSocket first = connect();
    RawSocket second = connect();
    RawSocket third = RawSocket::connected_to(port_);
    ASSERT_TRUE(run_until(reactor_, [&] { return server_->counters().turned_away == 1; }));
    EXPECT_EQ(third.receive(), "<reset>");
    first.close();
    ASSERT_TRUE(closes(ear_.accepted[0]));
    RawSocket fourth = connect();
    EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(TcpTransportTest, AFloodOfSilentConnectionsStaysWithinTheMaximum) {
    start({.accepted_max = 16});
    std::vector<RawSocket> flood;
    for (int i = 0; i < 200; ++i) {
        flood.push_back(RawSocket::connected_to(port_));
        run_ready(reactor_);
        ASSERT_LE(server_->connections(), 16U);
    }
    EXPECT_EQ(server_->counters().turned_away, 184U);
}

TEST_F(TcpTransportTest, ListensNoMoreWhenToldSo) {
    start();
    RawSocket client = connect();
    server_->stop_listening();
    run_ready(reactor_);
    RawSocket late(SOCK_STREAM);
    EXPECT_FALSE(late.connect(port_));
    client.send("still here");
    EXPECT_TRUE(run_until(reactor_, [&] { return !ear_.received.empty(); }));
}

// ---- Reading and writing

TEST_F(TcpTransportTest, ALongStreamArrivesWholeThroughASmallQueue) {
    Ear dialer_ear;
    TcpTransport dialer({.queue_bytes_max = kMiB}, reactor_, dialer_ear, Log());
    start({.read_bytes_max = 10'000});
    const Bytes stream = noise(16 * kMiB);
    std::size_t offset = 0;
    const auto write_more = [&](TcpId id, std::size_t queued) {
        while (queued < kMiB / 2 && offset < stream.size()) {
            const std::size_t size = std::min<std::size_t>(50'000, stream.size() - offset);
            const auto from = stream.begin() + static_cast<std::ptrdiff_t>(offset);
            dialer.write(id, Bytes(from, from + static_cast<std::ptrdiff_t>(size)));
            offset += size;
            queued += size;
        }
    };
    dialer_ear.then_opened = [&](TcpId id) { write_more(id, 0); };
    dialer_ear.then_sent = write_more;
    dialer.dial(1, {kLoopback, port_});
    ASSERT_TRUE(run_until(reactor_, [&] {
        return !ear_.accepted.empty() && ear_.received[ear_.accepted[0]].size() == stream.size();
    }));
    EXPECT_EQ(ear_.received[ear_.accepted[0]], as_text(stream));
    EXPECT_TRUE(dialer_ear.closed.empty());
}

TEST_F(TcpTransportTest, APausedConnectionIsNotRead) {
    start();
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    server_->pause_reading(id);
    client.send("before");
    run_ready(reactor_);
    // One wait for bytes was already under way; it must not read either.
    client.send(" and after");
    run_ready(reactor_);
    EXPECT_EQ(ear_.reads, 0U);

    // The kernel holds the sender up: what it takes is bounded.
    const std::string much(kMiB, 'x');
    std::size_t taken = 0;
    for (std::size_t size = 1; size > 0; taken += size) {
        size = client.send_what_fits(much);
        run_ready(reactor_);
        ASSERT_LT(taken, 64 * kMiB);
    }
    EXPECT_EQ(ear_.reads, 0U);
    server_->resume_reading(id);
    ASSERT_TRUE(run_until(reactor_, [&] { return ear_.received[id].size() == taken + 16; }));
}

TEST_F(TcpTransportTest, PausingWithinOnReceivedHoldsTheRestBack) {
    start({.read_bytes_max = 10});
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    ear_.then_received = [&](TcpId which) { server_->pause_reading(which); };
    client.send("0123456789abcdefghij");
    run_ready(reactor_);
    EXPECT_EQ(ear_.received[id], "0123456789");
    server_->resume_reading(id);
    server_->resume_reading(id);
    run_ready(reactor_);
    EXPECT_EQ(ear_.received[id], "0123456789abcdefghij");
}

TEST_F(TcpTransportTest, APeerThatNeverReadsIsClosedOneByteAboveTheQueue) {
    start({.queue_bytes_max = kMiB});
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    // Until the kernel takes no more.
    do {
        server_->write(id, Bytes(kMiB / 4));
        run_ready(reactor_);
    } while (server_->queued_bytes(id) == 0);
    server_->write(id, Bytes(kMiB - server_->queued_bytes(id)));
    run_ready(reactor_);
    EXPECT_FALSE(ear_.closed.contains(id));
    EXPECT_EQ(server_->queued_bytes(id), kMiB);
    server_->write(id, Bytes(1));
    EXPECT_EQ(server_->queued_bytes(id), 0U);
    EXPECT_FALSE(ear_.closed.contains(id)) << "a callback within a call";
    ASSERT_TRUE(closes(id));
    EXPECT_EQ(ear_.closed[id], TcpClosed::queue_full);
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(TcpTransportTest, ManySmallWritesBecomeFewCalls) {
    start();
    RawSocket client = connect();
    int sends = 0;
    ear_.then_sent = [&](TcpId, std::size_t) { ++sends; };
    for (int i = 0; i < 1'000; ++i) server_->write(ear_.accepted[0], bytes("0123456789"));
    EXPECT_EQ(server_->queued_bytes(ear_.accepted[0]), 10'000U);
    run_ready(reactor_);
    EXPECT_EQ(sends, 1);
    EXPECT_EQ(ear_.last_queued, 0U);
    std::string all;
    while (all.size() < 10'000) all += client.receive();
    EXPECT_EQ(all.size(), 10'000U);
}

// ---- Closing

TEST_F(TcpTransportTest, TheOtherSidesEndAndLossAreToldApart) {
    start();
    RawSocket polite = connect();
    RawSocket rude = connect();
    polite.send("bye");
    polite.close();
    rude.reset();
    ASSERT_TRUE(closes(ear_.accepted[0]) && closes(ear_.accepted[1]));
    EXPECT_EQ(ear_.received[ear_.accepted[0]], "bye");
    EXPECT_EQ(ear_.closed[ear_.accepted[0]], TcpClosed::by_peer);
    EXPECT_EQ(ear_.closed[ear_.accepted[1]], TcpClosed::lost);
}

TEST_F(TcpTransportTest, AGracefulCloseSendsWhatIsQueued) {
    start({.queue_bytes_max = 16 * kMiB});
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    client.send("something unread, which must not reset the connection");
    const Bytes last = noise(8 * kMiB);
    server_->write(id, last);
    server_->close(id, TcpClose::graceful);
    server_->write(id, bytes("too late"));
    std::string all;
    ASSERT_TRUE(run_until(reactor_, [&] {
        std::string some;
        while ((some = client.receive(/*wait_ms=*/0)) != "<timeout>" && !some.empty()) all += some;
        return all.size() >= last.size();
    }));
    EXPECT_EQ(all, as_text(last));
    EXPECT_EQ(client.receive(), "");
    EXPECT_EQ(server_->connections(), 1U);
    client.close();
    EXPECT_TRUE(run_until(reactor_, [&] { return server_->connections() == 0; }));
    EXPECT_TRUE(ear_.closed.empty() && ear_.received.empty());
}

TEST_F(TcpTransportTest, AGracefulCloseWaitsOnlySoLong) {
    start({.flush_time_max = std::chrono::milliseconds(30)});
    RawSocket silent = connect();
    RawSocket never_reads = connect();
    server_->close(ear_.accepted[0], TcpClose::graceful);
    do {
        server_->write(ear_.accepted[1], Bytes(kMiB));
        run_ready(reactor_);
    } while (server_->queued_bytes(ear_.accepted[1]) == 0);
    server_->close(ear_.accepted[1], TcpClose::graceful);
    EXPECT_TRUE(run_until(reactor_, [&] { return server_->connections() == 0; }));
    EXPECT_EQ(silent.receive(), "");
    EXPECT_EQ(silent.receive(), "");
}

TEST_F(TcpTransportTest, AnAbortResetsAtOnce) {
    start();
    RawSocket client = connect();
    server_->write(ear_.accepted[0], bytes("never sent"));
    server_->close(ear_.accepted[0], TcpClose::abort);
    EXPECT_EQ(server_->connections(), 0U);
    EXPECT_EQ(client.receive(), "<reset>");
    run_ready(reactor_);
    EXPECT_TRUE(ear_.closed.empty());
}

TEST_F(TcpTransportTest, ClosingWithinAnyCallbackIsTheLastWordOfThatConnection) {
    start();
    const auto abort = [&](TcpId id) { server_->close(id, TcpClose::abort); };
    ear_.then_accepted = abort;
    RawSocket first = connect();
    ear_.then_accepted = nullptr;
    ear_.then_received = abort;
    RawSocket second = connect();
    second.send("x");
    ear_.then_sent = [&](TcpId id, std::size_t) { abort(id); };
    RawSocket third = connect();
    server_->write(ear_.accepted[2], bytes("x"));
    ear_.then_opened = abort;
    server_->dial(1, {kLoopback, port_});
    RawSocket fourth = connect();
    ear_.then_closed = abort;
    fourth.close();
    ASSERT_TRUE(run_until(reactor_, [&] { return server_->connections() == 0; }));
    EXPECT_EQ(ear_.received.size(), 1U);
}

TEST_F(TcpTransportTest, CallsThatNameNobodyDoNothing) {
    start();
    server_->write(5, bytes("x"));
    server_->pause_reading(5);
    server_->resume_reading(5);
    server_->close(5, TcpClose::graceful);
    EXPECT_EQ(server_->queued_bytes(5), 0U);
    server_->dial(1, {kLoopback, port_});
    server_->close(1, TcpClose::graceful);
    EXPECT_EQ(server_->connections(), 0U);
    run_ready(reactor_);
    EXPECT_TRUE(ear_.opened.empty() && ear_.closed.empty());
}

TEST_F(TcpTransportTest, MayGoWhileEverythingIsUnderWay) {
    Allowance nothing;
    start({.upload = &nothing});
    RawSocket client = connect();
    RawSocket closing = connect();
    server_->write(ear_.accepted[0], bytes("waits for the budget"));
    run_ready(reactor_);
    server_->write(ear_.accepted[1], bytes("waits to be flushed"));
    server_->close(ear_.accepted[1], TcpClose::graceful);
    server_->dial(1, {kLoopback, port_});
    server_.reset();
    run_ready(reactor_);
    EXPECT_EQ(client.receive(), "<reset>");
    EXPECT_TRUE(ear_.closed.empty());
}

// ---- Budgets

TEST_F(TcpTransportTest, SendsNoMoreThanTheBudgetAllowsAndGoesOnWhenItRefills) {
    Allowance upload;
    upload.allowed = 1'000;
    start({.upload = &upload});
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    server_->write(id, Bytes(3'000));
    server_->close(id, TcpClose::graceful);
    ASSERT_TRUE(run_until(reactor_, [&] { return upload.waits > 3; }));
    EXPECT_EQ(server_->counters().sent_bytes, 1'000U);
    upload.allowed = 5'000;
    ASSERT_TRUE(run_until(reactor_, [&] { return server_->counters().sent_bytes == 3'000; }));
    EXPECT_EQ(receive_all(client).size(), 3'000U);
    EXPECT_EQ(upload.allowed, 3'000U);
}

TEST_F(TcpTransportTest, ReadsNoMoreThanTheBudgetAllows) {
    Allowance download;
    download.allowed = 100;
    start({.download = &download});
    RawSocket client = connect();
    const TcpId id = ear_.accepted[0];
    client.send(std::string(250, 'x'));
    ASSERT_TRUE(run_until(reactor_, [&] { return download.waits > 3; }));
    EXPECT_EQ(ear_.received[id].size(), 100U);
    // Whoever pauses and resumes while waiting gains nothing and loses nothing.
    for (int i = 0; i < 10; ++i) {
        server_->pause_reading(id);
        server_->resume_reading(id);
        reactor_.context().poll_one();
    }
    download.allowed = 1'000;
    ASSERT_TRUE(run_until(reactor_, [&] { return ear_.received[id].size() == 250; }));
    EXPECT_EQ(download.allowed, 850U);
}

TEST_F(TcpTransportTest, AScarceBudgetIsSharedInTurn) {
    Allowance upload;
    start({.upload = &upload});
    std::vector<RawSocket> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(connect());
    for (const TcpId id : ear_.accepted) server_->write(id, Bytes(2 * kMiB));
    ASSERT_TRUE(run_until(reactor_, [&] { return upload.waits > 0; }));
    std::map<TcpId, int> turns;
    ear_.then_sent = [&](TcpId id, std::size_t) { ++turns[id]; };
    for (std::uint64_t sent = 0; sent < 8 * 8'192; sent = server_->counters().sent_bytes) {
        upload.allowed = 8'192;
        ASSERT_TRUE(run_until(reactor_, [&] { return upload.allowed == 0; }));
    }
    for (const TcpId id : ear_.accepted) EXPECT_EQ(turns[id], 2);
}

}  // namespace
}  // namespace leither::io
