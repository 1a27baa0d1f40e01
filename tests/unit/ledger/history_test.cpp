// Random histories against a model that is a plain map of balances.
#include <map>

#include <gtest/gtest.h>

#include "support/ledger_world.h"

namespace leither::ledger {
namespace {

using protocol::Transaction;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;

constexpr int kMembers = 12;
constexpr std::uint64_t kSupply = 100'000;

std::string name_of(std::uint64_t n) {
    return "m" + std::to_string(n);
}

// What a history of transfers must come to, kept without tree, nonces or records.
class Model {
 public:
    explicit Model(const testing::Founding& founding) {
        for (const auto& line : founding.allocations) balances_[line.name] = line.units;
    }
    bool transfer(const std::string& payer, const std::string& payee, std::uint64_t units) {
        if (units == 0 || payer == payee || balances_[payer] < units) return false;
        balances_[payer] -= units;
        balances_[payee] += units;
        return true;
    }
    const std::map<std::string, std::uint64_t>& balances() const { return balances_; }

 private:
    std::map<std::string, std::uint64_t> balances_;
};

testing::Founding many_members() {
    testing::Founding founding;
    founding.supply = kSupply;
    founding.params.member_transactions_per_cycle = 1'000'000;
    founding.params.member_transactions_per_pulse = 1'000'000;
    for (std::uint64_t n = 0; n < kMembers; ++n) founding.allocations.push_back({name_of(n), 500});
    return founding;
}

class History {
 public:
    explicit History(std::uint64_t seed)
        : prng_(seed), world_(many_members()), model_(many_members()) {}

    void run_block() {
        const std::vector<Transaction> candidates = draw_candidates();
        const Pulse pulse(world_.next_pulse().value() + prng_.below(5));
        Built built = world_.build(candidates, pulse);
        ASSERT_EQ(built.transactions.size(), expected_.size());
        EXPECT_EQ(built.transactions.size() + built.skipped.size(), candidates.size());
        expect_same_when_executed(built);
        world_.commit(std::move(built.executed), built.transactions);
        EXPECT_EQ(world_.seals.back().header.root.sum, Amount::of(kSupply));
    }

    void expect_model_agrees() {
        for (const auto& [name, units] : model_.balances()) {
            EXPECT_EQ(world_.member(name)->balance, Amount::of(units)) << name;
        }
    }

 private:
    // Transfers in order, each with the nonce that follows if the model accepts those before; some
    // are spoiled so that only their form tells.
    std::vector<Transaction> draw_candidates() {
        std::vector<Transaction> candidates;
        std::map<std::string, std::uint64_t> accepted;
        expected_.clear();
        for (std::uint64_t n = 1 + prng_.below(20); n > 0; --n) {
            const std::string payer = name_of(prng_.below(kMembers));
            const std::string payee = name_of(prng_.below(kMembers));
            const std::uint64_t units = prng_.below(300);
            const bool is_replay = prng_.chance(1, 10) && accepted[payer] > 0;
            const std::uint64_t behind = accepted[payer] - (is_replay ? 1 : 0);
            candidates.push_back(world_.transfer(payer, payee, units, behind));
            if (is_replay || !model_.transfer(payer, payee, units)) continue;
            ++accepted[payer];
            expected_.push_back(candidates.size() - 1);
        }
        return candidates;
    }

    void expect_same_when_executed(const Built& built) {
        const auto executed = execute(world_.organization, world_.tree, world_.parent(),
                                      built.executed.header, built.transactions, testing::holds);
        ASSERT_TRUE(executed.has_value());
        EXPECT_EQ(executed->header, built.executed.header);
    }

    Prng prng_;
    LedgerWorld world_;
    Model model_;
    std::vector<std::size_t> expected_;
};

class RandomHistory : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomHistory, AgreesWithTheModelAndConservesTheSupply) {
    History history(GetParam());
    for (int block = 0; block < 25; ++block) {
        SCOPED_TRACE("block " + std::to_string(block));
        history.run_block();
        history.expect_model_agrees();
        if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace leither::ledger
