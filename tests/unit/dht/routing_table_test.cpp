#include "leither/dht/routing_table.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "leither/base/prefix.h"
#include "leither/base/prng.h"

namespace leither::dht {
namespace {

using Learned = RoutingTable::Learned;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);
const Id kOwn;  // zero, so that a bucket is the number of leading zeros

Id random_id(Prng& prng) {
    Id id;
    prng.fill(id.span());
    return id;
}

// In bucket `bits`: that many zeros, a one, then chance.
Id id_in(unsigned bits, Prng& prng) {
    Id id = random_id(prng);
    for (unsigned i = 0; i <= bits; ++i) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> (i % 8));
        id[i / 8] = static_cast<std::uint8_t>(i == bits ? id[i / 8] | mask : id[i / 8] & ~mask);
    }
    return id;
}

// Each in a block of its own.
Endpoint endpoint(std::size_t block, std::uint8_t host = 1, std::uint16_t port = 6881) {
    return {IpAddress::v4({20, static_cast<std::uint8_t>(block >> 8),
                           static_cast<std::uint8_t>(block), host}),
            port};
}

// A table whose buckets have been split down to `deepest`, the last ones full.
RoutingTable full_table(Prng& prng, std::vector<Contact>& in_first) {
    RoutingTable table({}, kOwn);
    std::size_t block = 0;
    for (unsigned bits = 0; bits < 6; ++bits) {
        const std::size_t count = std::max<std::size_t>(8, RoutingTable::kFirstBucketMax >> bits);
        for (std::size_t i = 0; i < count; ++i) {
            const Contact contact{id_in(bits, prng), endpoint(block++)};
            if (table.answered(contact, kStart) == Learned::added && bits == 0) {
                in_first.push_back(contact);
            }
        }
    }
    table.check_invariants();
    return table;
}

TEST(RoutingTable, AnAnsweringNodeIsNeverReplacedByAnUnknownOne) {
    Prng prng(1);
    std::vector<Contact> first;
    RoutingTable table = full_table(prng, first);
    ASSERT_EQ(first.size(), RoutingTable::kFirstBucketMax);
    for (std::size_t i = 0; i < 100; ++i) {
        const Contact newcomer{id_in(0, prng), endpoint(5000 + i)};
        EXPECT_EQ(table.answered(newcomer, kStart + seconds(i)), Learned::waiting);
    }
    for (const Contact& contact : first) EXPECT_TRUE(table.holds(contact));
    table.check_invariants();
}

TEST(RoutingTable, ANodeThatFailsGivesWayToTheReplacementThatAnsweredLast) {
    Prng prng(2);
    std::vector<Contact> first;
    RoutingTable table = full_table(prng, first);
    const Contact early{id_in(0, prng), endpoint(5000)};
    const Contact late{id_in(0, prng), endpoint(5001)};
    table.answered(early, kStart);
    table.answered(late, kStart + seconds(1));
    EXPECT_TRUE(table.failed(first.front()));
    EXPECT_FALSE(table.holds(first.front()));
    EXPECT_TRUE(table.holds(late));
    EXPECT_FALSE(table.holds(early));
    table.check_invariants();
}

TEST(RoutingTable, WithoutAReplacementANodeIsDroppedAtItsSecondFailure) {
    Prng prng(3);
    RoutingTable table({}, kOwn);
    const Contact contact{id_in(0, prng), endpoint(1)};
    table.answered(contact, kStart);
    EXPECT_FALSE(table.failed(contact));
    EXPECT_TRUE(table.holds(contact));
    EXPECT_FALSE(table.holds(contact.endpoint));  // but nobody is told of it
    std::vector<Contact> named;
    table.closest(kOwn, 8, named);
    EXPECT_TRUE(named.empty());
    table.closest(kOwn, 8, named, RoutingTable::Standing::any);
    EXPECT_EQ(named.size(), 1u);
    EXPECT_TRUE(table.failed(contact));
    EXPECT_EQ(table.size(), 0u);
}

TEST(RoutingTable, AnAnswerForgivesAFailure) {
    Prng prng(4);
    RoutingTable table({}, kOwn);
    const Contact contact{id_in(0, prng), endpoint(1)};
    for (int i = 0; i < 10; ++i) {
        table.answered(contact, kStart);
        EXPECT_FALSE(table.failed(contact));
    }
    EXPECT_EQ(table.size(), 1u);
}

