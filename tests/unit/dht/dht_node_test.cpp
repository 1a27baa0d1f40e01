// One node and the datagrams of others.
#include "leither/dht/dht_node.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/dht/token.h"

namespace leither::dht {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);
constexpr VersionTag kForeign = {'L', 'T', 2, 0};

Id id_of(std::uint8_t number) {
    Id id;
    id[0] = number;
    id[19] = number;
    return id;
}
Endpoint at(std::uint8_t block, std::uint8_t host = 1) {
    return {IpAddress::v4({20, 0, block, host}), 6881};
}
Item immutable(std::size_t size = 100) {
    return Item{value_of(Bytes(size, 7)), std::nullopt};
}

// A node under test and what was sent by it.
class Bench {
 public:
    explicit Bench(Options options = {}) {
        if (options.own_id.is_zero()) options.own_id = id_of(0xaa);
        node = std::make_unique<DhtNode>(options, prng, Log(), kStart);
    }
    // A bench whose node has started, alone.
    static Bench started(const Options& options = {}) {
        Bench bench(options);
        bench.step(Start{});
        return bench;
    }
    Effects step(Input input) {
        Effects effects = node->step(std::move(input), now);
        node->check_invariants();
        return effects;
    }
    Effects pass(Duration duration) {
        now += duration;
        return step(Tick{});
    }
    Effects hand(const Endpoint& from, const Bytes& bytes) { return step(Datagram{from, bytes}); }

    static Query query(Method method, std::uint8_t sender, std::uint8_t target = 0) {
        Query out;
        out.method = method;
        out.sender = id_of(sender);
        out.target = id_of(target);
        out.version = kPrivateNetworkTag;
        out.transaction = Transaction::copy_of(as_bytes("t1"));
        return out;
    }
    // The messages of one kind among what was sent to `to`.
    template <class T>
    static std::vector<T> sent(const Effects& effects, const Endpoint& to) {
        std::vector<T> out;
        for (const Outgoing& send : effects.sends) {
            if (send.to != to) continue;
            auto message = parse(send.bytes);
            EXPECT_TRUE(message);
            if (auto* wanted = std::get_if<T>(&*message)) out.push_back(std::move(*wanted));
        }
        return out;
    }
    Response ask(const Endpoint& from, const Query& query) {
        const auto replies = sent<Response>(hand(from, write(query)), from);
        EXPECT_EQ(replies.size(), 1u);
        return replies.empty() ? Response{} : replies.front();
    }
    std::int32_t refusal(const Endpoint& from, const Query& query) {
        const auto errors = sent<ErrorReply>(hand(from, write(query)), from);
        return errors.empty() ? 0 : errors.front().code;
    }
    // Answers a query of the node's.
    Effects answer(const Endpoint& from, const Query& asked, std::uint8_t sender,
                   std::optional<VersionTag> version = kPrivateNetworkTag) {
        Response reply;
        reply.transaction = asked.transaction;
        reply.sender = id_of(sender);
        reply.version = version;
        return hand(from, write(reply));
    }
    // A node that asks and answers the ping that follows.
    void befriend(std::uint8_t number, std::optional<VersionTag> version = kPrivateNetworkTag) {
        Query ping = query(Method::ping, number);
        ping.version = version;
        const auto pings = sent<Query>(hand(at(number), write(ping)), at(number));
        if (!pings.empty()) answer(at(number), pings.front(), number, version);
    }
    std::size_t nodes() const { return node->status().nodes_v4; }

    Prng prng{1};
    Instant now = kStart;
    std::unique_ptr<DhtNode> node;
};

