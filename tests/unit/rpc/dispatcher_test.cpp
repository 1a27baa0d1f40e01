#include "leither/rpc/dispatcher.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "leither/base/version.h"
#include "leither/rpc/methods.h"

#include "rpc_world.h"
#include "support/shared_data.h"

namespace leither::testing {
namespace {

std::string id_of_member(const RpcWorld& world, std::size_t n) {
    return world.node.community().member(n).id().hex();
}

// ---- Form --------------------------------------------------------------------------------------

struct Refusal {
    const char* request;
    int code;
    const char* message;  // a part of it
};

TEST(Dispatcher, EachMalformedRequestIsAnsweredWithItsCodeAndRemedy) {
    const Refusal table[] = {
        {"", -32700, "expected a value"},
        {"{", -32700, "key"},
        {R"({"jsonrpc":"2.0","jsonrpc":"2.0"})", -32700, "duplicate key"},
        {"[]", -32600, "1 to 1000"},
        {"1", -32600, "object"},
        {R"({"method":"node.status","id":1})", -32600, "jsonrpc"},
        {R"({"jsonrpc":"1.0","method":"node.status","id":1})", -32600, "jsonrpc"},
        {R"({"jsonrpc":"2.0","id":1})", -32600, "method"},
        {R"({"jsonrpc":"2.0","method":7,"id":1})", -32600, "method"},
        {R"({"jsonrpc":"2.0","method":"node.status","id":[1]})", -32600, "id"},
        {R"({"jsonrpc":"2.0","method":"node.status","id":true})", -32600, "id"},
        {R"({"jsonrpc":"2.0","method":"node.status","id":1,"extra":0})", -32600, "extra"},
        {R"({"jsonrpc":"2.0","method":"node.statu","id":1})", -32601, "rpc.discover"},
        {R"({"jsonrpc":"2.0","method":"node.status","id":1,"params":[1]})", -32602, "object"},
        {R"({"jsonrpc":"2.0","method":"node.status","id":1,"params":{"x":1}})", -32602,
         "unknown field \"x\""},
        {R"({"jsonrpc":"2.0","method":"account.get","id":1})", -32602, "missing field \"account\""},
        {R"({"jsonrpc":"2.0","method":"account.get","id":1,"params":{"account":"12"}})", -32602,
         "40 hex digits"},
        {R"({"jsonrpc":"2.0","method":"block.get","id":1,"params":{"sequence":-1}})", -32602,
         "integer"},
        {R"({"jsonrpc":"2.0","method":"block.get","id":1,"params":{"sequence":1,"detail":"x"}})",
         -32602, "\"ids\", \"full\", \"none\""},
        {R"({"jsonrpc":"2.0","method":"transaction.submit","id":1,"params":{"transaction":"0"}})",
         -32602, "hex"},
        {R"({"jsonrpc":"2.0","method":"transaction.submit_many","id":1,"params":{"transactions":["00","g0"]}})",
         -32602, "element 1"},
        {R"({"jsonrpc":"2.0","method":"subscribe","id":1,"params":{"topic":"pulse"}})", -32600,
         "WebSocket"},
        {R"({"jsonrpc":"2.0","method":"account.get","id":1,"params":{"account":"0000000000000000000000000000000000000000"}})",
         2, "no ledger"},
    };
    RpcWorld world;
    for (const auto& row : table) {
        const json reply = json::parse(world.send(row.request).value());
        EXPECT_EQ(reply["jsonrpc"], "2.0") << row.request;
        EXPECT_EQ(reply["error"]["code"], row.code) << row.request << reply;
        EXPECT_NE(reply["error"]["message"].get<std::string>().find(row.message), std::string::npos)
            << row.request << reply;
    }
}

TEST(Dispatcher, TheIdComesBackAsItWasWritten) {
    RpcWorld world;
    for (const std::string id : {"7", "1.50", "null", R"("a\u0062c")"}) {
        const auto reply =
            world.send(R"({"jsonrpc":"2.0","method":"node.status","id":)" + id + "}");
        EXPECT_TRUE(reply->ends_with(",\"id\":" + id + "}")) << *reply;
    }
}

TEST(Dispatcher, NotificationsAreCarriedOutAndNeverAnswered) {
    RpcWorld world;
    EXPECT_EQ(world.send(R"({"jsonrpc":"2.0","method":"node.stop"})"), "");
    EXPECT_TRUE(world.stopped);
    EXPECT_EQ(world.send(R"({"jsonrpc":"2.0","method":"nonsense"})"), "");
    EXPECT_EQ(world.send(R"([{"jsonrpc":"2.0","method":"node.status"}])"), "");
}

TEST(Dispatcher, ABatchIsAnsweredOnceAllItsCallsAre) {
    RpcWorld world;
    world.found();
    world.hold_inputs = true;
    const std::string submit =
        R"({"jsonrpc":"2.0","id":"s","method":"transaction.submit","params":{"transaction":")" +
        world.payment_hex(1) + "\"}}";
    std::string answer;
    world.dispatcher.handle("[" + submit + R"(,{"jsonrpc":"2.0","method":"node.status","id":2},3])",
                            std::nullopt, [&](std::string text) { answer = std::move(text); });
    EXPECT_EQ(answer, "");
    world.pump();
    const json replies = json::parse(answer);
    ASSERT_EQ(replies.size(), 3u);
    EXPECT_EQ(replies[0]["result"]["state"], "pending");
    EXPECT_EQ(replies[1]["result"]["version"], kVersion);
    EXPECT_EQ(replies[2]["error"]["code"], -32600);
}

TEST(Dispatcher, ABatchIsBounded) {
    RpcWorld world({.batch_calls_max = 2});
    const std::string call = R"({"jsonrpc":"2.0","method":"node.status","id":1})";
    EXPECT_EQ(json::parse(*world.send("[" + call + "," + call + "]")).size(), 2u);
    const json refused = json::parse(*world.send("[" + call + "," + call + "," + call + "]"));
    EXPECT_EQ(refused["error"]["code"], -32600);
}

TEST(Dispatcher, ABatchWithTooLongRepliesIsCut) {
    RpcWorld world({.reply_bytes_max = 10});
    const std::string call = R"({"jsonrpc":"2.0","method":"node.status","id":1})";
    const json replies = json::parse(*world.send("[" + call + "," + call + "]"));
    EXPECT_TRUE(replies[0].contains("result"));
    EXPECT_EQ(replies[1]["error"]["code"], 7);
}

TEST(Dispatcher, CallsThatWaitForTheNodeAreBounded) {
    RpcWorld world({.waiting_calls_max = 1});
    world.found();
    world.hold_inputs = true;
    const json params = {{"transaction", world.payment_hex(1)}};
    const std::string request = json{
        {"jsonrpc", "2.0"},
        {"id", 1},
        {"method", "transaction.submit"},
        {"params", params}}.dump();
    EXPECT_FALSE(world.send(request));
    EXPECT_EQ(world.call("transaction.submit", params)["error"]["data"]["name"], "busy");
}

TEST(Dispatcher, StoppingAnswersWhatWaitsAndRefusesWhatComes) {
    RpcWorld world;
    world.found();
    world.hold_inputs = true;
    std::string answer;
    const json params = {{"transaction", world.payment_hex(1)}};
    world.dispatcher.handle(
        json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "transaction.submit"}, {"params", params}}
            .dump(),
        std::nullopt, [&](std::string text) { answer = std::move(text); });
    world.dispatcher.stop();
    EXPECT_EQ(json::parse(answer)["error"]["data"]["name"], "stopping");
    EXPECT_EQ(world.call("transaction.submit", params)["error"]["data"]["name"], "stopping");
    EXPECT_EQ(world.call("node.status")["result"]["version"], kVersion);
}

