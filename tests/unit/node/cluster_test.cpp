// One ledger on several nodes: bookkeepers of the charter, found by the network, crashing and
// coming back.
#include "cluster.h"

#include <gtest/gtest.h>

namespace leither::node {
namespace {

TEST(Cluster, FourNodesKeepOneLedger) {
    Cluster cluster(4);
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    ASSERT_TRUE(
        world.wait([&] { return world.queries(3).peers(world.now()).size() == 3; }, minutes(5)));
    cluster.pay(2, 0, 1, 5);
    ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(1)); }, seconds(10)))
        << cluster.head(0).value() << ' ' << cluster.head(1).value();
    for (const std::size_t host : all) EXPECT_EQ(cluster.balance(host, 1), 1'005u) << host;
}

TEST(Cluster, NothingGoesBackToWhoSentIt) {
    CommunityOptions options = with_bookkeepers(2);
    options.params.member_transactions_per_pulse = 1'000;
    options.params.member_transactions_per_cycle = 1'000;
    Cluster cluster(options);
    cluster.add(cluster.community().node_key(1));
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> both{0, 1};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(both); }, minutes(5)));
    ASSERT_TRUE(
        world.wait([&] { return world.queries(1).peers(world.now()).size() == 1; }, minutes(5)));
    // Once each has said on the first height that it votes, nothing is sent to be sure.
    cluster.pay(1, 2, 3, 1);
    ASSERT_TRUE(world.wait([&] { return cluster.agree(both, Sequence(1)); }, minutes(1)));
    world.advance(minutes(1));
    const std::uint64_t before = world.traffic(1).stream_bytes;
    const Community& town = cluster.community();
    const Pulse expiry(world.queries(1).pulse(world.now()).value() + 100);
    Submit row{1, {}};
    std::uint64_t bytes = 0;
    for (std::uint64_t n = 0; n < 200; ++n) {
        row.transactions.push_back(
            bcs::encode(town.pay(town.member(0), town.member(1), 1, {n, expiry})));
        bytes += row.transactions.back().size();
    }
    world.step(1, std::move(row));
    ASSERT_TRUE(world.wait([&] { return cluster.balance(0, 1) == 1'200u; }, minutes(1)));
    // Once to the other node, and once in the block that one of the two proposes.
    const std::uint64_t passed = world.traffic(1).stream_bytes - before;
    EXPECT_LT(passed, 5 * bytes / 2) << bytes;
}

TEST(Cluster, OneMayCrashAndCatchesUp) {
    Cluster cluster(4);
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    cluster.pay(2, 0, 1, 5);
    ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(1)); }, minutes(1)));
    world.crash(0);  // the chief
    const std::vector<std::size_t> rest{1, 2, 3};
    for (std::uint64_t n = 2; n < 12; ++n) {
        cluster.pay(2, 0, 1, 5);
        ASSERT_TRUE(world.wait([&] { return cluster.agree(rest, Sequence(n)); }, minutes(1))) << n;
    }
    world.restart(0);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(11)); }, minutes(5)))
        << cluster.head(0).value();
    cluster.pay(1, 0, 1, 5);
    EXPECT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(12)); }, minutes(1)));
}

TEST(Cluster, AMemberWhoJoinsLaterHasTheWholeLedger) {
    Cluster cluster(4);
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    for (std::uint64_t n = 1; n < 6; ++n) {
        cluster.pay(2, 0, 1, 5);
        ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(n)); }, minutes(1))) << n;
    }
    const std::size_t stranger = cluster.add(node_key(9));
    const std::size_t late = cluster.add_member(0);
    EXPECT_TRUE(world.wait([&] { return cluster.agree({0, late}, Sequence(5)); }, minutes(5)));
    EXPECT_FALSE(cluster.status(stranger)) << "a stranger is told nothing";
    cluster.pay(late, 1, 2, 7);
    EXPECT_TRUE(world.wait(
        [&] {
            return cluster.agree({0, 1, 2, 3, late}, Sequence(6));
        },
        minutes(1)));
}

