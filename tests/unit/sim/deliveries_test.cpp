// The mesh's checker notices what it is there for.
#include "leither/sim/deliveries.h"

#include <gtest/gtest.h>

namespace leither::sim {
namespace {

using std::chrono::seconds;

class DeliveriesTest : public ::testing::Test {
 protected:
    DeliveriesTest() { deliveries.connected(1, 2); }

    protocol::EnvelopePost send() {
        auto message = deliveries.next(1, 2, seconds(last_));
        deliveries.sent(1, 2);
        ++last_;
        return message;
    }
    void receive(const protocol::PeerMessage& message) {
        deliveries.received(2, 1, message, seconds(last_));
    }

    Deliveries deliveries;

 private:
    int last_ = 0;
};

TEST_F(DeliveriesTest, WhatComesOnceInOrderAndWholeIsDelivered) {
    for (int i = 0; i < 3; ++i) receive(send());
    deliveries.connected(1, 2);
    receive(send());
    EXPECT_EQ(deliveries.delivered(), 4u);
    EXPECT_EQ(deliveries.altered() + deliveries.repeated() + deliveries.skipped(), 0u);
    Report report;
    deliveries.report(report);
    EXPECT_TRUE(report.passed());
}

TEST_F(DeliveriesTest, AnAlteredMessageIsCaughtWhereverItIsAltered) {
    const auto sent = send();
    const std::size_t size = sent.envelope.envelope.sealed.size();
    for (const std::size_t at : {std::size_t{0}, std::size_t{12}, size / 2, size - 1}) {
        auto message = sent;
        message.envelope.envelope.sealed[at] ^= 1;
        receive(message);
    }
    auto shorter = sent;
    shorter.envelope.envelope.sealed.resize(size - 1);
    receive(shorter);
    auto stub = sent;
    stub.envelope.envelope.sealed.resize(3);
    receive(stub);
    auto other = sent;
    other.envelope.signature.span()[0] ^= 1;
    receive(other);
    EXPECT_EQ(deliveries.altered(), 7u);
    EXPECT_EQ(deliveries.delivered(), 0u);
    Report report;
    deliveries.report(report);
    EXPECT_FALSE(report.figure("altered").is_met());
}

TEST_F(DeliveriesTest, AMessageForOrFromSomebodyElseIsCaught) {
    const auto message = send();
    deliveries.received(3, 1, message, seconds(1));
    deliveries.received(2, 3, message, seconds(1));
    EXPECT_EQ(deliveries.altered(), 2u);
}

TEST_F(DeliveriesTest, ARepeatedMessageIsCaught) {
    const auto first = send();
    const auto second = send();
    receive(first);
    receive(second);
    receive(second);
    receive(first);
    EXPECT_EQ(deliveries.repeated(), 2u);
    Report report;
    deliveries.report(report);
    EXPECT_FALSE(report.figure("repeated or out of order").is_met());
}

TEST_F(DeliveriesTest, AMessageOfAnOlderConnectionIsCaught) {
    const auto old = send();
    deliveries.connected(1, 2);
    receive(send());
    receive(old);
    EXPECT_EQ(deliveries.repeated(), 1u);
}

TEST_F(DeliveriesTest, ASkippedMessageIsCaughtAlsoAtTheBeginning) {
    send();
    receive(send());
    EXPECT_EQ(deliveries.skipped(), 1u);
    receive(send());
    EXPECT_EQ(deliveries.skipped(), 1u);
    send();
    receive(send());
    EXPECT_EQ(deliveries.skipped(), 2u);
    deliveries.connected(1, 2);
    send();
    receive(send());
    EXPECT_EQ(deliveries.skipped(), 3u);
    Report report;
    deliveries.report(report);
    EXPECT_FALSE(report.figure("skipped within a connection").is_met());
}

}  // namespace
}  // namespace leither::sim
