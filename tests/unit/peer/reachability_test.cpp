// Whether others can dial a node, and what it is told of it.
#include <gtest/gtest.h>

#include "leither/peer/hub.h"

#include "support/peer_network.h"

namespace leither::peer {
namespace {

using protocol::DialBackOutcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::endpoint;
using testing::PeerNetwork;
using Verdict = Reachability::Verdict;

const Context kContext = Context::of(ChainId::copy_of(Bytes(32, 0xcc)));

class ReachabilityTest : public ::testing::Test {
 protected:
    PeerNetwork::HostId add(std::string_view at, const HubOptions& options = {}) {
        const auto host = net.add(options, endpoint(at));
        net.tell(host, Serve{{kContext}});
        return host;
    }
    // `host` dials `count` others, each of a block of its own.
    void surround(PeerNetwork::HostId host, int count) {
        for (int n = 0; n < count; ++n) {
            others.push_back(add("30.0." + std::to_string(n) + ".1:4242"));
            net.learn(host, others.back(), kContext);
        }
    }
    Reachability verdict(PeerNetwork::HostId host) { return net.hub(host).status().reachability; }

    PeerNetwork net;
    std::vector<PeerNetwork::HostId> others;
};

TEST_F(ReachabilityTest, AnOpenPortIsFoundReachableByThree) {
    const auto a = add("20.0.0.1:4242");
    surround(a, 5);
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
    net.run_for(seconds(30));
    const Reachability found = verdict(a);
    EXPECT_EQ(found.verdict, Verdict::reachable);
    ASSERT_EQ(found.evidence.size(), 3u);
    for (const auto& evidence : found.evidence) {
        EXPECT_EQ(evidence.outcome, DialBackOutcome::reached);
        EXPECT_EQ(evidence.endpoint, net.at(a));
    }
    EXPECT_EQ(found.text(), "reachable: 3 of 3 nodes could connect to 20.0.0.1:4242");
    EXPECT_EQ(net.events_of<DialBackVerdict>(a).size(), 1u);
    // The proof cost no connection.
    EXPECT_EQ(net.hub(a).status().established, 5u);
    EXPECT_EQ(net.events_of<PeerDown>(a).size(), 0u);
}

TEST_F(ReachabilityTest, ANodeBehindAClosedRouterIsToldSoAndTakesPart) {
    const auto a = add("20.0.0.1:4242");
    net.hide(a);
    surround(a, 3);
    net.run_for(seconds(30));
    EXPECT_EQ(verdict(a).verdict, Verdict::not_reachable);
    EXPECT_EQ(verdict(a).text(),
              "not reachable: 0 of 3 nodes could connect to 20.0.0.1:4242; a router or firewall "
              "does not let the port through. The node takes part fully by dialing others");
    EXPECT_EQ(net.hub(a).status().established, 3u);
}

TEST_F(ReachabilityTest, SomebodyElseBehindThePortIsNotTheNode) {
    const auto a = add("20.0.0.1:4242");
    net.hide(a);
    surround(a, 3);
    // The router forwards the port to another machine.
    add("20.0.0.1:4242");
    net.run_for(seconds(30));
    const Reachability found = verdict(a);
    EXPECT_EQ(found.verdict, Verdict::not_reachable);
    for (const auto& evidence : found.evidence) {
        EXPECT_EQ(evidence.outcome, DialBackOutcome::other_node);
    }
}

TEST_F(ReachabilityTest, SilenceAndRefusalToTryProveNothing) {
    HubOptions busy;
    busy.dial_backs_max = 0;
    const auto a = add("20.0.0.1:4242");
    for (int n = 0; n < 2; ++n) {
        net.learn(a, add("30.0." + std::to_string(n) + ".1:4242", busy), kContext);
    }
    net.run_for(seconds(30));
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
    EXPECT_EQ(verdict(a).evidence.size(), 2u);
    EXPECT_EQ(verdict(a).text(), "unknown: 2 nodes were asked to connect, none has tried");
}

TEST_F(ReachabilityTest, OfOneBlockOneIsAsked) {
    const auto a = add("20.0.0.1:4242");
    for (int n = 1; n <= 2; ++n) {
        net.learn(a, add("30.0.0." + std::to_string(n) + ":4242"), kContext);
    }
    net.run_for(seconds(30));
    EXPECT_EQ(verdict(a).evidence.size(), 1u);
}

TEST_F(ReachabilityTest, OneAskerIsServedOnceAMinute) {
    const auto a = add("20.0.0.1:4242");
    surround(a, 1);
    net.run_for(seconds(15));
    EXPECT_EQ(verdict(a).verdict, Verdict::reachable);
    const std::size_t tried = net.dials(others[0]);
    net.tell(a, CheckReachability{});
    net.run_for(seconds(5));
    EXPECT_EQ(net.dials(others[0]), tried);
    // What is known stands, and is asked again by itself.
    EXPECT_EQ(verdict(a).verdict, Verdict::reachable);
    const Instant first = verdict(a).as_of.value();
    net.run_for(minutes(2));
    EXPECT_EQ(net.dials(others[0]), tried + 1);
    EXPECT_GT(verdict(a).as_of.value(), first);
}

TEST_F(ReachabilityTest, ANodeThatListensNowhereAsksNobody) {
    const auto a = add("20.0.0.1:0");
    surround(a, 3);
    net.run_for(hours(3));
    EXPECT_EQ(net.events_of<DialBackVerdict>(a).size(), 0u);
    EXPECT_EQ(verdict(a).text(),
              "unknown: no other node has been asked yet whether it can connect");
}

TEST_F(ReachabilityTest, AnotherPortIsAskedAboutAnew) {
    const auto a = add("20.0.0.1:4242");
    surround(a, 3);
    net.run_for(seconds(30));
    net.tell(a, Introduce{5555, 0});
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
    net.run_for(minutes(3));
    EXPECT_EQ(verdict(a).verdict, Verdict::not_reachable);
    EXPECT_EQ(verdict(a).evidence.at(0).endpoint, endpoint("20.0.0.1:5555"));
}

TEST_F(ReachabilityTest, AnswersAboutThePortOfBeforeCountForNothing) {
    net.latency = std::chrono::milliseconds(500);
    const auto a = add("20.0.0.1:4242");
    surround(a, 3);
    while (net.dials(others[0]) == 0) net.run_for(std::chrono::milliseconds(100));
    net.tell(a, Introduce{5555, 0});
    net.run_for(seconds(9));
    EXPECT_EQ(net.events_of<DialBackVerdict>(a).size(), 0u);
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
}

TEST_F(ReachabilityTest, ATryThatWasBrokenOffProvesNothing) {
    net.latency = std::chrono::milliseconds(500);
    const auto a = add("20.0.0.1:4242");
    surround(a, 1);
    while (net.dials(others[0]) == 0) net.run_for(std::chrono::milliseconds(100));
    net.tell(others[0], Stop{});
    net.run_for(seconds(5));
    ASSERT_EQ(verdict(a).evidence.size(), 1u);
    EXPECT_EQ(verdict(a).evidence[0].outcome, DialBackOutcome::declined);
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
}

TEST_F(ReachabilityTest, AfterAChangeOfAddressesTheVerdictIsSoughtAnew) {
    const auto a = add("20.0.0.1:4242");
    surround(a, 3);
    net.run_for(seconds(90));
    const Instant before = verdict(a).as_of.value();
    net.tell(a, NetworkChanged{});
    net.run_for(seconds(20));
    EXPECT_GT(verdict(a).as_of.value(), before);
}

TEST_F(ReachabilityTest, APeerThatLeavesDoesNotHoldUpTheVerdict) {
    const auto a = add("20.0.0.1:4242");
    surround(a, 3);
    net.run_for(seconds(9));
    net.cut_off(others[2]);
    net.run_for(seconds(6));
    EXPECT_EQ(verdict(a).verdict, Verdict::unknown);
    net.tell(a, Forget{net.hub(others[2]).node()});
    EXPECT_EQ(verdict(a).verdict, Verdict::reachable);
}

}  // namespace
}  // namespace leither::peer