// It asks before those who keep the ledger know whom it serves, in vain, and pays where nobody else
// does.
TEST(Cluster, AMemberWhoServesAtOnceIsLetInAtOnceAndMayPay) {
    for (const auto wait : {seconds(1), seconds(3), seconds(9), seconds(20)}) {
        SCOPED_TRACE(wait.count());
        Cluster cluster(4);
        NetworkWorld& world = cluster.world();
        const std::vector<std::size_t> all{0, 1, 2, 3};
        ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
        cluster.pay(2, 0, 1, 5);
        ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(1)); }, minutes(1)));
        world.advance(minutes(2));
        const std::size_t late = cluster.add_member(0, wait);
        EXPECT_TRUE(world.wait([&] { return cluster.agree({0, late}, Sequence(1)); }, seconds(5)));
        ASSERT_TRUE(world.wait([&] { return cluster.agree({0, late}, Sequence(1)); }, minutes(5)));
        cluster.pay(late, 1, 2, 7);
        EXPECT_TRUE(world.wait(
            [&] {
                return cluster.agree({0, 1, 2, 3, late}, Sequence(2));
            },
            seconds(10)));
    }
}

TEST(Cluster, ASlowDiskPutsNothingOutOfOrder) {
    Cluster cluster(4, std::chrono::milliseconds(60));
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    for (std::uint64_t n = 1; n < 6; ++n) {
        cluster.pay(n % 4, 0, 1, 5);
        ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(n)); }, minutes(1))) << n;
    }
}

