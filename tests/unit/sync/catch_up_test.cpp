#include "leither/sync/catch_up.h"

#include <gtest/gtest.h>

#include "sync_world.h"

namespace leither::sync::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kLong = minutes(30);

bool went_through(const Network& network, Stage stage) {
    return std::ranges::count(network.stages(), stage) > 0;
}

// As a long absence, already after a few blocks.
CatchUpOptions short_memory() {
    CatchUpOptions options;
    options.blocks_max = 3;
    return options;
}

// ---- Idle ---------------------------------------------------------------------------------------

TEST(CatchUp, WithoutWorkItNamesNoMoment) {
    History history(2);
    history.pay(3);
    auto node = Newcomer::at(history, 3);
    Network network(history, *node, 1);
    network.add(Conduct::honest);
    EXPECT_FALSE(node->machine->next_deadline());
    EXPECT_EQ(network.asks(), 0u);
    EXPECT_FALSE(node->machine->progress().is_behind());
}

TEST(CatchUp, OneBlockBehindIsGivenTimeToComeByItself) {
    History history(2);
    history.pay(3);
    auto node = Newcomer::at(history, 2);
    Network network(history, *node, 1);
    const Instant start = network.now();
    network.add(Conduct::honest);
    EXPECT_EQ(network.asks(), 0u);
    EXPECT_EQ(node->machine->next_deadline(), start + CatchUpOptions{}.patience);
    EXPECT_TRUE(node->machine->progress().is_behind());
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_FALSE(node->machine->next_deadline());
}

// ---- Short absence ------------------------------------------------------------------------------

TEST(CatchUp, AShortAbsenceIsMadeUpByBlocks) {
    History history(2);
    history.pay(40);
    auto node = Newcomer::at(history, 10);
    Network network(history, *node, 1);
    network.add(Conduct::honest);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node->known().hash, history.world.parent().hash);
    EXPECT_EQ(node->executed(), 40u);
    EXPECT_FALSE(went_through(network, Stage::chain));
    EXPECT_LE(network.asks(), 2u);
}

TEST(CatchUp, BlocksComeInRunsOfBoundedSize) {
    History history(2);
    history.pay(60);
    CatchUpOptions options;
    options.run_bytes = 8 << 10;
    auto node = Newcomer::at(history, 1, options);
    Network network(history, *node, 1);
    network.add(Conduct::honest);
    network.add(Conduct::honest);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_GT(network.asks(), 3u);
    EXPECT_TRUE(network.blamed().empty());
}

TEST(CatchUp, CommitteesChangeOnTheWay) {
    History history(4, 60);
    history.pay(2);
    history.hand_over_to("m0");
    history.pay(2);
    history.elect(numbered("m", 4));
    history.pay(3);
    for (const std::uint64_t from : {0U, 1U, 2U, 3U, 8U}) {
        auto node = Newcomer::at(history, from);
        Network network(history, *node, from);
        network.add(Conduct::honest);
        network.run(kLong);
        ASSERT_TRUE(network.is_done()) << from << " " << node->height().value();
        EXPECT_EQ(node->known().committee, history.head_known_at(history.head().value()).committee);
        EXPECT_TRUE(network.blamed().empty());
    }
}

TEST(CatchUp, WhatTheLedgerReachesByItselfIsNotTakenTwice) {
    History history(2);
    history.pay(30);
    auto node = Newcomer::at(history, 5);
    auto further = Newcomer::at(history, 29);
    Network network(history, *node, 1);
    network.add(Conduct::silent);
    node->machine->step(CatchUp::Applied{further->known()}, network.now());
    node->machine->check_invariants();
    EXPECT_EQ(node->machine->progress().head, Sequence(29));
}

TEST(CatchUp, AnInvalidBlockThatWasDecidedHaltsIt) {
    History history(2);
    history.pay(30);
    auto node = Newcomer::at(history, 5);
    Network network(history, *node, 1);
    network.add(Conduct::silent);
    const auto effects = node->machine->step(CatchUp::Refused{Sequence(6)}, network.now());
    EXPECT_EQ(effects.stage, Stage::halted);
    EXPECT_TRUE(node->machine->step(CatchUp::Tick{}, network.now()).sends.empty());
}

// ---- Newcomers and long absences ----------------------------------------------------------------

TEST(CatchUp, ANewcomerTakesAShortLedgerFromItsFounding) {
    History history(3);
    history.pay(12);
    Newcomer node(history.chain());
    Network network(history, node, 1);
    network.add(Conduct::honest);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node.executed(), 12u);
    EXPECT_TRUE(node.genesis.has_value());
    EXPECT_TRUE(went_through(network, Stage::blocks));
    EXPECT_FALSE(went_through(network, Stage::state));
}

