// Messages and conversation through the API, before a node with a network of its own.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "leither/rpc/dispatcher.h"

#include "support/node/community.h"
#include "support/node/network_world.h"
#include "support/org/org_sample.h"

namespace leither::testing {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::seconds;

// One node: it keeps the ledger and has published the manifest.
class NetworkRpc : public rpc::Host, public ::testing::Test {
 protected:
    NetworkRpc() : world_({}, community_.start_of(Pulse(1))) {
        crypto::initialise();
        world_.add(community_.node_key());
        world_.step(0, node::Found{1'000'000, community_.encoded_genesis()});
        world_.advance(seconds(2));
    }
    void publish() {
        const auto order = community_.manifest(world_.queries(0), world_.now());
        const auto answer = world_.ask(0, order);
        ASSERT_TRUE(answer && *answer);
    }

    node::Queries queries() const override { return world_.queries(0); }
    const PublicKey& node_key() const override { return community_.node_key().public_key(); }
    Instant now() const override { return world_.now(); }
    void enqueue(node::Input&& input) override { inputs_.push_back(std::move(input)); }
    void set_pulse_events(rpc::PulseEvents) override {}
    void stop() override {}
    rpc::ProcessStats process_stats() const override { return {}; }

    json call(const std::string& method, const json& params = json::object(),
              std::optional<rpc::ConnectionId> connection = std::nullopt) {
        std::optional<std::string> reply;
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        dispatcher_.handle(request.dump(), connection,
                           [&reply](std::string text) { reply = std::move(text); });
        for (auto& input : std::exchange(inputs_, {})) {
            const auto token = std::get<node::NetworkCall>(input).token;
            world_.step(0, std::move(input));
            world_.advance(seconds(1));
            auto answer = world_.take_reply(0, token);
            EXPECT_TRUE(answer) << method;
            dispatcher_.on_reply(node::NetworkReply{token, *std::move(answer)});
        }
        for (; told_ < world_.events(0).size(); ++told_) {
            dispatcher_.on_event(world_.events(0)[told_]);
        }
        return json::parse(reply.value());
    }
    std::string error_of(const std::string& method, const json& params = json::object()) {
        const json reply = call(method, params);
        if (!reply.contains("error")) return "none";
        const json& error = reply["error"];
        return error.contains("data") ? error["data"]["name"].get<std::string>()
                                      : error["code"].dump();
    }

    std::string delegation(const crypto::KeyPair& account, Duration lifetime = hours(24 * 90),
                           Duration age = {}) const {
        return to_hex(
            bcs::encode(protocol::sign(community_.chain(),
                                       {account.public_key(), node_key(),
                                        protocol::Validity::from(world_.now() - age, lifetime)},
                                       account)));
    }
    void serve(const crypto::KeyPair& account) {
        ASSERT_EQ(call("account.serve", {{"delegation", delegation(account)}})["result"], true);
    }
    json letter(std::size_t from, const crypto::KeyPair& to, const std::string& text) const {
        protocol::Letter letter;
        letter.sender = community_.member(from).public_key();
        letter.recipient = to.id();
        letter.sent_ms = unix_ms(world_.now());
        letter.text = BoundedText<protocol::kLetterTextMax>(text);
        Prng entropy(3);
        const auto sealed = protocol::seal_letter(
            protocol::sign(community_.chain(), letter, community_.member(from)), to.public_key(),
            entropy);
        return {{"recipient", to.id().hex()}, {"sealed", to_hex(*sealed)}};
    }
    std::string line(const crypto::KeyPair& author, const std::string& text, Duration ahead = {}) {
        const json next = call("chat.next", {{"author", author.id().hex()}})["result"];
        protocol::ChatLine line{author.public_key(), next["number"].get<std::uint64_t>(),
                                Hash::parse(next["previous"].get<std::string>()).value(),
                                unix_ms(world_.now() + ahead), BoundedText<500>(text)};
        return to_hex(bcs::encode(protocol::sign(community_.chain(), line, author)));
    }