// A bookkeeper and the nodes of three members, all connected.
class Watched {
 public:
    Watched() {
        for (std::size_t member = 0; member < 3; ++member) {
            followers.push_back(cluster.add_member(member));
        }
        all = followers;
        all.push_back(kFounder);
        CHECK(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
        const auto meshed = [&] {
            return std::ranges::all_of(all, [&](std::size_t host) {
                return world.queries(host).peers(world.now()).size() == 3;
            });
        };
        CHECK(world.wait(meshed, minutes(5)));
    }
    void pay() { cluster.pay(followers[0], 0, 1, 5); }
    Sequence next() { return cluster.head(kFounder).next(); }

    Cluster cluster{1};
    NetworkWorld& world = cluster.world();
    std::vector<std::size_t> followers;
    std::vector<std::size_t> all;
};

TEST(Countersigned, ABlockIsFinalEverywhereOnceMembersNodesHaveIt) {
    Watched town;
    const Sequence next = town.next();
    town.pay();
    ASSERT_TRUE(
        town.world.wait([&] { return town.cluster.are_final(town.all, next); }, seconds(10)));
    town.world.advance(seconds(5));
    for (const std::size_t host : town.all) {
        const Finality seen = town.cluster.finality(host);
        EXPECT_EQ(seen.countersigned, 3u) << host;
        EXPECT_EQ(seen.online, 3u) << "the bookkeeper's is none of them";
        EXPECT_EQ(seen.needed, 2u);
        EXPECT_FALSE(seen.is_certified);
        const auto told = std::ranges::count_if(town.world.events(host), [&](const Event& event) {
            const auto* made = std::get_if<BlocksFinal>(&event);
            return made != nullptr && made->finality.sequence == next;
        });
        EXPECT_EQ(told, 1) << host;
    }
}

TEST(Countersigned, TwoOfThreeAreEnoughAndOneIsNot) {
    Watched town;
    town.world.crash(town.followers[2]);
    Sequence next = town.next();
    town.pay();
    const std::vector<std::size_t> two{town.followers[0], town.followers[1], kFounder};
    ASSERT_TRUE(town.world.wait([&] { return town.cluster.are_final(two, next); }, minutes(3)));
    town.world.crash(town.followers[1]);
    next = next.next();
    town.pay();
    const std::vector<std::size_t> one{town.followers[0], kFounder};
    ASSERT_TRUE(town.world.wait([&] { return town.cluster.agree(one, next); }, minutes(1)));
    town.world.advance(minutes(5));
    for (const std::size_t host : one) {
        EXPECT_FALSE(town.cluster.finality(host).is_final) << host;
        EXPECT_EQ(town.cluster.finality(host).countersigned, 1u) << host;
    }
    // Who comes back catches up and makes it final, without another block.
    town.world.restart(town.followers[1]);
    EXPECT_TRUE(town.world.wait([&] { return town.cluster.are_final(two, next); }, minutes(5)));
    EXPECT_EQ(town.cluster.head(kFounder), next);
}

TEST(Countersigned, WhoeverIsCutOffFromTheOthersCommitsNothingFinal) {
    Watched town;
    town.world.part({town.followers[0], kFounder});
    const Sequence next = town.next();
    town.pay();
    const std::vector<std::size_t> side{town.followers[0], kFounder};
    ASSERT_TRUE(town.world.wait([&] { return town.cluster.agree(side, next); }, minutes(1)));
    town.world.advance(minutes(3));
    EXPECT_FALSE(town.cluster.finality(town.followers[0]).is_final);
    EXPECT_LT(town.cluster.head(town.followers[1]), next);
    town.world.join();
    EXPECT_TRUE(
        town.world.wait([&] { return town.cluster.are_final(town.all, next); }, minutes(30)));
}

TEST(Countersigned, FourBookkeepersNeedNobodyElse) {
    Cluster cluster(4);
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    cluster.pay(2, 0, 1, 5);
    ASSERT_TRUE(world.wait([&] { return cluster.are_final(all, Sequence(1)); }, minutes(1)));
    EXPECT_TRUE(cluster.finality(0).is_certified);
}

CommunityOptions with_many_cycles() {
    CommunityOptions options = with_bookkeepers(4);
    options.params.cycle_pulses = 60;
    return options;
}

// A committee of the charter, whose nodes have met and sealed a block.
struct Committee {
    explicit Committee(Duration disk_latency = {})
        : cluster(with_many_cycles(), disk_latency), world(cluster.world()) {
        for (std::size_t n = 1; n < 4; ++n) cluster.add(cluster.community().node_key(n));
        CHECK(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
        cluster.pay(2, 0, 1, 5);
        CHECK(world.wait([&] { return cluster.agree(all, Sequence(1)); }, minutes(2)));
    }
    bool waits_for(std::string_view silence, std::size_t host) {
        return world.wait([&] { return cluster.office(host).silence == silence; }, minutes(3));
    }

    const std::vector<std::size_t> all{0, 1, 2, 3};
    Cluster cluster;
    NetworkWorld& world;
};

TEST(Cluster, WhoeverComesBackFromABackupSignsNothingUntilTheNextCycle) {
    Committee committee;
    Cluster& cluster = committee.cluster;
    NetworkWorld& world = committee.world;
    ASSERT_TRUE(committee.waits_for("none", 1));
    const sim::Disk::Image image = world.disk(1).image();
    world.crash(1);
    world.restart(1);
    world.advance(seconds(1));  // its store has another stamp from now on
    ASSERT_TRUE(committee.waits_for("none", 1));
    EXPECT_EQ(cluster.office(1).vote_keys, "fitting");

    using Restored = std::pair<sim::Disk::KeyFile, std::string_view>;
    for (const auto& [file, found] : {Restored(sim::Disk::KeyFile::stays, "foreign"),
                                      Restored(sim::Disk::KeyFile::is_lost, "missing")}) {
        world.crash(1);
        world.disk(1).restore(image, file);
        world.restart(1);
        ASSERT_TRUE(world.wait([&] { return cluster.status(1).has_value(); }, minutes(1)));
        EXPECT_EQ(cluster.office(1).vote_keys, found);
        EXPECT_EQ(cluster.office(1).silence, "log") << found;
        const std::uint64_t cycle = cluster.office(0).election.cycle;
        ASSERT_TRUE(committee.waits_for("none", 1)) << found;
        EXPECT_GT(cluster.office(1).election.cycle, cycle) << found;
        // And a start later its keys are its own again.
        world.advance(seconds(1));
        world.crash(1);
        world.restart(1);
        EXPECT_EQ(cluster.office(1).vote_keys, "fitting");
        ASSERT_TRUE(committee.waits_for("none", 1)) << found;
    }
}

TEST(Cluster, ACrashBetweenKeysAndStoreCostsNoVote) {
    using Tear = sim::Disk::Tear;
    Committee committee(std::chrono::milliseconds(20));
    Cluster& cluster = committee.cluster;
    NetworkWorld& world = committee.world;
    ASSERT_TRUE(committee.waits_for("none", 1));
    for (const int write : {1, 2}) {
        for (const Tear tear : {Tear::lost, Tear::keys_only, Tear::kept}) {
            world.crash(1);
            world.disk(1).set_tear(tear);
            world.restart(1);
            // The first write of a start stamps the file and then the store, the second settles
            // the file.
            if (write == 2) world.advance(std::chrono::milliseconds(25));
            ASSERT_TRUE(world.disk(1).is_busy(sim::Disk::Part::ledger));
            world.crash(1);
            world.restart(1);
            const auto what = std::to_string(write) + ' ' + std::to_string(static_cast<int>(tear));
            EXPECT_EQ(cluster.office(1).vote_keys, "fitting") << what;
            EXPECT_NE(cluster.office(1).silence, "log") << what;
        }
    }
    ASSERT_TRUE(committee.waits_for("none", 1));
}

TEST(Cluster, ANodeThatIsBehindRegistersNoChain) {
    Committee committee;
    Cluster& cluster = committee.cluster;
    NetworkWorld& world = committee.world;
    const Id member = cluster.community().member(0).id();
    const auto registers = [&] { return *world.queries(1).registration(member, world.now()); };
    ASSERT_TRUE(registers().has_value());
    for (const std::size_t host : {0, 2, 3}) world.crash(host);
    const Pulse end = cluster.office(1).election.end_pulse;
    // A committee may be late with the block that ends its term.
    ASSERT_TRUE(world.wait(
        [&] { return world.queries(1).pulse(world.now()) > Pulse(end.value() + 5); }, minutes(3)));
    EXPECT_TRUE(registers().has_value());
    ASSERT_TRUE(
        world.wait([&] { return world.queries(1).pulse(world.now()) >= Pulse(end.value() + 60); },
                   minutes(3)));
    const auto behind = registers();
    ASSERT_FALSE(behind.has_value());
    EXPECT_EQ(behind.error().head, cluster.head(1));
    EXPECT_GE(behind.error().pulses, 60u);
    for (const std::size_t host : {0, 2, 3}) world.restart(host);
    EXPECT_TRUE(world.wait([&] { return registers().has_value(); }, minutes(5)));
}

// Nobody does anything but pledge and pay: reveals, answers and claims are the nodes' own.
TEST(Cluster, MembersNodesAreElectedTakeOfficeAndEarn) {
    Cluster cluster(with_short_cycles());
    NetworkWorld& world = cluster.world();
    std::vector<std::size_t> all{kFounder};
    for (std::size_t n = 0; n < 4; ++n) all.push_back(cluster.add_member(n));
    const std::vector<std::size_t> elected(all.begin() + 1, all.end());
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(4)); }, minutes(5)));
    for (std::size_t n = 0; n < 4; ++n) cluster.pledge(elected[n], n, 500);
    const auto stand = [&] {
        return std::ranges::all_of(
            elected, [&](std::size_t host) { return cluster.office(host).candidate.has_value(); });
    };
    ASSERT_TRUE(world.wait(stand, minutes(1)));
    for (std::size_t n = 0; n < 4; ++n) {
        EXPECT_EQ(cluster.office(elected[n]).candidate->member, cluster.community().member(n).id());
    }
    // One goes away between its reveal and its seat, and comes back with the key.
    ASSERT_TRUE(
        world.wait([&] { return cluster.office(elected[2]).election.after_next.seats.size() == 4; },
                   minutes(4)));
    world.crash(elected[2]);
    world.advance(seconds(20));
    world.restart(elected[2]);
    ASSERT_TRUE(world.wait(
        [&] {
            return std::ranges::all_of(elected, [&](std::size_t host) {
                const OfficeStatus office = cluster.office(host);
                return office.seat && office.silence == "none";
            });
        },
        minutes(4)))
        << cluster.office(kFounder).election.cycle;
    EXPECT_EQ(cluster.office(kFounder).election.present.size(), 4u);
    EXPECT_FALSE(cluster.office(kFounder).seat);

    // The charter's bookkeeper may go.
    world.crash(kFounder);
    Sequence before = cluster.head(elected[0]);
    for (std::size_t n = 0; n < 6; ++n) {
        cluster.pay(elected[n % 4], 0, 1, 1);
        ASSERT_TRUE(world.wait([&] { return cluster.agree(elected, before.next()); }, minutes(1)))
            << n;
        before = cluster.head(elected[0]);
    }
    // In the next term what was done is paid, to all four.
    EXPECT_TRUE(world.wait(
        [&] {
            return cluster.balance(elected[0], 2) > 500 && cluster.balance(elected[0], 3) > 500 &&
                   cluster.balance(elected[0], 0) > 500 && cluster.balance(elected[0], 1) > 506;
        },
        minutes(4)))
        << cluster.balance(elected[0], 2) << ' ' << cluster.balance(elected[0], 3);
    // And they have been elected again, with other keys.
    EXPECT_EQ(cluster.office(elected[0]).election.present.size(), 4u);
    EXPECT_NE(cluster.office(elected[0]).election.present,
              cluster.office(elected[0]).election.former);
    world.restart(kFounder);
    EXPECT_TRUE(
        world.wait([&] { return cluster.agree(all, cluster.head(elected[0])); }, minutes(5)));
}

