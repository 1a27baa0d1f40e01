// A whole daemon without its main: node on LevelDB, event loop, local API.
#include "leither/io/event_loop.h"

#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/io/local_api.h"
#include "leither/store/leveldb_store.h"

#include "support/node/community.h"
#include "support/temp_dir.h"

namespace leither::io {
namespace {

using testing::Community;

// Writes to another store until told to fail.
class BreakingStore final : public store::Store {
 public:
    explicit BreakingStore(store::Store& below) : below_(below) {}
    Result<std::optional<std::string>, store::Fault> get(ByteView key) const override {
        return below_.get(key);
    }
    std::unique_ptr<store::Cursor> cursor() const override { return below_.cursor(); }
    Result<void, store::Fault> write(const store::WriteBatch& batch) override {
        if (broken) return fail(store::Fault{store::Fault::Kind::full, "no space left"});
        return below_.write(batch);
    }
    Result<void, store::Fault> erase_range(ByteView from, ByteView to) override {
        return below_.erase_range(from, to);
    }
    std::atomic<bool> broken = false;

 private:
    store::Store& below_;
};

struct Heard final : Listener {
    void on_reply(node::Reply&& reply) override {
        if (const auto* found = std::get_if<node::FoundReply>(&reply)) {
            founded = found->organization.has_value();
        } else {
            verdicts = std::get<node::SubmitReply>(reply).verdicts;
        }
        if (after_reply) after_reply();
    }
    void on_event(const node::Event& event) override {
        if (!std::holds_alternative<node::BlockSealed>(event)) return;
        ++sealed;
        if (after_seal) after_seal();
    }
    void on_pulse() override {}
    void on_durable(Duration) override { ++durable; }
    void on_stopping() override { stopping = true; }

    bool founded = false;
    std::vector<node::Verdict> verdicts;
    int sealed = 0;
    int durable = 0;
    bool stopping = false;
    std::function<void()> after_reply;
    std::function<void()> after_seal;
};

class EventLoopTest : public ::testing::Test {
 protected:
    // An organization whose pulses are as short as they may be and whose time is now.
    static testing::CommunityOptions community_options() {
        testing::CommunityOptions options;
        options.params.pulse_ms = 100;
        options.time_ms = unix_ms(WallClock().now());
        return options;
    }
    protocol::Transaction payment() const {
        const Signing signing{protocol::MemberRecord{}.first_counter(), Pulse(100)};
        return community_.pay(community_.member(0), community_.member(1), 1, signing);
    }
    using Signing = testing::Signing;

    testing::TempDir dir_;
    Community community_{community_options()};
    std::unique_ptr<store::Store> store_ = store::open_leveldb({.path = dir_ / "store"}).value();
    BreakingStore breaking_{*store_};
    WallClock clock_;
    Reactor reactor_;
    node::Node node_ = node::Node::open({}, breaking_, community_.node_key(), Log()).value();
    EventLoop loop_{{.verify = make_verify_pool(2, reactor_), .drain = Duration(0)},
                    reactor_,
                    node_,
                    breaking_,
                    clock_,
                    Log()};
    Heard heard_;

    void SetUp() override { loop_.set_listener(heard_); }
};

TEST_F(EventLoopTest, APaymentIsFoundedCheckedSealedAndToldInThatOrder) {
    loop_.enqueue(node::Found{1, community_.encoded_genesis()});
    heard_.after_reply = [this] {
        if (heard_.verdicts.empty()) {
            EXPECT_EQ(heard_.durable, 1) << "told before durable";
            loop_.enqueue(node::Submit{2, {bcs::encode(payment())}});
        }
    };
    heard_.after_seal = [this] {
        EXPECT_EQ(heard_.durable, 2) << "told before durable";
        EXPECT_EQ(loop_.queries().status()->head.sequence, Sequence(1));
        loop_.stop();
    };
    EXPECT_FALSE(loop_.run());
    EXPECT_TRUE(heard_.founded);
    ASSERT_EQ(heard_.verdicts.size(), 1u);
    EXPECT_TRUE(heard_.verdicts[0]);
    EXPECT_EQ(heard_.sealed, 1);
    EXPECT_TRUE(heard_.stopping);
}

TEST_F(EventLoopTest, AFailedWriteEndsTheLoopWithTheFault) {
    breaking_.broken = true;
    loop_.enqueue(node::Found{1, community_.encoded_genesis()});
    const auto fault = loop_.run();
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->kind, store::Fault::Kind::full);
    EXPECT_EQ(heard_.durable, 0);
}

TEST_F(EventLoopTest, StoppingBeforeRunningAndTwiceIsFine) {
    loop_.stop();
    loop_.stop();
    EXPECT_FALSE(loop_.run());
    EXPECT_EQ(heard_.sealed, 0);
}

TEST_F(EventLoopTest, StoppingLetsTheBatchThatIsOutBecomeDurable) {
    loop_.enqueue(node::Found{1, community_.encoded_genesis()});
    reactor_.post([this] { loop_.stop(); });
    EXPECT_FALSE(loop_.run());
    EXPECT_TRUE(heard_.founded);
    EXPECT_EQ(heard_.durable, 1);
}

TEST_F(EventLoopTest, TheLocalApiServesTheNodeAndStopsIt) {
    LocalApi api({.cookie = "secret"}, reactor_, clock_, Log(), {});
    const PlaceApi place({}, api, loop_);
    const std::string url = api.listen().value();
    EXPECT_TRUE(url.starts_with("http://127.0.0.1:")) << url;
    EXPECT_TRUE(url.ends_with("/rpc")) << url;
    EXPECT_GT(loop_.process_stats().resident_bytes, 0u);
    loop_.stop();
    EXPECT_FALSE(loop_.run());
}

TEST_F(EventLoopTest, OfTwoOnOneReactorTheOneThatFailsEndsAlone) {
    const auto other_store = store::open_leveldb({.path = dir_ / "other"}).value();
    node::Node other_node =
        node::Node::open({}, *other_store, community_.node_key(), Log()).value();
    Heard other_heard;
    EventLoop other({.verify = make_verify_pool(1, reactor_), .drain = Duration(0)}, reactor_,
                    other_node, *other_store, clock_, Log());
    other.set_listener(other_heard);
    std::vector<std::string> ended;
    other.begin([&](const auto& fault) {
        ended.emplace_back(fault ? "other: fault" : "other");
        reactor_.stop();
    });
    loop_.begin([&](const auto& fault) {
        ended.emplace_back(fault ? "fault" : "none");
        other.enqueue(node::Found{1, community_.encoded_genesis()});
    });
    other_heard.after_reply = [&] { other.finish(); };
    breaking_.broken = true;
    loop_.enqueue(node::Found{1, community_.encoded_genesis()});
    reactor_.run();
    EXPECT_EQ(ended, (std::vector<std::string>{"fault", "other"}));
    EXPECT_TRUE(other_heard.founded);
    EXPECT_EQ(other_heard.durable, 1);
}

TEST_F(EventLoopTest, AmongSeveralStopIsTheProgramsMatter) {
    bool asked = false;
    EventLoop one({.verify = make_verify_pool(1, reactor_),
                   .drain = Duration(0),
                   .stop_all =
                       [&] {
                           asked = true;
                           reactor_.stop();
                       }},
                  reactor_, node_, breaking_, clock_, Log());
    one.begin([](const auto&) { FAIL() << "nobody asked it to end"; });
    one.stop();
    reactor_.run();
    EXPECT_TRUE(asked);
}

}  // namespace
}  // namespace leither::io
