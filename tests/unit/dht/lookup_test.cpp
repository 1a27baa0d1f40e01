#include "leither/dht/lookup.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "leither/base/prng.h"

namespace leither::dht {
namespace {

using Goal = Lookup::Goal;

// Targets are zero, so a node's distance is its number.
const Id kTarget;
const Id kOwn = *Id::parse("ffffffffffffffffffffffffffffffffffffffff");

Id numbered(std::uint32_t number) {
    Id id;
    for (unsigned i = 0; i < 4; ++i) id[16 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    return id;
}
Contact contact(std::uint32_t number) {
    return {numbered(number),
            {IpAddress::v4({20, static_cast<std::uint8_t>(number >> 8),
                            static_cast<std::uint8_t>(number), 1}),
             6881}};
}
std::vector<Contact> contacts(std::uint32_t first, std::uint32_t count) {
    std::vector<Contact> out;
    for (std::uint32_t i = 0; i < count; ++i) out.push_back(contact(first + i));
    return out;
}
Response reply(const Contact& from, std::vector<Contact> nodes = {}) {
    Response out;
    out.sender = from.id;
    out.nodes = std::move(nodes);
    out.token = Token::copy_of(as_bytes("token"));
    return out;
}

struct Writer {
    Prng prng{1};
    crypto::KeyPair key = crypto::KeyPair::generate(prng);
    ItemSalt salt;
    Id target = mutable_target(key.public_key(), salt);
    Item item(std::int64_t sequence, std::string_view text = "x") const {
        return sign_item(key, salt, sequence, value_of(as_bytes(text)));
    }
    Lookup::Options options(Goal goal = Goal::item) const {
        return {.goal = goal, .author = Lookup::Author{key.public_key(), salt}};
    }
};
Response with(Response reply, const Item& item) {
    reply.found.value = item.value;
    if (!item.author) return reply;
    reply.found.key = item.author->key;
    reply.found.signature = item.author->signature;
    reply.found.sequence = item.author->sequence;
    return reply;
}

// Answers every probe until the lookup is done.
template <class Answer>
void run(Lookup& lookup, Answer answer) {
    for (auto probes = lookup.next(); !probes.empty(); probes = lookup.next()) {
        for (const auto& probe : probes) lookup.answered(probe.contact, answer(probe.contact));
        lookup.check_invariants();
    }
    EXPECT_TRUE(lookup.done());
}

TEST(Lookup, FindsTheKClosestOfAllThatCanBeReached) {
    // Each node names its sixteen neighbours, so the way leads down from 1000 to 1.
    Lookup lookup({}, kTarget, kOwn, contacts(1000, 8));
    run(lookup, [](const Contact& from) {
        const std::uint32_t n = from.id[18] * 256U + from.id[19];
        return reply(from, contacts(std::max(1U, n / 2), 16));
    });
    const auto closest = lookup.closest();
    ASSERT_EQ(closest.size(), 8u);
    for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(closest[i]->contact, contact(i + 1));
    EXPECT_LE(lookup.queries(), 60u);
    EXPECT_GE(lookup.hops(), 8u);
}

TEST(Lookup, AlphaQueriesAreInFlightAndOneMoreForEachLateOne) {
    Lookup lookup({}, kTarget, kOwn, contacts(1, 8));
    const auto first = lookup.next();
    EXPECT_EQ(first.size(), 3u);
    EXPECT_TRUE(lookup.next().empty());
    lookup.late(first[0].contact);
    EXPECT_EQ(lookup.next().size(), 2u);  // its place, and one more
    EXPECT_FALSE(lookup.done());
}

TEST(Lookup, WithoutAnybodyItIsDoneAtOnce) {
    Lookup lookup({}, kTarget, kOwn, {});
    EXPECT_TRUE(lookup.next().empty());
    EXPECT_TRUE(lookup.done());
}

TEST(Lookup, AnAnswerAfterTheSoftTimeoutStillCounts) {
    Lookup lookup({}, kTarget, kOwn, contacts(1, 1));
    const auto probes = lookup.next();
    lookup.late(probes[0].contact);
    EXPECT_FALSE(lookup.done());  // better late than nobody
    lookup.answered(probes[0].contact, reply(probes[0].contact));
    EXPECT_TRUE(lookup.done());
    EXPECT_EQ(lookup.closest().size(), 1u);
}

TEST(Lookup, WhenAllFailItEnds) {
    Lookup lookup({}, kTarget, kOwn, contacts(1, 4));
    for (auto probes = lookup.next(); !probes.empty(); probes = lookup.next()) {
        for (const auto& probe : probes) {
            lookup.late(probe.contact);
            lookup.failed(probe.contact);
        }
    }
    EXPECT_TRUE(lookup.done());
    EXPECT_EQ(lookup.answers(), 0u);
}

TEST(Lookup, ThreeHoldersOfDifferentBlocksAreAQuorum) {
    const Writer writer;
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 8));
    const Item item = writer.item(5);
    const auto probes = lookup.next();
    for (std::size_t i = 0; i < 2; ++i) {
        lookup.answered(probes[i].contact, with(reply(probes[i].contact), item));
    }
    EXPECT_FALSE(lookup.done());
    lookup.answered(probes[2].contact, with(reply(probes[2].contact), item));
    EXPECT_TRUE(lookup.done());
    EXPECT_EQ(lookup.item(), item);
    EXPECT_EQ(lookup.holders(), 3u);
}

TEST(Lookup, HoldersOfOneBlockCountOnce) {
    const Writer writer;
    std::vector<Contact> seeds = {contact(1), contact(1), contact(2), contact(2)};
    for (const std::size_t i : {1u, 3u}) {
        seeds[i].endpoint.port = 7000;
        seeds[i].id[0] = 1;
    }
    Lookup lookup(writer.options(), writer.target, kOwn, seeds);
    const Item item = writer.item(5);
    std::uint32_t asked = 0;
    run(lookup, [&](const Contact& from) {
        ++asked;
        return with(reply(from), item);
    });
    EXPECT_EQ(asked, 4u);  // never content: two blocks
    EXPECT_EQ(lookup.holders(), 4u);
}

TEST(Lookup, TheHighestValidSequenceWins) {
    const Writer writer;
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 8));
    std::map<Endpoint, Item> held;
    for (std::uint32_t i = 1; i <= 8; ++i) {
        held[contact(i).endpoint] = writer.item(i == 7 ? 9 : 4);
    }
    // A forger claims more than anybody signed.
    held[contact(8).endpoint].author->sequence = 99;
    Lookup::Options options = writer.options(Goal::every_copy);
    Lookup all(options, writer.target, kOwn, contacts(1, 8));
    run(all, [&](const Contact& from) { return with(reply(from), held.at(from.endpoint)); });
    ASSERT_TRUE(all.item());
    EXPECT_EQ(all.item()->author->sequence, 9);
    EXPECT_EQ(all.holders(), 1u);
}

