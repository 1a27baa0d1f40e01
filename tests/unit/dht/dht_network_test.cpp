// Whole networks of nodes in virtual time.
#include "support/dht_network.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace leither::dht {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::DhtNetwork;

Item immutable(std::uint32_t number) {
    Bytes content(100, 7);
    for (unsigned i = 0; i < 4; ++i) content[i] = static_cast<std::uint8_t>(number >> (8 * i));
    return Item{value_of(content), std::nullopt};
}

struct Writer {
    Prng prng{1};
    crypto::KeyPair key = crypto::KeyPair::generate(prng);
    Item item(std::uint32_t slot, std::int64_t sequence) const {
        return sign_item(key, salt(slot), sequence, immutable(slot).value);
    }
    GetMutable get(std::uint32_t slot) const { return {key.public_key(), salt(slot)}; }
    static ItemSalt salt(std::uint32_t slot) {
        return ItemSalt::copy_of(as_bytes("slot " + std::to_string(slot)));
    }
};

std::size_t any_alive(DhtNetwork& network) {
    for (;;) {
        const std::size_t i = network.prng().below(network.size());
        if (network.node(i).is_alive) return i;
    }
}

// Of the k nodes nearest to each living node, those in its table, in per mille.
std::size_t neighbours_known(DhtNetwork& network) {
    std::size_t known = 0;
    std::size_t all = 0;
    for (std::size_t i = 0; i < network.size(); ++i) {
        if (!network.node(i).is_alive) continue;
        std::vector<Id> others;
        for (std::size_t j = 0; j < network.size(); ++j) {
            if (j != i && network.node(j).is_alive) others.push_back(network.node(j).id);
        }
        const Id& own = network.node(i).id;
        std::sort(others.begin(), others.end(), CloserTo{own});
        others.resize(std::min<std::size_t>(8, others.size()));
        for (const Contact& near : network.machine(i).closest(own, 8)) {
            known += static_cast<std::size_t>(std::count(others.begin(), others.end(), near.id));
        }
        all += others.size();
    }
    return 1000 * known / all;
}

template <class T>
T percentile(std::vector<T> values, std::size_t percent) {
    std::sort(values.begin(), values.end());
    return values[values.size() * percent / 100];
}

void grow(DhtNetwork& network, std::size_t count, Options options = {}) {
    while (network.size() < count) network.add(options);
    network.run_for(seconds(60));
}

TEST(DhtNetwork, TwoHundredNodesFindEachOtherWithinAMinute) {
    DhtNetwork network({.seed = 1});
    grow(network, 200);
    EXPECT_GE(neighbours_known(network), 990u);
    for (std::size_t i = 0; i < network.size(); ++i) {
        EXPECT_TRUE(network.machine(i).status().ready);
        network.machine(i).check_invariants();
    }
}

TEST(DhtNetwork, WhatOneNodePutsEveryOtherGets) {
    DhtNetwork network({.seed = 2});
    grow(network, 200);
    const Writer writer;
    std::uint32_t queries = 0;
    std::uint32_t hops = 0;
    for (std::uint32_t i = 0; i < 50; ++i) {
        const auto put = network.ask(any_alive(network), Put{immutable(i), std::nullopt});
        EXPECT_FALSE(put.outcome.failure);
        EXPECT_GE(put.outcome.copies, 7u);
        const auto slot = network.ask(any_alive(network), Put{writer.item(i, 1), std::nullopt});
        EXPECT_FALSE(slot.outcome.failure);
        const auto got = network.ask(any_alive(network), GetImmutable{target_of(immutable(i))});
        ASSERT_TRUE(got.outcome.item);
        EXPECT_EQ(*got.outcome.item, immutable(i));
        const auto read = network.ask(any_alive(network), writer.get(i));
        ASSERT_TRUE(read.outcome.item);
        EXPECT_EQ(*read.outcome.item, writer.item(i, 1));
        EXPECT_GE(read.outcome.holders, kQuorum);
        queries += got.outcome.queries + read.outcome.queries;
        hops += got.outcome.hops + read.outcome.hops;
    }
    EXPECT_LE(queries, 15u * 100);
    EXPECT_LE(hops, 100u * static_cast<std::uint32_t>(std::log2(200)));
}

