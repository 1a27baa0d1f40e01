#include "leither/peer/outbox.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::peer {
namespace {

using protocol::AskDialBack;
using protocol::ChatHave;
using protocol::Ping;

// 13, 15 and 46 bytes; vital, normal and low.
const protocol::PeerMessage kPing = Ping{1};
const protocol::PeerMessage kAsk = AskDialBack{1, 2};
const protocol::PeerMessage kHave = ChatHave{};

std::size_t size_of(const protocol::PeerMessage& message) {
    return protocol::encode_peer_message(message).size();
}
// What it takes of an outbox.
std::size_t cost_of(const protocol::PeerMessage& message) {
    return size_of(message) + Outbox::kMessageCost;
}

TEST(Outbox, FillsToItsMaximumAndRefusesOneByteMore) {
    Outbox exact(2 * cost_of(kAsk));
    EXPECT_TRUE(exact.put(kAsk).taken);
    EXPECT_TRUE(exact.put(kAsk).taken);
    EXPECT_FALSE(exact.put(kAsk).taken);
    EXPECT_EQ(exact.messages(), 2u);
    Outbox short_by_one(2 * cost_of(kAsk) - 1);
    EXPECT_TRUE(short_by_one.put(kAsk).taken);
    EXPECT_FALSE(short_by_one.put(kAsk).taken);
    exact.check_invariants();
}

TEST(Outbox, TheLeastUrgentMakesRoomAndNothingIsDroppedInVain) {
    Outbox outbox(cost_of(kHave) + cost_of(kAsk));
    EXPECT_TRUE(outbox.put(kHave).taken);
    EXPECT_TRUE(outbox.put(kAsk).taken);
    EXPECT_FALSE(outbox.put(kHave).taken);  // its like does not give way
    const Outbox::Put put = outbox.put(kPing);
    EXPECT_TRUE(put.taken);
    EXPECT_EQ(put.dropped, 1u);
    // The low one has gone; what is left cannot make room for as much as this.
    Outbox small(cost_of(kPing) + 1);
    EXPECT_TRUE(small.put(kPing).taken);
    EXPECT_FALSE(small.put(kAsk).taken);
    EXPECT_EQ(small.messages(), 1u);
}

TEST(Outbox, AMessageThatNeverFitsDropsNothing) {
    Outbox outbox(cost_of(kHave) - 1);
    EXPECT_TRUE(outbox.put(kAsk).taken);
    EXPECT_FALSE(outbox.put(kHave).taken);
    EXPECT_EQ(outbox.messages(), 1u);
}

TEST(Outbox, IsTakenInOrderInWholeMessages) {
    Outbox outbox(1000);
    outbox.put(kAsk);
    outbox.put(kPing);
    outbox.put(kAsk);
    EXPECT_EQ(outbox.take(size_of(kAsk) + size_of(kPing)).size(), size_of(kAsk) + size_of(kPing));
    // At least one, however large.
    EXPECT_EQ(outbox.take(1), protocol::encode_peer_message(kAsk));
    EXPECT_TRUE(outbox.is_empty());
    EXPECT_TRUE(outbox.take(1).empty());
}

TEST(Outbox, ACrowdOfSmallMessagesIsBoundedByWhatItCostsToKeep) {
    Outbox outbox(100 * cost_of(kPing));
    for (int i = 0; i < 1000; ++i) outbox.put(kPing);
    EXPECT_EQ(outbox.messages(), 100u);
    EXPECT_EQ(outbox.bytes(), 100 * cost_of(kPing));
}

TEST(Outbox, KeepsItsCountsWhateverComes) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE(seed);
        Prng prng(seed);
        Outbox outbox(20 + prng.below(800));
        const protocol::PeerMessage* kinds[] = {&kPing, &kAsk, &kHave};
        for (int i = 0; i < 200; ++i) {
            if (prng.chance(1, 4)) {
                outbox.take(prng.below(100));
            } else {
                outbox.put(*kinds[prng.below(3)]);
            }
            outbox.check_invariants();
        }
    }
}

}  // namespace
}  // namespace leither::peer
