#include "leither/protocol/takeover.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

namespace leither::protocol {
namespace {

Seat seat(std::uint8_t member, std::uint8_t vote_key) {
    Seat made;
    made.member[0] = member;
    made.node_key[0] = 9;  // one node may serve two members
    made.vote_key[0] = vote_key;
    return made;
}

HandOver to(std::initializer_list<Seat> seats) {
    HandOver act;
    for (const Seat& one : seats) act.seats.push_back(one);
    return act;
}

TEST(HandOver, EachSeatHasAMemberAndAKeyOfItsOwn) {
    EXPECT_TRUE(to({seat(1, 1)}).is_canonical());
    EXPECT_TRUE(to({seat(2, 1), seat(1, 2)}).is_canonical());
    EXPECT_FALSE(to({}).is_canonical());
    EXPECT_FALSE(to({seat(1, 1), seat(2, 1)}).is_canonical());
    // Two seats of one member would have two works in one cycle, which no record can hold.
    const HandOver twice = to({seat(1, 1), seat(2, 3), seat(1, 2)});
    EXPECT_FALSE(twice.is_canonical());
    EXPECT_FALSE(bcs::decode<HandOver>(bcs::encode(twice)).has_value());
}

}  // namespace
}  // namespace leither::protocol