// ---- Methods -----------------------------------------------------------------------------------

TEST(Dispatcher, ANodeWithoutLedgerSaysSo) {
    RpcWorld world;
    EXPECT_EQ(world.call("node.status")["result"]["organization"], nullptr);
    for (const char* method :
         {"organization.info", "organization.allocations", "member.list", "office.status"}) {
        EXPECT_EQ(world.call(method)["error"]["data"]["name"], "no_organization") << method;
    }
}

TEST(Dispatcher, FoundingIsRefusedByNameAndAnsweredWithTheId) {
    RpcWorld world;
    EXPECT_EQ(world.call("organization.create", {{"genesis", "00"}})["error"]["data"]["name"],
              "malformed");
    const auto genesis = to_hex(world.node.community().encoded_genesis());
    EXPECT_EQ(world.call("organization.create", {{"genesis", genesis}})["result"]["id"],
              world.node.community().organization().treasury.hex());
    EXPECT_EQ(world.call("organization.create", {{"genesis", genesis}})["error"]["data"]["name"],
              "exists");
}

TEST(Dispatcher, APaymentIsSeenFromSubmissionToReceipt) {
    RpcWorld world;
    world.found();
    const json submitted =
        world.call("transaction.submit", {{"transaction", world.payment_hex(25)}});
    const std::string id = submitted["result"]["id"];
    EXPECT_EQ(world.call("transaction.status", {{"id", id}})["result"]["state"], "pending");
    world.pass_pulse();
    world.pass_pulse();
    const json committed = world.call("transaction.status", {{"id", id}})["result"];
    EXPECT_EQ(committed["state"], "committed");
    // One bookkeeper, and no other node has countersigned.
    EXPECT_EQ(committed["contested"], false);
    EXPECT_EQ(committed["finality"], (json{{"final", false},
                                           {"certified", false},
                                           {"countersigned", 0},
                                           {"online", 0},
                                           {"needed", 2},
                                           {"dissenting", 0}}));
    EXPECT_EQ(world.call("block.get", {{"sequence", 1}})["result"]["state"], "committed");
    EXPECT_EQ(world.call("block.get", {{"sequence", 0}})["result"]["state"], "secured");
    const json status = world.call("node.status")["result"]["organization"];
    EXPECT_EQ(status["final_sequence"], 0);
    EXPECT_EQ(status["finality"], committed["finality"]);

    const std::string payer = id_of_member(world, 0);
    const json account = world.call("account.get", {{"account", payer}})["result"];
    EXPECT_EQ(account["record"]["balance"], "975");
    EXPECT_EQ(account["record"]["kind"], "member");
    EXPECT_EQ(world.call("account.get",
                         {{"account", payer}, {"sequence", 0}})["result"]["record"]["balance"],
              "1000");
    const json history = world.call("account.history", {{"account", payer}})["result"];
    ASSERT_EQ(history["items"].size(), 1u);
    EXPECT_EQ(history["items"][0]["direction"], "out");
    EXPECT_EQ(history["items"][0]["counterparty"], id_of_member(world, 1));
    EXPECT_EQ(history["items"][0]["amount"], "25");

    const json block = world.call("block.get", {{"sequence", 1}, {"detail", "full"}})["result"];
    EXPECT_EQ(block["transactions"][0]["id"], id);
    const json office = world.call("office.status")["result"];
    const json keeper = {
        {"seat", 0}, {"member", office["present"][0]["member"]}, {"node_key", office["node_key"]}};
    EXPECT_EQ(block["author"], keeper);
    EXPECT_EQ(block["signers"], json::array({keeper}));
    EXPECT_EQ(block["round"], 0);
    EXPECT_EQ(office["author"]["sequence"], 1);
    EXPECT_EQ(office["author"]["pulse"], block["pulse"]);
    EXPECT_EQ(office["author"]["seat"], 0);
    EXPECT_EQ(office["author"]["member"], keeper["member"]);
    EXPECT_EQ(office["author"]["node_key"], keeper["node_key"]);
    // The founding is the charter's.
    const json founding = world.call("block.get", {{"sequence", 0}})["result"];
    EXPECT_EQ(founding["author"], nullptr);
    EXPECT_EQ(founding["signers"], json::array());
    const std::string receipt =
        world.call("receipt.get", {{"account", payer}})["result"]["receipt"];
    const auto decoded = bcs::decode<ledger::Receipt>(from_hex(receipt).value());
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(ledger::verify(*decoded, std::nullopt));
}