    Community community_{{}};
    NetworkWorld world_;
    std::vector<node::Input> inputs_;
    rpc::Metrics metrics_;
    rpc::Dispatcher dispatcher_{{}, *this, metrics_};
    std::size_t told_ = 0;
};

TEST_F(NetworkRpc, BeforeTheManifestEverythingSaysSo) {
    const auto account = community_.member(0);
    const json id = account.id().hex();
    EXPECT_EQ(error_of("message.inbox", {{"account", id}}), "no_organization");
    EXPECT_EQ(error_of("message.outbox"), "no_organization");
    EXPECT_EQ(error_of("chat.read"), "no_organization");
    EXPECT_EQ(error_of("chat.next", {{"author", id}}), "no_organization");
    EXPECT_EQ(error_of("app.list"), "no_organization");
    EXPECT_EQ(error_of("app.fetch", {{"id", std::string(64, '7')}}), "no_organization");
    EXPECT_EQ(error_of("tag.search", {{"tag", "a"}}), "no_organization");
    EXPECT_EQ(error_of("contribution.list", json::object()), "no_organization");
    EXPECT_EQ(error_of("account.serve", {{"delegation", delegation(account)}}), "no_organization");
}

TEST_F(NetworkRpc, AnAccountIsServedByItsOwnWord) {
    publish();
    const auto account = community_.member(0);
    EXPECT_EQ(error_of("account.serve", {{"delegation", "00"}}), "-32602");
    auto altered = delegation(account);
    altered.back() = altered.back() == '0' ? '1' : '0';
    EXPECT_EQ(error_of("account.serve", {{"delegation", altered}}), "bad_signature");
    EXPECT_EQ(error_of("account.serve", {{"delegation", delegation(account, hours(1), hours(2))}}),
              "expired");
    EXPECT_EQ(error_of("account.serve", {{"delegation", delegation(account, hours(24 * 500))}}),
              "too_long_lived");
    EXPECT_EQ(error_of("message.inbox", {{"account", account.id().hex()}}), "not_served");

    serve(account);
    EXPECT_EQ(call("message.inbox", {{"account", account.id().hex()}})["result"], json::array());
    const json community = call("node.status")["result"]["network"]["organization"];
    EXPECT_EQ(community["chain_id"], community_.chain().hex());
    ASSERT_EQ(community["accounts"].size(), 1u);
    EXPECT_EQ(community["accounts"][0]["account"], account.id().hex());
    EXPECT_EQ(community["accounts"][0]["member"], true);
    EXPECT_GT(community["accounts"][0]["expires_ms"], unix_ms(world_.now()));
}

TEST_F(NetworkRpc, MoreAccountsThanANodeServesAreRefused) {
    publish();
    for (std::uint64_t n = 0; n < protocol::kServedAccountsMax; ++n) {
        serve(crypto::derive_key({}, 500 + n));
    }
    EXPECT_EQ(error_of("account.serve", {{"delegation", delegation(crypto::derive_key({}, 600))}}),
              "full");
}

TEST_F(NetworkRpc, AKeyIsKnownOfMembersOnly) {
    publish();
    const auto member = community_.member(2);
    EXPECT_EQ(call("account.key", {{"account", member.id().hex()}})["result"]["key"],
              member.public_key().hex());
    EXPECT_EQ(error_of("account.key", {{"account", std::string(40, '7')}}), "unknown_account");
}

TEST_F(NetworkRpc, AMessageGoesFromPostToForget) {
    publish();
    const auto recipient = community_.member(1);
    serve(recipient);
    std::vector<json> events;
    const auto connection = dispatcher_.connect(
        [&](std::string text) { events.push_back(json::parse(text)["params"]); });
    call("subscribe", {{"topic", "message"}, {"account", recipient.id().hex()}}, connection);
    call("subscribe", {{"topic", "message"}, {"account", community_.member(2).id().hex()}},
         connection);

    const json posted = call("message.post", letter(0, recipient, "bread at six"))["result"];
    const json inbox = call("message.inbox", {{"account", recipient.id().hex()}})["result"];
    ASSERT_EQ(inbox.size(), 1u);
    EXPECT_EQ(inbox[0]["id"], posted["id"]);
    EXPECT_EQ(inbox[0]["node_key"], node_key().hex());
    protocol::Envelope envelope;
    envelope.recipient = recipient.id();
    const Bytes sealed = from_hex(inbox[0]["sealed"].get<std::string>()).value();
    envelope.sealed.assign(sealed.begin(), sealed.end());
    const auto opened = protocol::open_letter(community_.chain(), envelope, recipient);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->letter.text, "bread at six");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["data"], json({{"account", recipient.id().hex()}, {"id", posted["id"]}}));

    EXPECT_EQ(call("message.forget", {{"message", posted["id"]}})["result"], true);
    EXPECT_EQ(call("message.inbox", {{"account", recipient.id().hex()}})["result"], json::array());
    EXPECT_EQ(error_of("message.forget", {{"message", posted["id"]}}), "not_found");
    dispatcher_.disconnect(connection);
}