TEST(Lookup, TwoValuesUnderOneSequenceGiveEveryReaderTheSame) {
    const Writer writer;
    const Item a = writer.item(5, "a");
    const Item b = writer.item(5, "b");
    for (const bool a_first : {true, false}) {
        Lookup lookup(writer.options(Goal::every_copy), writer.target, kOwn, contacts(1, 2));
        bool is_first = true;
        run(lookup, [&](const Contact& from) {
            const bool gives_a = is_first == a_first;
            is_first = false;
            return with(reply(from), gives_a ? a : b);
        });
        EXPECT_EQ(lookup.item(), b);
    }
}

TEST(Lookup, AnImmutableItemNeedsOneHolderAndTheRightBytes) {
    const Item item{value_of(as_bytes("content")), std::nullopt};
    Lookup lookup({.goal = Goal::item}, target_of(item), kOwn, contacts(1, 8));
    const auto probes = lookup.next();
    const Item forged{value_of(as_bytes("another")), std::nullopt};
    lookup.answered(probes[0].contact, with(reply(probes[0].contact), forged));
    EXPECT_FALSE(lookup.done());
    lookup.answered(probes[1].contact, with(reply(probes[1].contact), item));
    EXPECT_TRUE(lookup.done());
    EXPECT_EQ(lookup.item(), item);
}

TEST(Lookup, AnotherKeysItemIsNotTaken) {
    const Writer writer;
    Writer other;
    other.key = crypto::derive_key({}, 1);
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 3));
    run(lookup, [&](const Contact& from) { return with(reply(from), other.item(3)); });
    EXPECT_FALSE(lookup.item());
}

TEST(Lookup, AValueHeldBackIsAskedForAgainWithTheToken) {
    const Writer writer;
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 1));
    const auto bare = lookup.next();
    EXPECT_TRUE(bare[0].token.empty());
    Response sequence_only = reply(bare[0].contact);
    sequence_only.found.sequence = 5;
    lookup.answered(bare[0].contact, sequence_only);
    EXPECT_FALSE(lookup.done());
    const auto again = lookup.next();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].token, Token::copy_of(as_bytes("token")));
    lookup.answered(again[0].contact, with(reply(again[0].contact), writer.item(5)));
    EXPECT_TRUE(lookup.done());
    EXPECT_TRUE(lookup.item());
    EXPECT_EQ(lookup.queries(), 2u);
}