TEST(Dispatcher, AnOwnerHasItsAccountEndorsed) {
    RpcWorld world;
    const auto ask = [&world](const crypto::KeyPair& owner, std::uint64_t sequence) {
        const auto question =
            protocol::ask_endorsement(world.node.community().chain(), 0, Sequence(sequence), owner);
        return world.call("receipt.endorse", {{"question", to_hex(bcs::encode(question))}});
    };
    const crypto::KeyPair owner = world.node.community().member(0);
    EXPECT_EQ(ask(owner, 0)["error"]["data"]["name"], "no_organization");
    world.found();
    world.call("transaction.submit", {{"transaction", world.payment_hex(25)}});
    world.pass_pulse();
    const json terms = world.call("receipt.terms")["result"];
    EXPECT_EQ(terms, json({{"cycle", 0}, {"sequence", 1}, {"bookkeepers", 1}, {"needed", 1}}));
    const json answer = ask(owner, 1)["result"];
    EXPECT_EQ(answer["account"], owner.id().hex());
    EXPECT_EQ(answer["sequence"], 1);
    const auto receipt = bcs::decode<ledger::EndorsedReceipt>(
        from_hex(answer["receipt"].get<std::string>()).value());
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(ledger::verify(*receipt, std::nullopt));
    EXPECT_EQ(ask(owner, 2)["error"]["data"]["name"], "unknown_sequence");
    EXPECT_EQ(world.call("receipt.endorse", {{"question", "00"}})["error"]["code"], -32602);
}

