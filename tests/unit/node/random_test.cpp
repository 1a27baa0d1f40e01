// Random traffic, delays and crashes against a plain map of balances.
#include <map>

#include <gtest/gtest.h>

#include "support/node/node_host.h"

namespace leither::testing {
namespace {

constexpr std::size_t kMembers = 12;
constexpr std::size_t kSteps = 400;

class RandomTown {
 public:
    explicit RandomTown(std::uint64_t seed)
        : prng_(seed),
          host_({.checking = Checking::shuffled, .seed = seed, .community = town(seed)}) {
        CHECK(host_.found());
        for (std::size_t n = 0; n < kMembers; ++n) {
            committed_[host_.community().member(n).id()] = host_.community().options().balance;
        }
    }

    void run() {
        for (std::size_t i = 0; i < kSteps; ++i) {
            act();
            if (::testing::Test::HasFailure()) return;
        }
        host_.pass_pulses(3);
        settle();
        compare();
    }

    NodeHost& host() { return host_; }

 private:
    static CommunityOptions town(std::uint64_t seed) {
        CommunityOptions options;
        options.seed = seed;
        options.members = kMembers;
        options.params.member_transactions_per_pulse = 3;
        return options;
    }

    void act() {
        switch (prng_.below(8)) {
            case 0:
            case 1:
            case 2:
            case 3: submit_row(); break;
            case 4:
            case 5: host_.advance(std::chrono::milliseconds(prng_.below(2500))); break;
            case 6: hold_a_write(); break;
            case 7:
                if (prng_.chance(1, 4)) crash();
                break;
        }
        settle();
    }

    // Some of it valid, some not: amounts above the balance, strangers, stale nonces.
    void submit_row() {
        const Community& town = host_.community();
        std::vector<protocol::Transaction> row;
        const std::size_t payer = prng_.below(kMembers);
        Signing signing = host_.signing(town.member(payer));
        signing.expiry = Pulse(host_.pulse().value() + 1 + prng_.below(10));
        const std::size_t count = 1 + prng_.below(5);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t payee = prng_.below(kMembers + 1);
            row.push_back(
                town.pay(town.member(payer), town.member(payee), 1 + prng_.below(700), signing));
            if (!prng_.chance(1, 10)) ++signing.counter;
        }
        host_.submit(row);
    }

    void hold_a_write() {
        host_.set_writing(Writing::held);
        host_.advance(std::chrono::milliseconds(1100));
        submit_row();
        if (host_.is_writing()) host_.write();
        host_.set_writing(Writing::at_once);
    }

    void crash() {
        ASSERT_TRUE(host_.crash()) << host_.open_error()->detail;
        compare();
    }

    // Applies what the node told since the last time to the model.
    void settle() {
        for (; told_ < host_.sealed().size(); ++told_) {
            const Sequence sequence = host_.sealed()[told_].seal.header.sequence;
            for (const auto& transaction : host_.block(sequence)) apply(transaction.body);
        }
    }

    void apply(const protocol::TransactionBody& body) {
        const auto& request = std::get<protocol::Transfer>(body.action).request;
        const std::uint64_t amount = request.amount.units();
        ASSERT_TRUE(committed_.contains(request.payee));
        ASSERT_NE(request.payee, body.signer);
        ASSERT_GE(committed_[body.signer], amount);
        committed_[body.signer] -= amount;
        committed_[request.payee] += amount;
    }

    void compare() {
        for (const auto& [id, balance] : committed_) EXPECT_EQ(host_.balance(id), balance);
    }

    Prng prng_;
    NodeHost host_;
    std::map<Id, std::uint64_t> committed_;
    std::size_t told_ = 0;
};

TEST(NodeRandom, BalancesAgreeWithTheModelThroughCrashes) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomTown town(seed);
        town.run();
        ASSERT_GT(town.host().sealed().size(), 10u);
        const auto verified = node::verify_store(town.host().store(), [](Sequence) {});
        ASSERT_TRUE(verified) << verified.error().detail;
        EXPECT_EQ(verified->sequence, town.host().queries().status()->head.sequence);
    }
}

TEST(NodeRandom, TheSameSeedGivesTheSameEffectsByteForByte) {
    RandomTown first(42);
    first.run();
    RandomTown second(42);
    second.run();
    EXPECT_EQ(first.host().digest(), second.host().digest());
    RandomTown other(43);
    other.run();
    EXPECT_NE(first.host().digest(), other.host().digest());
}

}  // namespace
}  // namespace leither::testing
