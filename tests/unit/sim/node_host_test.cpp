#include "leither/sim/node_host.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/sim/checkers.h"
#include "leither/sim/community.h"
#include "leither/sim/network.h"

namespace leither::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A bookkeeper alone.
class NodeHostTest : public ::testing::Test, public NodeWatcher {
 protected:
    NodeHostTest() { crypto::initialise(); }

    static CommunityOptions community_options() {
        CommunityOptions options;
        options.time_ms = unix_ms(kStart) - 10'000;
        return options;
    }
    void begin(NodeHost::Options options) {
        options.checks = Checks::every_step;
        options.network.dht.families = dht::Families::v4;
        Place place;
        place.endpoint = *Endpoint::parse("20.0.0.1:7400");
        options.network.listen = {place.endpoint};
        id = network.add(std::make_unique<NodeHost>(options, world.stream("host"), *this), place);
    }
    void begin() { begin({.name = "keeper", .key = town.node_key()}); }
    void found() {
        host().tell(node::Found{1, town.encoded_genesis()});
        world.run_for(seconds(2));
        ASSERT_TRUE(host().queries().status());
    }
    NodeHost& host() { return static_cast<NodeHost&>(network.host(id)); }
    Disk& disk() { return host().disk(); }
    std::uint64_t head() { return host().queries().status()->head.sequence.value(); }
    protocol::Transaction payment(std::size_t payer) {
        const auto key = town.member(payer);
        const auto counter = host().queries().next_counter(key.id(), 0);
        const Pulse now = host().queries().pulse(host().now());
        return town.pay(key, town.member((payer + 1) % 4), 1,
                        {**counter, Pulse(now.value() + 100)});
    }
    void submit(const protocol::Transaction& transaction) {
        host().tell(node::Submit{++token, {bcs::encode(transaction)}});
    }
    // Until a block is on its way to the disk.
    void run_until_writing() {
        ASSERT_TRUE(world.run_while_not([&] { return disk().is_busy(Disk::Part::ledger); },
                                        world.now() + seconds(5)));
    }

    void on_reply(NodeHost&, node::Reply&& reply) override {
        if (const auto* submitted = std::get_if<node::SubmitReply>(&reply)) {
            replied.push_back(submitted->token);
        }
    }
    void on_event(NodeHost&, node::Event&& event) override {
        if (const auto* sealed = std::get_if<node::BlockSealed>(&event)) {
            story += "told " + std::to_string(sealed->seal.header.sequence.value()) + ",";
        }
    }
    void on_durable(NodeHost& it, const store::WriteBatch& batch) override {
        story += "durable,";
        EXPECT_FALSE(batch.empty());
        if (checkers) checkers->on_durable(id, batch);
        (void)it;
    }
    void on_opened(NodeHost&) override { story += "opened,"; }
    void on_ended(NodeHost&, const std::string& why) override { ended.push_back(why); }

    Community town{community_options()};
    World world{1};
    Network network{world};
    HostId id;
    node::Token token = 0;
    std::string story;
    std::vector<node::Token> replied;
    std::vector<std::string> ended;
    std::optional<Checkers> checkers;
};

TEST_F(NodeHostTest, WhatIsToldIsDurableBefore) {
    begin();
    found();
    submit(payment(0));
    world.run_for(seconds(3));
    EXPECT_EQ(story, "opened,durable,durable,told 1,");
    EXPECT_EQ(head(), 1u);
}

TEST_F(NodeHostTest, ABlockLostInACrashWasNotTold) {
    begin();
    found();
    const auto transaction = payment(0);
    submit(transaction);
    run_until_writing();
    disk().set_tear(Disk::Tear::lost);
    story.clear();
    network.crash(id);
    EXPECT_FALSE(host().is_running());
    network.start(id);
    EXPECT_EQ(head(), 0u);
    world.run_for(seconds(3));
    EXPECT_EQ(story, "opened,");
    submit(transaction);
    world.run_for(seconds(3));
    EXPECT_EQ(head(), 1u);
}

TEST_F(NodeHostTest, ABlockThatACrashHasKeptIsThereAlthoughNobodyWasTold) {
    begin();
    found();
    submit(payment(0));
    run_until_writing();
    disk().set_tear(Disk::Tear::kept);
    story.clear();
    network.crash(id);
    network.start(id);
    EXPECT_EQ(head(), 1u);
    world.run_for(seconds(3));
    EXPECT_EQ(story, "durable,opened,");
}

TEST_F(NodeHostTest, AFullDiskEndsTheProgramWhichSaysSo) {
    begin();
    found();
    disk().fill_up();
    submit(payment(0));
    world.run_for(seconds(3));
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_NE(ended[0].find("full"), std::string::npos) << ended[0];
    EXPECT_FALSE(network.is_up(id));
    disk().free_space();
    network.start(id);
    EXPECT_EQ(head(), 0u);
    submit(payment(0));
    world.run_for(seconds(3));
    EXPECT_EQ(head(), 1u);
}

TEST_F(NodeHostTest, AWriteThatFailsButIsKeptIsFoundAtTheNextStart) {
    begin();
    found();
    disk().fail_next(Disk::Part::ledger, Disk::Kept::all);
    submit(payment(0));
    world.run_for(seconds(3));
    ASSERT_EQ(ended.size(), 1u);
    network.start(id);
    EXPECT_EQ(head(), 1u);
}

TEST_F(NodeHostTest, WhatCannotBeOpenedEndsAtOnce) {
    begin();
    found();
    const Disk::Image image = disk().image();
    network.remove(id);
    begin({.name = "stranger", .key = crypto::derive_key({}, 5)});
    network.crash(id);
    disk().restore(image);
    network.start(id);
    EXPECT_FALSE(host().is_running());
    world.run_for(milliseconds(1));
    EXPECT_FALSE(network.is_up(id));
    ASSERT_EQ(ended.size(), 1u);
    EXPECT_NE(ended[0].find("another node key"), std::string::npos) << ended[0];
}