TEST(DhtNode, EveryMethodIsAnswered) {
    Bench bench = Bench::started();
    EXPECT_EQ(bench.ask(at(1), Bench::query(Method::ping, 1)).sender, id_of(0xaa));
    const Response found = bench.ask(at(1), Bench::query(Method::find_node, 1, 9));
    EXPECT_TRUE(found.node_lists.v4);
    EXPECT_FALSE(found.node_lists.v6);
    EXPECT_EQ(found.external, at(1));
    const Response peers = bench.ask(at(1), Bench::query(Method::get_peers, 1, 9));
    EXPECT_EQ(peers.token.size(), TokenIssuer::kTokenBytes);
    Query announce = Bench::query(Method::announce_peer, 1, 9);
    announce.token = peers.token;
    announce.port = 77;
    bench.ask(at(1), announce);
    const Response again = bench.ask(at(2), Bench::query(Method::get_peers, 2, 9));
    EXPECT_EQ(again.peers, std::vector<Endpoint>({{at(1).address, 77}}));
    Query get = Bench::query(Method::get, 1);
    get.target = target_of(immutable());
    Query put = Bench::query(Method::put, 1);
    put.token = bench.ask(at(1), get).token;
    put.item = immutable();
    bench.ask(at(1), put);
    EXPECT_EQ(bench.ask(at(1), get).found.value, immutable().value);
}

TEST(DhtNode, EachRefusalHasItsCode) {
    Bench bench = Bench::started();
    const auto key = crypto::KeyPair::generate(bench.prng);
    Query get = Bench::query(Method::get, 1);
    get.target = mutable_target(key.public_key(), {});
    Query put = Bench::query(Method::put, 1);
    put.item = sign_item(key, {}, 5, immutable().value);
    put.token = Token::copy_of(as_bytes("8 bytes."));
    EXPECT_EQ(bench.refusal(at(1), put), 203);
    put.token = bench.ask(at(1), get).token;
    EXPECT_EQ(bench.refusal(at(2), put), 203);  // another's token
    put.item.author->sequence = 6;
    EXPECT_EQ(bench.refusal(at(1), put), 206);
    put.item = sign_item(key, {}, 5, immutable().value);
    bench.ask(at(1), put);
    put.item = sign_item(key, {}, 4, immutable().value);
    EXPECT_EQ(bench.refusal(at(1), put), 302);
    put.item = sign_item(key, {}, 6, immutable().value);
    put.cas = 4;
    EXPECT_EQ(bench.refusal(at(1), put), 301);
    const auto unknown = as_bytes("d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe");
    const auto errors =
        Bench::sent<ErrorReply>(bench.hand(at(1), Bytes(unknown.begin(), unknown.end())), at(1));
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors.front().code, 204);
    EXPECT_EQ(errors.front().transaction, Transaction::copy_of(as_bytes("aa")));
}

TEST(DhtNode, BeforeAnAddressIsProvenAReplyIsAtMostThreeTimesItsQuery) {
    Bench bench = Bench::started();
    for (std::uint8_t i = 1; i <= 20; ++i) bench.befriend(i);
    Query get = Bench::query(Method::get, 90);
    get.target = target_of(immutable(900));
    Query put = get;
    put.method = Method::put;
    put.item = immutable(900);
    put.token = bench.ask(at(90), get).token;
    bench.ask(at(90), put);
    for (const Method method : {Method::ping, Method::find_node, Method::get_peers, Method::get}) {
        Query query = Bench::query(method, 91);
        query.target = get.target;
        query.want = {true, true};
        const Bytes bytes = write(query);
        for (const Outgoing& send : bench.hand(at(91), bytes).sends) {
            EXPECT_LE(send.bytes.size(), 3 * bytes.size()) << to_string(method);
        }
    }
    // With its token shown it gets the value.
    get.sender = id_of(92);
    get.token = bench.ask(at(92), get).token;
    EXPECT_EQ(bench.ask(at(92), get).found.value, put.item.value);
}

TEST(DhtNode, NoReplyIsLongerThanALinkBears) {
    Bench bench = Bench::started();
    for (std::uint8_t i = 1; i <= 40; ++i) bench.befriend(i);
    for (std::uint8_t i = 1; i <= 160; ++i) {
        Query announce = Bench::query(Method::get_peers, i, 9);
        announce.token = bench.ask(at(i), announce).token;
        announce.method = Method::announce_peer;
        announce.port = 77;
        bench.ask(at(i), announce);
        bench.now += seconds(1);
    }
    Query ask = Bench::query(Method::get_peers, 1, 9);
    const auto effects = bench.hand(at(1), write(ask));
    for (const Outgoing& send : effects.sends) EXPECT_LE(send.bytes.size(), kReplyBytesMax);
    EXPECT_GE(Bench::sent<Response>(effects, at(1)).front().peers.size(), 50u);
}