TEST(Dispatcher, ReceiptsAreKeptListedAndFound) {
    RpcWorld world;
    const std::string payee = id_of_member(world, 1);
    EXPECT_EQ(world.call("receipt.keep", {{"account", payee}})["error"]["data"]["name"],
              "no_organization");
    world.found();
    EXPECT_EQ(world.call("receipt.keep", {{"account", payee}})["result"], true);
    const std::string id =
        world.call("transaction.submit", {{"transaction", world.payment_hex(25)}})["result"]["id"];
    world.pass_pulse();
    const json page = world.call("receipt.list", {{"account", payee}})["result"];
    ASSERT_EQ(page["items"].size(), 1u) << page;
    EXPECT_EQ(page["items"][0]["sequence"], 1);
    EXPECT_EQ(page["items"][0]["transactions"][0]["id"], id);
    EXPECT_EQ(page["items"][0]["transactions"][0]["direction"], "in");
    EXPECT_EQ(page["accounts"][0]["account"], payee);
    EXPECT_TRUE(page["accounts"][0]["missing"].is_null());
    const json found = world.call("receipt.find", {{"transaction", id}})["result"];
    EXPECT_EQ(found["account"], payee);
    const auto receipt =
        bcs::decode<ledger::Receipt>(from_hex(found["receipt"].get<std::string>()).value());
    ASSERT_TRUE(receipt);
    EXPECT_TRUE(ledger::verify(*receipt, std::nullopt));
    // Not kept here, but its history lasts.
    const std::string payer = id_of_member(world, 0);
    EXPECT_EQ(
        world.call("receipt.find", {{"transaction", id}, {"account", payer}})["result"]["account"],
        payer);
    EXPECT_EQ(world.call("receipt.find",
                         {{"transaction", std::string(64, '7')}})["error"]["data"]["name"],
              "not_found");
    EXPECT_EQ(world.call("receipt.keep", {{"account", payee}, {"wish", "stop"}})["result"], true);
    EXPECT_TRUE(world.call("receipt.list")["result"]["accounts"].empty());
}

TEST(Dispatcher, EachOfManyTransactionsHasItsVerdict) {
    RpcWorld world;
    world.found();
    const json reply =
        world.call("transaction.submit_many",
                   {{"transactions", {world.payment_hex(1), "00", world.payment_hex(2000, 1)}}});
    ASSERT_EQ(reply["result"].size(), 3u);
    EXPECT_EQ(reply["result"][0]["id"].get<std::string>().size(), 64u);
    EXPECT_EQ(reply["result"][1]["error"]["name"], "malformed");
    EXPECT_EQ(reply["result"][2]["error"]["name"], "insufficient_balance");
    EXPECT_NE(world.exposition().find("verdict=\"insufficient_balance\"} 1"), std::string::npos);
}

TEST(Dispatcher, NonceMembersAndChildrenAreTold) {
    RpcWorld world;
    world.found();
    const json nonce = world.call("account.nonce", {{"account", id_of_member(world, 0)}})["result"];
    EXPECT_EQ(nonce["lane"], 0);
    EXPECT_GT(nonce["expiry_max"], nonce["pulse"]);
    EXPECT_EQ(world.call("account.nonce", {{"account", std::string(40, '0')}})["error"]["code"], 4);

    const json first = world.call("member.list", {{"limit", 2}})["result"];
    ASSERT_EQ(first["items"].size(), 2u);
    const json rest = world.call("member.list", {{"from", first["next"]}})["result"];
    EXPECT_EQ(rest["items"].size(), 3u);  // four members and the founder
    EXPECT_FALSE(rest.contains("next"));

    const json info = world.call("organization.info")["result"];
    const json whole =
        world.call("child.get", {{"prefix", std::string(40, '0')}, {"bits", 0}})["result"];
    EXPECT_EQ(whole["synopsis"]["sum"], info["supply"]);
    const json odd = world.call("child.get", {{"prefix", std::string(39, '0') + "1"}, {"bits", 8}});
    EXPECT_EQ(odd["error"]["code"], -32602);
    EXPECT_EQ(world.call("block.get", {{"sequence", 99}})["error"]["data"]["name"],
              "unknown_sequence");
    EXPECT_EQ(world.call("organization.allocations")["result"].size(), 4u);
}

