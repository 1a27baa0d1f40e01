// Hubs under attack: each limit at its maximum and one above, and honest nodes beside it.
#include <algorithm>

#include <gtest/gtest.h>

#include "leither/noise/frame.h"
#include "leither/peer/hub.h"

#include "support/peer_network.h"

namespace leither::peer {
namespace {

using protocol::AskManifest;
using protocol::ChatHave;
using protocol::Ping;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::endpoint;
using testing::PeerNetwork;

const Context kContext = Context::of(ChainId::copy_of(Bytes(32, 0xcc)));

Endpoint stranger_at(int block, int port = 1) {
    return {IpAddress::v4({90, static_cast<std::uint8_t>(block / 250),
                           static_cast<std::uint8_t>(block % 250), 1}),
            static_cast<std::uint16_t>(port)};
}

// A node that keeps to the handshake and then says what it likes.
class Rogue {
 public:
    Rogue(PeerNetwork& net, PeerNetwork::HostId victim, const Endpoint& from, std::uint64_t seed)
        : net_(net),
          entropy_(seed),
          identity_(Identity::of(crypto::KeyPair::generate(entropy_))),
          session_(Session::dial(identity_, target(), entropy_)),
          stranger_(net.stranger(victim, from)) {
        net_.write(stranger_, session_.start().write);
    }

    // Takes what has come.
    void pump() { net_.write(stranger_, take(session_.receive(net_.read(stranger_)))); }
    void greet() {
        net_.run_for(milliseconds(50));
        pump();
        net_.run_for(milliseconds(50));
        pump();
        say(hello());
        net_.run_for(milliseconds(50));
    }
    void say(const protocol::PeerMessage& message) { send(protocol::encode_peer_message(message)); }
    void send(ByteView framed) { net_.write(stranger_, session_.seal(framed)); }
    void hang_up() { net_.hang_up(stranger_); }

    static protocol::Hello hello() {
        protocol::Hello hello;
        hello.observed = protocol::WireEndpoint::of(endpoint("20.0.0.1:4242"));
        return hello;
    }
    bool is_closed() const { return net_.is_closed(stranger_); }
    bool is_established() const { return session_.is_established(); }
    const Id& node() const { return identity_.node.id(); }
    const std::vector<protocol::PeerMessage>& heard() const { return heard_; }

 private:
    static Target target() {
        Target target;
        target.context = kContext;
        return target;
    }
    Bytes take(Session::Step step) {
        for (auto& message : step.messages) heard_.push_back(std::move(message));
        return std::move(step.write);
    }

    PeerNetwork& net_;
    Prng entropy_;
    Identity identity_;
    Session session_;
    PeerNetwork::StrangerId stranger_;
    std::vector<protocol::PeerMessage> heard_;
};

class HubLimits : public ::testing::Test {
 protected:
    PeerNetwork::HostId add(std::string_view at, HubOptions options = {}) {
        options.dial_backs_max = 0;
        const auto host = net.add(options, endpoint(at));
        net.tell(host, Serve{{kContext}});
        return host;
    }
    bool connected(PeerNetwork::HostId a, PeerNetwork::HostId b) {
        return net.hub(a).is_connected(net.hub(b).node()) &&
               net.hub(b).is_connected(net.hub(a).node());
    }
    std::vector<CloseReason> reasons(PeerNetwork::HostId host) {
        std::vector<CloseReason> all;
        for (const PeerDown& down : net.events_of<PeerDown>(host)) all.push_back(down.reason);
        return all;
    }

