#include "app/replay/courier.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

namespace leither::app {
namespace {

using nlohmann::json;

// A daemon of few words: admits up to `pool_max` transactions, seals all of them at each look at
// its status, and goes away or refuses when told to. A transaction's hex is its id.
class FakeDaemon final : public DaemonLink {
 public:
    std::size_t pool_max = 1000;
    std::set<std::string> refused;    // as insufficient_balance
    int calls_until_crash = INT_MAX;  // then the mempool is lost
    std::vector<std::string> order;   // as committed

    json call(const std::string& method, const json& params) override {
        if (--calls_until_crash == 0) {
            pool_.clear();
            throw RpcUnreachable("gone");
        }
        if (method == "node.status") return status();
        if (method == "block.get") return block(params.at("sequence").get<std::size_t>());
        if (method == "transaction.status") return {{"state", "pending"}};
        json verdicts = json::array();
        for (const auto& text : params.at("transactions")) verdicts.push_back(admit(text));
        return verdicts;
    }
    json look_again() override { return call("node.status", json::object()); }
    void await_return() override { ++reconnects_; }
    std::uint64_t reconnects() const override { return reconnects_; }
    void pause() override {}

 private:
    json admit(const std::string& id) {
        const auto refuse = [](const char* name) { return json{{"error", {{"name", name}}}}; };
        if (refused.contains(id)) return refuse("insufficient_balance");
        if (committed_.contains(id)) return refuse("already_committed");
        if (pool_.size() >= pool_max) return refuse("mempool_full");
        pool_.push_back(id);
        return {{"id", id}};
    }
    json status() {
        if (!pool_.empty()) {
            for (const auto& id : pool_) {
                order.push_back(id);
                committed_.insert(id);
            }
            blocks_.push_back(std::move(pool_));
            pool_.clear();
        }
        return {{"organization", {{"sequence", blocks_.size()}}}};
    }
    json block(std::size_t sequence) const {
        return {{"pulse", 1'000'000 + sequence}, {"transactions", blocks_.at(sequence - 1)}};
    }

    std::vector<std::string> pool_;
    std::vector<std::vector<std::string>> blocks_;
    std::set<std::string> committed_;
    std::uint64_t reconnects_ = 0;
};

class CourierTest : public ::testing::Test {
 protected:
    static SignedTransaction transaction(std::uint64_t row) {
        const Hash id = crypto::blake2b_256(as_bytes(std::to_string(row)));
        return {row, id, id.hex()};
    }
    // Submits `count` transactions in chunks and waits for all.
    void deliver(std::uint64_t count, std::uint64_t chunk) {
        Courier courier(daemon_, charter_, [this](const Delivery& delivery) {
            EXPECT_TRUE(outcomes_.emplace(delivery.row, delivery.refusal).second)
                << "row " << delivery.row << " decided twice";
        });
        for (std::uint64_t begin = 0; begin < count; begin += chunk) {
            std::vector<SignedTransaction> rows;
            for (std::uint64_t i = begin; i < std::min(count, begin + chunk); ++i) {
                rows.push_back(transaction(i));
            }
            courier.submit(std::move(rows));
        }
        courier.finish();
        EXPECT_EQ(courier.delivered(), count);
    }
    void expect_committed_in_order(std::uint64_t count) {
        std::vector<std::string> expected;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!daemon_.refused.contains(transaction(i).hex)) {
                expected.push_back(transaction(i).hex);
            }
        }
        EXPECT_EQ(daemon_.order, expected);
    }

    FakeDaemon daemon_;
    protocol::Charter charter_;
    std::map<std::uint64_t, std::string> outcomes_;
};

TEST_F(CourierTest, EverythingIsCommittedOnceAndInOrder) {
    deliver(5000, 700);
    expect_committed_in_order(5000);
    EXPECT_EQ(outcomes_.size(), 5000u);
}

TEST_F(CourierTest, AFullMempoolHoldsUpWhatStandsBehind) {
    daemon_.pool_max = 7;
    deliver(100, 40);
    expect_committed_in_order(100);
}