TEST(DhtNetwork, WithAQuarterDeadAndLossGetsStayFast) {
    DhtNetwork network({.seed = 3, .loss_percent = 5});
    grow(network, 200);
    for (std::size_t i = 1; i < network.size(); ++i) {
        if (network.prng().chance(1, 4)) network.kill(i);
    }
    std::size_t found = 0;
    std::vector<Duration> took;
    for (std::uint32_t i = 0; i < 200; ++i) {
        network.ask(any_alive(network), Put{immutable(i), std::nullopt});
        const auto got = network.ask(any_alive(network), GetImmutable{target_of(immutable(i))});
        if (got.outcome.item) ++found;
        took.push_back(got.took);
    }
    EXPECT_GE(found, 198u);
    EXPECT_LE(percentile(took, 99), milliseconds(1100));
}

TEST(DhtNetwork, AfterAThirdHaveDiedItemsAreFoundAndNeighboursKnownAgain) {
    DhtNetwork network({.seed = 4});
    grow(network, 200);
    const Writer writer;
    for (std::uint32_t i = 0; i < 100; ++i) {
        network.ask(any_alive(network), Put{writer.item(i, 1), std::nullopt});
    }
    for (std::size_t i = 1; i < network.size(); ++i) {
        if (network.prng().chance(3, 10)) network.kill(i);
    }
    std::vector<Duration> took;
    std::vector<std::uint32_t> queries;
    for (std::uint32_t i = 0; i < 100; ++i) {
        const auto got = network.ask(any_alive(network), writer.get(i));
        EXPECT_TRUE(got.outcome.item);
        took.push_back(got.took);
        queries.push_back(got.outcome.queries);
    }
    EXPECT_LE(percentile(took, 99), milliseconds(1500));
    EXPECT_LE(percentile(queries, 50), 15u);
    network.run_for(seconds(60));
    EXPECT_GE(neighbours_known(network), 950u);
}

TEST(DhtNetwork, ALookupTellsTheRoundTripOfEachNodeItFound) {
    DhtNetwork network({.seed = 3});
    for (int i = 0; i < 30; ++i) network.add();
    network.run_for(minutes(1));
    const auto found = network.ask(4, FindNode{network.node(9).id}).outcome;
    ASSERT_EQ(found.nodes.size(), 8u);
    ASSERT_EQ(found.round_trips.size(), found.nodes.size());
    for (const Duration round_trip : found.round_trips) {
        EXPECT_GE(round_trip, milliseconds(20));
        EXPECT_LE(round_trip, milliseconds(120));
    }
}

TEST(DhtNetwork, AGetSaysWhetherEnoughHoldersAgreed) {
    const Writer writer;
    DhtNetwork two({.seed = 3});
    two.add();
    two.add();
    two.run_for(minutes(1));
    two.ask(0, Put{writer.item(1, 1), std::nullopt});
    const auto of_two = two.ask(1, writer.get(1)).outcome;
    EXPECT_EQ(of_two.item, writer.item(1, 1));
    EXPECT_FALSE(of_two.is_quorate);

    DhtNetwork many({.seed = 3});
    for (int i = 0; i < 30; ++i) many.add();
    many.run_for(minutes(1));
    many.ask(0, Put{writer.item(1, 1), std::nullopt});
    EXPECT_TRUE(many.ask(1, writer.get(1)).outcome.is_quorate);
    EXPECT_FALSE(many.ask(1, writer.get(2)).outcome.is_quorate);
}

TEST(DhtNetwork, StatusCountsEveryDatagramAndSharesOutTheBuckets) {
    constexpr std::uint64_t kHeaderBytes = 28;  // of IP and UDP
    DhtNetwork network({.seed = 3});
    for (int i = 0; i < 30; ++i) network.add();
    network.run_for(minutes(1));
    for (std::size_t i = 0; i < network.size(); ++i) {
        const Status status = network.machine(i).status();
        const Counters& counted = status.counters;
        EXPECT_EQ(counted.datagrams_sent, counted.queries_sent + counted.replies_sent);
        EXPECT_EQ(counted.bytes_sent + counted.datagrams_sent * kHeaderBytes,
                  network.sent_bytes(i));
        EXPECT_GT(counted.datagrams_received, 0u);
        EXPECT_GT(counted.lookups_begun, 0u);
        std::size_t nodes = 0;
        for (const auto& bucket : status.buckets_v4) {
            EXPECT_LE(bucket.nodes, bucket.places);
            nodes += bucket.nodes;
        }
        EXPECT_EQ(nodes, status.nodes_v4);
    }
}