TEST(Dispatcher, CommitteesAndWhatAPledgeRegistersAreTold) {
    RpcWorld world;
    world.found();
    const json office = world.call("office.status")["result"];
    EXPECT_EQ(office["cycle"], 0);
    ASSERT_EQ(office["present"].size(), 1u);
    EXPECT_EQ(office["present"][0]["node_key"], office["node_key"]);
    EXPECT_EQ(office["seat"], 0);
    EXPECT_EQ(office["silence"], "none");
    EXPECT_EQ(office["vote_keys"], "fitting");
    EXPECT_EQ(office["author"], nullptr);
    EXPECT_EQ(office["candidacy"], nullptr);
    EXPECT_EQ(office["due"], nullptr);
    EXPECT_EQ(office["after_next"], (json{{"seats", json::array()}, {"spares", json::array()}}));
    const auto registered = [&world](std::size_t member) {
        return world.call("office.registration", {{"account", id_of_member(world, member)}});
    };
    EXPECT_EQ(registered(0)["result"]["node_key"], office["node_key"]);
    EXPECT_EQ(registered(0)["result"]["reveal_chain"].get<std::string>().size(), 64u);
    EXPECT_NE(registered(0)["result"]["reveal_chain"], registered(1)["result"]["reveal_chain"]);
}

TEST(Dispatcher, ANodeThatIsBehindSaysHowFarInsteadOfRegistering) {
    RpcWorld world;
    world.found();
    const json office = world.call("office.status")["result"];
    const auto end = office["end_pulse"].get<std::uint64_t>();
    const auto& params = world.node.community().options().params;
    const auto ask_at = [&](std::uint64_t pulse) {
        world.clock_ahead = world.node.community().start_of(Pulse(pulse)) - world.node.now();
        return world.call("office.registration", {{"account", id_of_member(world, 0)}});
    };
    EXPECT_TRUE(ask_at(end + params.cycle_pulses - 1).contains("result"));
    const json error = ask_at(end + params.cycle_pulses)["error"];
    EXPECT_EQ(error["code"], 7);
    EXPECT_EQ(error["data"]["name"], "node_behind");
    EXPECT_EQ(error["data"]["sequence"], 0);
    EXPECT_EQ(error["data"]["pulses"], params.cycle_pulses);
    EXPECT_EQ(error["data"]["blocks"], 0);
    EXPECT_NE(error["message"].get<std::string>().find("wait"), std::string::npos);
}

TEST(Dispatcher, TheMethodListAndTheDocumentNameTheSameMethods) {
    RpcWorld world;
    const json document = world.call("rpc.discover")["result"];
    EXPECT_EQ(document["methods"].size(), rpc::methods().size());
    const auto docs = testing::source_dir() / "docs/rpc.md";
    const std::string text = load_text(docs);
    for (const auto& method : rpc::methods()) {
        EXPECT_NE(text.find("| `" + std::string(method.name) + "`"), std::string::npos)
            << method.name;
        for (const auto& param : method.params) {
            EXPECT_NE(text.find("`" + std::string(param.name) + "`"), std::string::npos)
                << param.name;
        }
    }
}

class TestFront final : public rpc::Front {
 public:
    rpc::DashboardLink dashboard_link() override {
        return {"http://127.0.0.1:1/#/login/ab", instant_from_unix_ms(9)};
    }
    std::vector<rpc::LogLine> log_lines(std::uint64_t after, std::size_t max) const override {
        return {{after + 1, instant_from_unix_ms(5), "info", "node", "event", std::to_string(max)}};
    }
    std::optional<rpc::DiskUse> disk_use() override { return rpc::DiskUse{1, 2, 3}; }
};

