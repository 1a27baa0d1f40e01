// wallet.*: what goes to the wallet that the program holds, and how its answers come back.
#include <gtest/gtest.h>

#include "rpc_world.h"

namespace leither::testing {
namespace {

class FakeWallet final : public rpc::WalletPort {
 public:
    bool call(node::Token token, std::string_view method, rpc::Json params) override {
        if (is_full) return false;
        calls.push_back({token, std::string(method), std::move(params)});
        return true;
    }
    void on_event(const node::Event&) override { ++events; }

    struct Seen {
        node::Token token;
        std::string method;
        rpc::Json params;
    };
    std::vector<Seen> calls;
    bool is_full = false;
    int events = 0;
};

class WalletCalls : public ::testing::Test {
 protected:
    WalletCalls() { world_.dispatcher.set_wallet(wallet_); }

    // Sends the call and lets the wallet answer it.
    json call(const std::string& method, const json& params, const rpc::WalletResult& result) {
        std::string reply;
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        world_.dispatcher.handle(request.dump(), std::nullopt,
                                 [&reply](std::string text) { reply = std::move(text); });
        if (reply.empty()) {
            world_.dispatcher.on_wallet_reply(wallet_.calls.back().token, result);
        }
        return json::parse(reply);
    }
    json error_of(const std::string& method, const json& params) {
        return call(method, params, rpc::Json(true)).value("error", json());
    }

    RpcWorld world_;
    FakeWallet wallet_;
};

TEST_F(WalletCalls, ParametersAndResultsPassAsTheyAre) {
    const json reply =
        call("wallet.request", {{"account", "anna"}, {"amount", "1250"}, {"expires_s", 60}},
             rpc::Json{{"text", "leither:pay:00"}, {"id", "77"}});
    EXPECT_EQ(reply["result"], (json{{"text", "leither:pay:00"}, {"id", "77"}}));
    ASSERT_EQ(wallet_.calls.size(), 1u);
    EXPECT_EQ(wallet_.calls[0].method, "wallet.request");
    EXPECT_EQ(json(wallet_.calls[0].params),
              (json{{"account", "anna"}, {"amount", "1250"}, {"expires_s", 60}}));
}

TEST_F(WalletCalls, RefusalsKeepCodeNameAndNumbers) {
    const rpc::WalletFailure failure{
        1, "too little", rpc::Json{{"name", "insufficient_balance"}, {"actual", 3}, {"limit", 5}}};
    const json error = call("wallet.accept", {{"id", "0123"}}, fail(failure))["error"];
    EXPECT_EQ(error["code"], 1);
    EXPECT_EQ(error["message"], "too little");
    EXPECT_EQ(error["data"], (json{{"name", "insufficient_balance"}, {"actual", 3}, {"limit", 5}}));
}

TEST_F(WalletCalls, RulesAreObjectsOfTextsAndNumbers) {
    const json rules = {{{"from", "bea"}, {"amount_max", "5"}, {"per_day", "9"}}};
    call("wallet.set_policy", {{"rules", rules}}, rpc::Json(true));
    EXPECT_EQ(json(wallet_.calls.back().params["rules"]), rules);
    call("wallet.set_policy", {{"rules", json::array()}}, rpc::Json(true));
    EXPECT_EQ(json(wallet_.calls.back().params["rules"]), json::array());
    for (const json& bad :
         {json("x"), json({{"a", 1}}), json({1}), json({{{"a", {1}}}}), json({{{"a", -1}}}),
          json({{{"a", true}}}), json(std::vector<json>(65, json::object()))}) {
        const json error = error_of("wallet.set_policy", {{"rules", bad}});
        EXPECT_EQ(error["code"], -32602) << bad;
        EXPECT_NE(error["message"].get<std::string>().find("\"rules\""), std::string::npos);
    }
    call("wallet.set_policy", {{"rules", std::vector<json>(64, json::object())}}, rpc::Json(true));
    EXPECT_EQ(wallet_.calls.back().params["rules"].size(), 64u);
}

TEST_F(WalletCalls, TextsHaveAtLeastOneByteAndNoMoreThanTheirMost) {
    EXPECT_EQ(error_of("wallet.unlock", {{"passphrase", ""}})["code"], -32602);
    EXPECT_EQ(error_of("wallet.unlock", {{"passphrase", 7}})["code"], -32602);
    EXPECT_EQ(error_of("wallet.unlock", {{"passphrase", std::string(1025, 'x')}})["code"], -32602);
    EXPECT_TRUE(error_of("wallet.unlock", {{"passphrase", std::string(1024, 'x')}}).is_null());
    EXPECT_TRUE(error_of("wallet.unlock", {{"passphrase", "\u00fc\n\"\\"}}).is_null());
    EXPECT_EQ(wallet_.calls.back().params["passphrase"], "\u00fc\n\"\\");
}

TEST_F(WalletCalls, ABusyWalletSaysSo) {
    wallet_.is_full = true;
    const json error = error_of("wallet.inbox", json::object());
    EXPECT_EQ(error["code"], 7);
    EXPECT_EQ(error["data"]["name"], "busy");
}

TEST_F(WalletCalls, WhatWaitsIsAnsweredWhenTheNodeStopsAndOnlyOnce) {
    std::vector<std::string> replies;
    world_.dispatcher.handle(R"({"jsonrpc":"2.0","id":1,"method":"wallet.inbox"})", std::nullopt,
                             [&](std::string text) { replies.push_back(std::move(text)); });
    EXPECT_TRUE(replies.empty());
    world_.dispatcher.stop();
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(json::parse(replies[0])["error"]["data"]["name"], "stopping");
    world_.dispatcher.on_wallet_reply(wallet_.calls.back().token, rpc::Json(true));
    EXPECT_EQ(replies.size(), 1u);
}

TEST_F(WalletCalls, TheWalletIsToldOfEvents) {
    world_.found();
    world_.call("transaction.submit", {{"transaction", world_.payment_hex(5)}});
    world_.pass_pulse();
    EXPECT_GT(wallet_.events, 0);
}

TEST(WithoutWallet, OnlyTheStatusAnswers) {
    RpcWorld world;
    EXPECT_EQ(world.call("wallet.status")["result"], (json{{"enabled", false},
                                                           {"encrypted", false},
                                                           {"locked", false},
                                                           {"accounts", json::array()}}));
    const json error = world.call("wallet.inbox")["error"];
    EXPECT_EQ(error["code"], 9);
    EXPECT_EQ(error["data"]["name"], "no_wallet");
}

TEST(HistoryOfRequests, ATransferNamesTheRequestItPays) {
    RpcWorld world;
    world.found();
    world.call("transaction.submit", {{"transaction", world.payment_hex(5)}});
    world.pass_pulse();
    const auto& community = world.node.community();
    const json items = world.call("account.history",
                                  {{"account", community.member(1).id().hex()}})["result"]["items"];
    ASSERT_FALSE(items.empty());
    const auto sealed = bcs::decode<protocol::Transaction>(
        *from_hex(world
                      .call("block.get", {{"sequence", items[0]["sequence"]},
                                          {"detail", "full"}})["result"]["transactions"][0]["data"]
                      .get<std::string>()));
    ASSERT_TRUE(sealed);
    const auto& request = std::get<protocol::Transfer>(sealed->body.action).request;
    EXPECT_EQ(items[0]["request"],
              crypto::blake2b_256(protocol::signing_message(community.chain(), request)).hex());
}

}  // namespace
}  // namespace leither::testing