    PeerNetwork net;
};

// ---- Half-open

TEST_F(HubLimits, HalfOpenConnectionsAreBoundedInAllAndTheOldestGives) {
    const auto a = add("20.0.0.1:4242");
    const HubOptions options;
    std::vector<PeerNetwork::StrangerId> strangers;
    for (std::size_t n = 0; n < options.half_open_max; ++n) {
        strangers.push_back(net.stranger(a, stranger_at(static_cast<int>(n))));
    }
    EXPECT_EQ(net.hub(a).status().half_open, options.half_open_max);
    EXPECT_EQ(net.hub(a).status().crowded_out, 0u);
    net.stranger(a, stranger_at(1000));
    EXPECT_EQ(net.hub(a).status().half_open, options.half_open_max);
    EXPECT_EQ(net.hub(a).status().crowded_out, 1u);
    net.run_for(milliseconds(20));
    EXPECT_TRUE(net.is_closed(strangers[0]));
    EXPECT_FALSE(net.is_closed(strangers[1]));
}

TEST_F(HubLimits, HalfOpenConnectionsOfOneBlockAreBounded) {
    const auto a = add("20.0.0.1:4242");
    const HubOptions options;
    for (std::size_t n = 0; n < options.half_open_per_block_max + 1; ++n) {
        net.stranger(a, stranger_at(5, static_cast<int>(n + 1)));
    }
    net.stranger(a, stranger_at(6));
    EXPECT_EQ(net.hub(a).status().half_open, options.half_open_per_block_max + 1);
    EXPECT_EQ(net.hub(a).status().crowded_out, 1u);
}

TEST_F(HubLimits, AHandshakeThatDragsOnIsClosedAfterItsTime) {
    const auto a = add("20.0.0.1:4242");
    const Bytes preamble = [] {
        const auto bytes = Preamble{Pattern::xx, kContext}.encode();
        return Bytes(bytes.begin(), bytes.end());
    }();
    const auto slow = net.stranger(a, stranger_at(1));
    // A byte each 200 ms keeps nobody waiting.
    for (std::size_t n = 0; n < 24; ++n) {
        net.write(slow, ByteView(preamble).subspan(n, 1));
        net.run_for(milliseconds(200));
    }
    EXPECT_FALSE(net.is_closed(slow));
    net.run_for(milliseconds(300));
    EXPECT_TRUE(net.is_closed(slow));
    EXPECT_EQ(net.hub(a).status().half_open, 0u);
}

TEST_F(HubLimits, AnAuthenticatedNodeThatNeverGreetsIsClosed) {
    const auto a = add("20.0.0.1:4242");
    Rogue rogue(net, a, stranger_at(1), 7);
    net.run_for(milliseconds(50));
    rogue.pump();
    net.run_for(seconds(1));
    EXPECT_EQ(net.hub(a).status().established, 1u);
    net.run_for(seconds(5));
    EXPECT_EQ(net.hub(a).status().established, 0u);
    EXPECT_TRUE(net.events(a).empty());
}

TEST_F(HubLimits, AnHonestNodeConnectsThroughAFloodOfHalfOpenOnes) {
    const auto a = add("20.0.0.1:4242");
    const auto b = add("30.0.0.1:4242");
    net.learn(b, a, kContext);
    for (int n = 0; n < 2000; ++n) {
        const auto stranger = net.stranger(a, stranger_at(n % 40, n + 1));
        if (n % 3 == 0) net.write(stranger, Bytes(100, 0x55));
        net.run_for(milliseconds(1));
        ASSERT_LE(net.hub(a).status().half_open, 64u);
    }
    EXPECT_TRUE(connected(a, b));
}

TEST_F(HubLimits, GarbageFromStrangersCostsNobodyPoints) {
    const auto a = add("20.0.0.1:4242");
    const auto b = add("90.0.1.1:4242");
    Prng prng(3);
    for (int n = 0; n < 200; ++n) {
        const auto stranger = net.stranger(a, stranger_at(1, n + 1));
        Bytes noise(prng.below(300));
        prng.fill(noise);
        net.write(stranger, noise);
        net.run_for(milliseconds(10));
    }
    net.learn(b, a, kContext);
    net.run_for(seconds(10));
    EXPECT_TRUE(connected(a, b));
    const HubStatus status = net.hub(a).status();
    EXPECT_EQ(status.bans, 0u);
    EXPECT_GT(status.totals.handshakes_failed, 0u);
    EXPECT_EQ(status.totals.messages_in, net.hub(a).peers(net.now()).at(0).messages_in);
}

// ---- Slots

TEST_F(HubLimits, InboundConnectionsLeaveRoomForDialsAndReservedNodes) {
    HubOptions options;
    options.connections_max = 20;
    options.reserved_max = 4;
    options.outbound_target = 3;
    const auto a = add("20.0.0.1:4242", options);
    const std::size_t inbound_max = 20 - 4 - 3;
    std::vector<std::unique_ptr<Rogue>> rogues;
    for (std::size_t n = 0; n < inbound_max + 2; ++n) {
        rogues.push_back(std::make_unique<Rogue>(net, a, stranger_at(static_cast<int>(n)), n));
        rogues.back()->greet();
    }
    EXPECT_EQ(net.hub(a).status().established, inbound_max);
    EXPECT_FALSE(rogues[inbound_max - 1]->is_closed());
    EXPECT_TRUE(rogues[inbound_max]->is_closed());
    rogues[inbound_max]->pump();
    EXPECT_EQ(std::get<protocol::Goodbye>(rogues[inbound_max]->heard().back()).reason,
              protocol::GoodbyeReason::full);
    // Those we dial ourselves find room.
    for (int n = 0; n < 3; ++n) {
        net.learn(a, add("30.0." + std::to_string(n) + ".1:4242"), kContext);
    }
    // So does a reserved node that dials us, at most up to the maximum of all.
    const auto committee = add("40.0.0.1:4242");
    net.tell(a, Reserve{{net.hub(committee).node()}});
    net.learn(committee, a, kContext);
    net.run_for(seconds(5));
    EXPECT_EQ(net.hub(a).status().established, inbound_max + 4);
    EXPECT_TRUE(connected(a, committee));
    const auto peers = net.hub(a).peers(net.now());
    EXPECT_EQ(std::ranges::count(peers, true, &PeerStatus::reserved), 1);
}

TEST_F(HubLimits, AReservedNodeDisplacesAnotherWhenEverySlotIsTaken) {
    HubOptions options;
    options.connections_max = 4;
    options.reserved_max = 1;
    options.outbound_target = 0;
    const auto a = add("20.0.0.1:4242", options);
    std::vector<std::unique_ptr<Rogue>> rogues;
    for (int n = 0; n < 3; ++n) {
        rogues.push_back(std::make_unique<Rogue>(net, a, stranger_at(n), n));
        rogues.back()->greet();
    }
    const auto first = add("40.0.0.1:4242");
    const auto second = add("41.0.0.1:4242");
    net.tell(a, Reserve{{net.hub(first).node(), net.hub(second).node()}});
    net.tell(a, Judge{rogues[1]->node(), -5});
    net.learn(first, a, kContext);
    net.learn(second, a, kContext);
    net.run_for(seconds(5));
    EXPECT_TRUE(connected(a, first));
    EXPECT_TRUE(connected(a, second));
    EXPECT_EQ(net.hub(a).status().established, 4u);
    EXPECT_TRUE(rogues[1]->is_closed());
}

TEST_F(HubLimits, InboundConnectionsOfOneBlockAreBounded) {
    HubOptions options;
    const auto a = add("20.0.0.1:4242", options);
    std::vector<std::unique_ptr<Rogue>> rogues;
    for (std::size_t n = 0; n < options.inbound_per_block_max + 1; ++n) {
        rogues.push_back(
            std::make_unique<Rogue>(net, a, stranger_at(9, static_cast<int>(n + 1)), n));
        rogues.back()->greet();
    }
    EXPECT_EQ(net.hub(a).status().established, options.inbound_per_block_max);
    EXPECT_TRUE(rogues.back()->is_closed());
}

// ---- Misconduct

struct Misdeed {
    const char* what;
    Bytes framed;
    CloseReason reason;
};

TEST_F(HubLimits, WhoBreaksTheProtocolIsClosedAndBannedWhenItGoesOn) {
    const auto a = add("20.0.0.1:4242");
    const Misdeed misdeeds[] = {
        {"unknown kind", {200, 0, 0, 0, 0}, CloseReason::unknown_message},
        {"too long", {2, 9, 0, 0, 0}, CloseReason::oversized},
        {"not canonical", {4, 1, 0, 0, 0, 99}, CloseReason::bad_message},
        {"a second hello", protocol::encode_peer_message(Rogue::hello()), CloseReason::out_of_turn},
    };
    int block = 0;
    for (const Misdeed& misdeed : misdeeds) {
        SCOPED_TRACE(misdeed.what);
        Rogue rogue(net, a, stranger_at(++block), 100);
        rogue.greet();
        if (misdeed.reason == CloseReason::unknown_message) {
            EXPECT_EQ(net.hub(a).peers(net.now()).at(0).score, 0);
        }
        rogue.send(misdeed.framed);
        net.run_for(milliseconds(50));
        EXPECT_TRUE(rogue.is_closed());
        EXPECT_EQ(reasons(a).back(), misdeed.reason);
    }
    // The same key, four times 25 points.
    EXPECT_EQ(net.hub(a).status().bans, 1u);
    Rogue again(net, a, stranger_at(50), 100);
    again.greet();
    EXPECT_TRUE(again.is_closed());
    EXPECT_EQ(net.events_of<PeerUp>(a).size(), 4u);
}

TEST_F(HubLimits, NothingIsHeardBeforeHello) {
    const auto a = add("20.0.0.1:4242");
    Rogue rogue(net, a, stranger_at(1), 7);
    net.run_for(milliseconds(50));
    rogue.pump();
    rogue.say(AskManifest{});
    net.run_for(milliseconds(50));
    EXPECT_TRUE(rogue.is_closed());
    EXPECT_TRUE(net.events(a).empty());
}

TEST_F(HubLimits, AFloodOfMessagesIsSlowedDownThenBanned) {
    const auto a = add("20.0.0.1:4242");
    Rogue rogue(net, a, stranger_at(1), 7);
    rogue.greet();
    const HubOptions options;
    // The burst is free, one more costs points and a pause.
    for (std::uint32_t n = 0; n + 1 < options.messages.burst; ++n) rogue.say(AskManifest{});
    net.run_for(milliseconds(20));
    EXPECT_EQ(net.hub(a).peers(net.now()).at(0).score, 0);
    for (std::uint32_t n = 0; n < 100; ++n) rogue.say(AskManifest{});
    net.run_for(milliseconds(20));
    EXPECT_LT(net.hub(a).peers(net.now()).at(0).score, 0);
    const std::size_t heard = net.events_of<MessageReceived>(a).size();
    Instant start = net.now();
    while (!rogue.is_closed() && net.now() < start + minutes(5)) {
        for (int n = 0; n < 400; ++n) rogue.say(AskManifest{});
        net.run_for(seconds(1));
    }
    EXPECT_TRUE(rogue.is_closed());
    EXPECT_EQ(reasons(a).back(), CloseReason::flood);
    EXPECT_EQ(net.hub(a).status().bans, 1u);
    // Never more than its rate, however hard it pushed.
    const auto elapsed = std::chrono::duration_cast<seconds>(net.now() - start).count();
    EXPECT_LE(
        net.events_of<MessageReceived>(a).size() - heard,
        options.messages.rate * static_cast<std::size_t>(elapsed + 1) + options.messages.rate);
}

TEST_F(HubLimits, AsManyMessagesAsTheRateAllowsCostNothing) {
    const auto a = add("20.0.0.1:4242");
    Rogue rogue(net, a, stranger_at(1), 7);
    rogue.greet();
    for (int n = 0; n < 60; ++n) {
        for (int i = 0; i < 190; ++i) rogue.say(AskManifest{});
        net.run_for(seconds(1));
    }
    EXPECT_EQ(net.hub(a).peers(net.now()).at(0).score, 0);
    EXPECT_EQ(net.events_of<MessageReceived>(a).size(), 60u * 190);
}

TEST_F(HubLimits, MoreBytesThanAllowedArriveLaterButCostNoPoints) {
    HubOptions options;
    options.bytes = {1000, 2000};
    options.messages = {0, 0};
    const auto a = add("20.0.0.1:4242", options);
    Rogue rogue(net, a, stranger_at(1), 7);
    rogue.greet();
    for (int n = 0; n < 1000; ++n) rogue.say(AskManifest{});  // 43 bytes each on the wire
    net.run_for(seconds(10));
    const std::size_t early = net.events_of<MessageReceived>(a).size();
    EXPECT_LE(early, 12'000u / 43 + 2);
    EXPECT_GE(early, 9'000u / 43);
    net.run_for(minutes(1));
    EXPECT_EQ(net.events_of<MessageReceived>(a).size(), 1000u);
    EXPECT_EQ(net.hub(a).peers(net.now()).at(0).score, 0);
}

// ---- Slow readers

TEST_F(HubLimits, APeerThatNeverReadsIsBoundedAndClosed) {
    HubOptions options;
    const auto a = add("20.0.0.1:4242", options);
    const auto b = add("30.0.0.1:4242");
    net.learn(a, b, kContext);
    net.run_for(seconds(1));
    net.stop_reading(b);
    const Id deaf = net.hub(b).node();
    protocol::PeerMessage ask = AskManifest{};
    const std::size_t each = protocol::encode_peer_message(ask).size();
    const std::size_t bound = options.outbox_bytes_max + options.in_flight_bytes +
                              PeerNetwork::kKernelBuffer + (std::size_t{64} << 10);
    std::size_t sent = 0;
    while (net.events_of<Undelivered>(a).empty()) {
        net.tell(a, SendMessage{deaf, ask});
        ++sent;
        if (sent % 1000 == 0) net.run_for(milliseconds(20));
        ASSERT_LE(sent * each, bound);
    }
    EXPECT_EQ(net.events_of<Undelivered>(a)[0].why, Undelivered::Why::outbox_full);
    EXPECT_TRUE(net.hub(a).is_connected(deaf));
    EXPECT_LE(net.hub(a).peers(net.now()).at(0).outbox_bytes, options.outbox_bytes_max);
    // It may catch up for a while; then whoever wants to send ends it.
    net.run_for(options.full_patience);
    net.tell(a, SendMessage{deaf, ask});
    EXPECT_FALSE(net.hub(a).is_connected(deaf));
    EXPECT_EQ(reasons(a).back(), CloseReason::outbox_full);
    EXPECT_GT(net.events_of<PeerDown>(a)[0].unsent, 11'000u);
    EXPECT_EQ(net.hub(a).status().bans, 0u);
}

TEST_F(HubLimits, AStalledPeerIsClosedEvenIfNobodySendsMore) {
    const auto a = add("20.0.0.1:4242");
    const auto b = add("30.0.0.1:4242");
    net.learn(a, b, kContext);
    net.run_for(seconds(1));
    net.stop_reading(b);
    for (int n = 0; n < 10'000; ++n) net.tell(a, SendMessage{net.hub(b).node(), AskManifest{}});
    net.run_for(seconds(55));
    EXPECT_TRUE(net.hub(a).is_connected(net.hub(b).node()));
    net.run_for(seconds(10));
    EXPECT_EQ(reasons(a).back(), CloseReason::stalled);
}

TEST_F(HubLimits, UrgentMessagesPushOutThoseThatCanWait) {
    HubOptions options;
    options.outbox_bytes_max = 2'000;
    options.in_flight_bytes = 1;
    const auto a = add("20.0.0.1:4242", options);
    const auto b = add("30.0.0.1:4242");
    net.learn(a, b, kContext);
    net.run_for(seconds(1));
    // The first opens the window; the rest waits for the transport.
    for (int n = 0; n < 50; ++n) net.tell(a, SendMessage{net.hub(b).node(), ChatHave{}});
    EXPECT_FALSE(net.events_of<Undelivered>(a).empty());
    const std::size_t undelivered = net.events_of<Undelivered>(a).size();
    for (int n = 0; n < 20; ++n) net.tell(a, SendMessage{net.hub(b).node(), AskManifest{}});
    EXPECT_EQ(net.events_of<Undelivered>(a).size(), undelivered);
    net.run_for(seconds(5));
    const auto received = net.events_of<MessageReceived>(b);
    EXPECT_EQ(std::ranges::count_if(received,
                                    [](const MessageReceived& event) {
                                        return std::holds_alternative<AskManifest>(event.message);
                                    }),
              20);
    EXPECT_LT(received.size(), 70u - undelivered);
}

}  // namespace
}  // namespace leither::peer
