#include "leither/dht/rpc_manager.h"

#include <set>

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::dht {
namespace {

using Expiry = RpcManager::Expiry;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);

Contact contact(std::uint8_t host, std::uint16_t port = 6881) {
    return {Id(), {IpAddress::v4({20, 0, 0, host}), port}};
}

TEST(RpcManager, AReplyMustComeFromTheEndpointThatWasAsked) {
    Prng prng(1);
    RpcManager rpc({}, prng);
    const Transaction t = rpc.open(contact(1), {}, kStart);
    EXPECT_FALSE(rpc.close(contact(2).endpoint, t, kStart));
    EXPECT_FALSE(rpc.close(contact(1, 6882).endpoint, t, kStart));
    const std::vector<std::uint8_t> shortened(t.view().begin(), t.view().end() - 1);
    EXPECT_FALSE(rpc.close(contact(1).endpoint, Transaction::copy_of(shortened), kStart));
    EXPECT_TRUE(rpc.expects(contact(1).endpoint));
    EXPECT_TRUE(rpc.close(contact(1).endpoint, t, kStart));
    EXPECT_FALSE(rpc.expects(contact(1).endpoint));
    EXPECT_FALSE(rpc.close(contact(1).endpoint, t, kStart));
}

TEST(RpcManager, TransactionsDoNotRepeatWhileTheyAreOpen) {
    Prng prng(2);
    RpcManager rpc({}, prng);
    std::set<Transaction> seen;
    for (std::uint8_t i = 0; i < 200; ++i) seen.insert(rpc.open(contact(i), {}, kStart));
    EXPECT_EQ(seen.size(), 200u);
    rpc.check_invariants();
}

TEST(RpcManager, AQueryIsLateOnceAndThenFailed) {
    Prng prng(3);
    RpcManager rpc({}, prng);
    rpc.open(contact(1), {Errand::Kind::look, 7}, kStart);
    EXPECT_EQ(rpc.next_deadline(), kStart + seconds(1));
    EXPECT_FALSE(rpc.next_expired(kStart + milliseconds(999)));
    const auto late = rpc.next_expired(kStart + seconds(1));
    ASSERT_TRUE(late);
    EXPECT_EQ(late->expiry, Expiry::late);
    EXPECT_EQ(late->sent.errand.task, 7u);
    EXPECT_FALSE(rpc.next_expired(kStart + seconds(3)));
    const auto failed = rpc.next_expired(kStart + seconds(4));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->expiry, Expiry::failed);
    EXPECT_EQ(rpc.size(), 0u);
    EXPECT_FALSE(rpc.next_deadline());
}

TEST(RpcManager, AnAnswerToALateQueryCounts) {
    Prng prng(4);
    RpcManager rpc({}, prng);
    const Transaction t = rpc.open(contact(1), {}, kStart);
    ASSERT_TRUE(rpc.next_expired(kStart + seconds(2)));
    const auto sent = rpc.close(contact(1).endpoint, t, kStart + seconds(3));
    ASSERT_TRUE(sent);
    EXPECT_TRUE(sent->late);
    EXPECT_FALSE(rpc.next_deadline());
}

TEST(RpcManager, TheSoftTimeoutFollowsTheRoundTripsBetweenItsBounds) {
    Prng prng(5);
    RpcManager rpc({}, prng);
    EXPECT_EQ(rpc.soft_timeout(), seconds(1));
    Instant now = kStart;
    const auto exchange = [&](Duration round_trip) {
        const Transaction t = rpc.open(contact(1), {}, now);
        now += round_trip;
        rpc.close(contact(1).endpoint, t, now);
    };
    for (int i = 0; i < 50; ++i) exchange(milliseconds(1));
    EXPECT_EQ(rpc.soft_timeout(), milliseconds(50));
    for (int i = 0; i < 50; ++i) exchange(milliseconds(100));
    EXPECT_GE(rpc.soft_timeout(), milliseconds(100));
    EXPECT_LE(rpc.soft_timeout(), milliseconds(250));
    for (int i = 0; i < 50; ++i) exchange(seconds(3));
    EXPECT_EQ(rpc.soft_timeout(), seconds(1));
}

TEST(RpcManager, IsFullAtItsMaximum) {
    Prng prng(6);
    RpcManager rpc({.queries_max = 3}, prng);
    for (std::uint8_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(rpc.full());
        rpc.open(contact(i), {}, kStart);
    }
    EXPECT_TRUE(rpc.full());
    ASSERT_TRUE(rpc.next_expired(kStart + seconds(1)));
    EXPECT_TRUE(rpc.full());  // late is still awaited
}

}  // namespace
}  // namespace leither::dht