TEST(DhtNetwork, AnOldSequenceNeverReplacesANewerOne) {
    DhtNetwork network({.seed = 5});
    grow(network, 50);
    const Writer writer;
    ASSERT_FALSE(network.ask(7, Put{writer.item(1, 5), std::nullopt}).outcome.failure);
    const auto old = network.ask(8, Put{writer.item(1, 4), std::nullopt});
    EXPECT_EQ(old.outcome.failure, Failure::sequence_too_low);
    EXPECT_EQ(old.outcome.copies, 0u);
    EXPECT_EQ(old.outcome.item->author->sequence, 5);
    ASSERT_FALSE(network.ask(8, Put{writer.item(1, 6), std::nullopt}).outcome.failure);
    EXPECT_EQ(network.ask(9, writer.get(1)).outcome.item->author->sequence, 6);
}

TEST(DhtNetwork, APutWithAnotherSequenceInMindIsRefused) {
    DhtNetwork network({.seed = 6});
    grow(network, 50);
    const Writer writer;
    ASSERT_FALSE(network.ask(7, Put{writer.item(1, 5), std::nullopt}).outcome.failure);
    EXPECT_EQ(network.ask(8, Put{writer.item(1, 7), 6}).outcome.failure, Failure::cas_mismatch);
    EXPECT_FALSE(network.ask(8, Put{writer.item(1, 7), 5}).outcome.failure);
}

TEST(DhtNetwork, ARefusedPutIsNotKeptByItsWriterEither) {
    DhtNetwork network({.seed = 12});
    grow(network, 6);  // everybody is near
    const Writer writer;
    ASSERT_FALSE(network.ask(1, Put{writer.item(1, 7), std::nullopt}).outcome.failure);
    const std::size_t late = network.add();
    network.run_for(seconds(5));
    const auto refused = network.ask(late, Put{writer.item(1, 8), 5}).outcome;
    EXPECT_EQ(refused.failure, Failure::cas_mismatch);
    EXPECT_FALSE(refused.stored_here);
    const auto old = network.ask(late, Put{writer.item(1, 6), std::nullopt}).outcome;
    EXPECT_EQ(old.failure, Failure::sequence_too_low);
    network.run_for(minutes(40));  // copies are made meanwhile
    for (std::size_t i = 0; i < network.size(); ++i) {
        EXPECT_EQ(network.ask(i, writer.get(1)).outcome.item->author->sequence, 7) << i;
    }
}

TEST(DhtNetwork, TheEqualItemCanBePutAgainByAnybody) {
    DhtNetwork network({.seed = 7});
    grow(network, 50);
    const Writer writer;
    ASSERT_FALSE(network.ask(7, Put{writer.item(1, 5), std::nullopt}).outcome.failure);
    const auto again = network.ask(8, Put{writer.item(1, 5), std::nullopt});
    EXPECT_FALSE(again.outcome.failure);
    EXPECT_GE(again.outcome.copies, 7u);
}

TEST(DhtNetwork, PeersThatAnnounceAreFound) {
    DhtNetwork network({.seed = 8});
    grow(network, 60);
    const Id info_hash = immutable_target(immutable(1).value);
    ASSERT_FALSE(network.ask(7, Announce{info_hash, 0}).outcome.failure);
    ASSERT_FALSE(network.ask(8, Announce{info_hash, 4000}).outcome.failure);
    const auto found = network.ask(9, GetPeers{info_hash});
    Endpoint at_port = network.node(8).endpoint;
    at_port.port = 4000;
    const std::vector<Endpoint>& peers = found.outcome.peers;
    EXPECT_EQ(peers.size(), 2u);
    EXPECT_TRUE(std::count(peers.begin(), peers.end(), network.node(7).endpoint));
    EXPECT_TRUE(std::count(peers.begin(), peers.end(), at_port));
    EXPECT_EQ(network.ask(9, GetPeers{network.node(3).id}).outcome.failure, Failure::not_found);
}