TEST(DhtNode, ASenderIsANodeOnlyAfterItHasAnswered) {
    Bench bench = Bench::started();
    const auto effects = bench.hand(at(1), write(Bench::query(Method::ping, 1)));
    EXPECT_EQ(bench.nodes(), 0u);
    const auto pings = Bench::sent<Query>(effects, at(1));
    ASSERT_EQ(pings.size(), 1u);
    Query forged = pings.front();
    forged.transaction = Transaction::copy_of(as_bytes("zzzz"));
    bench.answer(at(1), forged, 1);
    EXPECT_EQ(bench.nodes(), 0u);
    bench.answer(at(2), pings.front(), 1);  // from elsewhere
    EXPECT_EQ(bench.nodes(), 0u);
    EXPECT_EQ(bench.node->status().counters.unexpected, 2u);
    bench.answer(at(1), pings.front(), 1);
    EXPECT_EQ(bench.nodes(), 1u);
}

TEST(DhtNode, AReadOnlySenderIsAnsweredAndNeverANode) {
    Bench bench = Bench::started();
    Query ping = Bench::query(Method::ping, 1);
    ping.read_only = true;
    const auto effects = bench.hand(at(1), write(ping));
    EXPECT_EQ(Bench::sent<Response>(effects, at(1)).size(), 1u);
    EXPECT_TRUE(Bench::sent<Query>(effects, at(1)).empty());
}

TEST(DhtNode, AReaderAnswersPingsAloneAndSaysWhatItIs) {
    Options options;
    options.role = Role::reader;
    Bench bench(options);
    const auto effects = bench.step(Start{{at(1)}, {}});
    const auto asked = Bench::sent<Query>(effects, at(1));
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked.front().read_only);
    bench.ask(at(1), Bench::query(Method::ping, 1));
    const auto find = bench.hand(at(2), write(Bench::query(Method::find_node, 2)));
    EXPECT_TRUE(Bench::sent<Response>(find, at(2)).empty());
}

TEST(DhtNode, ItsRoleFollowsWhetherOthersCanReachIt) {
    Bench bench = Bench::started();
    bench.befriend(2);
    const Bytes find = write(Bench::query(Method::find_node, 2));
    EXPECT_EQ(Bench::sent<Response>(bench.hand(at(2), find), at(2)).size(), 1u);
    // It looks around at once, so that its neighbours learn of the change.
    const auto said = Bench::sent<Query>(bench.step(RoleIs{Role::reader}), at(2));
    ASSERT_EQ(said.size(), 1u);
    EXPECT_TRUE(said.front().read_only);
    EXPECT_EQ(bench.node->status().role, Role::reader);
    EXPECT_TRUE(Bench::sent<Response>(bench.hand(at(2), find), at(2)).empty());
    bench.answer(at(2), said.front(), 2);
    const auto again = Bench::sent<Query>(bench.step(RoleIs{Role::member}), at(2));
    ASSERT_EQ(again.size(), 1u);
    EXPECT_FALSE(again.front().read_only);
    EXPECT_EQ(Bench::sent<Response>(bench.hand(at(2), find), at(2)).size(), 1u);
}

TEST(DhtNode, ANodeThatBecomesReadOnlyIsDroppedUnlessItStillAnswersLookups) {
    Bench bench = Bench::started();
    bench.befriend(1);
    bench.befriend(2);
    ASSERT_EQ(bench.nodes(), 2u);
    for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
        Query ping = Bench::query(Method::ping, number);
        ping.read_only = true;
        const auto asked = Bench::sent<Query>(bench.hand(at(number), write(ping)), at(number));
        ASSERT_EQ(asked.size(), 1u);
        EXPECT_EQ(asked.front().method, Method::find_node);
        // The second one's word was forged.
        if (number == 2) bench.answer(at(number), asked.front(), number);
    }
    bench.pass(seconds(4));
    EXPECT_EQ(bench.nodes(), 1u);
    EXPECT_EQ(bench.node->closest(id_of(2), 8).front().endpoint, at(2));
}