TEST_F(NetworkRpc, TheOutboxSaysWhatBecameOfAMessage) {
    publish();
    const auto elsewhere = community_.member(1);
    json order = letter(0, elsewhere, "are you there?");
    order["lifetime_s"] = 3600;
    const json posted = call("message.post", order)["result"];
    const json outbox = call("message.outbox")["result"];
    ASSERT_EQ(outbox.size(), 1u);
    EXPECT_EQ(outbox[0]["id"], posted["id"]);
    EXPECT_EQ(outbox[0]["recipient"], elsewhere.id().hex());
    EXPECT_EQ(outbox[0]["state"], "waiting");
    EXPECT_EQ(outbox[0]["holders"], 0);
    EXPECT_EQ(outbox[0]["expires_ms"].get<std::uint64_t>(),
              outbox[0]["posted_ms"].get<std::uint64_t>() + 3'600'000);
    world_.advance(hours(2));
    EXPECT_EQ(call("message.outbox")["result"], json::array());
}

TEST_F(NetworkRpc, WhatIsNoMessageIsRefusedByName) {
    publish();
    json order = letter(0, community_.member(1), "x");
    order["lifetime_s"] = 1;
    EXPECT_EQ(error_of("message.post", order), "bad_lifetime");
    order["lifetime_s"] = 15 * 86'400;
    EXPECT_EQ(error_of("message.post", order), "-32602");
    order.erase("lifetime_s");
    order["sealed"] = std::string(2 * (protocol::kSealedLetterBytesMax + 1), '0');
    EXPECT_EQ(error_of("message.post", order), "-32602");
    order["sealed"] = "00";
    EXPECT_EQ(error_of("message.post", order), "-32602");
}

TEST_F(NetworkRpc, LinesAreSaidReadAndTold) {
    publish();
    std::vector<json> events;
    const auto connection = dispatcher_.connect(
        [&](std::string text) { events.push_back(json::parse(text)["params"]); });
    call("subscribe", {{"topic", "chat"}}, connection);
    const auto anna = community_.member(0);
    const auto ben = community_.member(1);
    const json first = call("chat.post", {{"line", line(anna, "who has flour?")}})["result"];
    const json second = call("chat.post", {{"line", line(ben, "I have")}})["result"];
    const json third = call("chat.post", {{"line", line(anna, "good")}})["result"];

    const json all = call("chat.read")["result"];
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0]["id"], first["id"]);
    EXPECT_EQ(all[0]["author"], anna.id().hex());
    EXPECT_EQ(all[0]["text"], "who has flour?");
    EXPECT_EQ(all[2]["number"], 2);
    const json newest = call("chat.read", {{"limit", 1}})["result"];
    ASSERT_EQ(newest.size(), 1u);
    EXPECT_EQ(newest[0]["id"], third["id"]);
    const json before = call("chat.read", {{"before", third["id"]}, {"limit", 1}})["result"];
    ASSERT_EQ(before.size(), 1u);
    EXPECT_EQ(before[0]["id"], second["id"]);
    const json annas = call("chat.read", {{"author", anna.id().hex()}})["result"];
    ASSERT_EQ(annas.size(), 2u);
    EXPECT_EQ(annas[1]["id"], third["id"]);
    EXPECT_EQ(error_of("chat.read", {{"before", std::string(64, '7')}}), "not_found");

    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1]["topic"], "chat");
    EXPECT_EQ(events[1]["data"], all[1]);
    dispatcher_.disconnect(connection);
}