TEST(DhtNetwork, WhatNobodyKeepsIsGoneAfterTwoHours) {
    DhtNetwork network({.seed = 9});
    grow(network, 50);
    network.ask(7, Put{immutable(1), std::nullopt});
    network.run_for(hours(1));
    EXPECT_TRUE(network.ask(8, GetImmutable{target_of(immutable(1))}).outcome.item);
    network.run_for(hours(1) + minutes(5));
    EXPECT_EQ(network.ask(8, GetImmutable{target_of(immutable(1))}).outcome.failure,
              Failure::not_found);
}

TEST(DhtNetwork, WhatIsKeptStaysUntilItIsForgotten) {
    DhtNetwork network({.seed = 10});
    grow(network, 50);
    const Writer writer;
    const Id info_hash = network.node(3).id;
    network.step(7, Keep{Put{writer.item(1, 1), std::nullopt}});
    network.step(7, Keep{Announce{info_hash, 0}});
    for (int round = 0; round < 12; ++round) {
        network.run_for(minutes(30));
        EXPECT_TRUE(network.ask(8, writer.get(1)).outcome.item) << round;
        EXPECT_EQ(network.ask(9, GetPeers{info_hash}).outcome.peers.size(), 1u) << round;
    }
    network.step(7, Keep{Put{writer.item(1, 2), std::nullopt}});
    network.run_for(seconds(10));
    EXPECT_EQ(network.ask(8, writer.get(1)).outcome.item->author->sequence, 2);
    network.step(7, Forget{mutable_target(writer.key.public_key(), Writer::salt(1))});
    network.run_for(hours(3));
    EXPECT_FALSE(network.ask(8, writer.get(1)).outcome.item);
}

TEST(DhtNetwork, HoldersCopyWhatTheyHoldWhileOthersComeAndGo) {
    DhtNetwork network({.seed = 11, .loss_percent = 5});
    grow(network, 100);
    const Writer writer;
    for (std::uint32_t i = 0; i < 40; ++i) {
        network.ask(any_alive(network), Put{writer.item(i, 1), std::nullopt});
    }
    // Mean session of 30 minutes: one in thirty leaves each minute, and as many come anew.
    for (int minute = 0; minute < 110; ++minute) {
        const std::size_t size = network.size();
        for (std::size_t i = 1; i < size; ++i) {
            if (!network.node(i).is_alive || !network.prng().chance(1, 30)) continue;
            network.kill(i);
            network.add();
        }
        network.run_for(minutes(1));
    }
    std::size_t found = 0;
    for (std::uint32_t i = 0; i < 40; ++i) {
        if (network.ask(any_alive(network), writer.get(i)).outcome.item) ++found;
    }
    EXPECT_GE(found, 39u);
}

TEST(DhtNetwork, AQuietNodeSendsLessThanAHundredBytesASecond) {
    DhtNetwork network({.seed = 12});
    grow(network, 100);
    network.run_for(minutes(30));
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < network.size(); ++i) before += network.sent_bytes(i);
    network.run_for(hours(3));
    std::uint64_t after = 0;
    for (std::size_t i = 0; i < network.size(); ++i) after += network.sent_bytes(i);
    const std::uint64_t per_second = (after - before) / network.size() / (3 * 3600);
    EXPECT_LT(per_second, 100u);
    RecordProperty("bytes_per_second", static_cast<int>(per_second));
}

