// Others take the place of a silent committee: signed by candidates' nodes, decided by whom the act
// seats, followed by everybody, also by those who were silent.
#include <gtest/gtest.h>

#include "leither/wallet/payment.h"

#include "cluster.h"

namespace leither::node {
namespace {

using protocol::HandOver;
using protocol::Recovery;
using protocol::TakeoverSignature;

// What those who sign and whoever makes the act of it do.
class Chamber {
 public:
    explicit Chamber(Cluster& cluster) : cluster_(cluster), world_(cluster.world()) {}

    Result<TakeoverSignature, NetworkFailure> sign(std::size_t host,
                                                   const std::vector<protocol::Seat>& seats = {}) {
        SignTakeover wish{++token_, {}};
        for (const protocol::Seat& seat : seats) wish.seats.push_back(seat);
        world_.step(host, std::move(wish));
        auto answer = reply(host);
        if (!answer) return fail(std::move(answer).error());
        return std::get<TakeoverSignature>(*answer);
    }
    Result<Hash, NetworkFailure> take_over(std::size_t host, const crypto::KeyPair& signer,
                                           const protocol::Action& act) {
        const auto counter = world_.queries(host).next_counter(signer.id(), 0);
        CHECK(counter && *counter);
        const Pulse pulse = world_.queries(host).pulse(world_.now());
        const wallet::Draft draft{
            cluster_.community().chain(), {0, **counter}, Pulse(pulse.value() + 300)};
        world_.step(host, TakeOver{++token_, wallet::sign(draft, act, signer, nullptr)});
        auto answer = reply(host);
        if (!answer) return fail(std::move(answer).error());
        return std::get<Hash>(*answer);
    }
    protocol::Seat seat(std::size_t member, std::size_t host) {
        const PublicKey key = node_key(50 + member).public_key();
        CHECK(world_.queries(host).takeover(world_.now())->row.has_value());
        return {cluster_.community().member(member).id(), key, key};
    }
    TakeoverStatus status(std::size_t host) { return *world_.queries(host).takeover(world_.now()); }

 private:
    NetworkWorld::Answer reply(std::size_t host) {
        std::optional<NetworkWorld::Answer> answer;
        CHECK(world_.wait([&] { return (answer = world_.take_reply(host, token_)).has_value(); },
                          minutes(1)));
        return *std::move(answer);
    }

    Cluster& cluster_;
    NetworkWorld& world_;
    Token token_ = 7'000'000;
};

HandOver hand_over_of(const std::vector<TakeoverSignature>& signatures) {
    HandOver act{signatures.front().last, signatures.front().seats, {}};
    for (const TakeoverSignature& one : signatures) act.countersigned.push_back(one.by);
    std::ranges::sort(act.countersigned, {}, &protocol::RowSignature::row);
    return act;
}
Recovery recovery_of(const std::vector<TakeoverSignature>& signatures) {
    Recovery act{signatures.front().last, {}};
    for (const TakeoverSignature& one : signatures) act.signatures.push_back(one.by);
    std::ranges::sort(act.signatures, {}, &protocol::RowSignature::row);
    return act;
}

// A bookkeeper of its own, and three members' nodes whose members have pledged.
struct Village {
    Village() : cluster(with_bookkeepers(1)), world(cluster.world()), chamber(cluster) {
        for (std::size_t n = 0; n < 3; ++n) members.push_back(cluster.add_member(n));
        all = members;
        all.push_back(kFounder);
        cluster.seal(kFounder, 3);
        CHECK(world.wait([&] { return cluster.agree(all, Sequence(3)); }, minutes(5)));
        for (std::size_t n = 0; n < 3; ++n) cluster.pledge(members[n], n, 500);
        CHECK(world.wait([&] { return stands(); }, minutes(2)));
        CHECK(world.wait([&] { return cluster.agree(all, cluster.head(kFounder)); }, minutes(1)));
    }
    bool stands() {
        return std::ranges::all_of(
            members, [&](std::size_t host) { return chamber.status(host).row.has_value(); });
    }
    // It is silent for good, as far as anybody can tell.
    void fall_silent() {
        world.crash(kFounder);
        world.advance(seconds(protocol::kSilentPulses + 2));
    }
    // Two of three sign a hand-over to the first member's node.
    HandOver signed_act() {
        const std::vector<protocol::Seat> seats{chamber.seat(0, members[0])};
        std::vector<TakeoverSignature> signatures;
        for (const std::size_t host : {members[1], members[2]}) {
            auto signed_ = chamber.sign(host, seats);
            CHECK(signed_.has_value());
            signatures.push_back(*std::move(signed_));
        }
        return hand_over_of(signatures);
    }