// With blocks on their way to the disk when all connections go and come again.
TEST(Cluster, WhoeverLosesTheOthersWhileCatchingUpGoesOnLater) {
    Cluster cluster(1, std::chrono::milliseconds(200));
    NetworkWorld& world = cluster.world();
    for (std::uint64_t n = 1; n <= 20; ++n) {
        cluster.pay(kFounder, 0, 1, 5);
        ASSERT_TRUE(world.wait([&] { return cluster.head(kFounder) == Sequence(n); }, minutes(1)));
    }
    const std::size_t late = cluster.add_member(0);
    ASSERT_TRUE(world.wait([&] { return cluster.head(late) >= Sequence(3); }, minutes(5)));
    ASSERT_LT(cluster.head(late), Sequence(18));
    world.crash(kFounder);
    world.advance(minutes(1));
    world.restart(kFounder);
    EXPECT_TRUE(world.wait(
        [&] {
            return cluster.agree({kFounder, late}, Sequence(20));
        },
        minutes(10)))
        << cluster.head(late).value();
}

// What is too far behind for blocks takes the state, proven, and goes on from there.
constexpr std::uint64_t kBlocksMax = 12;

Options with_state_taken() {
    Options options;
    options.catch_up_blocks_max = kBlocksMax;
    return options;
}

