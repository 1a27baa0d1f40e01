// Whole nodes that know one bootstrap address and an organization's id.
#include <gtest/gtest.h>

#include "support/node/community.h"
#include "support/node/network_world.h"

namespace leither::node {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Community;
using testing::NetworkWorld;

constexpr std::size_t kKeeper = 0;

crypto::KeyPair node_key(std::uint64_t n) {
    return crypto::derive_key({}, 100 + n);
}

// A keeper with a published organization and `followers` other nodes.
class Network : public ::testing::Test {
 protected:
    Network() : world_({}, community_.start_of(Pulse(1))) {
        crypto::initialise();
        world_.add(community_.node_key());
        world_.step(kKeeper, Found{1'000'000, community_.encoded_genesis()});
        world_.advance(seconds(2));
    }

    Id organization() const { return community_.organization().treasury; }

    std::size_t add_node() {
        keys_.push_back(node_key(keys_.size()));
        return world_.add(keys_.back());
    }
    const crypto::KeyPair& key_of(std::size_t host) const {
        return host == kKeeper ? community_.node_key() : keys_[host - 1];
    }
    void publish() {
        const auto order = community_.manifest(world_.queries(kKeeper), world_.now());
        const auto answer = world_.ask(kKeeper, order);
        ASSERT_TRUE(answer && *answer) << (answer ? (*answer).error().detail : "no answer");
    }
    void follow(std::size_t host) {
        const auto answer = world_.ask(host, FollowOrganization{organization()});
        ASSERT_TRUE(answer && *answer);
    }
    void serve(std::size_t host, const crypto::KeyPair& account) {
        const auto answer =
            world_.ask(host, community_.delegate(account, key_of(host).public_key(), world_.now()));
        ASSERT_TRUE(answer && *answer) << (answer ? (*answer).error().detail : "no answer");
    }
    // A node that serves member `n` and has been welcomed.
    std::size_t add_member(std::size_t n) {
        const std::size_t host = add_node();
        follow(host);
        EXPECT_TRUE(
            world_.wait([&] { return world_.queries(host).manifest().has_value(); }, minutes(2)));
        serve(host, community_.member(n));
        EXPECT_TRUE(world_.wait(
            [&] { return world_.queries(host).network(world_.now())->community->can_read_records; },
            minutes(2)));
        return host;
    }
    // Member 0 at one node, member 1 at two, all acquainted.
    struct Household {
        std::size_t sender = 0;
        std::size_t desk = 0;
        std::size_t phone = 0;
    };
    Household add_household() {
        publish();
        Household made;
        made.sender = add_member(0);
        made.desk = add_member(1);
        made.phone = add_member(1);
        world_.advance(minutes(2));
        return made;
    }
    Hash send(std::size_t host, std::size_t from, std::size_t to, std::string_view text) {
        protocol::Letter letter;
        letter.sender = community_.member(from).public_key();
        letter.recipient = community_.member(to).id();
        letter.sent_ms = unix_ms(world_.now());
        letter.text = BoundedText<protocol::kLetterTextMax>(std::string(text));
        Prng entropy(7);
        const auto sealed = protocol::seal_letter(
            protocol::sign(community_.chain(), letter, community_.member(from)),
            community_.member(to).public_key(), entropy);
        const auto answer = world_.ask(host, PostLetter{letter.recipient, *sealed});
        EXPECT_TRUE(answer && *answer);
        return std::get<Hash>(**answer);
    }
    std::vector<std::string> inbox(std::size_t host, std::size_t member) {
        std::vector<std::string> texts;
        const auto key = community_.member(member);
        for (const auto& incoming : world_.queries(host).letters(key.id())) {
            const auto opened =
                protocol::open_letter(community_.chain(), incoming.envelope.envelope, key);
            texts.push_back(opened ? std::string(opened->letter.text) : "does not open");
        }
        return texts;
    }
    // What `member` says next.
    SayLine line(const NetworkWorld& world, std::size_t host, std::size_t member,
                 std::string_view text) const {
        const auto key = community_.member(member);
        const auto next = world.queries(host).next_line(key.id()).value();
        protocol::ChatLine line{key.public_key(), next.number, next.previous,
                                std::max(next.time_ms_min, unix_ms(world.now())),
                                BoundedText<500>(std::string(text))};
        return {protocol::sign(community_.chain(), line, key)};
    }
    void say(std::size_t host, std::size_t member, std::string_view text) {
        const auto answer = world_.ask(host, line(world_, host, member, text));
        ASSERT_TRUE(answer && *answer) << (answer ? (*answer).error().detail : "no answer");
    }
    std::vector<std::string> chat(std::size_t host) {
        std::vector<std::string> texts;
        for (const auto& line : world_.queries(host).chat(100)) texts.push_back(line.line.text);
        return texts;
    }