TEST(CatchUp, ANewcomerIsDoneWithAFoundingAlone) {
    History history(3);
    Newcomer node(history.chain());
    Network network(history, node, 1);
    network.add(Conduct::honest);
    network.run(minutes(1));
    ASSERT_TRUE(network.is_done() && node.head);
    EXPECT_FALSE(node.machine->next_deadline());
    history.pay(1);
    network.announce_all();
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
}

TEST(CatchUp, ANewcomerTakesTheStateOfALongLedger) {
    History history(300, 60);
    history.pay(20);
    history.end_cycle();
    history.pay(3);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::honest);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node.executed(), 0u);
    EXPECT_TRUE(went_through(network, Stage::building));
    EXPECT_EQ(node.tree->head().root, history.world.seals.back().header.root);
    EXPECT_EQ(node.known().committee, history.head_known_at(history.head().value()).committee);
    // Nothing is left in the store.
    const auto cursor = node.pieces.cursor();
    cursor->seek({});
    EXPECT_FALSE(cursor->valid());
    // And it goes on by blocks.
    history.pay(3);
    network.announce_all();
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_EQ(node.executed(), 3u);
}

TEST(CatchUp, ALongAbsenceEndsByStateOverTheOldOne) {
    History history(200, 60);
    history.pay(2);
    auto node = Newcomer::at(history, 2, short_memory());
    history.hand_over_to("m0");
    history.pay(4);
    history.elect(numbered("m", 4));
    history.pay(4);
    Network network(history, *node, 1);
    network.add(Conduct::honest);
    network.add(Conduct::honest);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node->executed(), 2u);
    EXPECT_EQ(node->tree->head().root, history.world.seals.back().header.root);
    EXPECT_TRUE(network.blamed().empty());
}

TEST(CatchUp, BlocksThatNobodyKeepsAreMadeUpByState) {
    History history(50);
    history.pay(20);
    auto node = Newcomer::at(history, 2);
    Network network(history, *node, 1);
    network.add(Conduct::forgetful);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node->executed(), 2u);
    EXPECT_TRUE(went_through(network, Stage::state));
    EXPECT_TRUE(network.blamed().empty());
}

TEST(CatchUp, AStateThatIsNotKeptAnyMoreIsGivenUpForANewerOne) {
    History history(5000);
    history.pay(8);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::forgetful);
    network.run(kLong, 1);
    ASSERT_EQ(node.machine->progress().stage, Stage::state);
    history.pay(1);  // now it keeps only this
    network.announce_all();
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node.tree->head().root, history.world.seals.back().header.root);
}

// ---- Restarts -----------------------------------------------------------------------------------

TEST(CatchUp, ARestartFetchesNoAcceptedPieceAgain) {
    History history(12'000);
    history.pay(8);
    std::uint64_t at_once = 0;
    {
        Newcomer node(history.chain(), short_memory());
        Network network(history, node, 1);
        network.add(Conduct::honest);
        network.run(kLong);
        ASSERT_TRUE(network.is_done());
        at_once = network.bytes_down();
    }
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::honest);
    std::size_t stops = 0;
    for (; !network.is_done(); ++stops) {
        ASSERT_LT(stops, 100u);
        network.run(kLong, stops + 1);
        node.restart();
        network.reconnect_all();
    }
    EXPECT_EQ(node.tree->head().root, history.world.seals.back().header.root);
    // Besides what was under way at each stop.
    const std::size_t under_way = CatchUpOptions{}.pieces_per_peer_max * stops;
    EXPECT_GT(stops, 3u);
    EXPECT_LT(network.bytes_down(), at_once + under_way * protocol::PieceReply::kBytesMax);
}

TEST(CatchUp, ACrashBetweenTheStateAndItsClearingLeavesNothingBehind) {
    History history(5000);
    history.pay(8);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::honest);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    // As if the last batch had been lost.
    Newcomer other(history.chain(), short_memory());
    Network again(history, other, 1);
    again.add(Conduct::honest);
    again.run(kLong, 1);
    node.pieces = other.pieces;
    node.restart();
    const auto effects = node.machine->step(CatchUp::Tick{}, network.now());
    ASSERT_TRUE(effects.durable.has_value());
    must(node.pieces.write(*effects.durable));
    const auto cursor = node.pieces.cursor();
    cursor->seek({});
    EXPECT_FALSE(cursor->valid());
}

// ---- Peers --------------------------------------------------------------------------------------