TEST_F(NetworkRpc, ALineThatBreaksARuleIsRefusedByItsName) {
    publish();
    const auto anna = community_.member(0);
    EXPECT_EQ(error_of("chat.post", {{"line", "00"}}), "-32602");
    EXPECT_EQ(error_of("chat.post", {{"line", line(crypto::derive_key({}, 900), "hello")}}),
              "not_a_member");
    EXPECT_EQ(error_of("chat.post", {{"line", line(anna, "tomorrow", hours(24))}}), "bad_line");
    EXPECT_EQ(error_of("chat.post", {{"line", line(anna, "yesterday", -hours(24))}}), "too_old");
    const std::string good = line(anna, "hello");
    const std::string other = line(anna, "hello again");
    EXPECT_EQ(error_of("chat.post", {{"line", good}}), "none");
    EXPECT_EQ(error_of("chat.post", {{"line", good}}), "known");
    EXPECT_EQ(error_of("chat.post", {{"line", other}}), "fork");
}

TEST_F(NetworkRpc, SubscriptionsByAccountNameOneAndOthersNone) {
    const auto connection = dispatcher_.connect([](std::string) {});
    EXPECT_EQ(call("subscribe", {{"topic", "message"}}, connection)["error"]["code"], -32602);
    EXPECT_EQ(call("subscribe", {{"topic", "chat"}, {"account", std::string(40, '1')}},
                   connection)["error"]["code"],
              -32602);
    dispatcher_.disconnect(connection);
}

TEST_F(NetworkRpc, BansAreListedUntilTheyEnd) {
    publish();
    const std::string node(40, '7');
    EXPECT_EQ(call("network.ban", {{"node", node}, {"seconds", 600}})["result"], true);
    const json bans = call("network.bans")["result"];
    ASSERT_EQ(bans.size(), 1u);
    EXPECT_EQ(bans[0]["node"], node);
    EXPECT_GT(bans[0]["until_ms"].get<std::uint64_t>(), unix_ms(world_.now()));
    EXPECT_EQ(call("network.ban", {{"node", node}, {"seconds", 0}})["result"], true);
    EXPECT_EQ(call("network.bans")["result"], json::array());
}

TEST_F(NetworkRpc, AnAddressToConnectToIsChecked) {
    publish();
    EXPECT_EQ(call("network.connect", {{"endpoint", "10.0.9.1:7400"}})["result"], true);
    EXPECT_EQ(error_of("network.connect", {{"endpoint", "10.0.9.1"}}), "-32602");
}