TEST(DhtNode, ABootstrapAddressFoundLaterIsAskedAtOnce) {
    Bench bench = Bench::started();
    const auto effects = bench.step(Bootstrap{{at(1)}});
    const auto asked = Bench::sent<Query>(effects, at(1));
    ASSERT_EQ(asked.size(), 1u);
    bench.answer(at(1), asked.front(), 1);
    EXPECT_EQ(bench.nodes(), 1u);
    // Who knows others leaves it at that.
    EXPECT_TRUE(Bench::sent<Query>(bench.step(Bootstrap{{at(2)}}), at(2)).empty());
}

TEST(DhtNode, ABootstrapNodeThatComesUpLateIsFoundWithinAMinute) {
    Bench bench(Options{});
    bench.step(Start{{at(1)}, {}});
    bench.step(Bootstrap{{at(2)}});
    // Nobody answers for ten minutes.
    Instant last = bench.now;
    Duration longest{0};
    while (bench.now < kStart + minutes(10)) {
        bench.now = std::max(bench.now, bench.node->next_deadline().value());
        const auto effects = bench.step(Tick{});
        if (Bench::sent<Query>(effects, at(1)).empty()) continue;
        EXPECT_EQ(Bench::sent<Query>(effects, at(2)).size(), 1u);
        longest = std::max(longest, bench.now - last);
        last = bench.now;
    }
    EXPECT_GT(last, kStart + minutes(9));
    EXPECT_LT(longest, minutes(1));
}

TEST(DhtNode, BootstrapAddressesFoundAreBoundedAndTheLatestStay) {
    Bench bench = Bench::started();
    Bootstrap found;
    for (std::size_t i = 0; i <= kBootstrapMax; ++i) {
        found.endpoints.push_back(at(1, static_cast<std::uint8_t>(i + 1)));
    }
    std::size_t first_asked = 0;
    std::size_t last_asked = 0;
    const auto count = [&](const Effects& effects) {
        first_asked += Bench::sent<Query>(effects, found.endpoints.front()).size();
        last_asked += Bench::sent<Query>(effects, found.endpoints.back()).size();
    };
    count(bench.step(Bootstrap{found}));
    for (int i = 0; i < 120; ++i) count(bench.pass(seconds(5)));
    EXPECT_EQ(first_asked, 0u);
    EXPECT_GT(last_asked, 0u);
}

TEST(DhtNode, GuestsFromTheWorldAreAnsweredButAreNoNodes) {
    Bench bench = Bench::started();
    bench.befriend(1, kForeign);
    bench.befriend(2, std::nullopt);
    EXPECT_EQ(bench.nodes(), 0u);
    bench.befriend(3);
    EXPECT_EQ(bench.nodes(), 1u);
    Query foreign = Bench::query(Method::find_node, 4);
    foreign.version = kForeign;
    EXPECT_EQ(bench.ask(at(4), foreign).nodes.size(), 1u);
}

TEST(DhtNode, WhereOnlyTheTaggedAreAdmittedOthersHearNothing) {
    Options options;
    options.wall.admission = Admission::tagged;
    Bench bench = Bench::started(options);
    Query foreign = Bench::query(Method::ping, 4);
    foreign.version = kForeign;
    EXPECT_TRUE(bench.hand(at(4), write(foreign)).sends.empty());
    EXPECT_TRUE(bench.hand(at(4), Bytes{'d', 'e'}).sends.empty());
    EXPECT_EQ(bench.node->status().counters.walled, 1u);
    options.wall.allow = {*AddressRange::parse("20.0.7.0/24")};
    Bench listed = Bench::started(options);
    EXPECT_TRUE(listed.hand(at(4), write(Bench::query(Method::ping, 4))).sends.empty());
    EXPECT_EQ(listed.hand(at(7), write(Bench::query(Method::ping, 4))).sends.size(), 2u);
}