TEST(RoutingTable, AtMostOneNodeOfAnAddress) {
    Prng prng(5);
    RoutingTable table({}, kOwn);
    EXPECT_EQ(table.answered({id_in(0, prng), endpoint(1, 1, 100)}, kStart), Learned::added);
    EXPECT_EQ(table.answered({id_in(1, prng), endpoint(1, 1, 101)}, kStart),
              Learned::address_taken);
    EXPECT_FALSE(table.would_add({id_in(1, prng), endpoint(1, 1, 101)}));
}

TEST(RoutingTable, AnEndpointThatAnswersUnderAnotherIdIsAnotherNode) {
    Prng prng(6);
    RoutingTable table({}, kOwn);
    const Contact before{id_in(0, prng), endpoint(1)};
    const Contact after{id_in(3, prng), endpoint(1)};
    table.answered(before, kStart);
    EXPECT_EQ(table.answered(after, kStart), Learned::added);
    EXPECT_FALSE(table.holds(before));
    EXPECT_EQ(table.size(), 1u);
}

TEST(RoutingTable, ABlockHasTwoNodesInABucketAndEightInTheTable) {
    Prng prng(7);
    RoutingTable fresh({}, kOwn);
    EXPECT_EQ(fresh.answered({id_in(0, prng), endpoint(1, 1)}, kStart), Learned::added);
    EXPECT_EQ(fresh.answered({id_in(0, prng), endpoint(1, 2)}, kStart), Learned::added);
    EXPECT_EQ(fresh.answered({id_in(0, prng), endpoint(1, 3)}, kStart), Learned::block_full);
    RoutingTable table({.per_block_and_bucket_max = 100}, kOwn);
    for (std::uint8_t host = 1; host <= 8; ++host) {
        EXPECT_EQ(table.answered({id_in(0, prng), endpoint(1, host)}, kStart), Learned::added);
    }
    EXPECT_EQ(table.answered({id_in(0, prng), endpoint(1, 9)}, kStart), Learned::block_full);
    EXPECT_EQ(table.answered({id_in(0, prng), endpoint(2, 9)}, kStart), Learned::added);
}

TEST(RoutingTable, AThousandNodesOfOneBlockDisplaceNobody) {
    Prng prng(8);
    std::vector<Contact> first;
    RoutingTable table = full_table(prng, first);
    const auto before = table.nodes();
    for (std::size_t i = 0; i < 1000; ++i) {
        const auto host = static_cast<std::uint8_t>(i % 254 + 1);
        const auto port = static_cast<std::uint16_t>(1000 + i);
        // A third of them as near to us as can be.
        const auto depth = static_cast<unsigned>(100 + i % 50);
        const Id id = i % 3 == 0 ? id_in(depth, prng) : random_id(prng);
        table.answered({id, endpoint(7000, host, port)}, kStart + seconds(i));
        table.check_invariants();
    }
    for (const auto& node : before) EXPECT_TRUE(table.holds(node.contact));
    EXPECT_LE(table.size(), before.size() + 8);
}

TEST(RoutingTable, LocalAddressesAreExemptOnlyIfSaidSo) {
    Prng prng(9);
    RoutingTable exempt({.local = LocalSources::exempt}, kOwn);
    RoutingTable limited({}, kOwn);
    const IpAddress home = IpAddress::v4({127, 0, 0, 1});
    for (std::uint16_t port = 1; port <= 50; ++port) {
        const Contact contact{id_in(0, prng), {home, port}};
        exempt.answered(contact, kStart);
        limited.answered(contact, kStart);
    }
    EXPECT_EQ(exempt.size(), 50u);
    EXPECT_EQ(limited.size(), 1u);
}

TEST(RoutingTable, WhereBep42CountsAValidIdDisplacesAnInvalidOne) {
    Prng prng(10);
    RoutingTable table({.ids = IdRule::bep42}, kOwn);
    std::size_t block = 0;
    // All share the first bit that differs from ours, so the bucket cannot be split.
    while (table.size() < RoutingTable::kFirstBucketMax) {
        table.answered({id_in(0, prng), endpoint(block++)}, kStart);
    }
    Contact valid;
    do {
        valid.endpoint = endpoint(block++);
        valid.id = bep42_id(valid.endpoint.address, random_id(prng));
    } while (common_bits(kOwn, valid.id) != 0);
    EXPECT_EQ(table.answered(valid, kStart), Learned::added);
    EXPECT_TRUE(table.holds(valid));
    EXPECT_EQ(table.answered({id_in(0, prng), endpoint(block++)}, kStart), Learned::waiting);
    table.check_invariants();
}