    Community community_{{}};
    NetworkWorld world_;
    std::vector<crypto::KeyPair> keys_;
};

TEST_F(Network, AnOrganizationIsFoundByItsIdAlone) {
    publish();
    const std::size_t stranger = add_node();
    world_.advance(seconds(5));
    const auto answer = world_.ask(stranger, FindOrganization{organization()});
    ASSERT_TRUE(answer);
    ASSERT_TRUE(*answer) << (*answer).error().detail;
    const auto& item = std::get<protocol::ManifestItem>(**answer);
    EXPECT_EQ(crypto::id_of(item.content.manifest.organization), organization());
    EXPECT_EQ(item.content.manifest.chain, community_.chain());
}

TEST_F(Network, AnUnknownOrganizationIsNotFound) {
    const std::size_t stranger = add_node();
    const auto answer = world_.ask(stranger, FindOrganization{community_.member(0).id()});
    ASSERT_TRUE(answer);
    ASSERT_FALSE(*answer);
    EXPECT_EQ((*answer).error().error, NetworkError::not_found);
}

TEST_F(Network, AsManySearchesAsTheHubCanServe) {
    for (std::uint8_t n = 0; n < 15; ++n) {
        const Id unknown = Id::copy_of(Bytes(Id::kSize, n));
        world_.step(kKeeper, NetworkCall{Token{1'000'000} + n, FindOrganization{unknown}});
    }
    EXPECT_FALSE(world_.take_reply(kKeeper, 1'000'013));
    const auto refused = world_.take_reply(kKeeper, 1'000'014);
    ASSERT_TRUE(refused && !*refused);
    EXPECT_EQ(refused->error().error, NetworkError::full);
}

TEST_F(Network, AManifestThatHasExpiredIsNoAnswer) {
    const std::size_t follower = add_node();
    auto order = community_.manifest(world_.queries(kKeeper), world_.now(), hours(1));
    ASSERT_TRUE(world_.ask(kKeeper, std::move(order)));
    follow(follower);
    ASSERT_TRUE(
        world_.wait([&] { return world_.queries(follower).manifest().has_value(); }, minutes(2)));
    EXPECT_TRUE(*world_.ask(follower, FindOrganization{organization()}));
    world_.advance(hours(1));
    const auto answer = world_.ask(follower, FindOrganization{organization()});
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ((*answer).error().error, NetworkError::not_found);
}

TEST_F(Network, AFollowerFindsTheKeeperAndStaysConnected) {
    publish();
    const std::size_t follower = add_node();
    follow(follower);
    EXPECT_TRUE(
        world_.wait([&] { return world_.queries(follower).manifest().has_value(); }, minutes(2)));
    const auto peers = world_.queries(follower).peers(world_.now());
    ASSERT_EQ(peers.size(), 1u);
    EXPECT_EQ(peers[0].peer.node_key, community_.node_key().public_key());
    world_.advance(minutes(30));
    EXPECT_EQ(world_.queries(follower).peers(world_.now()).size(), 1u);
}

TEST_F(Network, WhoIsConnectedAlreadyIsAskedByWhoBeginsToFollow) {
    publish();
    const std::size_t node = add_node();
    world_.advance(seconds(5));
    world_.step(node, NetworkCall{1'000'000, FindOrganization{organization()}});
    const auto is_connected = [&] { return !world_.queries(node).peers(world_.now()).empty(); };
    for (int i = 0; i < 20'000 && !is_connected(); ++i)
        world_.advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(is_connected());
    // The manifest is on its way to the search; the community comes to life only now.
    world_.step(node, NetworkCall{1'000'001, FollowOrganization{organization()}});
    EXPECT_TRUE(
        world_.wait([&] { return world_.queries(node).manifest().has_value(); }, seconds(5)));
}

TEST_F(Network, OnlyAMembersNodeIsGivenTheReadKey) {
    publish();
    const std::size_t member = add_member(0);
    EXPECT_EQ(world_.queries(member).network(world_.now())->community->passes, 1u);

    const std::size_t stranger = add_node();
    follow(stranger);
    ASSERT_TRUE(
        world_.wait([&] { return world_.queries(stranger).manifest().has_value(); }, minutes(2)));
    serve(stranger, node_key(77));
    world_.advance(minutes(2));
    EXPECT_FALSE(world_.queries(stranger).network(world_.now())->community->can_read_records);
}

TEST_F(Network, MembersNodesLearnOfEachOther) {
    publish();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    const auto knows = [&](std::size_t host) {
        return world_.queries(host).network(world_.now())->community->members_nodes >= 2;
    };
    EXPECT_TRUE(world_.wait([&] { return knows(a) && knows(b); }, minutes(5)));
}

TEST_F(Network, ANodeThatNobodyCanDialIsAReaderUntilSomebodyCan) {
    publish();
    world_.shut_in(1);  // the node that is added next
    const std::size_t hidden = add_node();
    follow(hidden);
    const auto role = [&] { return world_.queries(hidden).network(world_.now())->dht.role; };
    ASSERT_TRUE(world_.wait([&] { return role() == dht::Role::reader; }, minutes(2)));
    const auto status = world_.queries(hidden).network(world_.now());
    EXPECT_TRUE(status->reachability.starts_with("not reachable: 0 of 1 nodes could connect"))
        << status->reachability;
    // Nobody is sent to it any more, and it stays connected.
    EXPECT_TRUE(world_.wait(
        [&] { return world_.queries(kKeeper).network(world_.now())->dht.nodes_v4 == 0; },
        minutes(2)));
    EXPECT_EQ(world_.queries(hidden).peers(world_.now()).size(), 1u);
    world_.let_in(hidden);
    EXPECT_TRUE(world_.wait([&] { return role() == dht::Role::member; }, minutes(30)));
    EXPECT_TRUE(world_.wait(
        [&] { return world_.queries(kKeeper).network(world_.now())->dht.nodes_v4 == 1; },
        minutes(2)));
}

TEST_F(Network, AnOrganizationWithOneReachableNodeIsFoundByEveryNewcomer) {
    publish();
    world_.shut_in(1);
    const std::size_t hidden = add_node();
    follow(hidden);
    // What the keeper has announced lies with a node that nobody asks any more.
    ASSERT_TRUE(world_.wait(
        [&] {
            return world_.queries(hidden).network(world_.now())->dht.role == dht::Role::reader &&
                   world_.queries(kKeeper).network(world_.now())->dht.nodes_v4 == 0;
        },
        minutes(2)));
    world_.advance(minutes(5));
    const std::size_t stranger = add_node();
    const auto answer = world_.ask(stranger, FindOrganization{organization()});
    ASSERT_TRUE(answer);
    EXPECT_TRUE(*answer) << (*answer).error().detail;
}

TEST_F(Network, AMappedPortIsTriedSoonAfterwards) {
    publish();
    world_.shut_in(1);
    const std::size_t hidden = add_node();
    follow(hidden);
    const auto role = [&] { return world_.queries(hidden).network(world_.now())->dht.role; };
    ASSERT_TRUE(world_.wait([&] { return role() == dht::Role::reader; }, minutes(2)));
    world_.advance(minutes(2));
    world_.let_in(hidden);
    world_.step(hidden,
                NetworkInput(PortsMapped{world_.endpoint(hidden), std::nullopt, "by a test"}));
    EXPECT_TRUE(world_.wait([&] { return role() == dht::Role::member; }, seconds(30)));
}

TEST_F(Network, AnotherPortThanOursAtTheRouterIsWhatOthersAreTold) {
    constexpr std::uint16_t kOutside = 9999;
    publish();
    add_node();  // holds what is announced
    const std::size_t stranger = add_node();
    follow(stranger);
    ASSERT_TRUE(world_.wait([&] { return !world_.queries(stranger).peers(world_.now()).empty(); },
                            minutes(2)));
    const IpAddress router = world_.endpoint(kKeeper).address;
    const NetworkInput mapped(PortsMapped{Endpoint{router, kOutside}, std::nullopt, "by a test"});
    world_.step(kKeeper, NetworkInput(mapped));
    world_.advance(minutes(1));
    const auto answer = world_.ask(stranger, dht::Request(dht::GetPeers{organization()}));
    ASSERT_TRUE(answer && *answer);
    const auto& found = std::get<dht::Outcome>(**answer).peers;
    EXPECT_NE(std::ranges::find(found, Endpoint{router, kOutside}), found.end());
    // Nobody listens there: it is tried, and the verdict names it.
    const auto status = world_.queries(kKeeper).network(world_.now());
    EXPECT_NE(status->reachability.find(":9999"), std::string::npos) << status->reachability;
}

TEST_F(Network, ANodeWithPeersEnoughDoesNotLookForMore) {
    NetworkWorld::Options options;
    options.outbound_target = 1;
    NetworkWorld world(options, world_.now());
    world.add(community_.node_key());
    world.step(kKeeper, Found{1'000'000, community_.encoded_genesis()});
    world.advance(seconds(1));
    world.add(node_key(1));
    ASSERT_TRUE(world.ask(kKeeper, community_.manifest(world.queries(kKeeper), world.now())));
    ASSERT_TRUE(world.ask(1, FollowOrganization{organization()}));
    ASSERT_TRUE(
        world.wait([&] { return !world.queries(1).peers(world.now()).empty(); }, minutes(2)));
    world.advance(minutes(10));
    const std::uint64_t before = world.ticks(1);
    world.advance(minutes(10));
    EXPECT_LT(world.ticks(1) - before, 300u);
}

TEST_F(Network, AnAddressOfAFamilyWhereNobodyListensIsNotTold) {
    NetworkWorld world({.listens = NetworkWorld::Listens::anywhere}, world_.now());
    world.add(community_.node_key());
    world.step(0, Found{1'000'000, community_.encoded_genesis()});
    world.advance(seconds(2));
    const IpAddress v4 = *IpAddress::parse("20.0.0.9");
    world.step(0, NetworkInput(AddressesAre{{v4, *IpAddress::parse("2a00::9")}}));
    const auto draft = world.queries(0).manifest_draft();
    ASSERT_TRUE(draft);
    std::vector<Endpoint> told;
    for (const auto& one : draft->keepers[0].endpoints) told.push_back(one.endpoint());
    EXPECT_EQ(told, std::vector{(Endpoint{v4, world.endpoint(0).port})});
}

TEST_F(Network, ConfiguredPeersAreDialedFromTheFirstDayOn) {
    NetworkWorld::Options options;
    options.peers = {{IpAddress::v4({10, 9, 9, 9}), 7400}};
    NetworkWorld world(options, world_.now());
    world.add(community_.node_key());
    world.add(node_key(1));
    const auto known = [&](std::size_t host) {
        return world.queries(host).network(world.now())->hub.addresses;
    };
    EXPECT_EQ(known(0), 0u);
    world.step(0, Found{1'000'000, community_.encoded_genesis()});
    world.advance(seconds(1));
    EXPECT_EQ(known(0), 1u);
    ASSERT_TRUE(world.ask(1, FollowOrganization{community_.member(0).id()}));
    EXPECT_EQ(known(1), 1u);
}

TEST_F(Network, AMessageReachesAMemberOnAnotherNode) {
    publish();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    world_.advance(minutes(2));
    send(a, 0, 1, "bread at six");
    EXPECT_TRUE(world_.wait([&] { return inbox(b, 1) == std::vector<std::string>{"bread at six"}; },
                            minutes(5)));
}

TEST_F(Network, AMessageWaitsForAMemberWhoIsAway) {
    publish();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    add_member(2);
    world_.advance(minutes(2));
    world_.stop(b);
    world_.advance(minutes(1));
    send(a, 0, 1, "welcome back");
    world_.advance(minutes(5));
    world_.crash(a);  // the sender leaves for good: others hold the message
    world_.advance(hours(24));
    world_.restart(b);
    EXPECT_TRUE(world_.wait([&] { return inbox(b, 1) == std::vector<std::string>{"welcome back"}; },
                            minutes(40)));
}

TEST_F(Network, AMessageReachesAllNodesOfItsRecipient) {
    const Household made = add_household();
    send(made.sender, 0, 1, "bread at six");
    const std::vector<std::string> expected{"bread at six"};
    EXPECT_TRUE(world_.wait(
        [&] { return inbox(made.desk, 1) == expected && inbox(made.phone, 1) == expected; },
        minutes(5)));
}

TEST_F(Network, ANodeThatWasAwayGetsItsAccountsMessagesFromTheOther) {
    const Household made = add_household();
    world_.stop(made.phone);
    world_.advance(minutes(1));
    send(made.sender, 0, 1, "bread at six");
    const std::vector<std::string> expected{"bread at six"};
    ASSERT_TRUE(world_.wait([&] { return inbox(made.desk, 1) == expected; }, minutes(5)));
    world_.crash(made.sender);
    world_.advance(hours(24));
    world_.restart(made.phone);
    EXPECT_TRUE(world_.wait([&] { return inbox(made.phone, 1) == expected; }, minutes(40)));
}

TEST_F(Network, ANodePostsForTheAccountsItServes) {
    publish();
    const std::size_t stranger = add_node();
    follow(stranger);
    ASSERT_TRUE(
        world_.wait([&] { return world_.queries(stranger).manifest().has_value(); }, minutes(2)));
    const PostLetter letter{community_.member(0).id(), {1, 2, 3}};
    const auto answer = world_.ask(stranger, letter);
    ASSERT_TRUE(answer);
    ASSERT_FALSE(*answer);
    EXPECT_EQ((*answer).error().error, NetworkError::refused);
    EXPECT_EQ((*answer).error().rule, "not_served");
    serve(stranger, node_key(77));
    const auto posted = world_.ask(stranger, letter);
    EXPECT_TRUE(posted && *posted);
}

TEST_F(Network, ABanIsSeenAndEndsTheConnection) {
    publish();
    const std::size_t a = add_member(0);
    const Id keeper = community_.node_key().id();
    const Instant until = world_.now() + hours(2);
    ASSERT_TRUE(world_.ask(a, BanPeer{keeper, hours(2)}));
    const auto bans = world_.queries(a).bans(world_.now());
    ASSERT_EQ(bans.size(), 1u);
    EXPECT_EQ(bans[0].node, keeper);
    EXPECT_EQ(bans[0].until, until);
    world_.advance(minutes(10));
    EXPECT_TRUE(world_.queries(a).peers(world_.now()).empty());
    ASSERT_TRUE(world_.ask(a, BanPeer{keeper, Duration{}}));
    EXPECT_TRUE(world_.queries(a).bans(world_.now()).empty());
    EXPECT_TRUE(
        world_.wait([&] { return !world_.queries(a).peers(world_.now()).empty(); }, hours(1)));
}

TEST_F(Network, ABanByHandOutlivesACrashAndIsLiftedByHand) {
    const Id stranger = Id::copy_of(Bytes(Id::kSize, 0x51));
    const auto bans = [&] { return world_.queries(kKeeper).bans(world_.now()); };
    const auto ban_for = [&](Duration duration) {
        const auto answer = world_.ask(kKeeper, BanPeer{stranger, duration});
        ASSERT_TRUE(answer && *answer);
        world_.crash(kKeeper);
        world_.restart(kKeeper);
    };
    const Instant until = world_.now() + hours(5);
    ban_for(hours(5));
    ASSERT_EQ(bans().size(), 1u);
    EXPECT_EQ(bans()[0].node, stranger);
    EXPECT_LT(bans()[0].until - until, seconds(1));
    ban_for(Duration{});
    EXPECT_TRUE(bans().empty());
}

TEST_F(Network, TheDhtTellsTheLastLinesToANodeWithoutPeers) {
    publish();
    add_node();  // only holds what the DHT holds
    add_node();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    world_.advance(minutes(2));
    world_.stop(b);
    say(a, 0, "who has flour?");
    say(a, 0, "rye, if there is");
    world_.advance(minutes(2));
    world_.crash(a);
    world_.crash(kKeeper);
    world_.restart(b);
    const std::vector<std::string> both{"who has flour?", "rye, if there is"};
    EXPECT_TRUE(world_.wait([&] { return chat(b) == both; }, minutes(5)));
    EXPECT_TRUE(world_.queries(b).peers(world_.now()).empty());
}

TEST_F(Network, WhatTheDhtNoLongerNamesIsAskedOfPeers) {
    publish();
    add_node();
    add_node();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    world_.advance(minutes(2));
    world_.stop(b);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < 2 * protocol::kChatHeadLines + 5; ++i) {
        all.push_back("line " + std::to_string(i));
        say(a, 0, all.back());
        world_.advance(minutes(1));
    }
    EXPECT_EQ(chat(kKeeper), all);
    world_.crash(a);
    world_.crash(kKeeper);
    world_.restart(b);
    ASSERT_TRUE(world_.wait([&] { return !chat(b).empty(); }, minutes(5)));
    const std::vector<std::string> last(all.end() - protocol::kChatHeadLines, all.end());
    EXPECT_EQ(chat(b), last);
    world_.restart(kKeeper);
    EXPECT_TRUE(world_.wait([&] { return chat(b) == all; }, hours(1)));
}

TEST_F(Network, WhatIsNotDurableYetIsToldToNobodyAndWrittenTogether) {
    constexpr std::size_t kLines = 8;
    NetworkWorld::Options options;
    options.disk_latency = seconds(2);
    NetworkWorld world(options, world_.now());
    world.add(community_.node_key());
    world.step(kKeeper, Found{1'000'000, community_.encoded_genesis()});
    world.advance(seconds(1));
    ASSERT_TRUE(world.ask(kKeeper, community_.manifest(world.queries(kKeeper), world.now())));
    world.advance(minutes(1));
    const std::uint64_t before = world.batches(kKeeper);
    const auto told = [&] {
        return std::ranges::count_if(world.events(kKeeper), [](const Event& event) {
            return std::holds_alternative<LineTaken>(event);
        });
    };
    for (std::size_t n = 0; n < kLines; ++n) {
        world.step(kKeeper, NetworkCall{1'000'000 + n, line(world, kKeeper, 0, "and on")});
    }
    EXPECT_EQ(told(), 0);
    world.advance(seconds(3));
    EXPECT_EQ(told(), 1);
    world.advance(seconds(2));
    EXPECT_EQ(told(), static_cast<std::ptrdiff_t>(kLines));
    EXPECT_EQ(world.batches(kKeeper), before + 2);
    for (std::size_t n = 0; n < kLines; ++n) {
        const auto reply = world.take_reply(kKeeper, 1'000'000 + n);
        EXPECT_TRUE(reply && *reply) << n;
    }
    world.crash(kKeeper);
    world.restart(kKeeper);
    EXPECT_EQ(world.queries(kKeeper).chat(100).size(), kLines);
}

TEST_F(Network, AConversationReachesAllMembersNodes) {
    publish();
    const std::size_t a = add_member(0);
    const std::size_t b = add_member(1);
    world_.advance(minutes(2));
    say(a, 0, "who has flour?");
    ASSERT_TRUE(world_.wait([&] { return chat(b).size() == 1; }, minutes(2)));
    say(b, 1, "I have");
    const std::vector<std::string> both{"who has flour?", "I have"};
    EXPECT_TRUE(world_.wait([&] { return chat(a) == both && chat(b) == both; }, minutes(2)));
}

TEST_F(Network, AKeeperThatServesNobodyHearsTheConversationAndHoldsMessages) {
    publish();
    const std::size_t a = add_member(0);
    say(a, 0, "who has flour?");
    EXPECT_TRUE(world_.wait(
        [&] { return chat(kKeeper) == std::vector<std::string>{"who has flour?"}; }, minutes(2)));
    send(a, 0, 1, "for later");
    EXPECT_TRUE(world_.wait(
        [&] { return world_.queries(a).outgoing_letters()[0].state == org::OutgoingState::held; },
        minutes(2)));
}

TEST_F(Network, WhatIsFollowedServedAndSaidSurvivesACrash) {
    publish();
    const std::size_t a = add_member(0);
    say(a, 0, "still here");
    world_.advance(seconds(1));
    world_.crash(a);
    world_.restart(a);
    EXPECT_EQ(chat(a), std::vector<std::string>{"still here"});
    const auto status = world_.queries(a).network(world_.now());
    ASSERT_TRUE(status && status->community);
    EXPECT_EQ(status->community->accounts.size(), 1u);
    EXPECT_TRUE(status->community->can_read_records);
    EXPECT_TRUE(
        world_.wait([&] { return !world_.queries(a).peers(world_.now()).empty(); }, minutes(3)));
}

// Reads an empty store until it fails.
class FailingReader final : public store::Reader {
 public:
    Result<std::optional<std::string>, store::Fault> get(ByteView key) const override {
        if (fails) return fail(store::Fault{store::Fault::Kind::io, "by a test"});
        return store_.get(key);
    }
    std::unique_ptr<store::Cursor> cursor() const override { return store_.cursor(); }