TEST(CatchUp, OneHonestPeerIsEnoughAmongOneOfEachLiar) {
    History history(3000, 60);
    history.pay(3);
    history.hand_over_to("m0");
    history.pay(5);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        for (const CatchUpOptions& options : {CatchUpOptions{}, short_memory()}) {
            Newcomer node(history.chain(), options, seed);
            Network network(history, node, seed);
            for (const Conduct liar : kLiars) network.add(liar);
            const Id honest = network.add(Conduct::honest);
            network.run(kLong);
            ASSERT_TRUE(network.is_done()) << "seed " << seed;
            EXPECT_EQ(node.tree->head().root, history.world.seals.back().header.root);
            EXPECT_FALSE(network.is_blamed(honest));
        }
    }
}

TEST(CatchUp, EachLieIsBlamedByItsName) {
    History history(6000, 60);
    history.pay(3);
    history.hand_over_to("m0");
    history.pay(5);
    struct Case {
        Conduct conduct;
        std::uint64_t blocks_max;
        Blame blame;
    };
    for (const Case& one : {Case{Conduct::wrong_piece, 3, Blame::bad_piece},
                            Case{Conduct::short_piece, 3, Blame::bad_piece},
                            Case{Conduct::wrong_block, 100, Blame::bad_blocks},
                            Case{Conduct::wrong_certificate, 100, Blame::bad_chain},
                            Case{Conduct::wrong_chain, 3, Blame::other_genesis},
                            Case{Conduct::other_genesis, 3, Blame::other_genesis},
                            Case{Conduct::garbage, 3, Blame::other_genesis}}) {
        CatchUpOptions options;
        options.blocks_max = one.blocks_max;
        Newcomer node(history.chain(), options);
        Network network(history, node, 4);
        const Id liar = network.add(one.conduct);
        network.run(minutes(2));
        EXPECT_FALSE(network.is_done());
        ASSERT_FALSE(network.blamed().empty()) << static_cast<int>(one.conduct);
        EXPECT_EQ(network.blamed()[0].node, liar);
        EXPECT_EQ(network.blamed()[0].why, one.blame) << static_cast<int>(one.conduct);
        // It is asked nothing more.
        const auto asks = network.asks();
        network.run(kLong);
        EXPECT_EQ(network.asks(), asks);
        network.add(Conduct::honest);
        network.run(kLong);
        EXPECT_TRUE(network.is_done());
    }
}

TEST(CatchUp, MoreThanWasAskedForIsBlamed) {
    History history(2);
    history.pay(40);
    CatchUpOptions options;
    options.run_bytes = 4 << 10;
    auto node = Newcomer::at(history, 3, options);
    Network network(history, *node, 1);
    network.add(Conduct::oversized);
    network.run(minutes(1));
    ASSERT_EQ(network.blamed().size(), 1u);
    EXPECT_EQ(network.blamed()[0].why, Blame::oversized);
}

TEST(CatchUp, WhoSplitsEverythingIsFoundOutByWhatOthersBring) {
    History history(6000);
    history.pay(8);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 4);
    network.add(Conduct::honest);
    const Id liar = network.add(Conduct::false_split);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_TRUE(network.is_blamed(liar));
}

TEST(CatchUp, SilentPeersCostTimeNotProgress) {
    History history(3000);
    history.pay(30);
    for (const CatchUpOptions& options : {CatchUpOptions{}, short_memory()}) {
        Newcomer node(history.chain(), options);
        Network network(history, node, 1);
        for (int i = 0; i < 5; ++i) network.add(Conduct::silent);
        network.add(Conduct::honest);
        network.run(kLong);
        EXPECT_TRUE(network.is_done());
        EXPECT_TRUE(network.blamed().empty());
    }
}

TEST(CatchUp, OnlySlowPeersStillBringIt) {
    History history(3000);
    history.pay(30);
    history.hand_over_to("m0");
    history.pay(2);
    for (const CatchUpOptions& options : {CatchUpOptions{}, short_memory()}) {
        Newcomer node(history.chain(), options);
        Network network(history, node, 1);
        network.add(Conduct::slow);
        network.add(Conduct::slow);
        network.run(kLong);
        EXPECT_TRUE(network.is_done());
        EXPECT_TRUE(network.blamed().empty());
    }
}

TEST(CatchUp, SilenceIsAskedAgainEverLessOften) {
    History history(2);
    history.pay(30);
    auto node = Newcomer::at(history, 5);
    Network network(history, *node, 1);
    network.add(Conduct::silent);
    network.pass(minutes(10));
    const auto early = network.asks();
    EXPECT_LT(early, 20u);
    network.pass(minutes(60));
    EXPECT_LT(network.asks() - early, 20u);
    EXPECT_FALSE(node->machine->progress().is_behind());  // its word has worn out
}