TEST(Cluster, ANewcomerToALongHistoryTakesTheState) {
    Cluster cluster(1, {}, with_state_taken());
    NetworkWorld& world = cluster.world();
    cluster.seal(kFounder, 3 * kBlocksMax);
    const std::size_t late = cluster.add_member(0);
    const auto agree = [&] { return cluster.agree({kFounder, late}, Sequence(3 * kBlocksMax)); };
    ASSERT_TRUE(world.wait(agree, minutes(5))) << cluster.head(late).value();
    EXPECT_GT(cluster.status(late)->oldest, Sequence(0)) << "it took the state, not the blocks";
    EXPECT_EQ(cluster.balance(late, 2), 1'000 + 3 * kBlocksMax);
    // What it lacks it says, and what it has it tells.
    const Id payee = cluster.community().member(2).id();
    const auto none = world.queries(late).history(payee, std::nullopt, 10);
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->pruned);
    EXPECT_TRUE(none->items.empty());
    EXPECT_FALSE(world.queries(late).block(Sequence(1)));
    cluster.seal(late, 2);
    const auto some = world.queries(late).history(payee, std::nullopt, 10);
    ASSERT_TRUE(some);
    EXPECT_EQ(some->items.size(), 2u);
    // So does who comes after a crash.
    world.crash(late);
    cluster.seal(kFounder, 2);
    world.restart(late);
    ASSERT_TRUE(world.wait(
        [&] {
            return cluster.agree({kFounder, late}, cluster.head(kFounder));
        },
        minutes(5)));
    world.queries(late);
    EXPECT_GT(cluster.status(late)->oldest, Sequence(0));
}

