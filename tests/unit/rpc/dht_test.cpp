// dht.* before nodes in a virtual network, and what the metrics say of it.
#include <gtest/gtest.h>

#include "leither/dht/item.h"

#include "rpc_world.h"
#include "support/node/network_world.h"

namespace leither::testing {
namespace {

crypto::KeyPair key_of(std::uint64_t seed) {
    Prng prng(seed);
    return crypto::KeyPair::generate(prng);
}

// The local API of one node of a network.
class Desk final : public rpc::Host {
 public:
    Desk(NetworkWorld& world, std::size_t number)
        : world_(world), number_(number), dispatcher({}, *this, metrics) {}

    json call(const std::string& method, const json& params = json::object()) {
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        std::optional<std::string> reply;
        dispatcher.handle(request.dump(), std::nullopt,
                          [&reply](std::string answer) { reply = std::move(answer); });
        while (!reply && call_) {
            auto asked = *std::exchange(call_, std::nullopt);
            auto answer = world_.ask(number_, std::move(asked.request));
            dispatcher.on_reply(node::NetworkReply{asked.token, std::move(answer).value()});
        }
        return json::parse(reply.value());
    }
    json result(const std::string& method, const json& params = json::object()) {
        const json reply = call(method, params);
        return reply.contains("result") ? reply["result"] : reply;
    }
    json error(const std::string& method, const json& params) {
        const json reply = call(method, params);
        return reply.contains("error") ? reply["error"] : reply;
    }

    node::Queries queries() const override { return world_.queries(number_); }
    const PublicKey& node_key() const override { return key_; }
    Instant now() const override { return world_.now(); }
    void enqueue(node::Input&& input) override {
        call_ = std::get<node::NetworkCall>(std::move(input));
    }
    void set_pulse_events(rpc::PulseEvents) override {}
    void stop() override {}
    rpc::ProcessStats process_stats() const override {
        rpc::ProcessStats stats;
        stats.line = rpc::LineStats{{.month = 1, .up_bytes = 11, .down_bytes = 22},
                                    {.up_bytes_per_second = 33, .month_bytes_max = 44}};
        return stats;
    }

 private:
    NetworkWorld& world_;
    std::size_t number_;
    PublicKey key_;
    std::optional<node::NetworkCall> call_;

 public:
    rpc::Metrics metrics;
    rpc::Dispatcher dispatcher;
};

class DhtMethods : public ::testing::Test {
 protected:
    DhtMethods() : world({}, instant_from_unix_ms(1'700'000'000'000)) {
        for (std::uint64_t n = 0; n < 5; ++n) world.add(key_of(100 + n));
        world.advance(std::chrono::seconds(30));
    }