TEST(Dispatcher, TheProgramAroundTheNodeIsAskedForLinkLogAndDisk) {
    RpcWorld world;
    for (const char* method : {"node.logs", "dashboard.link"}) {
        EXPECT_EQ(world.call(method)["error"]["data"]["name"], "not_found") << method;
    }
    EXPECT_EQ(world.call("node.machine")["result"]["disk"], nullptr);
    TestFront front;
    world.dispatcher.set_front(front);
    EXPECT_EQ(world.call("dashboard.link")["result"],
              (json{{"url", "http://127.0.0.1:1/#/login/ab"}, {"expires_ms", 9}}));
    EXPECT_EQ(world.call("node.logs", {{"after", 7}, {"limit", 2}})["result"],
              (json::array({{{"number", 8},
                             {"time_ms", 5},
                             {"level", "info"},
                             {"room", "node"},
                             {"event", "event"},
                             {"fields", "2"}}})));
    EXPECT_EQ(world.call("node.logs", {{"limit", 501}})["error"]["code"], -32602);
    EXPECT_EQ(world.call("node.machine")["result"]["disk"],
              (json{{"used_bytes", 1}, {"free_bytes", 2}, {"total_bytes", 3}}));
}

// ---- Several organizations in one program ------------------------------------------------------

class TestPlaces final : public rpc::Places {
 public:
    std::vector<rpc::PlaceStatus> list() const override { return places; }
    Result<void, rpc::PlaceFailure> open(std::string_view name) override {
        if (name != "choir") return fail(rpc::PlaceFailure{"too_many", "close one"});
        places.push_back({.name = "choir"});
        return {};
    }
    Result<void, rpc::PlaceFailure> close(std::string_view name, rpc::Closing closing) override {
        if (closing == rpc::Closing::careful) return fail(rpc::PlaceFailure{"needed", "it votes"});
        closed = name;
        return {};
    }
    std::vector<rpc::PlaceStatus> places{
        {.name = "", .state = rpc::PlaceState::failed, .detail = "no space", .directory = "/a"}};
    std::string closed;
};

TEST(Dispatcher, PlacesAreListedOpenedAndClosed) {
    RpcWorld world;
    for (const char* method : {"place.list", "place.open", "place.close"}) {
        EXPECT_EQ(world.call(method, {{"name", "choir"}})["error"]["code"],
                  method == std::string("place.list") ? -32602 : 4)
            << method;
    }
    TestPlaces places;
    world.dispatcher.set_places(places, "");
    EXPECT_EQ(world.call("place.list")["result"], (json::array({{{"name", ""},
                                                                 {"state", "failed"},
                                                                 {"detail", "no space"},
                                                                 {"organization", nullptr},
                                                                 {"directory", "/a"},
                                                                 {"udp_port", nullptr},
                                                                 {"tcp_port", nullptr}}})));
    EXPECT_EQ(world.call("place.open", {{"name", "choir"}})["result"], true);
    const json refused = world.call("place.open", {{"name", "other"}})["error"];
    EXPECT_EQ(refused["code"], 11);
    EXPECT_EQ(refused["data"]["name"], "too_many");
    EXPECT_EQ(world.call("place.open", {{"name", std::string(33, 'a')}})["error"]["code"], -32602);
    EXPECT_EQ(world.call("place.close", {{"name", "choir"}})["error"]["data"]["name"], "needed");
    EXPECT_EQ(places.closed, "");
    EXPECT_EQ(world.call("place.close", {{"name", "choir"}, {"how", "forced"}})["result"], true);
    EXPECT_EQ(places.closed, "choir");
}

TEST(Dispatcher, OneOrganizationHasOnePlace) {
    RpcWorld world;
    TestPlaces places;
    const Id organization = world.node.community().organization().treasury;
    places.places = {{.name = "choir", .organization = organization}};
    world.dispatcher.set_places(places, "");
    const std::string genesis = to_hex(world.node.community().encoded_genesis());
    for (const auto& [method, params] :
         {std::pair<std::string, json>{"organization.create", {{"genesis", genesis}}},
          std::pair<std::string, json>{"organization.follow",
                                       {{"organization", organization.hex()}}}}) {
        const json error = world.call(method, params)["error"];
        EXPECT_EQ(error["data"]["name"], "held_elsewhere") << method << error;
        EXPECT_NE(error["message"].get<std::string>().find("--org choir"), std::string::npos);
    }
    places.places.front().name = "";  // its own
    EXPECT_TRUE(world.call("organization.create", {{"genesis", genesis}}).contains("result"));
}