TEST_F(NodeHostTest, ABackupBringsBackAnOlderHead) {
    begin();
    found();
    const Disk::Image image = disk().image();
    submit(payment(0));
    world.run_for(seconds(3));
    EXPECT_EQ(head(), 1u);
    network.crash(id);
    disk().restore(image);
    network.start(id);
    EXPECT_EQ(head(), 0u);
}

TEST_F(NodeHostTest, SignaturesCheckedInAnyOrderChangeNoOrderOfAdmission) {
    NodeHost::Options options{.name = "keeper", .key = town.node_key()};
    options.check_max = milliseconds(200);
    begin(options);
    found();
    for (int round = 0; round < 5; ++round) {
        for (std::size_t n = 0; n < 4; ++n) submit(payment(n));
        world.run_for(seconds(3));
    }
    EXPECT_EQ(replied.size(), 20u);
    EXPECT_TRUE(std::is_sorted(replied.begin(), replied.end()));
    EXPECT_GE(head(), 5u);
}

TEST_F(NodeHostTest, AClockSetBackStandsStillForTheNodeUntilItHasCaughtUp) {
    begin();
    found();
    submit(payment(0));
    world.run_for(seconds(3));
    const Instant before = host().now();
    network.step_clock(id, -seconds(30));
    EXPECT_EQ(host().now(), before);
    submit(payment(1));
    world.run_for(seconds(20));
    EXPECT_EQ(host().now(), before);
    EXPECT_EQ(head(), 1u);
    world.run_for(seconds(13));
    EXPECT_EQ(head(), 2u);
    // A restart sees the clock as it is.
    network.step_clock(id, -hours(1));
    network.crash(id);
    network.start(id);
    EXPECT_LT(host().now(), before);
}

TEST_F(NodeHostTest, AClockSetAheadIsNoticedAtOnce) {
    begin();
    found();
    network.step_clock(id, hours(1));
    submit(payment(0));
    world.run_for(seconds(3));
    EXPECT_EQ(head(), 2u);  // behind the block that ended the cycle
    EXPECT_GT(host().queries().status()->head.pulse, Pulse(3600));
}

TEST_F(NodeHostTest, WhoLeavesEndsWhenAllIsKept) {
    begin();
    found();
    submit(payment(0));
    run_until_writing();
    host().leave();
    EXPECT_FALSE(host().is_running());
    world.run_for(seconds(1));
    EXPECT_FALSE(network.is_up(id));
    EXPECT_TRUE(ended.empty());
    network.start(id);
    EXPECT_EQ(head(), 1u);
}

TEST_F(NodeHostTest, AReceiptHoldsUnderTheChainAndUnderNoOther) {
    checkers.emplace(world, town.organization());
    checkers->admit(HostId(0), "keeper");
    begin();
    found();
    submit(payment(0));
    world.run_for(seconds(3));
    const Id account = town.member(0).id();
    const auto receipt = host().queries().receipt(account, std::nullopt);
    ASSERT_TRUE(receipt);
    checkers->on_receipt(id, account, *receipt);
    EXPECT_TRUE(checkers->failures().empty());
    checkers->on_receipt(id, town.member(1).id(), *receipt);
    ASSERT_EQ(checkers->failures().size(), 1u);
    EXPECT_EQ(checkers->failures()[0].what, "it proves something else");

    Checkers others(world, town.organization());
    others.admit(id, "keeper");
    others.on_receipt(id, account, *receipt);
    ASSERT_EQ(others.failures().size(), 1u);
    EXPECT_EQ(others.failures()[0].what, "its block is not the chain's");
}

// History behind the window goes, while blocks go on.
TEST(NodeHostPruning, OldBlocksAreErasedFromTheDisk) {
    crypto::initialise();
    struct Nobody : NodeWatcher {
    } nobody;
    CommunityOptions made;
    made.time_ms = unix_ms(kStart) - 10'000;
    made.params.cycle_pulses = 60;
    made.balance = 100'000;
    const Community town(made);
    World world(1);
    Network network(world);
    Place place;
    place.endpoint = *Endpoint::parse("20.0.0.1:7400");
    NodeHost::Options options{.name = "keeper", .key = town.node_key()};
    options.node.history_pulses = 1;  // raised to 1,200 and two cycles
    options.network.listen = {place.endpoint};
    const HostId id =
        network.add(std::make_unique<NodeHost>(options, world.stream("host"), nobody), place);
    auto& host = static_cast<NodeHost&>(network.host(id));
    host.tell(node::Found{1, town.encoded_genesis()});
    const auto payer = town.member(0);
    // A version's pages go a window after others have ceased to refer to them.
    const auto is_erased = [&] {
        return !ledger::read_seal(host.ledger(), Sequence(1))->has_value();
    };
    for (node::Token token = 2; token < 602 && (token < 10 || !is_erased()); ++token) {
        world.run_for(seconds(10));
        const auto counter = host.queries().next_counter(payer.id(), 0);
        const Pulse expiry(host.queries().pulse(host.now()).value() + 100);
        const auto payment = town.pay(payer, town.member(1), 1, {**counter, expiry});
        host.tell(node::Submit{token, {bcs::encode(payment)}});
    }
    world.run_for(seconds(2));
    const auto status = host.queries().status();
    EXPECT_GT(status->oldest, Sequence(100));
    EXPECT_TRUE(is_erased());
    network.crash(id);
    network.start(id);
    EXPECT_TRUE(host.is_running());
    EXPECT_GT(host.queries().status()->oldest, Sequence(1));
}

}  // namespace
}  // namespace leither::sim