    NetworkWorld world;
    Desk desk{world, 1};
    Desk other{world, 4};
};

std::string value_hex(std::string_view text) {
    return to_hex(dht::value_of(as_bytes(text)));
}

// What the command line sends: the secret key stays outside.
json signed_put(const crypto::KeyPair& key, std::string_view salt, std::int64_t seq,
                std::string_view text) {
    const auto item = dht::sign_item(key, dht::ItemSalt::copy_of(as_bytes(salt)), seq,
                                     dht::value_of(as_bytes(text)));
    json put = {{"key", key.public_key().hex()},
                {"seq", seq},
                {"value", to_hex(item.value)},
                {"signature", item.author.value().signature.hex()}};
    if (!salt.empty()) put["salt"] = to_hex(as_bytes(salt));
    return put;
}

TEST_F(DhtMethods, WhatOneNodePutsAnotherGets) {
    const json put = desk.result("dht.put", {{"value", value_hex("hello")}});
    EXPECT_EQ(put["target"], dht::immutable_target(dht::value_of(as_bytes("hello"))).hex());
    EXPECT_EQ(put["copies"], 4) << put;
    EXPECT_EQ(put["stored_here"], true);
    const json got = other.result("dht.get", {{"target", put["target"]}});
    EXPECT_EQ(got["text"], "hello") << got;
    EXPECT_EQ(got["content"], to_hex(as_bytes("hello")));
    EXPECT_EQ(got["value"], value_hex("hello"));
    EXPECT_EQ(got["quorum"]["wanted"], 1);
    EXPECT_FALSE(got.contains("seq"));
}

TEST_F(DhtMethods, ContentThatATerminalMightObeyIsNotCalledText) {
    const std::string odd[] = {"\x1b[2J", "\xff\xfe", std::string("a\0b", 3),
                               "\xc2\x9b"
                               "2J"};
    for (const std::string& content : odd) {
        const json put = desk.result("dht.put", {{"value", value_hex(content)}});
        const json got = desk.result("dht.get", {{"target", put["target"]}});
        EXPECT_EQ(got["text"], nullptr) << got;
        EXPECT_EQ(got["content"], to_hex(as_bytes(content)));
    }
    const json list = desk.result("dht.put", {{"value", to_hex(as_bytes("li1ee"))}});
    const json got = desk.result("dht.get", {{"target", list["target"]}});
    EXPECT_EQ(got["content"], nullptr);
    EXPECT_EQ(got["value"], to_hex(as_bytes("li1ee")));
}

TEST_F(DhtMethods, AMutableItemIsReplacedOnlyByANewerOne) {
    const auto writer = key_of(7);
    const json first = desk.result("dht.put_signed", signed_put(writer, "notice", 3, "open"));
    EXPECT_EQ(first["copies"], 4) << first;
    const json slot = {{"key", writer.public_key().hex()}, {"salt", to_hex(as_bytes("notice"))}};
    const json got = other.result("dht.get", slot);
    EXPECT_EQ(got["text"], "open") << got;
    EXPECT_EQ(got["seq"], 3);
    EXPECT_EQ(got["signature_valid"], true);
    EXPECT_EQ(got["quorum"], (json{{"wanted", 3}, {"reached", true}}));
    EXPECT_EQ(got["target"], first["target"]);

    const json stale = other.error("dht.put_signed", signed_put(writer, "notice", 2, "shut"));
    EXPECT_EQ(stale["code"], 8) << stale;
    EXPECT_EQ(stale["data"]["name"], "sequence_too_low");
    EXPECT_EQ(stale["data"]["krpc_code"], 302);
    EXPECT_EQ(stale["data"]["seq"], 3);
    const json same = other.error("dht.put_signed", signed_put(writer, "notice", 3, "shut"));
    EXPECT_EQ(same["data"]["name"], "sequence_too_low") << same;

    json order = signed_put(writer, "notice", 4, "shut");
    order["cas"] = 2;
    const json mismatch = other.error("dht.put_signed", order);
    EXPECT_EQ(mismatch["data"]["name"], "cas_mismatch") << mismatch;
    EXPECT_EQ(mismatch["data"]["krpc_code"], 301);
    order["cas"] = 3;
    EXPECT_EQ(other.result("dht.put_signed", order)["copies"], 4);
    EXPECT_EQ(desk.result("dht.get", slot)["text"], "shut");
}

TEST_F(DhtMethods, LookupsTellWhoIsNearAndHowFar) {
    const Id target = key_of(9).id();
    const json found = desk.result("dht.lookup", {{"target", target.hex()}});
    ASSERT_EQ(found["nodes"].size(), 4u) << found;
    std::optional<Id> last;
    for (const json& node : found["nodes"]) {
        const Id id = Id::parse(node["id"].get<std::string>()).value();
        EXPECT_EQ(node["distance_bits"], kIdBits - common_bits(id, target));
        EXPECT_EQ(node["rtt_us"], 20'000);
        EXPECT_TRUE(node["address"].get<std::string>().ends_with(":7400"));
        EXPECT_TRUE(!last || dht::closer(target, *last, id));
        last = id;
    }
    EXPECT_GE(found["queries"], 4);
    EXPECT_GE(found["hops"], 1);
}

TEST_F(DhtMethods, WhoAnnouncesIsFound) {
    const json hash = {{"info_hash", key_of(5).id().hex()}};
    EXPECT_EQ(other.error("dht.peers", hash)["data"]["name"], "not_found");
    json with_port = hash;
    with_port["port"] = 4242;
    EXPECT_EQ(desk.result("dht.announce", with_port)["copies"], 4);
    EXPECT_EQ(other.result("dht.peers", hash)["peers"], (json{"10.0.1.1:4242"}));
    EXPECT_EQ(desk.result("dht.announce", hash)["copies"], 4);
    const json peers = other.result("dht.peers", hash)["peers"];
    EXPECT_EQ(std::set<std::string>(peers.begin(), peers.end()),
              (std::set<std::string>{"10.0.1.1:4242", "10.0.1.1:7400"}));
}

TEST_F(DhtMethods, EachRefusalNamesFieldAndRemedy) {
    const auto writer = key_of(7);
    const std::string key = writer.public_key().hex();
    const json good = signed_put(writer, "", 1, "x");
    const auto but = [&good](const char* field, const json& value) {
        json changed = good;
        changed[field] = value;
        return changed;
    };
    const std::string long_value = to_hex(dht::value_of(Bytes(990))) + "00";
    const struct {
        const char* method;
        json params;
        const char* name;
        const char* says;
    } table[] = {
        {"dht.get", json::object(), "target_or_key", "\"target\""},
        {"dht.get", {{"target", std::string(40, '0')}, {"key", key}}, "target_or_key", "\"key\""},
        {"dht.get", {{"target", std::string(40, '0')}, {"salt", "00"}}, "target_or_key", "salt"},
        {"dht.get", {{"key", key}, {"salt", std::string(130, 'a')}}, "salt_too_big", "65"},
        {"dht.put", {{"value", to_hex(Bytes(1001, '1'))}}, "value_too_big", "1001"},
        {"dht.put", {{"value", long_value}}, "value_not_canonical", "bencode"},
        {"dht.put", {{"value", ""}}, "value_not_canonical", "bencode"},
        {"dht.put_signed", but("signature", "00"), "bad_length", "128 hex digits"},
        {"dht.put_signed", but("seq", 2), "bad_signature", "BEP 44"},
        {"dht.put_signed", but("salt", std::string(130, 'a')), "salt_too_big", "64"},
        {"dht.announce", {{"info_hash", std::string(40, '0')}, {"port", 0}}, "port_zero", "65535"},
    };
    for (const auto& row : table) {
        const json error = desk.error(row.method, row.params);
        EXPECT_EQ(error["code"], -32602) << row.method << error;
        EXPECT_EQ(error["data"]["name"], row.name) << row.method << error;
        EXPECT_NE(error["message"].get<std::string>().find(row.says), std::string::npos) << error;
    }
    const auto bound = std::to_string(dht::kSequenceMax);
    for (const char* field : {"seq", "cas"}) {
        const json error = desk.error("dht.put_signed", but(field, dht::kSequenceMax + 1));
        EXPECT_NE(error["message"].get<std::string>().find(bound), std::string::npos) << error;
    }
    EXPECT_EQ(
        desk.error("dht.announce", {{"info_hash", std::string(40, '0')}, {"port", 65536}})["code"],
        -32602);
}

TEST_F(DhtMethods, SaltAndValueMayBeAsLongAsTheLimits) {
    const auto writer = key_of(7);
    const std::string salt(dht::kSaltBytesMax, 's');
    const std::string text(dht::kContentBytesMax, 't');
    EXPECT_EQ(
        desk.result("dht.put_signed", signed_put(writer, salt, dht::kSequenceMax, text))["copies"],
        4);
    const json got = other.result(
        "dht.get", {{"key", writer.public_key().hex()}, {"salt", to_hex(as_bytes(salt))}});
    EXPECT_EQ(got["text"], text);
    EXPECT_EQ(got["seq"], dht::kSequenceMax);
}

TEST_F(DhtMethods, WhatNobodyHasIsNotFound) {
    const json error = desk.error("dht.get", {{"target", std::string(40, 'b')}});
    EXPECT_EQ(error["code"], 8);
    EXPECT_EQ(error["data"]["name"], "not_found");
    EXPECT_NE(error["message"].get<std::string>().find("two hours"), std::string::npos);
}

TEST_F(DhtMethods, StatusSaysWhatIsKnownHeldAndMoved) {
    desk.result("dht.put", {{"value", value_hex("hello")}});
    const json status = desk.result("dht.status");
    EXPECT_EQ(status["ready"], true) << status;
    EXPECT_EQ(status["role"], "member");
    EXPECT_EQ(status["id"], key_of(101).id().hex());
    EXPECT_EQ(status["network"], "separate");
    EXPECT_EQ(status["admit"], "guests");
    EXPECT_EQ(status["external_v4"], nullptr);
    EXPECT_EQ(status["nodes_v4"], 4);
    std::uint64_t in_buckets = 0;
    for (const json& bucket : status["buckets_v4"]) {
        in_buckets += bucket["nodes"].get<std::uint64_t>();
        EXPECT_LE(bucket["nodes"], bucket["places"]);
    }
    EXPECT_EQ(in_buckets, 4u);
    EXPECT_EQ(status["store"]["items"], 1);
    EXPECT_EQ(status["store"]["items_max"], 2000);
    EXPECT_EQ(status["store"]["peers_max"], 8000);
    EXPECT_EQ(status["lookups"]["requests"], 0);
    EXPECT_GT(status["lookups"]["begun"], 0);
    EXPECT_GT(status["traffic"]["datagrams_in"], 10);
    EXPECT_GT(status["traffic"]["bytes_out"], 10 * status["traffic"]["datagrams_out"].get<int>());
    EXPECT_EQ(status["dropped"]["malformed"], 0);
}

TEST_F(DhtMethods, TheMetricsSpeakOfTheNetwork) {
    desk.result("dht.put", {{"value", value_hex("hello")}});
    const std::string text =
        rpc::exposition({{"", &desk.metrics, &desk}}, desk.process_stats(), {});
    for (const char* line :
         {"leither_dht_nodes{family=\"v4\"} 4\n", "leither_dht_nodes{family=\"v6\"} 0\n",
          "leither_dht_items 1\n", "leither_dht_peers 0\n", "leither_dht_lookups 0\n",
          "# TYPE leither_dht_datagrams_total counter\n",
          "leither_dht_dropped_total{reason=\"walled\"} 0\n",
          "leither_peer_connections{direction=\"inbound\"} 0\n", "leither_peer_bans 0\n",
          "leither_peer_handshakes_failed_total 0\n",
          "leither_traffic_month_bytes{direction=\"up\"} 11\n",
          "leither_traffic_month_bytes{direction=\"down\"} 22\n",
          "leither_traffic_max_bytes_per_second{direction=\"up\"} 33\n",
          "leither_traffic_month_max_bytes 44\n",
          "leither_rpc_calls_total{method=\"dht.put\",outcome=\"ok\"} 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    const dht::Counters counted = world.queries(1).network(world.now())->dht.counters;
    EXPECT_NE(text.find("leither_dht_bytes_total{direction=\"in\"} " +
                        std::to_string(counted.bytes_received) + "\n"),
              std::string::npos);
}

TEST(DhtMethodsAlone, ALonelyNodeSaysWhatToConfigure) {
    NetworkWorld world({}, instant_from_unix_ms(1'700'000'000'000));
    world.add(key_of(1));
    world.advance(std::chrono::seconds(30));
    Desk desk(world, 0);
    const std::string id(40, '0');
    const std::pair<const char*, json> calls[] = {
        {"dht.get", {{"target", id}}},      {"dht.put", {{"value", value_hex("x")}}},
        {"dht.lookup", {{"target", id}}},   {"dht.announce", {{"info_hash", id}}},
        {"dht.peers", {{"info_hash", id}}},
    };
    for (const auto& [method, params] : calls) {
        const json error = desk.error(method, params);
        EXPECT_EQ(error["code"], 8) << method << error;
        EXPECT_EQ(error["data"]["name"], "no_nodes") << method;
        EXPECT_NE(error["message"].get<std::string>().find("dht.bootstrap"), std::string::npos);
    }
}

TEST(DhtMethodsAlone, WithoutNetworkEachSaysSo) {
    RpcWorld world;
    const json error = world.call("dht.status")["error"];
    EXPECT_EQ(error["code"], 8);
    EXPECT_EQ(error["data"]["name"], "no_network");
    EXPECT_NE(error["message"].get<std::string>().find("network.enabled"), std::string::npos);
    EXPECT_EQ(world.exposition().find("leither_dht"), std::string::npos);

    // The others are answered by the node.
    world.hold_inputs = true;
    std::string answer;
    world.dispatcher.handle(
        R"({"jsonrpc":"2.0","id":1,"method":"dht.lookup","params":{"target":")" +
            std::string(40, '0') + "\"}}",
        std::nullopt, [&answer](std::string text) { answer = std::move(text); });
    auto effects = world.node.node().step(std::move(world.inputs.front()), world.now());
    world.dispatcher.on_reply(std::move(effects.replies.at(0)));
    EXPECT_EQ(json::parse(answer)["error"]["data"]["name"], "no_network");
}

}  // namespace
}  // namespace leither::testing