TEST(DhtNetwork, AThousandNodesOfOneBlockDoNotKeepAnItemFromItsReaders) {
    DhtNetwork network({.seed = 13});
    grow(network, 60);
    const Writer writer;
    ASSERT_FALSE(network.ask(7, Put{writer.item(1, 1), std::nullopt}).outcome.failure);
    const Id target = mutable_target(writer.key.public_key(), Writer::salt(1));
    // All of them as near to the item as ids can be.
    for (std::uint32_t i = 0; i < 1000; ++i) {
        Options options;
        options.own_id = target;
        options.own_id[18] = static_cast<std::uint8_t>(options.own_id[18] ^ (i >> 8));
        options.own_id[19] = static_cast<std::uint8_t>(options.own_id[19] ^ i ^ 0x55);
        const auto host = static_cast<std::uint8_t>(i % 250 + 1);
        const auto port = static_cast<std::uint16_t>(1000 + i);
        network.add(options, {IpAddress::v4({99, 9, 9, host}), port},
                    {network.node(i % 60).endpoint});
    }
    network.run_for(seconds(60));
    for (std::size_t reader = 10; reader < 60; ++reader) {
        const auto read = network.ask(reader, writer.get(1));
        ASSERT_TRUE(read.outcome.item) << reader;
        std::size_t foreign = 0;
        for (const Contact& node : network.machine(reader).good_nodes(1000)) {
            if (node.endpoint.address.block() == IpAddress::v4({99, 9, 9, 0})) ++foreign;
        }
        EXPECT_LE(foreign, 8u);
        EXPECT_GE(network.machine(reader).status().nodes_v4, 40u);
    }
}

TEST(DhtNetwork, TheSameSeedGivesTheSameBytes) {
    const auto digest = [](std::uint64_t seed) {
        DhtNetwork network({.seed = seed, .loss_percent = 5});
        grow(network, 40);
        for (std::uint32_t i = 0; i < 20; ++i) {
            network.ask(any_alive(network), Put{immutable(i), std::nullopt});
        }
        network.run_for(minutes(40));
        return network.digest();
    };
    EXPECT_EQ(digest(1), digest(1));
    EXPECT_NE(digest(1), digest(2));
}

TEST(DhtNetwork, InvariantsHoldAfterEveryStep) {
    DhtNetwork network({.seed = 14, .loss_percent = 20, .checks_invariants = true});
    grow(network, 20);
    const Writer writer;
    for (std::uint32_t i = 0; i < 20; ++i) {
        network.step(any_alive(network), Keep{Put{writer.item(i, 1), std::nullopt}});
        network.ask(any_alive(network), writer.get(i));
        if (i % 4 == 0) network.kill(any_alive(network));
    }
    network.run_for(minutes(20));
}

TEST(DhtNetwork, AfterAllWentSilentTheNodeJoinsAgain) {
    DhtNetwork network({.seed = 15});
    grow(network, 20);
    for (std::size_t i = 0; i < 20; ++i) {
        if (i != 5) network.kill(i);
    }
    network.run_for(hours(2));
    EXPECT_EQ(network.machine(5).status().nodes_v4, 0u);
    EXPECT_EQ(network.ask(5, FindNode{network.node(3).id}).outcome.failure, Failure::no_nodes);
    for (std::size_t i = 0; i < 20; ++i) {
        if (i != 5) network.revive(i);
    }
    network.run_for(minutes(6));
    EXPECT_GT(network.machine(5).status().nodes_v4, 8u);
}

TEST(DhtNetwork, BothFamiliesAreServedByOneNode) {
    DhtNetwork network({.seed = 16});
    std::size_t count = 0;
    // Even nodes speak IPv4, odd ones IPv6; each family has its first node to start from.
    for (std::uint16_t i = 0; i < 40; ++i) {
        Endpoint at = DhtNetwork::endpoint_of(i);
        if (i % 2 == 1) {
            IpAddress::V6 bytes{0x20, 0x01, 0x4, static_cast<std::uint8_t>(i)};
            bytes[15] = 1;
            at.address = IpAddress::v6(bytes);
        }
        Options options;
        options.families = i % 2 == 1 ? Families::v6 : Families::v4;
        std::vector<Endpoint> first;
        if (i >= 2) first.push_back(network.node(i % 2).endpoint);
        network.add(options, at, first);
        ++count;
    }
    network.run_for(seconds(60));
    EXPECT_GE(network.machine(11).status().nodes_v6, 12u);
    EXPECT_EQ(network.machine(11).status().nodes_v4, 0u);
    ASSERT_FALSE(network.ask(11, Put{immutable(1), std::nullopt}).outcome.failure);
    EXPECT_TRUE(network.ask(13, GetImmutable{target_of(immutable(1))}).outcome.item);
    EXPECT_FALSE(network.ask(12, GetImmutable{target_of(immutable(1))}).outcome.item);
}

}  // namespace
}  // namespace leither::dht