    Cluster cluster;
    NetworkWorld& world;
    Chamber chamber;
    std::vector<std::size_t> members;
    std::vector<std::size_t> all;
};

TEST(Takeover, OfASilentBookkeeperIsDecidedByWhomItSeats) {
    Village village;
    Cluster& cluster = village.cluster;
    NetworkWorld& world = village.world;
    const std::vector<std::size_t>& members = village.members;
    const Sequence last = cluster.head(members[0]);
    const std::uint64_t cycle = cluster.office(members[0]).election.cycle;

    const auto early = village.chamber.sign(members[1], {village.chamber.seat(0, members[0])});
    ASSERT_FALSE(early.has_value());
    EXPECT_EQ(early.error().rule, "not_silent");

    village.fall_silent();
    ASSERT_EQ(cluster.head(members[0]), last);
    const HandOver act = village.signed_act();
    EXPECT_EQ(cluster.office(members[1]).silence, "no_seat");
    EXPECT_TRUE(village.chamber.status(members[1]).has_yielded);
    EXPECT_FALSE(village.chamber.status(members[0]).has_yielded);

    const auto id = village.chamber.take_over(members[2], cluster.community().founder(), act);
    ASSERT_TRUE(id.has_value()) << id.error().detail;
    ASSERT_TRUE(world.wait([&] { return cluster.agree(members, last.next()); }, minutes(2)));
    for (const std::size_t host : members) {
        const OfficeStatus office = cluster.office(host);
        EXPECT_EQ(office.election.cycle, cycle + 1) << host;
        EXPECT_EQ(office.seat.has_value(), host == members[0]) << host;
        EXPECT_FALSE(village.chamber.status(host).has_yielded) << host;
    }
    cluster.pay(members[2], 1, 2, 7);
    ASSERT_TRUE(world.wait([&] { return cluster.agree(members, last.next().next()); }, minutes(2)));

    // Whoever was silent comes back with a payment of its own, and follows.
    world.restart(kFounder);
    cluster.pay(kFounder, 2, 1, 3);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(village.all, Sequence(last.value() + 3)); },
                           minutes(5)));
    EXPECT_EQ(cluster.office(kFounder).silence, "no_seat");
}

TEST(Takeover, WhatIsWrongWithAnActIsSaid) {
    Village village;
    Cluster& cluster = village.cluster;
    village.fall_silent();
    HandOver act = village.signed_act();
    const auto founder = cluster.community().founder();
    const std::size_t host = village.members[0];
    const auto refused = [&](const crypto::KeyPair& signer, const protocol::Action& said) {
        const auto answer = village.chamber.take_over(host, signer, said);
        return answer ? std::string("taken") : std::string(answer.error().rule);
    };
    HandOver few = act;
    few.countersigned.pop_back();
    EXPECT_EQ(refused(founder, few), "too_few_countersignatures");
    HandOver forged = act;
    forged.countersigned[0].signature[0] ^= 1;
    EXPECT_EQ(refused(founder, forged), "bad_signature");
    HandOver other = act;
    other.last.hash[0] ^= 1;
    EXPECT_EQ(refused(founder, other), "not_last_block");
    EXPECT_EQ(refused(cluster.community().member(1), act), "not_supervisor");
    EXPECT_EQ(refused(founder, protocol::Cancel{}), "takeover_not_first");
    EXPECT_EQ(village.chamber.sign(host).error().rule, "no_next_committee");
    // No candidate stands behind the founder's node, and nobody is elected yet.
    EXPECT_EQ(refused(founder, act), "taken");
    EXPECT_EQ(refused(founder, act), "taken");
}