TEST(DhtNode, AFloodFromOneAddressLeavesOthersServed) {
    Bench bench = Bench::started();
    bench.befriend(1);
    std::size_t answered = 0;
    const Bytes rubbish = {'d', '1', ':', 'q'};
    for (int i = 0; i < 10'000; ++i) {
        bench.now += Duration(100);
        bench.hand(at(66), rubbish);
        if (i % 500 != 0) continue;
        const auto block = static_cast<std::uint8_t>(100 + i / 500);
        const Bytes ping = write(Bench::query(Method::ping, block));
        answered += Bench::sent<Response>(bench.hand(at(block), ping), at(block)).size();
    }
    EXPECT_EQ(answered, 20u);
    EXPECT_LE(bench.node->status().counters.malformed, 75u);
    EXPECT_GE(bench.node->status().counters.limited, 9'900u);
    EXPECT_EQ(bench.nodes(), 1u);
}

TEST(DhtNode, ALonelyNodeSaysSo) {
    Bench bench = Bench::started();
    const auto effects = bench.step(Ask{RequestId(1), Put{immutable(), std::nullopt}});
    ASSERT_EQ(effects.done.size(), 1u);
    EXPECT_EQ(effects.done[0].outcome.failure, Failure::no_nodes);
    EXPECT_EQ(effects.done[0].outcome.copies, 0u);
    EXPECT_TRUE(effects.done[0].outcome.stored_here);
    const auto got = bench.step(Ask{RequestId(2), GetImmutable{target_of(immutable())}});
    ASSERT_EQ(got.done.size(), 1u);
    EXPECT_EQ(got.done[0].outcome.item, immutable());
}

TEST(DhtNode, RequestsWaitUntilTheNodeHasJoined) {
    Bench bench;
    bench.step(Ask{RequestId(1), FindNode{id_of(3)}});
    const auto started = bench.step(Start{{at(1)}, {}});
    EXPECT_TRUE(started.done.empty());
    const auto joins = Bench::sent<Query>(started, at(1));
    ASSERT_EQ(joins.size(), 1u);
    EXPECT_EQ(joins[0].method, Method::find_node);
    Effects effects = bench.answer(at(1), joins[0], 1);
    // The lookup of our own id, then the request itself.
    for (int round = 0; round < 3 && effects.done.empty(); ++round) {
        for (const auto& query : Bench::sent<Query>(effects, at(1))) {
            effects = bench.answer(at(1), query, 1);
        }
    }
    ASSERT_EQ(effects.done.size(), 1u);
    EXPECT_FALSE(effects.done[0].outcome.failure);
    EXPECT_EQ(effects.done[0].outcome.nodes, std::vector<Contact>({{id_of(1), at(1)}}));
}

TEST(DhtNode, AReplyUnderOurOwnIdIsAsGoodAsNone) {
    Bench bench = Bench::started();
    bench.befriend(1);
    std::vector<Done> done;
    std::size_t queries = 0;
    const auto mirror = [&](Effects effects) {
        for (Done& each : effects.done) done.push_back(std::move(each));
        for (const auto& query : Bench::sent<Query>(effects, at(1))) {
            ++queries;
            for (Done& each : bench.answer(at(1), query, 0xaa).done)
                done.push_back(std::move(each));
        }
    };
    mirror(bench.step(Ask{RequestId(1), FindNode{id_of(3)}}));
    for (int second = 0; second < 120; ++second) mirror(bench.pass(seconds(1)));
    EXPECT_GT(queries, 0u);
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(bench.node->status().lookups, 0u);
    EXPECT_EQ(bench.nodes(), 0u) << "whom nothing can be asked leaves the table";
}

TEST(DhtNode, StrangersWhoseRepliesAreTrimmedGetNoMorePingsThanTheAllowance) {
    Options open;
    open.rates.source_burst = open.rates.total_burst = 1'000'000;
    Bench bench = Bench::started(open);
    for (std::uint8_t i = 1; i <= 20; ++i) bench.befriend(i);
    bench.pass(minutes(1));
    std::size_t pings = 0;
    for (std::uint8_t block = 100; block < 200; ++block) {
        for (std::uint8_t host = 1; host <= 10; ++host) {
            Query find = Bench::query(Method::find_node, block, 7);
            find.version.reset();
            pings += Bench::sent<Query>(bench.hand(at(block, host), write(find)), at(block, host))
                         .size();
        }
    }
    EXPECT_GT(pings, 0u);
    EXPECT_LE(pings, 64u);
}

TEST(DhtNode, IfNobodyAnswersRequestsFailAndJoiningGoesOn) {
    Bench bench;
    bench.step(Ask{RequestId(1), FindNode{id_of(3)}});
    bench.step(Start{{at(1)}, {}});
    std::size_t joins = 0;
    std::vector<Done> done;
    while (bench.now < kStart + minutes(2)) {
        bench.now = std::max(bench.now, bench.node->next_deadline().value());
        Effects effects = bench.step(Tick{});
        joins += Bench::sent<Query>(effects, at(1)).size();
        for (Done& each : effects.done) done.push_back(std::move(each));
    }
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].outcome.failure, Failure::no_nodes);
    EXPECT_GE(joins, 4u);
    EXPECT_LE(joins, 20u);
}

