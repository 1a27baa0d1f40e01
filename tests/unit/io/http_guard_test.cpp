#include "leither/io/http_guard.h"

#include <gtest/gtest.h>

namespace leither::io {
namespace {

RequestHead good_head() {
    return {.method = "POST",
            .target = "/rpc",
            .version = 11,
            .host = "127.0.0.1:7171",
            .origin = std::nullopt,
            .authorization = "Bearer secret"};
}

TEST(HttpGuard, OnlyLoopbackNamesAreLoopback) {
    for (const char* name :
         {"127.0.0.1", "localhost", "[::1]", "127.0.0.1:80", "localhost:65535", "[::1]:7171"}) {
        EXPECT_TRUE(is_loopback_authority(name)) << name;
    }
    for (const char* name : {"", "127.0.0.1.evil.example", "localhost.evil.example",
                             "localhost:", "localhost:80x", "localhost:123456", "evil.example:80",
                             "[::1]x", "127.0.0.2", "user@localhost", "localhost:80/path"}) {
        EXPECT_FALSE(is_loopback_authority(name)) << name;
    }
}

TEST(HttpGuard, EachFaultOfAHeadHasItsStatus) {
    EXPECT_FALSE(check_origin(good_head()));
    const auto status = [](auto change) {
        RequestHead head = good_head();
        change(head);
        const auto denial = check_origin(head);
        return denial ? denial->status : 200U;
    };
    EXPECT_EQ(status([](RequestHead& h) { h.method = "PUT"; }), 405u);
    EXPECT_EQ(status([](RequestHead& h) { h.target = "http://127.0.0.1/rpc"; }), 400u);
    EXPECT_EQ(status([](RequestHead& h) { h.host = std::nullopt; }), 400u);
    EXPECT_EQ(status([](RequestHead& h) { h.host = "evil.example"; }), 403u);
    EXPECT_EQ(status([](RequestHead& h) { h.origin = "http://evil.example"; }), 403u);
    EXPECT_EQ(status([](RequestHead& h) { h.origin = "https://localhost"; }), 403u);
    EXPECT_EQ(status([](RequestHead& h) { h.origin = "null"; }), 403u);
    EXPECT_EQ(status([](RequestHead& h) { h.origin = "http://localhost:7171"; }), 200u);
}

TEST(HttpGuard, OnlyTheExactCookieIsAccepted) {
    EXPECT_FALSE(check_cookie(good_head(), "secret"));
    for (const char* sent :
         {"Bearer secreT", "Bearer secret ", "Bearer ", "secret", "Basic secret"}) {
        RequestHead head = good_head();
        head.authorization = sent;
        EXPECT_EQ(check_cookie(head, "secret")->status, 401u) << sent;
    }
    RequestHead head = good_head();
    head.authorization = std::nullopt;
    EXPECT_TRUE(check_cookie(head, "secret"));
    head.authorization = "Bearer ";
    EXPECT_TRUE(check_cookie(head, "")) << "an empty cookie must not open the door";
}

TEST(HttpGuard, OnlyAPageOfThisVeryPortHasOurOrigin) {
    const auto own = [](std::optional<std::string> host, std::optional<std::string> origin) {
        RequestHead head = good_head();
        head.host = std::move(host);
        head.origin = std::move(origin);
        return is_own_origin(head);
    };
    EXPECT_TRUE(own("127.0.0.1:7171", "http://127.0.0.1:7171"));
    EXPECT_TRUE(own("[::1]:7171", "http://[::1]:7171"));
    EXPECT_FALSE(own("127.0.0.1:7171", std::nullopt));
    EXPECT_FALSE(own(std::nullopt, "http://127.0.0.1:7171"));
    EXPECT_FALSE(own("127.0.0.1:7171", "http://127.0.0.1:7172"));
    EXPECT_FALSE(own("127.0.0.1:7171", "http://localhost:7171"));
    EXPECT_FALSE(own("127.0.0.1:7171", "https://127.0.0.1:7171"));
    EXPECT_FALSE(own("evil.example", "http://evil.example"));
}

TEST(HttpGuard, ABrowsersCookieIsFoundByItsWholeName) {
    RequestHead head = good_head();
    EXPECT_FALSE(browser_cookie(head, "s"));
    head.cookie = "a=1; s=two;s2=3; xs=4";
    EXPECT_EQ(browser_cookie(head, "s"), "two");
    EXPECT_EQ(browser_cookie(head, "s2"), "3");
    EXPECT_FALSE(browser_cookie(head, "b"));
    head.cookie = "s=1; s=2";
    EXPECT_FALSE(browser_cookie(head, "s")) << "one of them is somebody else's";
    head.cookie = "s";
    EXPECT_FALSE(browser_cookie(head, "s"));
    head.cookie = "s=";
    EXPECT_EQ(browser_cookie(head, "s"), "");
}

TEST(HttpGuard, WordsOfAList) {
    EXPECT_TRUE(has_word("leither.rpc, leither.key.ab", "leither.rpc"));
    EXPECT_TRUE(has_word(" a ,\tb", "b"));
    EXPECT_FALSE(has_word("leither.rpcs", "leither.rpc"));
    EXPECT_FALSE(has_word("", "a"));
    EXPECT_EQ(word_behind("leither.rpc, leither.key.ab", "leither.key."), "ab");
    EXPECT_FALSE(word_behind("leither.rpc", "leither.key."));
    RequestHead head = good_head();
    head.authorization = "Session ab";
    EXPECT_EQ(credential(head, "Session"), "ab");
    EXPECT_FALSE(credential(head, "Sess"));
    EXPECT_FALSE(credential(head, "Link"));
}

}  // namespace
}  // namespace leither::io
