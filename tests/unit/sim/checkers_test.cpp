// Each checker is fed what it is there to find.
#include "leither/sim/checkers.h"

#include <gtest/gtest.h>

#include "leither/sim/community.h"
#include "leither/store/memory_store.h"

namespace leither::sim {
namespace {

using std::chrono::seconds;
using Checker = Checkers::Checker;
using Block = Checkers::Block;

Hash hash_of(std::uint8_t byte) {
    return Hash::copy_of(Bytes(Hash::kSize, byte));
}
Id id_of(std::uint8_t byte) {
    return Id::copy_of(Bytes(Id::kSize, byte));
}

class CheckersTest : public ::testing::Test {
 protected:
    CheckersTest() {
        crypto::initialise();
        checkers.admit(a, "a");
        checkers.admit(b, "b");
    }

    Block block(std::uint64_t sequence, std::uint8_t hash,
                std::vector<Block::Spent> transactions = {}) const {
        return {Sequence(sequence), hash_of(hash), town.organization().charter.supply,
                std::move(transactions)};
    }
    // A batch as a bookkeeper hands it out.
    store::WriteBatch batch(const protocol::BlockHeader& header,
                            const protocol::Transactions& transactions = {}) const {
        store::WriteBatch out;
        ledger::put_seal(out, {header, {}, {}});
        ledger::put_block(out, header.sequence, transactions);
        return out;
    }
    protocol::BlockHeader header(std::uint64_t sequence, std::uint64_t pulse) const {
        protocol::BlockHeader out;
        out.sequence = Sequence(sequence);
        out.pulse = Pulse(pulse);
        out.root.sum = town.organization().charter.supply;
        return out;
    }
    Hash hash(const protocol::BlockHeader& header) const {
        return protocol::block_hash(town.chain(), header);
    }
    // The one failure there is.
    void expect_failure(Checker checker, std::vector<std::string> nodes,
                        std::optional<std::uint64_t> sequence) {
        ASSERT_EQ(checkers.failures().size(), 1u);
        const Checkers::Failure& failure = checkers.failures().front();
        EXPECT_EQ(failure.checker, checker) << failure.text();
        EXPECT_EQ(failure.nodes, nodes) << failure.text();
        const auto found = failure.sequence ? std::optional(failure.sequence->value())
                                            : std::optional<std::uint64_t>();
        EXPECT_EQ(found, sequence) << failure.text();
        EXPECT_EQ(failure.at, world.elapsed());
        Report report;
        checkers.report(report);
        EXPECT_FALSE(report.passed());
        EXPECT_EQ(report.failures, std::vector{failure.text()});
    }
    void expect_none() {
        for (const auto& failure : checkers.failures()) ADD_FAILURE() << failure.text();
    }

