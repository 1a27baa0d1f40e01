#include "leither/ledger/invariants.h"

#include <gtest/gtest.h>

#include "support/ledger_world.h"

namespace leither::ledger {
namespace {

using protocol::BookkeepingRecord;
using protocol::MemberRecord;
using protocol::Record;
using protocol::Role;

Id id(std::uint8_t last) {
    Id out;
    out[19] = last;
    return out;
}

// Transitions of made-up leaves in an organization with a supply of 100 and its book at id 9.
class InvariantsTest : public ::testing::Test {
 protected:
    InvariantsTest() {
        organization_.charter.supply = Amount::of(100);
        organization_.bookkeeping = id(9);
        organization_.candidates = id(8);
        organization_.election = id(7);
    }

    // The names of the invariants that object.
    std::vector<std::string> objections(std::vector<Transition> transitions,
                                        std::uint64_t sum = 100) const {
        std::vector<std::string> names;
        for (const Invariant* invariant : invariants()) {
            const auto violation =
                invariant->violation(organization_, transitions, {Hash{}, Amount::of(sum)});
            if (violation) names.emplace_back(invariant->name());
        }
        return names;
    }
    using Names = std::vector<std::string>;

    Organization organization_;
};

Record book(std::uint64_t members, std::initializer_list<Id> supervisors) {
    BookkeepingRecord record;
    record.members = members;
    for (const Id& supervisor : supervisors) record.supervisors.push_back(supervisor);
    return record;
}

Record member(Role role = Role::member) {
    MemberRecord record;
    record.role = role;
    return record;
}

TEST_F(InvariantsTest, NothingDoneIsFine) {
    EXPECT_EQ(objections({}), Names{});
}

TEST_F(InvariantsTest, ConservationComparesWithTheSupply) {
    EXPECT_EQ(objections({}, 99), Names{"Conservation"});
    EXPECT_EQ(objections({}, 101), Names{"Conservation"});
}

TEST_F(InvariantsTest, NoncesNeverFall) {
    MemberRecord before;
    before.lanes.push_back({0, 5});
    MemberRecord after = before;
    after.lanes[0].next = 6;
    const Record older = before;
    const Record newer = after;
    EXPECT_EQ(objections({{id(1), &older, &newer}}), Names{});
    EXPECT_EQ(objections({{id(1), &newer, &older}}), Names{"NoncesRise"});
    const Record forgotten = MemberRecord{};
    EXPECT_EQ(objections({{id(1), &older, &forgotten}}), Names{"NoncesRise"});
}

TEST_F(InvariantsTest, LocksFitTheirRecord) {
    using protocol::LockPurpose;
    const Record nobody = protocol::CandidateTable{};
    const auto objections_to = [&](const MemberRecord& changed) {
        MemberRecord old;
        protocol::CandidateTable rows;
        if (changed.candidacy) rows.rows.push_back({id(1), {}, Amount::of(5)});
        const Record before = old;
        const Record after = changed;
        const Record table = rows;
        return objections({{id(1), &before, &after}, {id(8), &nobody, &table}});
    };
    MemberRecord pledged;
    pledged.locks.push_back({LockPurpose::pledge, Amount::of(5), std::nullopt, 0});
    pledged.candidacy.emplace();
    EXPECT_EQ(objections_to(pledged), Names{});

    MemberRecord bad = pledged;
    bad.locks[0].amount = Amount{};
    EXPECT_EQ(objections_to(bad), Names{"LocksWithinRecord"});
    bad = pledged;
    bad.locks.push_back(bad.locks[0]);
    EXPECT_EQ(objections_to(bad), Names{"LocksWithinRecord"});
    bad = pledged;
    bad.locks[0].until = Pulse(9);  // still a candidate
    EXPECT_EQ(objections_to(bad), Names{"LocksWithinRecord"});
    bad = pledged;
    bad.candidacy.reset();
    EXPECT_EQ(objections_to(bad), Names{"LocksWithinRecord"});
}

TEST_F(InvariantsTest, CandidatesAreListed) {
    MemberRecord standing;
    standing.locks.push_back({protocol::LockPurpose::pledge, Amount::of(5), std::nullopt, 0});
    standing.candidacy.emplace();
    protocol::CandidateTable listed;
    listed.rows.push_back({id(1), {}, Amount::of(5)});
    const Record none = MemberRecord{};
    const Record candidate = standing;
    const Record empty = protocol::CandidateTable{};
    const Record table = listed;
    EXPECT_EQ(objections({{id(1), &none, &candidate}, {id(8), &empty, &table}}), Names{});
    EXPECT_EQ(objections({{id(1), &none, &candidate}}), Names{"CandidatesKnown"});
    EXPECT_EQ(objections({{id(1), &none, &candidate}, {id(8), &empty, &empty}}),
              Names{"CandidatesKnown"});
    EXPECT_EQ(objections({{id(1), &none, &none}, {id(8), &empty, &table}}),
              Names{"CandidatesKnown"});
}

TEST_F(InvariantsTest, TermsFollowEachOther) {
    protocol::ElectionRecord first;
    first.cycle = 4;
    first.first_pulse = Pulse(60);
    first.end_pulse = Pulse(120);
    first.present.push_back({id(1), {}, {}});
    protocol::ElectionRecord second = first;
    second.cycle = 5;
    second.former = first.present;
    second.present[0].member = id(2);
    const auto objections_to = [&](const protocol::ElectionRecord& changed) {
        const Record before = first;
        const Record after = changed;
        return objections({{id(7), &before, &after}});
    };
    EXPECT_EQ(objections_to(first), Names{});
    EXPECT_EQ(objections_to(second), Names{});
    auto bad = second;
    bad.cycle = 6;
    EXPECT_EQ(objections_to(bad), Names{"TermsFollow"});
    bad = second;
    bad.cycle = 4;  // other seats within a term
    EXPECT_EQ(objections_to(bad), Names{"TermsFollow"});
    bad = second;
    bad.former.clear();
    EXPECT_EQ(objections_to(bad), Names{"TermsFollow"});
    bad = second;
    bad.present.clear();
    EXPECT_EQ(objections_to(bad), Names{"TermsFollow"});
    bad = second;
    bad.end_pulse = bad.first_pulse;
    EXPECT_EQ(objections_to(bad), Names{"TermsFollow"});
}

TEST_F(InvariantsTest, BallotsAreCastByMembersInListedVotes) {
    protocol::VoteRecord none;
    protocol::VoteRecord one = none;
    one.yes = 1;
    protocol::VoteRecord many = none;
    many.no = 100;
    const Record before = none;
    const Record after = one;
    const Record stuffed = many;
    EXPECT_EQ(objections({{id(5), &before, &after}}), Names{});
    EXPECT_EQ(objections({{id(5), &before, &stuffed}}), Names{"VotesCounted"});
    const Record unlisted = book(0, {});
    EXPECT_EQ(objections({{id(5), nullptr, &before}, {id(9), &unlisted, &unlisted}}),
              Names{"VotesCounted"});
}

TEST_F(InvariantsTest, MembersAreCounted) {
    const Record one = book(1, {});
    const Record two = book(2, {});
    const Record leaf = member();
    EXPECT_EQ(objections({{id(1), nullptr, &leaf}, {id(9), &one, &two}}), Names{});
    EXPECT_EQ(objections({{id(1), &leaf, nullptr}, {id(9), &two, &one}}), Names{});
    EXPECT_EQ(objections({{id(9), &one, &two}}), Names{"MemberCount"});
    EXPECT_EQ(objections({{id(1), nullptr, &leaf}}), Names{"MemberCount"});
}

TEST_F(InvariantsTest, SupervisorsAreListed) {
    const Record plain = member();
    const Record supervisor = member(Role::supervisor);
    const Record none = book(3, {});
    const Record one = book(3, {id(1)});
    const Record other = book(3, {id(2)});
    const Record both = book(3, {id(1), id(2)});
    EXPECT_EQ(objections({{id(1), &plain, &supervisor}, {id(9), &none, &one}}), Names{});
    EXPECT_EQ(objections({{id(1), &supervisor, &plain}, {id(9), &both, &other}}), Names{});
    EXPECT_EQ(objections({{id(1), &plain, &supervisor}}), Names{"SupervisorsKnown"});
    EXPECT_EQ(objections({{id(9), &none, &one}}), Names{"SupervisorsKnown"});
    EXPECT_EQ(objections({{id(1), &plain, &supervisor}, {id(9), &none, &other}}),
              Names{"SupervisorsKnown"});
    EXPECT_EQ(objections({{id(1), &plain, &supervisor}, {id(9), &none, &both}}),
              Names{"SupervisorsKnown"});
}

}  // namespace
}  // namespace leither::ledger