    bool fails = false;

 private:
    store::MemoryStore store_;
};

TEST_F(Network, AFaultOfItsStoreEndsTheNodeAlsoDuringACall) {
    store::MemoryStore ledger;
    FailingReader disk;
    Prng entropy(1);
    auto node = Node::open({}, ledger, node_key(1), Log(), {{}, disk, entropy, world_.now()});
    ASSERT_TRUE(node);
    node->start_network(world_.now());
    ASSERT_TRUE(node->next_deadline());
    disk.fails = true;
    const auto effects =
        node->step(NetworkCall{1, FollowOrganization{organization()}}, world_.now());
    EXPECT_TRUE(effects.fatal);
    EXPECT_FALSE(node->next_deadline());
}

// What peers.md and performance.md promise, headers and acknowledgements included.
TEST_F(Network, AnIdleNodeCostsItsLineLittle) {
    constexpr std::uint64_t kPerConnectionMax = 200;  // bytes a second, both ways together
    constexpr std::uint64_t kDhtMax = 100;
    constexpr std::uint64_t kSpan = 3600;
    publish();
    std::vector<std::size_t> members;
    for (std::size_t n = 0; n < 4; ++n) members.push_back(add_member(n));
    for (int n = 0; n < 20; ++n) add_node();
    say(members[0], 0, "good night");
    world_.advance(minutes(45));

    std::vector<NetworkWorld::Traffic> before;
    for (const std::size_t host : members) before.push_back(world_.traffic(host));
    world_.advance(seconds(kSpan));
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto after = world_.traffic(members[i]);
        const std::uint64_t connections = world_.queries(members[i]).peers(world_.now()).size();
        const std::uint64_t streams = after.stream_bytes - before[i].stream_bytes;
        const std::uint64_t datagrams = after.datagram_bytes - before[i].datagram_bytes;
        ASSERT_GE(connections, 4u);
        EXPECT_GT(streams, 0u);
        EXPECT_GT(datagrams, 0u);
        EXPECT_LT(streams, kPerConnectionMax * kSpan * connections) << i;
        EXPECT_LT(datagrams, kDhtMax * kSpan) << i;
        RecordProperty("bytes_per_connection_and_second_" + std::to_string(i),
                       std::to_string(streams / kSpan / connections));
        RecordProperty("dht_bytes_per_second_" + std::to_string(i),
                       std::to_string(datagrams / kSpan));
    }
}

}  // namespace
}  // namespace leither::node
