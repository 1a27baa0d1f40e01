#include "leither/protocol/record.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/protocol/ballot.h"

namespace leither::protocol {
namespace {

TEST(Record, SumOfAMemberCountsWhatIsFrozen) {
    MemberRecord member;
    member.balance = Amount::of(70);
    member.locks.push_back({LockPurpose::pledge, Amount::of(30), Pulse(9)});
    EXPECT_EQ(sum_of(Record(member)), Amount::of(100));
}

TEST(Record, SumOfTheTreasuryCountsPendingRewards) {
    TreasuryRecord treasury;
    treasury.balance = Amount::of(70);
    treasury.pending.push_back({Hash{}, Id{}, Amount::of(5), Pulse(1)});
    treasury.pending.push_back({Hash{}, Id{}, Amount::of(6), Pulse(2)});
    EXPECT_EQ(sum_of(Record(treasury)), Amount::of(81));
}

TEST(Record, SumOfTheBookkeepingRecordIsZero) {
    EXPECT_EQ(sum_of(Record(BookkeepingRecord{})), Amount{});
}

TEST(Record, SumAboveTheLargestAmountIsNoSum) {
    MemberRecord member;
    member.balance = Amount::of(Amount::kMax);
    member.locks.push_back({LockPurpose::pledge, Amount::of(1), std::nullopt});
    EXPECT_EQ(sum_of(Record(member)), std::nullopt);
    EXPECT_EQ(sum_of_encoded(bcs::encode(Record(member))), std::nullopt);
}

TEST(Record, SumOfBytesThatAreNoRecordIsNoSum) {
    Bytes bytes = bcs::encode(Record(MemberRecord{}));
    EXPECT_EQ(sum_of_encoded(bytes), Amount{});
    bytes.push_back(0);
    EXPECT_EQ(sum_of_encoded(bytes), std::nullopt);
    EXPECT_EQ(sum_of_encoded({}), std::nullopt);
}

TEST(Record, UnusedLaneStartsAtTheCreationSequence) {
    MemberRecord member;
    member.created = Sequence(3);
    member.lanes.push_back({2, 77});
    EXPECT_EQ(member.next_counter(2), 77U);
    EXPECT_EQ(member.next_counter(0), std::uint64_t{3} << 20);
}

TEST(Record, LanesMustRise) {
    MemberRecord member;
    member.lanes.push_back({1, 5});
    member.lanes.push_back({2, 5});
    EXPECT_TRUE(bcs::decode<MemberRecord>(bcs::encode(member)).has_value());
    member.lanes[1].lane = 1;
    EXPECT_FALSE(bcs::decode<MemberRecord>(bcs::encode(member)).has_value());
}

TEST(Record, SupervisorsMustRise) {
    BookkeepingRecord book;
    book.supervisors = {Id{}, Id{}};
    EXPECT_FALSE(book.is_canonical());
    book.supervisors[1][19] = 1;
    EXPECT_TRUE(book.is_canonical());
}

TEST(Votes, TheNumbersPeopleAreToldAreTheRule) {
    const std::uint64_t many = std::uint64_t{1} << 62;
    for (const std::uint64_t members : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 30u, 31u}) {
        for (std::uint64_t no = 0; no <= 12; ++no) {
            for (std::uint64_t yes = 0; yes <= 24; ++yes) {
                const bool quorum = yes > 0 && 3 * yes >= members;
                const bool majority = 3 * yes >= 2 * (yes + no);
                EXPECT_EQ(yes >= quorum_of(members), quorum) << yes << ' ' << members;
                EXPECT_EQ(yes >= majority_of(yes, no), majority) << yes << ' ' << no;
                EXPECT_EQ(is_passed(yes, no, members), quorum && majority);
            }
        }
    }
    EXPECT_TRUE(is_passed(many, many / 2, many));
    EXPECT_FALSE(is_passed(many, many / 2 + 1, many));
    EXPECT_EQ(quorum_of(UINT64_MAX), UINT64_MAX / 3);
}

TEST(Params, EachBoundIsKeptAtItsEdge) {
    for (const ParamInfo& row : kParamTable) {
        Params params;
        params.*row.member = row.min;
        EXPECT_EQ(out_of_bounds(params), nullptr) << row.name;
        params.*row.member = row.max;
        EXPECT_EQ(out_of_bounds(params), nullptr) << row.name;
        params.*row.member = row.max + 1;
        EXPECT_EQ(out_of_bounds(params), &row) << row.name;
        if (row.min == 0) continue;
        params.*row.member = row.min - 1;
        EXPECT_EQ(out_of_bounds(params), &row) << row.name;
    }
}

TEST(Params, EachFieldHasItsRow) {
    Params params;
    std::size_t fields = 0;
    Params::fields(params, [&fields](auto&... field) { fields = sizeof...(field); });
    EXPECT_EQ(std::size(kParamTable), fields);
}

}  // namespace
}  // namespace leither::protocol