TEST(Lookup, ANodeThatHoldsItsValueBackForEverIsLeft) {
    const Writer writer;
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 1));
    run(lookup, [&](const Contact& from) {
        Response out = reply(from);
        out.found.sequence = 5;
        return out;
    });
    EXPECT_FALSE(lookup.item());
    EXPECT_LE(lookup.queries(), 2u);
}

TEST(Lookup, BeforeItGivesUpLateNodesAreAskedAgain) {
    const Writer writer;
    Lookup lookup(writer.options(), writer.target, kOwn, contacts(1, 2));
    const auto probes = lookup.next();
    lookup.late(probes[0].contact);
    lookup.answered(probes[1].contact, reply(probes[1].contact));
    const auto again = lookup.next();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].contact, probes[0].contact);
    lookup.late(again[0].contact);
    EXPECT_TRUE(lookup.next().empty());
    EXPECT_TRUE(lookup.done());
}

TEST(Lookup, OneAnswerNamesAtMostSixteenAndABlockHasTwoPlaces) {
    Lookup lookup({}, kTarget, kOwn, contacts(1000, 1));
    const auto probes = lookup.next();
    std::vector<Contact> flood = contacts(100, 40);
    lookup.answered(probes[0].contact, reply(probes[0].contact, flood));
    std::uint32_t asked = 0;
    run(lookup, [&](const Contact& from) {
        ++asked;
        return reply(from);
    });
    EXPECT_LE(asked, Lookup::kNamedMax);

    std::vector<Contact> one_block;
    for (std::uint8_t i = 1; i <= 16; ++i) {
        one_block.push_back({numbered(i), {IpAddress::v4({20, 9, 9, i}), 6881}});
    }
    Lookup narrow({}, kTarget, kOwn, one_block);
    std::uint32_t of_block = 0;
    run(narrow, [&](const Contact& from) {
        ++of_block;
        return reply(from);
    });
    EXPECT_EQ(of_block, Lookup::kPerBlockMax);
}

TEST(Lookup, ALiarsNodesDoNotHideWhatTheOtherPathsFind) {
    const Writer writer;
    // The liar is one of three seeds. Its friends, each in a block of its own, are as near to the
    // target as ids can be, and name each other.
    const auto near = [&](std::uint32_t i) {
        Contact friend_of_liar = contact(5000 + i);
        friend_of_liar.id = writer.target;
        friend_of_liar.id[19] = static_cast<std::uint8_t>(friend_of_liar.id[19] ^ (i + 1));
        return friend_of_liar;
    };
    std::vector<Contact> friends;
    for (std::uint32_t i = 0; i < 16; ++i) friends.push_back(near(i));
    const std::vector<Contact> seeds = contacts(1, 3);
    const Contact liar = seeds[0];
    const Contact holder = contact(77);
    Lookup lookup(writer.options(), writer.target, kOwn, seeds);
    run(lookup, [&](const Contact& from) {
        const bool lies =
            from == liar || std::find(friends.begin(), friends.end(), from) != friends.end();
        if (lies) return reply(from, friends);
        if (from == holder) return with(reply(from), writer.item(5));
        return reply(from, {holder});
    });
    ASSERT_TRUE(lookup.item());
    EXPECT_EQ(lookup.item()->author->sequence, 5);
}

TEST(Lookup, QueriesAndCandidatesAreBounded) {
    Prng prng(9);
    Lookup lookup({}, kTarget, kOwn, contacts(1, 8));
    std::uint32_t next = 0x00ffffff;
    // Every answer names nodes nearer than all before.
    for (auto probes = lookup.next(); !probes.empty(); probes = lookup.next()) {
        for (const auto& probe : probes) {
            std::vector<Contact> nearer;
            for (int i = 0; i < 16; ++i) nearer.push_back(contact(next--));
            for (Contact& node : nearer) {
                node.id = Id();
                node.id[19] = 1;
                prng.fill(std::span(node.id.data() + 15, 4));
            }
            lookup.answered(probe.contact, reply(probe.contact, nearer));
        }
        lookup.check_invariants();
        ASSERT_LE(lookup.queries(), Lookup::kQueriesMax);
    }
    EXPECT_TRUE(lookup.done());
}

TEST(Lookup, PeersAreGatheredOnceEachUpToTheirMaximum) {
    Lookup lookup({.goal = Goal::peers}, kTarget, kOwn, contacts(1, 8));
    std::uint32_t peer = 0;
    run(lookup, [&](const Contact& from) {
        Response out = reply(from);
        out.peers.push_back(contact(1).endpoint);
        for (int i = 0; i < 200; ++i) out.peers.push_back(contact(++peer).endpoint);
        return out;
    });
    EXPECT_EQ(lookup.peers().size(), Lookup::kPeersMax);
}

}  // namespace
}  // namespace leither::dht
