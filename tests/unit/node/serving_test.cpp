// Who is served next, and how much of the node's time it may take.
#include "../../../src/node/serving.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

namespace leither::node {
namespace {

using std::chrono::milliseconds;

constexpr Serving::Options kOptions{
    .work_per_second = 1000, .work_saved_up = 1000, .waiting_per_node_max = 3};
const Instant kStart = instant_from_unix_ms(1'000'000);

Id node(std::uint8_t number) {
    Id id;
    id[0] = number;
    return id;
}

protocol::SyncAsk ask(std::uint64_t from) {
    return protocol::AskBlocks{Sequence(from), 1000};
}

std::uint64_t asked_from(const Serving::Question& question) {
    return std::get<protocol::AskBlocks>(question.ask).from.value();
}

TEST(Serving, AskersTakeTurnsAndEachIsAnsweredInItsOrder) {
    Serving serving(kOptions);
    for (std::uint64_t n = 1; n <= 3; ++n) serving.add(node(1), ask(n), kStart);
    serving.add(node(2), ask(7), kStart);
    std::vector<std::pair<Id, std::uint64_t>> served;
    while (const auto next = serving.next(kStart))
        served.emplace_back(next->from, asked_from(*next));
    const std::vector<std::pair<Id, std::uint64_t>> expected{
        {node(1), 1}, {node(2), 7}, {node(1), 2}, {node(1), 3}};
    EXPECT_EQ(served, expected);
    EXPECT_FALSE(serving.next_deadline());
}

TEST(Serving, WhoAsksMoreThanItMayIsPassedOver) {
    Serving serving(kOptions);
    for (std::uint64_t n = 1; n <= 100; ++n) serving.add(node(1), ask(n), kStart);
    serving.check_invariants();
    std::size_t served = 0;
    while (serving.next(kStart)) ++served;
    EXPECT_EQ(served, kOptions.waiting_per_node_max);
}

TEST(Serving, ADebtOfWorkIsPaidOffBeforeTheNextAnswer) {
    Serving serving(kOptions);
    for (std::uint64_t n = 1; n <= 3; ++n) serving.add(node(1), ask(n), kStart);
    EXPECT_EQ(serving.next_deadline(), kStart);
    ASSERT_TRUE(serving.next(kStart));
    serving.charge(3000, kStart);  // 2 seconds more than was saved up
    EXPECT_FALSE(serving.next(kStart));
    EXPECT_FALSE(serving.next(kStart + milliseconds(1999)));
    const auto due = serving.next_deadline();
    ASSERT_TRUE(due);
    EXPECT_GT(*due, kStart + milliseconds(1999));
    EXPECT_LE(*due, kStart + milliseconds(2001));
    EXPECT_TRUE(serving.next(*due));
}

TEST(Serving, WhoHasGoneIsForgotten) {
    Serving serving(kOptions);
    serving.add(node(1), ask(1), kStart);
    serving.forget(node(1));
    EXPECT_FALSE(serving.next(kStart));
    EXPECT_FALSE(serving.next_deadline());
}

TEST(Serving, AnswersCostWhatIsReadForThem) {
    EXPECT_GE(work_of(protocol::BlocksReply{}), 1000U);
    protocol::GenesisReply genesis;
    genesis.count = 100'000;  // read as a whole for each part
    EXPECT_GE(work_of(genesis), 1U << 20);
    protocol::PieceReply split;
    split.outcome = protocol::PieceOutcome::split;
    EXPECT_GE(work_of(split), protocol::kPieceLeafBytesMax);
}

}  // namespace
}  // namespace leither::node
