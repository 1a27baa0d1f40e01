#include "leither/dht/item_store.h"

#include <set>

#include <gtest/gtest.h>

#include "leither/dht/sha1.h"

namespace leither::dht {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Instant kStart = instant_from_unix_ms(1'700'000'000'000);
const Id kOwnId;
constexpr Want kBoth{true, true};

// An address in the n-th block; the host tells addresses of one block apart.
IpAddress source(std::uint32_t block, std::uint8_t host = 1) {
    return IpAddress::v4({static_cast<std::uint8_t>(11 + (block >> 16)),
                          static_cast<std::uint8_t>(block >> 8), static_cast<std::uint8_t>(block),
                          host});
}
Bytes value(std::string_view text) {
    return value_of(as_bytes(text));
}
Item immutable(std::string_view text) {
    return Item{value(text), std::nullopt};
}
Item numbered(std::uint32_t n) {
    return immutable("item " + std::to_string(n));
}
const crypto::KeyPair& writer() {
    static const crypto::KeyPair key = [] {
        crypto::initialise();
        return crypto::KeyPair::from_seed({});
    }();
    return key;
}
Item written(std::int64_t sequence, std::string_view text) {
    return sign_item(writer(), {}, sequence, value(text));
}
Id info_hash(std::uint32_t n) {
    return sha1(value(std::to_string(n)));
}

std::optional<StoreRefusal> put(ItemStore& store, const Item& item,
                                std::optional<std::int64_t> cas = std::nullopt,
                                const IpAddress& from = source(1), Instant now = kStart) {
    const auto stored = store.put(item, cas, from, now);
    store.check_invariants();
    if (stored) return std::nullopt;
    return stored.error();
}

// ---- Items

TEST(ItemStore, KeepsWhatIsPutForTwoHours) {
    ItemStore store({}, kOwnId);
    const Item item = immutable("a");
    EXPECT_EQ(put(store, item), std::nullopt);
    const Id target = target_of(item);
    ASSERT_NE(store.find(target, kStart + hours(2) - seconds(1)), nullptr);
    EXPECT_EQ(*store.find(target, kStart), item);
    EXPECT_EQ(store.find(target, kStart + hours(2)), nullptr);
    EXPECT_EQ(store.items(), 1u);
    store.expire(kStart + hours(2));
    EXPECT_EQ(store.items() + store.item_bytes(), 0u);
    store.check_invariants();
}

TEST(ItemStore, TheEqualItemKeepsItAliveWhoeverPutsIt) {
    ItemStore store({}, kOwnId);
    for (const Item& item : {immutable("a"), written(5, "a")}) {
        EXPECT_EQ(put(store, item), std::nullopt);
        EXPECT_EQ(put(store, item, std::nullopt, source(2), kStart + hours(1)), std::nullopt);
        EXPECT_NE(store.find(target_of(item), kStart + hours(3) - seconds(1)), nullptr);
    }
    EXPECT_EQ(store.items(), 2u);
}

TEST(ItemStore, OnlyAHigherSequenceReplaces) {
    ItemStore store({}, kOwnId);
    const Id target = target_of(written(0, ""));
    EXPECT_EQ(put(store, written(5, "five")), std::nullopt);
    EXPECT_EQ(put(store, written(4, "four")), StoreRefusal::sequence_too_low);
    EXPECT_EQ(put(store, written(5, "other five")), StoreRefusal::sequence_too_low);
    EXPECT_EQ(*store.find(target, kStart), written(5, "five"));
    EXPECT_EQ(put(store, written(6, "six")), std::nullopt);
    EXPECT_EQ(*store.find(target, kStart), written(6, "six"));
    EXPECT_EQ(store.items(), 1u);
    // What has expired binds nobody.
    EXPECT_EQ(put(store, written(1, "one"), std::nullopt, source(1), kStart + hours(2)),
              std::nullopt);
}

TEST(ItemStore, CasMustNameTheStoredSequence) {
    ItemStore store({}, kOwnId);
    EXPECT_EQ(put(store, written(5, "five"), 77), std::nullopt) << "nothing is there to differ";
    EXPECT_EQ(put(store, written(6, "six"), 4), StoreRefusal::cas_mismatch);
    EXPECT_EQ(put(store, written(4, "four"), 4), StoreRefusal::cas_mismatch) << "comes before 302";
    EXPECT_EQ(put(store, written(5, "five"), 4), StoreRefusal::cas_mismatch);
    EXPECT_EQ(put(store, written(6, "six"), 5), std::nullopt);
}

TEST(ItemStore, WhatIsNotValidIsNotStored) {
    ItemStore store({}, kOwnId);
    Item item = written(1, "a");
    item.author->signature[3] ^= 1;
    EXPECT_EQ(put(store, item), StoreRefusal::bad_signature);
    item.author->sequence = -1;
    EXPECT_EQ(put(store, item), StoreRefusal::sequence_out_of_range);
    item.value = Bytes{'i', '-', '0', 'e'};
    EXPECT_EQ(put(store, item), StoreRefusal::value_not_canonical);
    item.value.resize(kValueBytesMax + 1);
    EXPECT_EQ(put(store, item), StoreRefusal::value_too_big);
    EXPECT_EQ(store.items(), 0u);
    // Nor does a forged copy of a stored item refresh or replace it.
    EXPECT_EQ(put(store, written(1, "a")), std::nullopt);
    item = written(1, "a");
    item.author->signature[3] ^= 1;
    EXPECT_EQ(put(store, item), StoreRefusal::bad_signature);
}

TEST(ItemStore, RefusalsHaveTheCodesOfBep44) {
    EXPECT_EQ(error_code(StoreRefusal::value_too_big), ErrorCode::value_too_big);
    EXPECT_EQ(error_code(StoreRefusal::value_not_canonical), ErrorCode::protocol);
    EXPECT_EQ(error_code(StoreRefusal::sequence_out_of_range), ErrorCode::protocol);
    EXPECT_EQ(error_code(StoreRefusal::bad_signature), ErrorCode::bad_signature);
    EXPECT_EQ(error_code(StoreRefusal::cas_mismatch), ErrorCode::cas_mismatch);
    EXPECT_EQ(error_code(StoreRefusal::sequence_too_low), ErrorCode::sequence_too_low);
    EXPECT_EQ(error_code(StoreRefusal::store_full), ErrorCode::server);
    EXPECT_EQ(error_code(StoreRefusal::port_zero), ErrorCode::protocol);
}

TEST(ItemStoreBounds, ItemsAndBytesHaveTheirMaxima) {
    ItemStore few({.items_max = 10}, kOwnId);
    ItemStore small({.item_bytes_max = 10 * ItemStore::kItemOverheadBytes}, kOwnId);
    for (std::uint32_t n = 0; n < 100; ++n) {
        put(few, numbered(n), std::nullopt, source(n));
        put(small, numbered(n), std::nullopt, source(n));
        ASSERT_LE(few.items(), 10u);
    }
    EXPECT_EQ(few.items(), 10u);
    EXPECT_EQ(small.items(), 9u);
    ItemStore tiny({.item_bytes_max = 100}, kOwnId);
    EXPECT_EQ(put(tiny, immutable("a")), StoreRefusal::store_full);
}

TEST(ItemStoreBounds, AFullStoreOfEqualSharesKeepsTheNearest) {
    ItemStore store({.items_max = 20}, kOwnId);
    std::vector<Id> targets;
    for (std::uint32_t n = 0; n < 200; ++n) {
        put(store, numbered(n), std::nullopt, source(n));
        targets.push_back(target_of(numbered(n)));
    }
    std::sort(targets.begin(), targets.end(), CloserTo{kOwnId});
    for (std::size_t i = 0; i < targets.size(); ++i) {
        EXPECT_EQ(store.find(targets[i], kStart) != nullptr, i < 20) << i;
    }
}

TEST(ItemStoreBounds, OneBlockCannotPushOutOthers) {
    ItemStore store({.items_max = 100}, kOwnId);
    for (std::uint32_t n = 0; n < 50; ++n) put(store, numbered(n), std::nullopt, source(n));
    for (std::uint32_t n = 1000; n < 3000; ++n) {
        put(store, numbered(n), std::nullopt, source(7777, static_cast<std::uint8_t>(n)));
    }
    EXPECT_EQ(store.items(), 100u);
    for (std::uint32_t n = 0; n < 50; ++n) {
        EXPECT_NE(store.find(target_of(numbered(n)), kStart), nullptr) << n;
    }
    // And newcomers of small blocks take their room back from the large one.
    for (std::uint32_t n = 50; n < 90; ++n) {
        EXPECT_EQ(put(store, numbered(n), std::nullopt, source(n)), std::nullopt);
    }
    for (std::uint32_t n = 0; n < 90; ++n) {
        EXPECT_NE(store.find(target_of(numbered(n)), kStart), nullptr) << n;
    }
}

TEST(ItemStoreBounds, AnUpdateThatFindsNoRoomLeavesTheOldItem) {
    const Item old = written(1, "a");
    const std::size_t room = ItemStore::kItemOverheadBytes + old.value.size();
    ItemStore store({.item_bytes_max = room}, kOwnId);
    EXPECT_EQ(put(store, old), std::nullopt);
    EXPECT_EQ(put(store, written(2, "longer")), StoreRefusal::store_full);
    EXPECT_EQ(*store.find(target_of(old), kStart), old);
    EXPECT_EQ(put(store, written(3, "b")), std::nullopt);
}

// ---- Peers

TEST(PeerStore, ShowsWhoAnnouncedAndForgetsAfterTwoHours) {
    ItemStore store({}, kOwnId);
    Prng prng(1);
    const Endpoint four{source(1), 80};
    const Endpoint six{IpAddress::parse("2001:db8::1").value(), 81};
    EXPECT_TRUE(store.announce(info_hash(1), four, kStart));
    EXPECT_TRUE(store.announce(info_hash(1), six, kStart));
    EXPECT_TRUE(store.announce(info_hash(1), four, kStart + hours(1)));
    EXPECT_EQ(store.peers(), 2u);
    EXPECT_EQ(store.announce(info_hash(1), {source(1), 0}, kStart).error(),
              StoreRefusal::port_zero);
    const auto shown = [&](Want families, Instant now) {
        return store.sample_peers(info_hash(1), {families, 10}, prng, now);
    };
    EXPECT_EQ(shown(kBoth, kStart), (std::vector<Endpoint>{four, six}));
    EXPECT_EQ(shown({true, false}, kStart), std::vector<Endpoint>{four});
    EXPECT_EQ(shown({false, true}, kStart), std::vector<Endpoint>{six});
    EXPECT_EQ(shown(kBoth, kStart + hours(2)), std::vector<Endpoint>{four});
    EXPECT_TRUE(store.sample_peers(info_hash(2), {kBoth, 10}, prng, kStart).empty());
    store.expire(kStart + hours(2));
    EXPECT_EQ(store.peers(), 1u);
    store.expire(kStart + hours(3));
    EXPECT_EQ(store.peers(), 0u);
    store.check_invariants();
}

TEST(PeerStore, ASampleIsDrawnWithoutPreference) {
    ItemStore store({}, kOwnId);
    Prng prng(2);
    for (std::uint32_t n = 0; n < 50; ++n) {
        ASSERT_TRUE(store.announce(info_hash(1), {source(n), 80}, kStart));
    }
    std::map<Endpoint, int> seen;
    for (int round = 0; round < 1000; ++round) {
        const auto sample = store.sample_peers(info_hash(1), {kBoth, 10}, prng, kStart);
        ASSERT_EQ(std::set<Endpoint>(sample.begin(), sample.end()).size(), 10u);
        for (const Endpoint& peer : sample) ++seen[peer];
    }
    EXPECT_EQ(seen.size(), 50u);
    for (const auto& [peer, times] : seen) EXPECT_NEAR(times, 200, 70) << peer.text();
}

TEST(PeerStoreBounds, ABlockHasFourPlacesUnderOneHash) {
    ItemStore store({}, kOwnId);
    Prng prng(3);
    for (std::uint8_t host = 1; host <= 10; ++host) {
        ASSERT_TRUE(store.announce(info_hash(1), {source(1, host), 80}, kStart + seconds(host)));
        store.check_invariants();
    }
    const auto peers = store.sample_peers(info_hash(1), {kBoth, 20}, prng, kStart);
    ASSERT_EQ(peers.size(), 4u);
    for (const Endpoint& peer : peers) EXPECT_GT(peer.address, source(1, 6)) << "the newest stay";
    EXPECT_TRUE(store.announce(info_hash(2), {source(1, 1), 80}, kStart));
    EXPECT_EQ(store.peers(), 5u);
}

TEST(PeerStoreBounds, LocalPeersHaveNoBlocksIfSoSaid) {
    ItemStore store({.local = LocalSources::exempt}, kOwnId);
    for (std::uint16_t port = 1; port <= 50; ++port) {
        ASSERT_TRUE(store.announce(info_hash(1), {IpAddress::v4({127, 0, 0, 1}), port}, kStart));
    }
    EXPECT_EQ(store.peers(), 50u);
    store.check_invariants();
}

TEST(PeerStoreBounds, AHashAndAllTogetherHaveTheirMaxima) {
    ItemStore store({.peers_max = 30, .peers_per_hash_max = 10}, kOwnId);
    for (std::uint32_t n = 0; n < 100; ++n) {
        ASSERT_TRUE(store.announce(info_hash(n % 7), {source(n), 80}, kStart + seconds(n)));
        store.check_invariants();
    }
    EXPECT_EQ(store.peers(), 30u);
    ItemStore one({.peers_per_hash_max = 10}, kOwnId);
    for (std::uint32_t n = 0; n < 11; ++n) {
        ASSERT_TRUE(one.announce(info_hash(1), {source(n), 80}, kStart));
        EXPECT_EQ(one.peers(), std::min<std::size_t>(n + 1, 10));
    }
}

TEST(PeerStoreBounds, OneBlockCannotPushOutOthers) {
    ItemStore store({.peers_max = 60}, kOwnId);
    Prng prng(4);
    for (std::uint32_t n = 0; n < 40; ++n) {
        ASSERT_TRUE(store.announce(info_hash(n), {source(n), 80}, kStart));
    }
    for (std::uint32_t n = 0; n < 500; ++n) {
        ASSERT_TRUE(store.announce(info_hash(1000 + n), {source(999), 80}, kStart + minutes(1)));
    }
    EXPECT_EQ(store.peers(), 60u);
    for (std::uint32_t n = 0; n < 40; ++n) {
        EXPECT_EQ(store.sample_peers(info_hash(n), {kBoth, 5}, prng, kStart).size(), 1u);
    }
    store.check_invariants();
}

// ---- Against a model: with room to spare, a map of what each target should hold.

TEST(ItemStoreProperty, HoldsWhatAModelHolds) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Prng prng(seed);
        ItemStore store({}, kOwnId);
        struct Entry {
            std::int64_t sequence = 0;
            std::string text;
            Instant put_at;
        };
        std::map<std::uint8_t, Entry> model;  // by salt
        Instant now = kStart;
        for (int step = 0; step < 1500; ++step) {
            now += seconds(prng.below(600));
            const auto n = static_cast<std::uint8_t>(prng.below(6));
            const auto salt = ItemSalt::copy_of(Bytes{n});
            const auto sequence = static_cast<std::int64_t>(prng.below(50));
            const std::string text = prng.chance(1, 2) ? "a" : "b";
            const Item item = sign_item(writer(), salt, sequence, value(text));
            auto known = model.find(n);
            if (known != model.end() && now - known->second.put_at >= hours(2)) {
                model.erase(known);
                known = model.end();
            }
            const bool accepted =
                known == model.end() || sequence > known->second.sequence ||
                (sequence == known->second.sequence && text == known->second.text);
            if (accepted) model[n] = {sequence, text, now};
            ASSERT_EQ(store.put(item, std::nullopt, source(n), now).has_value(), accepted)
                << "seed " << seed << " step " << step;
            if (prng.chance(1, 50)) store.expire(now);
            store.check_invariants();
            const Item* found = store.find(target_of(item), now);
            ASSERT_NE(found, nullptr);
            ASSERT_EQ(found->author->sequence, model[n].sequence);
            ASSERT_EQ(found->value, value(model[n].text));
        }
    }
}

}  // namespace
}  // namespace leither::dht
