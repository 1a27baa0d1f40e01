#include "../../../src/io/web_sessions.h"

#include <vector>

#include <gtest/gtest.h>

namespace leither::io {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Every draw differs.
class Counting final : public Entropy {
 public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out) byte = 0;
        out[0] = ++drawn_;
    }

 private:
    std::uint8_t drawn_ = 0;
};

class WebSessionsTest : public ::testing::Test {
 protected:
    static ShownSecrets shown(const SessionSecrets& secrets) {
        return {secrets.secret, secrets.key};
    }
    bool admits(const SessionSecrets& secrets, Attention attention = Attention::request) {
        return sessions_.find(shown(secrets), now_, attention).has_value();
    }

    Counting entropy_;
    Instant now_ = instant_from_unix_ms(1'700'000'000'000);
    WebSessions sessions_{SessionLimits{}, entropy_};
};

TEST_F(WebSessionsTest, ALinkIsGoodOnceAndForTwoMinutes) {
    const auto link = sessions_.make_link(now_);
    EXPECT_EQ(link.token.size(), 64u);
    EXPECT_EQ(link.expires, now_ + minutes(2));
    EXPECT_FALSE(sessions_.redeem("", now_));
    EXPECT_FALSE(sessions_.redeem(link.token + "0", now_));
    now_ += minutes(2) - seconds(1);
    const auto session = sessions_.redeem(link.token, now_);
    ASSERT_TRUE(session);
    EXPECT_TRUE(admits(*session));
    EXPECT_FALSE(sessions_.redeem(link.token, now_)) << "used";
    const auto late = sessions_.make_link(now_);
    now_ += minutes(2);
    EXPECT_FALSE(sessions_.redeem(late.token, now_)) << "too old";
}

TEST_F(WebSessionsTest, ASessionIsShownByBothItsSecrets) {
    const auto a = sessions_.begin(now_);
    const auto b = sessions_.begin(now_);
    EXPECT_TRUE(admits(a));
    EXPECT_FALSE(admits({a.secret, b.key}));
    EXPECT_FALSE(admits({b.secret, a.key}));
    EXPECT_FALSE(admits({a.key, a.secret}));
    EXPECT_FALSE(admits({a.secret, ""}));
    EXPECT_FALSE(admits({"", ""}));
}

TEST_F(WebSessionsTest, ASessionEndsUnusedOrOldOrByItsUser) {
    const auto unused = sessions_.begin(now_);
    const auto id = sessions_.find(shown(unused), now_, Attention::request);
    now_ += minutes(30) - seconds(1);
    EXPECT_TRUE(admits(unused, Attention::glance)) << "a glance does not prolong it";
    EXPECT_TRUE(sessions_.is_alive(*id, now_, Attention::glance));
    now_ += seconds(1);
    EXPECT_FALSE(admits(unused));
    EXPECT_FALSE(sessions_.is_alive(*id, now_, Attention::request));

    const auto used = sessions_.begin(now_);
    const auto began = now_;
    while (now_ - began < std::chrono::hours(24)) {
        EXPECT_TRUE(admits(used));
        now_ += minutes(20);
    }
    EXPECT_FALSE(admits(used)) << "a day is the longest";

    const auto left = sessions_.begin(now_);
    sessions_.end(*sessions_.find(shown(left), now_, Attention::request));
    EXPECT_FALSE(admits(left));
    EXPECT_EQ(sessions_.count(now_), 0u);
}

TEST_F(WebSessionsTest, AtTheLimitTheOneUnusedLongestMakesRoom) {
    std::vector<SessionSecrets> all;
    for (std::size_t i = 0; i < SessionLimits{}.sessions_max; ++i) {
        all.push_back(sessions_.begin(now_));
        now_ += seconds(1);
    }
    EXPECT_TRUE(admits(all[0]));  // now used last
    const auto one_more = sessions_.begin(now_);
    EXPECT_EQ(sessions_.count(now_), SessionLimits{}.sessions_max);
    EXPECT_TRUE(admits(all[0]));
    EXPECT_FALSE(admits(all[1]));
    EXPECT_TRUE(admits(one_more));

    const auto first = sessions_.make_link(now_);
    for (std::size_t i = 1; i < SessionLimits{}.links_max; ++i) sessions_.make_link(now_);
    WebSessions copy = sessions_;
    EXPECT_TRUE(copy.redeem(first.token, now_));
    sessions_.make_link(now_);
    EXPECT_FALSE(sessions_.redeem(first.token, now_)) << "the oldest link made room";
}

}  // namespace
}  // namespace leither::io