TEST_F(NetworkRpc, APackIsPublishedPieceByPieceAndReadBack) {
    publish();
    const auto anna = community_.member(0);
    const auto pack = make_pack(community_.chain(), anna, "Prices", {70'000, 5}, world_.now());
    const std::string id = pack.id.hex();
    EXPECT_EQ(call("app.list")["result"], json::array());
    EXPECT_EQ(error_of("app.show", {{"id", id}}), "unknown_pack");
    EXPECT_EQ(error_of("app.fetch", {{"id", id}}), "not_found");
    EXPECT_EQ(error_of("app.publish", {{"pack", "00"}, {"contents", "00"}}), "-32602");
    EXPECT_EQ(error_of("app.put", {{"id", id}, {"data", ""}}), "-32602");
    EXPECT_EQ(error_of("app.put", {{"id", id}, {"data", std::string(2 * 65'537, '0')}}), "-32602");
    EXPECT_EQ(error_of("app.put", {{"id", id}, {"data", "00"}}), "not_found");

    const std::string bytes = to_hex(bcs::encode(pack.pack));
    EXPECT_EQ(error_of("app.publish", {{"pack", bytes}, {"contents", "00"}}), "bad_contents");
    const json begun =
        call("app.publish", {{"pack", bytes}, {"contents", to_hex(pack.contents)}})["result"];
    EXPECT_EQ(begun["state"], "publishing");
    EXPECT_EQ(begun["total_bytes"], 70'005 + pack.contents.size());
    EXPECT_EQ(error_of("app.put", {{"id", id}, {"data", "00"}}), "unknown_piece");
    json progress;
    for (const Bytes& piece : pack.pieces) {
        progress = call("app.put", {{"id", id}, {"data", to_hex(piece)}})["result"];
    }
    EXPECT_EQ(progress["state"], "complete");

    const json listed = call("app.list")["result"];
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0]["id"], id);
    EXPECT_EQ(listed[0]["publisher"], anna.id().hex());
    EXPECT_EQ(listed[0]["local"], progress);
    const json shown = call("app.show", {{"id", id}})["result"];
    ASSERT_EQ(shown["files"].size(), 2u);
    EXPECT_EQ(shown["files"][0]["bytes"], 70'000);
    ASSERT_EQ(shown["files"][0]["pieces"].size(), 2u);
    EXPECT_EQ(call("app.piece", {{"piece", shown["files"][0]["pieces"][1]}})["result"]["data"],
              to_hex(pack.pieces[1]));
    EXPECT_EQ(error_of("app.piece", {{"piece", std::string(64, '7')}}), "not_found");
    EXPECT_EQ(call("app.fetch", {{"id", id}})["result"], progress);
    const json community = call("node.status")["result"]["network"]["organization"];
    EXPECT_EQ(community["packs_held"], 1);
    EXPECT_EQ(community["catalogue_entries"], 1);
    EXPECT_EQ(community["content_bytes"], progress["total_bytes"]);
    EXPECT_EQ(call("app.remove", {{"id", id}})["result"]["id"], id);
    EXPECT_EQ(error_of("app.remove", {{"id", id}}), "not_found");
    EXPECT_EQ(call("app.show", {{"id", id}})["result"]["local"], nullptr);
}

TEST_F(NetworkRpc, TagsAreAddedAndSearched) {
    publish();
    const auto anna = community_.member(0);
    OrgSample sample;
    sample.chain = community_.chain();
    const auto entry = [&](const crypto::KeyPair& author, const protocol::TagTarget& target) {
        return to_hex(bcs::encode(sample.tag(author, "bread", target, world_.now())));
    };
    const protocol::TagTarget place = protocol::TextTarget{BoundedText<200>("12 Mill Lane")};
    EXPECT_EQ(error_of("tag.add", {{"entry", "00"}}), "-32602");
    EXPECT_EQ(error_of("tag.add", {{"entry", entry(crypto::derive_key({}, 900), place)}}),
              "not_a_member");
    const json added = call("tag.add", {{"entry", entry(anna, place)}})["result"];
    EXPECT_EQ(error_of("tag.add", {{"entry", entry(anna, protocol::AccountTarget{anna.id()})}}),
              "none");
    EXPECT_EQ(error_of("tag.search", {{"tag", "Bread"}}), "-32602");
    EXPECT_EQ(error_of("tag.search", {{"tag", ""}}), "-32602");
    EXPECT_EQ(call("tag.search", {{"tag", "flour"}})["result"], json::array());
    const json found = call("tag.search", {{"tag", "bread"}})["result"];
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0]["target"], (json{{"account", anna.id().hex()}}));
    EXPECT_EQ(found[1]["target"], (json{{"text", "12 Mill Lane"}}));
    EXPECT_EQ(found[1]["id"], added["id"]);
    EXPECT_EQ(call("tag.find", {{"tag", "bread"}})["result"], true);
    EXPECT_EQ(error_of("tag.find", {{"tag", "a b"}}), "-32602");

    const auto gone = [&](const crypto::KeyPair& author) {
        return to_hex(bcs::encode(sample.withdrawal(author, "bread", place, world_.now())));
    };
    EXPECT_EQ(error_of("tag.remove", {{"withdrawal", "00"}}), "-32602");
    EXPECT_EQ(error_of("tag.remove", {{"withdrawal", gone(crypto::derive_key({}, 900))}}),
              "not_a_member");
    world_.advance(seconds(1));
    const std::string withdrawal = gone(anna);
    EXPECT_TRUE(call("tag.remove", {{"withdrawal", withdrawal}})["result"].contains("id"));
    EXPECT_EQ(error_of("tag.remove", {{"withdrawal", withdrawal}}), "known");
    const json left = call("tag.search", {{"tag", "bread"}})["result"];
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0]["target"], (json{{"account", anna.id().hex()}}));
}

TEST_F(NetworkRpc, ContributionsAreAddedListedAndShownWithWhatTheyBuildOn) {
    publish();
    const auto anna = community_.member(0);
    const auto ben = community_.member(1);
    OrgSample sample;
    sample.chain = community_.chain();
    const auto add = [&](const crypto::KeyPair& author, const std::string& text,
                         const std::vector<Hash>& bases) {
        const auto made = sample.contribution(author, text, bases, world_.now());
        return error_of("contribution.add", {{"entry", to_hex(bcs::encode(made))}}) == "none"
                   ? protocol::contribution_id(sample.chain, made.contribution)
                   : Hash{};
    };
    const Hash unknown = Hash::copy_of(Bytes(32, 7));
    EXPECT_EQ(call("contribution.list")["result"]["items"], json::array());
    EXPECT_EQ(error_of("contribution.add", {{"entry", "00"}}), "-32602");
    EXPECT_EQ(add(crypto::derive_key({}, 900), "x", {}), Hash{});
    EXPECT_EQ(error_of("contribution.show", {{"id", unknown.hex()}}), "unknown_contribution");

    const Hash plugin = add(anna, "a plugin", {unknown});
    const Hash recipes = add(ben, "200 recipes", {plugin});
    const json all = call("contribution.list")["result"];
    ASSERT_EQ(all["items"].size(), 2u);
    const json by_ben = call("contribution.list", {{"by", ben.id().hex()}})["result"]["items"];
    ASSERT_EQ(by_ben.size(), 1u);
    EXPECT_EQ(by_ben[0]["id"], recipes.hex());
    EXPECT_EQ(by_ben[0]["kind"], "production");
    EXPECT_EQ(by_ben[0]["author"], ben.id().hex());
    EXPECT_EQ(by_ben[0]["text"], "200 recipes");
    EXPECT_EQ(by_ben[0]["evidence"], "");
    EXPECT_EQ(by_ben[0]["builds_on"], json::array({plugin.hex()}));
    EXPECT_EQ(by_ben[0]["rewards"], json::array());
    const auto count = [&](const json& params) {
        return call("contribution.list", params)["result"]["items"].size();
    };
    EXPECT_EQ(count({{"kind", "production"}}), 2u);
    EXPECT_EQ(count({{"kind", "support"}}), 0u);
    EXPECT_EQ(count({{"rewarded", "yes"}}), 0u);
    EXPECT_EQ(count({{"rewarded", "no"}, {"limit", 1}}), 1u);
    EXPECT_EQ(error_of("contribution.list", {{"kind", "mining"}}), "-32602");

    const json shown = call("contribution.show", {{"id", recipes.hex()}})["result"];
    ASSERT_EQ(shown["chain"].size(), 2u);
    EXPECT_EQ(shown["chain"][0]["text"], "a plugin");
    EXPECT_EQ(shown["chain"][1], (json{{"id", unknown.hex()}}));  // not known here
    EXPECT_EQ(shown["continued_by"], json::array());
    EXPECT_EQ(call("contribution.show", {{"id", plugin.hex()}})["result"]["continued_by"],
              json::array({recipes.hex()}));
}

}  // namespace
}  // namespace leither::testing