TEST(Cluster, WhoeverWasAwayLongTakesTheState) {
    Cluster cluster(1, std::chrono::milliseconds(20), with_state_taken());
    NetworkWorld& world = cluster.world();
    const std::size_t member = cluster.add_member(0);
    cluster.seal(kFounder, 2);
    ASSERT_TRUE(world.wait(
        [&] {
            return cluster.agree({kFounder, member}, Sequence(2));
        },
        minutes(5)));
    EXPECT_EQ(cluster.status(member)->oldest, Sequence(0));
    world.crash(member);
    cluster.seal(kFounder, 3 * kBlocksMax);
    world.restart(member);
    ASSERT_TRUE(world.wait(
        [&] {
            return cluster.agree({kFounder, member}, cluster.head(kFounder));
        },
        minutes(5)))
        << cluster.head(member).value();
    EXPECT_GT(cluster.status(member)->oldest, Sequence(2));
    EXPECT_EQ(cluster.balance(member, 2), 1'002 + 3 * kBlocksMax);
    cluster.seal(member, 2);
}

std::size_t receipts_of(Cluster& cluster, std::size_t host, std::size_t member) {
    const Id account = cluster.community().member(member).id();
    const auto kept = cluster.world().queries(host).kept_receipts(account, std::nullopt, 1'000);
    CHECK(kept.has_value());
    for (const auto& item : kept->items) {
        const auto receipt = cluster.world().queries(host).receipt(account, item.sequence);
        CHECK(receipt && ledger::verify(*receipt, cluster.community().organization().treasury));
    }
    return kept->items.size();
}

// Its owner's payments, made elsewhere while it was away, are among the blocks that it fetches.
TEST(Cluster, AMembersNodeThatWasAwayHasTheReceiptsOfWhatHappenedMeanwhile) {
    Cluster cluster(1);
    NetworkWorld& world = cluster.world();
    const std::size_t member = cluster.add_member(2);
    cluster.seal(kFounder, 3);
    const auto has = [&](std::size_t count) {
        return world.wait([&] { return receipts_of(cluster, member, 2) == count; }, minutes(5));
    };
    ASSERT_TRUE(has(3)) << receipts_of(cluster, member, 2);
    world.crash(member);
    cluster.seal(kFounder, 20);
    world.restart(member);
    EXPECT_TRUE(has(23)) << receipts_of(cluster, member, 2);
    EXPECT_EQ(receipts_of(cluster, member, 1), 0u) << "of others it keeps none";
}

// What it did not see it says.
TEST(Cluster, WhoTakesTheStateIsToldWhichReceiptsAreMissing) {
    Cluster cluster(1, {}, with_state_taken());
    NetworkWorld& world = cluster.world();
    const std::size_t member = cluster.add_member(2);
    cluster.seal(kFounder, 3);
    ASSERT_TRUE(world.wait([&] { return receipts_of(cluster, member, 2) == 3; }, minutes(5)));
    world.crash(member);
    cluster.seal(kFounder, 3 * kBlocksMax);
    world.restart(member);
    const auto agree = [&] { return cluster.agree({kFounder, member}, cluster.head(kFounder)); };
    ASSERT_TRUE(world.wait(agree, minutes(5)));
    cluster.seal(kFounder, 2);
    ASSERT_TRUE(world.wait(agree, minutes(5)));
    world.advance(seconds(2));
    EXPECT_GE(receipts_of(cluster, member, 2), 3u + 2);
    const auto kept = world.queries(member).kept_receipts(std::nullopt, std::nullopt, 10);
    ASSERT_TRUE(kept);
    ASSERT_EQ(kept->accounts.size(), 1u);
    ASSERT_TRUE(kept->accounts[0].gap);
    EXPECT_EQ(kept->accounts[0].gap->first, Sequence(3));
}

// Whatever was on disk when the power went: it begins again and gets there.
TEST(Cluster, ACrashWhileTheStateIsTakenCostsNothing) {
    for (int after_ms = 0; after_ms < 1'200; after_ms += 100) {
        SCOPED_TRACE(after_ms);
        Cluster cluster(1, std::chrono::milliseconds(100), with_state_taken());
        NetworkWorld& world = cluster.world();
        const std::size_t member = cluster.add_member(0);
        cluster.seal(kFounder, 2);
        world.advance(minutes(1));
        world.crash(member);
        cluster.seal(kFounder, 2 * kBlocksMax);
        world.restart(member);
        world.wait([&] { return !world.queries(member).peers(world.now()).empty(); }, minutes(5));
        world.advance(std::chrono::milliseconds(after_ms));
        world.crash(member);
        world.restart(member);
        ASSERT_TRUE(world.wait(
            [&] {
                return cluster.agree({kFounder, member}, cluster.head(kFounder));
            },
            minutes(5)))
            << cluster.head(member).value();
    }
}

// ---- Who leads a newcomer

// A member's node that was elected, and again, and whoever joined then with a state.
class Led : public ::testing::Test {
 protected:
    static constexpr std::size_t kElected = 1;
    static constexpr std::size_t kLate = 2;

    explicit Led(std::uint64_t history_pulses = 0)
        : cluster(with_short_cycles(), {}, options_for(history_pulses),
                  {Endpoint::parse("10.0.2.1:7400").value()}),
          world(cluster.world()) {}

    static Options options_for(std::uint64_t history_pulses) {
        Options options = with_state_taken();
        options.history_pulses = history_pulses;
        return options;
    }
    void elect() {
        CHECK(cluster.add_member(0) == kElected);
        CHECK(world.wait([&] { return cluster.have_ledger({kElected}); }, minutes(5)));
        cluster.pledge(kElected, 0, 500);
        CHECK(world.wait([&] { return cluster.office(kElected).seat.has_value(); }, minutes(9)));
        const std::uint64_t first = cluster.office(kElected).election.cycle;
        CHECK(world.wait([&] { return cluster.office(kElected).election.cycle > first + 2; },
                         minutes(9)));
    }
    std::size_t join_late(std::size_t member) {
        cluster.seal(kElected, 2 * kBlocksMax);
        const std::size_t late = cluster.add_member(member);
        CHECK(world.wait(
            [&] {
                return cluster.agree({kElected, late}, cluster.head(kElected));
            },
            minutes(9)));
        CHECK(cluster.status(late)->oldest > Sequence(0), "it took the state");
        return late;
    }

    // The only ones with the whole history are gone for good.
    std::size_t join_after_all_are_gone() {
        world.crash(kFounder);
        world.crash(kElected);
        const auto key = node_key(77);
        const std::size_t newcomer = cluster.add(key);
        const auto has_manifest = [&] { return world.queries(newcomer).manifest().has_value(); };
        CHECK(world.wait(has_manifest, minutes(20)));
        const auto is_served = [&] {
            const auto answer =
                world.ask(newcomer, cluster.community().delegate(cluster.community().member(2),
                                                                 key.public_key(), world.now()));
            return answer && answer->has_value();
        };
        CHECK(world.wait(is_served, minutes(5)));
        return newcomer;
    }

    Cluster cluster;
    NetworkWorld& world;
};

TEST_F(Led, ByOneThatBeganWithAState) {
    elect();
    ASSERT_EQ(join_late(1), kLate);
    EXPECT_EQ(cluster.status(kLate)->checkpoint.from_cycle, 0u);
    const Sequence reached = cluster.head(kLate);
    const std::size_t newcomer = join_after_all_are_gone();
    ASSERT_TRUE(world.wait([&] { return cluster.head(newcomer) >= reached; }, minutes(20)));
    EXPECT_TRUE(cluster.agree({kLate, newcomer}, reached));
    // And it could lead the next.
    EXPECT_EQ(cluster.status(newcomer)->checkpoint.from_cycle, 0u);
    EXPECT_GE(cluster.status(newcomer)->checkpoint.to_cycle,
              cluster.status(kLate)->checkpoint.to_cycle);
    // After a crash as well.
    world.crash(newcomer);
    world.restart(newcomer);
    EXPECT_TRUE(world.wait([&] { return cluster.agree({kLate, newcomer}, reached); }, minutes(5)));
    EXPECT_EQ(cluster.status(newcomer)->checkpoint.from_cycle, 0u);
}

// Whatever of links, pieces and ledger was on disk when the power went.
TEST_F(Led, ACrashAtAnyStepCostsNothing) {
    elect();
    ASSERT_EQ(join_late(1), kLate);
    const Sequence reached = cluster.head(kLate);
    const std::size_t newcomer = join_after_all_are_gone();
    for (int after_ms = 0; after_ms < 300; after_ms += 20) {
        world.crash(newcomer);
        world.restart(newcomer);
        world.wait([&] { return !world.queries(newcomer).peers(world.now()).empty(); }, minutes(5));
        world.advance(std::chrono::milliseconds(after_ms));
    }
    ASSERT_TRUE(world.wait([&] { return cluster.head(newcomer) >= reached; }, minutes(20)));
    EXPECT_TRUE(cluster.agree({kLate, newcomer}, reached));
    EXPECT_EQ(cluster.status(newcomer)->checkpoint.from_cycle, 0u);
    EXPECT_GE(cluster.status(newcomer)->checkpoint.to_cycle,
              cluster.status(kLate)->checkpoint.to_cycle);
}

TEST_F(Led, TheNewestCheckpointIsKnownToAllAndTheManifestNamesIt) {
    elect();
    const auto newest = [&](std::size_t host) { return cluster.status(host)->checkpoint.newest; };
    const auto is_signed = [&](std::size_t host) {
        return newest(host) && !newest(host)->pledge.is_zero();
    };
    const auto is_shared = [&] {
        return is_signed(kFounder) && is_signed(kElected) &&
               newest(kFounder)->block == newest(kElected)->block;
    };
    ASSERT_TRUE(world.wait(is_shared, minutes(5)));
    EXPECT_EQ(newest(kFounder)->signed_pledge, Amount::of(500));
    EXPECT_EQ(newest(kFounder)->signatures, 1u);
    const auto before = *newest(kFounder);
    world.crash(kElected);
    world.restart(kElected);
    EXPECT_EQ(newest(kElected)->block.sequence, before.block.sequence);

    cluster.publish(kFounder);
    const auto manifest = world.queries(kFounder).manifest();
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->content.manifest.checkpoint.block, before.block.hash);
    // Who joins now begins there.
    const std::size_t late = join_late(1);
    EXPECT_EQ(cluster.status(late)->checkpoint.from_cycle, before.cycle);
    EXPECT_TRUE(world.wait([&] { return is_signed(late); }, minutes(5)));
}

// Long enough ago for the shortest window to have gone by.
class LedThroughPruned : public Led {
 protected:
    LedThroughPruned() : Led(10) {}
};

TEST_F(LedThroughPruned, ByWhatIsKeptBesideTheGenesis) {
    elect();
    world.advance(minutes(35));
    ASSERT_GT(cluster.status(kElected)->oldest, Sequence(20));
    ASSERT_GT(cluster.status(kFounder)->oldest, Sequence(20));
    const std::size_t late = join_late(1);
    EXPECT_EQ(cluster.status(late)->checkpoint.from_cycle, 0u);
}

// Of a community that let it in nowhere, another one's ledger is not kept from it.
TEST(Cluster, WhoeverTurnsToAnotherOrganizationIsHelpedThere) {
    Cluster cluster(1);
    NetworkWorld& world = cluster.world();
    const crypto::KeyPair key = node_key(9);
    const std::size_t guest = cluster.add(key);
    world.advance(minutes(2));
    const Community own({.seed = 77, .node_key = key});
    world.step(guest, Found{7, own.encoded_genesis()});
    world.advance(seconds(5));
    ASSERT_TRUE(cluster.status(guest));
    EXPECT_EQ(cluster.status(guest)->organization.chain, own.chain());
    world.advance(minutes(5));
    EXPECT_EQ(cluster.head(guest), Sequence(0));
    world.crash(guest);
    world.restart(guest);
    world.advance(minutes(5));
    EXPECT_TRUE(cluster.status(guest));
}

}  // namespace
}  // namespace leither::node