TEST(Dispatcher, WithoutANodeOnlyTheProgramAnswers) {
    RpcWorld world;
    TestPlaces places;
    world.dispatcher.set_places(places, "");
    world.dispatcher.set_absent({"place_failed", "no space"});
    for (const char* method : {"node.status", "node.machine", "network.peers", "wallet.status"}) {
        EXPECT_EQ(world.call(method)["error"]["data"]["name"], "place_failed") << method;
    }
    for (const char* method : {"place.list", "rpc.discover", "node.stop"}) {
        EXPECT_TRUE(world.call(method).contains("result")) << method;
    }
    EXPECT_TRUE(world.stopped);
}

// ---- Subscriptions -----------------------------------------------------------------------------

TEST(Dispatcher, SubscribersAreToldWhatHasBecomeFinal) {
    RpcWorld world;
    std::vector<json> events;
    const auto connection = world.dispatcher.connect(
        [&events](std::string text) { events.push_back(json::parse(text)); });
    const json reply = world.call("subscribe", {{"topic", "final"}}, connection);
    ASSERT_TRUE(reply.contains("result")) << reply;
    world.dispatcher.on_event(node::BlocksFinal{
        {.sequence = Sequence(7), .is_final = true, .countersigned = 3, .online = 4, .needed = 2}});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["params"]["topic"], "final");
    EXPECT_EQ(events[0]["params"]["data"], (json{{"sequence", 7},
                                                 {"final", true},
                                                 {"certified", false},
                                                 {"countersigned", 3},
                                                 {"online", 4},
                                                 {"needed", 2},
                                                 {"dissenting", 0}}));
}

TEST(Dispatcher, SubscribersAreToldOfWhatTheyAskedFor) {
    RpcWorld world;
    world.found();
    std::vector<json> events;
    const auto connection =
        world.dispatcher.connect([&](std::string text) { events.push_back(json::parse(text)); });
    world.call("subscribe", {{"topic", "block"}}, connection);
    world.call("subscribe", {{"topic", "account"}, {"account", id_of_member(world, 1)}},
               connection);
    world.call("subscribe", {{"topic", "account"}, {"account", id_of_member(world, 2)}},
               connection);
    world.call("transaction.submit", {{"transaction", world.payment_hex(5)}});
    world.pass_pulse();
    world.pass_pulse();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0]["params"]["topic"], "block");
    EXPECT_EQ(events[0]["params"]["data"]["transaction_count"], 1);
    EXPECT_EQ(events[0]["params"]["data"]["hash"].get<std::string>().size(), 64u);
    EXPECT_EQ(events[1]["params"]["topic"], "account");
    EXPECT_EQ(events[1]["params"]["data"]["record"]["balance"], "1005");
    world.dispatcher.disconnect(connection);
}

TEST(Dispatcher, PulseEventsRunOnlyWhileSomebodyListens) {
    RpcWorld world;
    world.found();
    std::vector<json> events;
    const auto connection =
        world.dispatcher.connect([&](std::string text) { events.push_back(json::parse(text)); });
    EXPECT_EQ(world.pulse_events, rpc::PulseEvents::off);
    const json reply = world.call("subscribe", {{"topic", "pulse"}}, connection);
    EXPECT_EQ(world.pulse_events, rpc::PulseEvents::on);
    world.dispatcher.on_pulse();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["params"]["data"]["sequence"], 0);
    const json subscription = {{"subscription", reply["result"]["subscription"]}};
    EXPECT_EQ(world.call("unsubscribe", subscription, connection)["result"], true);
    EXPECT_EQ(world.pulse_events, rpc::PulseEvents::off);
    EXPECT_EQ(world.call("unsubscribe", subscription, connection)["error"]["code"], 4);
}

TEST(Dispatcher, SubscriptionsOfAConnectionAreBoundedAndEndWithIt) {
    RpcWorld world({.subscriptions_max = 1});
    const auto connection = world.dispatcher.connect([](std::string) {});
    world.call("subscribe", {{"topic", "pulse"}}, connection);
    EXPECT_EQ(world.call("subscribe", {{"topic", "block"}}, connection)["error"]["code"], 7);
    world.dispatcher.disconnect(connection);
    EXPECT_EQ(world.pulse_events, rpc::PulseEvents::off);
}

}  // namespace
}  // namespace leither::testing