TEST(DhtNode, OpenRequestsHaveAMaximumAndCanBeCancelled) {
    Options options;
    options.requests_max = 3;
    Bench bench(options);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        EXPECT_TRUE(bench.step(Ask{RequestId(i), FindNode{id_of(3)}}).done.empty());
    }
    const auto refused = bench.step(Ask{RequestId(4), FindNode{id_of(3)}});
    ASSERT_EQ(refused.done.size(), 1u);
    EXPECT_EQ(refused.done[0].outcome.failure, Failure::too_many);
    const auto cancelled = bench.step(Cancel{RequestId(2)});
    ASSERT_EQ(cancelled.done.size(), 1u);
    EXPECT_EQ(cancelled.done[0].id, RequestId(2));
    EXPECT_EQ(cancelled.done[0].outcome.failure, Failure::cancelled);
    EXPECT_TRUE(bench.step(Cancel{RequestId(2)}).done.empty());
    EXPECT_TRUE(bench.step(Ask{RequestId(4), FindNode{id_of(3)}}).done.empty());
}

TEST(DhtNode, AnItemThatBreaksARuleIsNotPut) {
    Bench bench = Bench::started();
    Item item = sign_item(crypto::KeyPair::generate(bench.prng), {}, 1, immutable().value);
    item.value.back() ^= 1;
    const auto effects = bench.step(Ask{RequestId(1), Put{item, std::nullopt}});
    ASSERT_EQ(effects.done.size(), 1u);
    EXPECT_EQ(effects.done[0].outcome.failure, Failure::invalid_item);
}

TEST(DhtNode, WhatIsKeptHasAMaximum) {
    Options options;
    options.kept_max = 2;
    Bench bench = Bench::started(options);
    for (std::uint8_t i = 1; i <= 3; ++i) bench.step(Keep{Announce{id_of(i), 0}});
    EXPECT_EQ(bench.node->status().kept, 2u);
    bench.step(Forget{id_of(1)});
    bench.step(Keep{Announce{id_of(3), 0}});
    EXPECT_EQ(bench.node->status().kept, 2u);
}