    const HostId a{0};
    const HostId b{1};
    World world{1};
    Community town{{}};
    Checkers checkers{world, town.organization()};
};

TEST_F(CheckersTest, ASoundHistoryIsSound) {
    const Block first = block(1, 1, {{hash_of(50), id_of(1), {0, 7}}});
    for (const HostId node : {a, b}) {
        checkers.on_block(node, block(0, 9));
        checkers.on_block(node, first);
        checkers.on_told_committed(node, hash_of(50), Sequence(1));
    }
    checkers.on_told_over(a, hash_of(51));
    expect_none();
    EXPECT_EQ(checkers.highest(), Sequence(1));
    EXPECT_EQ(checkers.hash_at(Sequence(1)), hash_of(1));
    EXPECT_EQ(checkers.transactions(), 1u);
    Report report;
    checkers.report(report);
    EXPECT_TRUE(report.passed());
}

TEST_F(CheckersTest, TwoBlocksAtOneSequenceAreFound) {
    world.run_for(seconds(3));
    checkers.on_block(a, block(1, 1));
    checkers.on_block(b, block(1, 2));
    expect_failure(Checker::agreement, {"a", "b"}, 1);
    EXPECT_EQ(checkers.failures().front().text(),
              "+3.000000 agreement at sequence 1, a and b: 010101010101 against 020202020202");
}

TEST_F(CheckersTest, WhatNoCommitteeCanDecideIsAFailureOfAgreement) {
    checkers.on_contradiction(b, Sequence(3), "a fork is proven to it");
    expect_failure(Checker::agreement, {"b"}, 3);
}

TEST_F(CheckersTest, WhatReachesADiskIsReadFromTheBatch) {
    checkers.on_durable(a, batch(header(1, 5)));
    EXPECT_EQ(checkers.hash_at(Sequence(1)), hash(header(1, 5)));
    store::WriteBatch votes;
    votes.put({1, 2, 3}, {4});
    checkers.on_durable(a, votes);
    expect_none();
    checkers.on_durable(b, batch(header(1, 6)));
    expect_failure(Checker::agreement, {"a", "b"}, 1);
}

TEST_F(CheckersTest, ASumThatIsNotTheSupplyIsFound) {
    Block wrong = block(4, 1);
    wrong.sum = Amount::of(wrong.sum.units() + 1);
    checkers.on_block(a, wrong);
    expect_failure(Checker::conservation, {"a"}, 4);
}

TEST_F(CheckersTest, ABlockThatChangesAtANodeIsFound) {
    checkers.on_block(a, block(1, 1));
    checkers.on_block(a, block(1, 2));
    ASSERT_EQ(checkers.failures().size(), 2u);  // and it disagrees with what it held
    EXPECT_EQ(checkers.failures()[0].checker, Checker::committed);
    EXPECT_EQ(checkers.failures()[1].checker, Checker::agreement);
}

TEST_F(CheckersTest, ANodeThatOpensWithLessThanItHeldIsFound) {
    store::MemoryStore disk;
    for (std::uint64_t at = 0; at < 3; ++at) {
        ASSERT_TRUE(disk.write(batch(header(at, at + 1))));
        checkers.on_durable(a, batch(header(at, at + 1)));
    }
    checkers.on_opened(a, disk);
    expect_none();
    checkers.on_durable(a, batch(header(3, 4)));
    checkers.on_opened(a, disk);
    expect_failure(Checker::committed, {"a"}, 3);
}

TEST_F(CheckersTest, ANodeThatOpensWithAnotherBlockThanItHeldIsFound) {
    store::MemoryStore disk;
    ASSERT_TRUE(disk.write(batch(header(0, 1))));
    checkers.on_durable(a, batch(header(0, 2)));
    checkers.on_opened(a, disk);
    expect_failure(Checker::committed, {"a"}, 0);
}

TEST_F(CheckersTest, WhoIsRestoredFromABackupMayHaveForgotten) {
    store::MemoryStore disk;
    ASSERT_TRUE(disk.write(batch(header(0, 1))));
    for (std::uint64_t at = 0; at < 3; ++at) checkers.on_durable(a, batch(header(at, at + 1)));
    checkers.on_restored(a, disk);
    checkers.on_opened(a, disk);
    expect_none();
    // But what it holds then must be what all held.
    checkers.on_durable(a, batch(header(1, 7)));
    expect_failure(Checker::agreement, {"a", "a"}, 1);
}

TEST_F(CheckersTest, AStoreThatHasLostABlockOrHoldsAnotherIsFound) {
    store::MemoryStore disk;
    for (std::uint64_t at = 0; at < 4; ++at) {
        ASSERT_TRUE(disk.write(batch(header(at, at + 1))));
        checkers.on_durable(a, batch(header(at, at + 1)));
    }
    checkers.check_store(a, disk);
    expect_none();
    store::WriteBatch damage;
    damage.erase(store::version_key(2, store::KeyKind::block));
    ASSERT_TRUE(disk.write(damage));
    checkers.check_store(a, disk);
    expect_failure(Checker::committed, {"a"}, 2);
}

TEST_F(CheckersTest, WhatAClientWasToldAndTheChainDoesNotHoldIsFound) {
    checkers.on_block(a, block(1, 1, {{hash_of(50), id_of(1), {0, 7}}}));
    checkers.on_told_committed(a, hash_of(51), Sequence(1));
    expect_failure(Checker::committed, {"a"}, 1);
}

TEST_F(CheckersTest, WhatAClientWasToldIsAtAnotherSequenceIsFound) {
    checkers.on_block(a, block(1, 1, {{hash_of(50), id_of(1), {0, 7}}}));
    checkers.on_told_committed(b, hash_of(50), Sequence(2));
    expect_failure(Checker::committed, {"b"}, 2);
}

TEST_F(CheckersTest, WhatIsOverAndCommittedIsFoundInEitherOrder) {
    checkers.on_told_over(a, hash_of(50));
    checkers.on_block(a, block(1, 1, {{hash_of(50), id_of(1), {0, 7}}}));
    expect_failure(Checker::committed, {"a"}, 1);
    checkers.on_block(a, block(2, 2, {{hash_of(51), id_of(1), {0, 8}}}));
    checkers.on_told_over(b, hash_of(51));
    ASSERT_EQ(checkers.failures().size(), 2u);
    EXPECT_EQ(checkers.failures()[1].nodes, std::vector<std::string>{"b"});
}

TEST_F(CheckersTest, ATransactionThatIsThereTwiceIsFound) {
    checkers.on_block(a, block(1, 1, {{hash_of(50), id_of(1), {0, 7}}}));
    checkers.on_block(a, block(2, 2, {{hash_of(50), id_of(1), {0, 7}}}));
    expect_failure(Checker::no_double_spend, {"a"}, 2);
}

TEST_F(CheckersTest, ANonceThatIsSpentTwiceIsFound) {
    checkers.on_block(a, block(1, 1, {{hash_of(50), id_of(1), {0, 7}}}));
    // Another lane, counter or signer is another nonce.
    checkers.on_block(a, block(2, 2,
                               {{hash_of(51), id_of(1), {1, 7}},
                                {hash_of(52), id_of(1), {0, 8}},
                                {hash_of(53), id_of(2), {0, 7}}}));
    expect_none();
    checkers.on_block(a, block(3, 3, {{hash_of(54), id_of(1), {0, 7}}}));
    expect_failure(Checker::no_double_spend, {"a"}, 3);
}

TEST_F(CheckersTest, AReceiptThatProvesNothingIsFound) {
    ledger::Receipt receipt;
    receipt.header = header(1, 5);
    checkers.on_durable(a, batch(receipt.header));
    checkers.on_receipt(a, id_of(1), receipt);
    expect_failure(Checker::receipts, {"a"}, 1);
}

TEST_F(CheckersTest, AnHonestPledgeThatIsConfiscatedIsFoundAnothersIsNot) {
    checkers.set_dishonest(b);
    checkers.on_confiscated(b, Sequence(4));
    expect_none();
    checkers.on_confiscated(a, Sequence(5));
    expect_failure(Checker::confiscation, {"a"}, 5);
}

TEST_F(CheckersTest, NoBlockInTimeIsFound) {
    checkers.on_block(a, block(1, 1));
    checkers.expect_block_within(seconds(10), "after the storm");
    world.run_for(seconds(9));
    expect_none();
    world.run_for(seconds(1));
    expect_failure(Checker::progress, {}, 1);
    EXPECT_NE(checkers.failures().front().what.find("10 s after the storm"), std::string::npos);
}

TEST_F(CheckersTest, ABlockInTimeOrANewFaultIsProgressEnough) {
    checkers.on_block(a, block(1, 1));
    checkers.expect_block_within(seconds(10), "after the storm");
    world.run_for(seconds(5));
    checkers.on_block(a, block(2, 2));
    world.run_for(seconds(10));
    checkers.expect_block_within(seconds(10), "after the storm");
    checkers.expect_nothing();
    world.run_for(seconds(20));
    expect_none();
}

TEST_F(CheckersTest, TheFirstFailureComesWithTheEventsBeforeIt) {
    world.note("the storm begins");
    checkers.on_block(a, block(1, 1));
    checkers.on_block(b, block(1, 2));
    world.note("later");
    ASSERT_EQ(checkers.trace().size(), 2u);
    EXPECT_EQ(checkers.trace()[0], "+0.000000 the storm begins");
    EXPECT_EQ(checkers.trace()[1], "+0.000000 FAILED " + checkers.failures()[0].text());
}

TEST_F(CheckersTest, FailuresBeyondTheFirstAreCounted) {
    checkers.on_block(a, block(0, 1));
    for (std::uint64_t i = 0; i < Checkers::kFailuresMax + 5; ++i) {
        checkers.on_told_committed(a, hash_of(99), Sequence(1));
    }
    EXPECT_EQ(checkers.failures().size(), Checkers::kFailuresMax);
    Report report;
    checkers.report(report);
    EXPECT_EQ(report.figure("failures: committed").value,
              static_cast<std::int64_t>(Checkers::kFailuresMax + 5));
}

}  // namespace
}  // namespace leither::sim