TEST(RoutingTable, OurOwnIdIsNobodyElses) {
    RoutingTable table({}, kOwn);
    EXPECT_EQ(table.answered({kOwn, endpoint(1)}, kStart), Learned::own_id);
    EXPECT_FALSE(table.would_add({kOwn, endpoint(1)}));
}

// Beside a table, the naive model: all live nodes in one list, sorted for each question.
TEST(RoutingTable, ClosestAgreesWithASortedListOfAllNodes) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        Prng prng(seed);
        const Id own = random_id(prng);
        RoutingTable table({}, own);
        std::vector<Contact> known;
        for (std::size_t i = 0; i < 600; ++i) {
            Id id = random_id(prng);
            const auto shared = static_cast<unsigned>(prng.below(12));
            std::copy_n(own.data(), shared / 8, id.data());
            known.push_back({id, endpoint(i)});
            table.answered(known.back(), kStart + seconds(i));
            if (prng.chance(1, 4)) table.failed(known[prng.below(known.size())]);
        }
        table.check_invariants();
        std::vector<Contact> naive;
        for (const auto& node : table.nodes()) {
            if (node.failures == 0) naive.push_back(node.contact);
        }
        for (int question = 0; question < 50; ++question) {
            const Id target = question % 2 == 0 ? random_id(prng) : known[question].id;
            std::sort(naive.begin(), naive.end(), CloserTo{target});
            std::vector<Contact> closest;
            table.closest(target, 8, closest);
            const std::vector<Contact> expected(naive.begin(), naive.begin() + 8);
            EXPECT_EQ(closest, expected);
        }
    }
}

TEST(RoutingTable, AQuietBucketIsRefreshedOnceWithAnIdOfItsOwn) {
    Prng prng(11);
    std::vector<Contact> first;
    RoutingTable table = full_table(prng, first);
    const Instant now = kStart + minutes(16);
    EXPECT_FALSE(table.next_refresh(kStart - minutes(1), random_id(prng), now));
    std::vector<unsigned> refreshed;
    while (const auto id = table.next_refresh(now - minutes(15), random_id(prng), now)) {
        refreshed.push_back(
            std::min<unsigned>(common_bits(kOwn, *id), static_cast<unsigned>(table.buckets() - 1)));
        ASSERT_LE(refreshed.size(), table.buckets());
    }
    std::sort(refreshed.begin(), refreshed.end());
    // All but the deepest, which a lookup of our own id covers.
    ASSERT_EQ(refreshed.size(), table.buckets() - 1);
    for (unsigned i = 0; i < refreshed.size(); ++i) EXPECT_EQ(refreshed[i], i);
}

TEST(RoutingTable, TheNodeLongestUnheardIsCheckedFirstAndOneThatFailedBeforeAll) {
    Prng prng(12);
    RoutingTable table({}, kOwn);
    const Contact a{id_in(0, prng), endpoint(1)};
    const Contact b{id_in(1, prng), endpoint(2)};
    table.answered(a, kStart + seconds(5));
    table.answered(b, kStart);
    const Instant now = kStart + minutes(20);
    EXPECT_EQ(table.next_check(now - minutes(15), now), b);
    table.queried(b, now);
    EXPECT_EQ(table.next_check(now - minutes(15), now - seconds(10)), a);
    table.answered(b, now);
    table.failed(b);
    EXPECT_EQ(table.next_check(now - minutes(15), now), b);
    EXPECT_FALSE(table.next_check(kStart - seconds(1), kStart - seconds(1)));
    EXPECT_EQ(table.silent_neighbour(8, now - minutes(1)), a);
}

TEST(RoutingTable, AnotherOwnIdSortsTheSameNodesAnew) {
    Prng prng(13);
    std::vector<Contact> first;
    RoutingTable table = full_table(prng, first);
    const Id own = random_id(prng);
    table.set_own_id(own, kStart);
    table.check_invariants();
    EXPECT_EQ(table.own_id(), own);
    EXPECT_GT(table.size(), 8u);
}

}  // namespace
}  // namespace leither::dht