TEST(DhtNode, NobodyNamesPlacesNearerThanHisOwn) {
    Bench bench;
    const auto joins = Bench::sent<Query>(bench.step(Start{{at(1)}, {}}), at(1));
    Response reply;
    reply.transaction = joins.at(0).transaction;
    reply.version = kPrivateNetworkTag;
    reply.sender = id_of(1);
    reply.node_lists.v4 = true;
    const Endpoint inside{IpAddress::v4({192, 168, 0, 1}), 80};
    const Endpoint own_host{IpAddress::v4({127, 0, 0, 1}), 80};
    reply.nodes = {{id_of(5), inside}, {id_of(6), own_host}, {id_of(7), at(7)}};
    const Effects effects = bench.hand(at(1), write(reply));
    EXPECT_TRUE(Bench::sent<Query>(effects, inside).empty());
    EXPECT_TRUE(Bench::sent<Query>(effects, own_host).empty());
    EXPECT_FALSE(Bench::sent<Query>(effects, at(7)).empty());
}

TEST(DhtNode, InMainlineTheIdFollowsFromTheAddressThatSeveralSee) {
    Options options;
    options.wall.network = Network::mainline;
    Bench bench = Bench::started(options);
    const IpAddress ours = IpAddress::v4({21, 22, 23, 24});
    const auto vote = [&](const Endpoint& voter, std::uint8_t number, const IpAddress& claim) {
        Query ping = Bench::query(Method::ping, number);
        ping.version = kForeign;
        const auto pings = Bench::sent<Query>(bench.hand(voter, write(ping)), voter);
        if (pings.empty()) return;
        Response reply;
        reply.transaction = pings.front().transaction;
        reply.sender = id_of(number);
        reply.external = Endpoint{claim, 6881};
        bench.hand(voter, write(reply));
    };
    // One block has one vote, and who is on a private address has none.
    for (std::uint8_t host = 1; host < 20; ++host) vote(at(1, host), host, ours);
    for (std::uint8_t host = 30; host < 40; ++host) {
        vote({IpAddress::v4({192, 168, host, 1}), 6881}, host, ours);
    }
    EXPECT_EQ(bench.node->status().id_v4, id_of(0xaa));
    for (std::uint8_t block = 50; block < 53; ++block) vote(at(block), block, ours);
    EXPECT_EQ(bench.node->status().external_v4, ours);
    EXPECT_TRUE(bep42_valid(bench.node->status().id_v4, ours));
    EXPECT_NE(bench.node->status().id_v4, id_of(0xaa));
}

TEST(DhtNode, InASeparateNetworkTheIdStaysTheNodeKeys) {
    Bench bench = Bench::started();
    for (std::uint8_t block = 50; block < 60; ++block) {
        const auto pings = Bench::sent<Query>(
            bench.hand(at(block), write(Bench::query(Method::ping, block))), at(block));
        Response reply;
        reply.transaction = pings.at(0).transaction;
        reply.version = kPrivateNetworkTag;
        reply.sender = id_of(block);
        reply.external = Endpoint{IpAddress::v4({21, 22, 23, 24}), 6881};
        bench.hand(at(block), write(reply));
    }
    EXPECT_TRUE(bench.node->status().external_v4);
    EXPECT_EQ(bench.node->status().id_v4, id_of(0xaa));
}

TEST(DhtNode, GoodNodesAreThoseThatAnsweredLast) {
    Bench bench = Bench::started();
    for (std::uint8_t i = 1; i <= 5; ++i) {
        bench.now += seconds(1);
        bench.befriend(i);
    }
    const auto good = bench.node->good_nodes(3);
    ASSERT_EQ(good.size(), 3u);
    EXPECT_EQ(good[0].id, id_of(5));
    EXPECT_EQ(good[2].id, id_of(3));
}

TEST(DhtNode, ATrueCopyProlongsNoLife) {
    Bench bench = Bench::started();
    Query get = Bench::query(Method::get, 1);
    get.target = target_of(immutable());
    Query put = get;
    put.method = Method::put;
    put.token = bench.ask(at(1), get).token;
    put.item = immutable();
    put.age_s = 7000;
    bench.ask(at(1), put);
    EXPECT_FALSE(bench.ask(at(1), get).found.value.empty());
    bench.now += seconds(201);
    EXPECT_TRUE(bench.ask(at(1), get).found.value.empty());
}

}  // namespace
}  // namespace leither::dht