TEST(Takeover, WhoHasSignedOrAdoptedStaysAtItsWordThroughACrash) {
    Village village;
    Cluster& cluster = village.cluster;
    NetworkWorld& world = village.world;
    const std::vector<std::size_t>& members = village.members;
    village.fall_silent();
    const Sequence last = cluster.head(members[0]);
    const HandOver act = village.signed_act();
    world.crash(members[1]);
    world.restart(members[1]);
    world.advance(seconds(5));
    EXPECT_TRUE(village.chamber.status(members[1]).has_yielded);

    // Whom it seats is away: those who know the act wait for it.
    world.crash(members[0]);
    ASSERT_TRUE(village.chamber.take_over(members[2], cluster.community().founder(), act));
    const auto knows = [&](std::size_t host) {
        return village.chamber.status(host).adopted.has_value();
    };
    ASSERT_TRUE(world.wait([&] { return knows(members[1]); }, minutes(2)));
    world.crash(members[1]);
    world.crash(members[2]);
    world.advance(seconds(10));
    world.restart(members[1]);
    world.advance(seconds(5));
    EXPECT_TRUE(knows(members[1]));
    world.restart(members[0]);
    world.restart(members[2]);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(members, last.next()); }, minutes(5)));
}

// Two of four elected bookkeepers are gone, and the cycle does not end.
TEST(Takeover, TheNextCommitteeIsCalledByTwoThirdsOfThePledge) {
    Cluster cluster(with_short_cycles());
    NetworkWorld& world = cluster.world();
    Chamber chamber(cluster);
    std::vector<std::size_t> elected;
    for (std::size_t n = 0; n < 4; ++n) elected.push_back(cluster.add_member(n));
    ASSERT_TRUE(world.wait([&] { return cluster.agree(elected, Sequence(4)); }, minutes(5)));
    for (std::size_t n = 0; n < 4; ++n) cluster.pledge(elected[n], n, n < 2 ? 900 : 100);
    ASSERT_TRUE(world.wait(
        [&] {
            return std::ranges::all_of(elected, [&](std::size_t host) {
                const OfficeStatus office = cluster.office(host);
                return office.seat && office.silence == "none" &&
                       office.election.next.seats.size() == 4;
            });
        },
        minutes(15)));
    world.crash(kFounder);
    world.crash(elected[2]);
    world.crash(elected[3]);
    const std::vector<std::size_t> left{elected[0], elected[1]};
    world.advance(minutes(2));
    const std::uint64_t cycle = cluster.office(elected[0]).election.cycle;
    const Sequence last = cluster.head(elected[0]);
    world.advance(seconds(protocol::kSilentPulses + 60));
    ASSERT_EQ(cluster.head(elected[0]), last);

    const auto first = chamber.sign(elected[0]);
    ASSERT_TRUE(first.has_value()) << first.error().detail;
    EXPECT_EQ(cluster.office(elected[0]).silence, "yielded");
    const auto member = cluster.community().member(0);
    const auto alone = chamber.take_over(elected[0], member, recovery_of({*first}));
    ASSERT_FALSE(alone.has_value());
    EXPECT_EQ(alone.error().rule, "too_little_pledge") << alone.error().detail;
    const auto second = chamber.sign(elected[1]);
    ASSERT_TRUE(second.has_value());
    ASSERT_TRUE(chamber.take_over(elected[1], member, recovery_of({*first, *second})));
    world.advance(minutes(1));
    EXPECT_EQ(cluster.head(elected[0]), last) << "two of four decide nothing";

    // A third one comes back from where it was, hears of the act, and votes on it.
    world.restart(elected[2]);
    const std::vector<std::size_t> three{elected[0], elected[1], elected[2]};
    ASSERT_TRUE(world.wait([&] { return cluster.agree(three, last.next()); }, minutes(5)));
    EXPECT_GT(cluster.office(elected[0]).election.cycle, cycle);
    cluster.pay(elected[0], 0, 1, 1);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(three, last.next().next()); }, minutes(2)));
    world.restart(elected[3]);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(elected, last.next().next()); }, minutes(5)));
}

}  // namespace
}  // namespace leither::node