TEST(CatchUp, ClaimsWithoutProofDoNotKeepItBusy) {
    History history(2, 60);
    history.pay(10);
    for (const Conduct conduct : {Conduct::boastful, Conduct::stale}) {
        auto node = Newcomer::at(history, 10);
        Network network(history, *node, 1);
        network.add(conduct);
        network.add(Conduct::honest);
        for (int minute = 0; minute < 60; ++minute) {
            network.pass(minutes(1));
            network.announce_all();
        }
        EXPECT_LT(network.asks(), 80u);
        network.run(minutes(1));
        EXPECT_TRUE(network.is_done());  // what it claims is tried now and then, no more
    }
}

TEST(CatchUp, AStaleChainLosesAgainstANewerOne) {
    History history(100);
    history.pay(20);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::stale);
    network.add(Conduct::honest);
    network.add(Conduct::stale);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_EQ(node.executed(), 0u);
}

TEST(CatchUp, PeersComeAndGo) {
    History history(5000);
    history.pay(20);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 9);
    Id last = network.add(Conduct::honest);
    for (std::size_t pieces = 1; !network.is_done(); ++pieces) {
        ASSERT_LT(pieces, 200u);
        network.run(kLong, pieces);
        if (network.is_done()) break;
        network.remove(last);
        last = network.add(Conduct::honest);
    }
    EXPECT_TRUE(network.blamed().empty());
}

TEST(CatchUp, RandomNetworksAllArrive) {
    History history(2500, 60);
    history.pay(4);
    history.hand_over_to("m0");
    history.pay(10);
    history.end_cycle();
    history.pay(4);
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE(seed);
        Prng prng(seed);
        CatchUpOptions options;
        options.blocks_max = prng.below(40);
        options.run_bytes = static_cast<std::uint32_t>(1024 + prng.below(64 << 10));
        options.pieces_per_peer_max = 1 + prng.below(3);
        options.unsynced_bytes_max = 1 + prng.below(1 << 20);
        const auto from = prng.below(history.head().value());
        auto node = prng.chance(1, 2) ? std::make_unique<Newcomer>(history.chain(), options, seed)
                                      : Newcomer::at(history, from, options);
        Network network(history, *node, seed);
        const auto honest = network.add(Conduct::honest);
        const std::size_t others = prng.below(8);
        for (std::size_t i = 0; i < others; ++i) {
            network.add(static_cast<Conduct>(prng.below(15)));
        }
        for (int stops = 0; stops < 4 && !network.is_done(); ++stops) {
            network.run(seconds(prng.below(40)));
            if (prng.chance(1, 2)) {
                node->restart();
                network.reconnect_all();
            }
        }
        network.run(kLong);
        ASSERT_TRUE(network.is_done()) << to_string(node->machine->progress().stage);
        EXPECT_EQ(node->tree->head().root, history.world.seals.back().header.root);
        EXPECT_FALSE(network.is_blamed(honest));
    }
}

// ---- Measures -----------------------------------------------------------------------------------

void measure(std::size_t accounts, Duration at_most) {
    History history(2);
    history.crowd(accounts);
    history.pay(3);
    std::uint64_t state = 0;
    must(history.world.tree.walk_at(history.world.tree.head(), Id{},
                                    [&state](const Id&, ByteView record, Amount) {
                                        state += Id::kSize + record.size();
                                        return tree::Visit::go_on;
                                    }));
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.set_line(20'000'000 / 8, std::chrono::milliseconds(30));
    for (int i = 0; i < 4; ++i) network.add(Conduct::honest);
    const Instant start = network.now();
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    const auto on_the_line =
        std::chrono::duration_cast<std::chrono::milliseconds>(network.now() - start);
    ::testing::Test::RecordProperty("state_bytes", std::to_string(state));
    ::testing::Test::RecordProperty("bytes_down", std::to_string(network.bytes_down()));
    ::testing::Test::RecordProperty("bytes_up", std::to_string(network.bytes_up()));
    ::testing::Test::RecordProperty("ms", std::to_string(on_the_line.count()));
    EXPECT_LT(10 * network.bytes_down(), 11 * state);
    EXPECT_LT(on_the_line, at_most);
}

TEST(CatchUp, ANewcomerLoadsLittleMoreThanTheState) {
    measure(10'000, seconds(5));
}
TEST(CatchUp, ANewcomerLoadsLittleMoreThanALargeState) {
    measure(100'000, seconds(30));
}

}  // namespace
}  // namespace leither::sync::testing