TEST_F(CourierTest, ARefusalIsToldByNameAndDelaysNobody) {
    daemon_.refused = {transaction(3).hex, transaction(50).hex};
    deliver(100, 10);
    expect_committed_in_order(100);
    EXPECT_EQ(outcomes_[3], "insufficient_balance");
    EXPECT_EQ(outcomes_[50], "insufficient_balance");
    EXPECT_EQ(outcomes_[51], "");
}

TEST_F(CourierTest, WhateverCallMeetsTheCrashNothingIsLostOrDoubled) {
    for (int crash = 1; crash < 30; ++crash) {
        daemon_ = FakeDaemon();
        daemon_.pool_max = 20;
        daemon_.calls_until_crash = crash;
        outcomes_.clear();
        deliver(100, 16);
        expect_committed_in_order(100);
        EXPECT_EQ(outcomes_.size(), 100u) << "crash at call " << crash;
    }
}

// One of several daemons of a ledger; says its name to every question.
class Counter final : public DaemonLink {
 public:
    struct State {
        bool away = false;
        std::uint64_t sequence = 0;
    };
    Counter(std::string name, State& state) : name_(std::move(name)), state_(state) {}

    json call(const std::string& method, const json&) override {
        if (state_.away) throw RpcUnreachable("gone");
        if (method != "node.status") return name_;
        return {{"organization", {{"sequence", state_.sequence}}}, {"name", name_}};
    }
    json look_again() override { return call("node.status", json::object()); }
    void await_return() override {}
    std::uint64_t reconnects() const override { return 0; }
    void pause() override {}

 private:
    std::string name_;
    State& state_;
};

class FailoverLinkTest : public ::testing::Test {
 protected:
    static std::vector<std::unique_ptr<DaemonLink>> counters(Counter::State& home,
                                                             Counter::State& next,
                                                             Counter::State& last) {
        std::vector<std::unique_ptr<DaemonLink>> out;
        out.push_back(std::make_unique<Counter>("home", home));
        out.push_back(std::make_unique<Counter>("next", next));
        out.push_back(std::make_unique<Counter>("last", last));
        return out;
    }
    std::string who() { return link_.ask("account.get", json::object()).get<std::string>(); }
    void look(int times) {
        for (int i = 0; i < times; ++i) link_.ask("node.status", json::object());
    }

    Counter::State home_;
    Counter::State next_;
    Counter::State last_;
    FailoverLink link_{counters(home_, next_, last_), std::chrono::seconds(0)};
};

TEST_F(FailoverLinkTest, WhileOneIsAwayTheNextIsAsked) {
    EXPECT_EQ(who(), "home");
    home_.away = true;
    EXPECT_EQ(who(), "next");
    EXPECT_EQ(link_.reconnects(), 1u);
    next_.away = true;
    EXPECT_EQ(who(), "last");
    EXPECT_EQ(link_.reconnects(), 2u);
    last_.away = true;
    EXPECT_THROW(who(), RpcUnreachable);
}

TEST_F(FailoverLinkTest, OneThatIsBehindIsPassedOver) {
    home_.sequence = last_.sequence = 7;
    next_.sequence = 6;
    look(1);
    home_.away = true;
    EXPECT_EQ(who(), "last");
}

TEST_F(FailoverLinkTest, BackHomeBetweenLooksAsSoonAsItHasCaughtUp) {
    home_.away = true;
    next_.sequence = 7;
    EXPECT_EQ(who(), "next");
    look(1);
    home_.away = false;
    home_.sequence = 6;
    look(30);
    EXPECT_EQ(who(), "next");
    home_.sequence = 7;
    for (int i = 0; i < 30; ++i) EXPECT_EQ(who(), "next") << "between two looks";
    look(30);
    EXPECT_EQ(who(), "home");
    EXPECT_EQ(link_.reconnects(), 2u) << "so that what waits is submitted there again";
}

}  // namespace
}  // namespace leither::app
