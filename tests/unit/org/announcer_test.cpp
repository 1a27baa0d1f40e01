#include "leither/org/announcer.h"

#include <gtest/gtest.h>

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::kSampleNow;

class AnnouncerTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    Announcer make() {
        return Announcer({}, {sample.node, {}, sample.organization.id(), sample.chain, 0},
                         testing::shelf(ShelfKind::sequence), prng, Log());
    }
    // Steps, writes, and answers every order with `outcome`.
    void give(Announcer::Input&& input, OrderOutcome outcome = OrderOutcome::stored) {
        std::vector<OrderId> orders;
        collect(announcer.step(std::move(input), now), orders);
        for (const OrderId order : orders) {
            std::vector<OrderId> none;
            collect(announcer.step(Announcer::Carried{order, outcome}, now), none);
            EXPECT_TRUE(none.empty());
        }
        announcer.check_invariants();
    }
    void collect(Announcer::Effects&& effects, std::vector<OrderId>& orders) {
        testing::write(disk, effects.writes);
        for (auto& publish : effects.publish) {
            orders.push_back(publish.order);
            published.emplace_back(now, std::move(publish.item));
        }
        for (const auto& announce : effects.announce) {
            orders.push_back(announce.order);
            announced.emplace_back(now, announce.target);
        }
    }
    void run_until(Instant end, OrderOutcome outcome = OrderOutcome::stored) {
        while (announcer.next_deadline() && *announcer.next_deadline() <= end) {
            now = std::max(now, *announcer.next_deadline());
            give(Announcer::Tick{}, outcome);
        }
        now = end;
    }
    void start() {
        give(manifest());
        give(Announcer::AddressesAre{{endpoint(1)}});
    }
    Announcer::ManifestIs manifest() const {
        return {{sample.organization.public_key(), "org", 5, {1, 2, 3}, Signature{}},
                read_key.public_key()};
    }
    static Endpoint endpoint(std::uint8_t host) { return {IpAddress::v4({192, 0, 2, host}), 4242}; }
    // The routing records published, opened.
    std::vector<std::pair<Instant, protocol::SignedRoutingRecord>> records() const {
        std::vector<std::pair<Instant, protocol::SignedRoutingRecord>> out;
        for (const auto& [at, item] : published) {
            const auto* mutable_item = std::get_if<MutableItem>(&item);
            if (mutable_item == nullptr || mutable_item->salt != "addr") continue;
            const auto record = protocol::open_record(
                {read_key, sample.chain}, mutable_item->content, sample.node.public_key(), at);
            EXPECT_TRUE(record.has_value());
            EXPECT_EQ(record->record.validity.issued_ms, mutable_item->sequence);
            out.emplace_back(at, *record);
        }
        return out;
    }
    std::size_t count(std::string_view salt) const {
        std::size_t n = 0;
        for (const auto& [at, item] : published) {
            const auto* held = std::get_if<MutableItem>(&item);
            if (held != nullptr && held->salt == salt) ++n;
        }
        return n;
    }

    testing::OrgSample sample;
    crypto::X25519KeyPair read_key = protocol::read_key_of(sample.organization);
    Prng prng{3};
    store::MemoryStore disk;
    Announcer announcer = make();
    Instant now = kSampleNow;
    std::vector<std::pair<Instant, Publication>> published;
    std::vector<std::pair<Instant, Id>> announced;
};

TEST_F(AnnouncerTest, AnAddressIsPublishedWithinAMinuteOfItsChange) {
    start();
    run_until(now + minutes(1));
    ASSERT_EQ(records().size(), 1U);
    const Instant changed = now;
    give(Announcer::AddressesAre{{endpoint(2)}});
    run_until(now + minutes(1));
    ASSERT_EQ(records().size(), 2U);
    EXPECT_LT(records().back().first - changed, minutes(1));
    EXPECT_EQ(records().back().second.record.endpoints.front().endpoint(), endpoint(2));
    EXPECT_EQ(announcer.record(), records().back().second);
}

TEST_F(AnnouncerTest, PresenceIsAnnouncedAnewFromANewAddress) {
    start();
    run_until(now + minutes(1));
    ASSERT_EQ(announced.size(), 1U);
    const Instant changed = now;
    give(Announcer::AddressesAre{{endpoint(2)}});
    run_until(now + minutes(1));
    ASSERT_EQ(announced.size(), 2U);
    EXPECT_LT(announced.back().first - changed, minutes(1));
}

TEST_F(AnnouncerTest, WhoeverHeldTheItemsWhenAllWereGoneTheNewcomersGetThem) {
    start();
    run_until(now + minutes(1));
    const std::size_t items = published.size();
    ASSERT_EQ(announced.size(), 1U);
    give(Announcer::Joined{});
    EXPECT_EQ(published.size(), 2 * items);
    EXPECT_EQ(announced.size(), 2U);
}

TEST_F(AnnouncerTest, ALineThatFlapsGivesOneRecord) {
    start();
    for (std::uint8_t host = 2; host < 10; ++host) {
        now += seconds(1);
        give(Announcer::AddressesAre{{endpoint(host)}});
    }
    run_until(now + minutes(1));
    EXPECT_EQ(records().size(), 1U);
}

TEST_F(AnnouncerTest, WithoutAddressOrReadKeyThereIsNoRecord) {
    give(Announcer::AddressesAre{{endpoint(1)}});
    run_until(now + hours(3));
    EXPECT_TRUE(records().empty());
    give(manifest());
    give(Announcer::AddressesAre{});
    run_until(now + hours(3));
    EXPECT_TRUE(records().empty());
}

TEST_F(AnnouncerTest, ARecordNeverRunsOut) {
    start();
    run_until(now + hours(30));
    const auto all = records();
    ASSERT_GT(all.size(), 10U);
    for (std::size_t i = 1; i < all.size(); ++i) {
        EXPECT_LT(all[i].first - all[i - 1].first, hours(2));
        EXPECT_GT(all[i].second.record.validity.issued_ms,
                  all[i - 1].second.record.validity.issued_ms);
    }
}

TEST_F(AnnouncerTest, ItemsAndPresenceAreRepeatedWithinAnHour) {
    start();
    run_until(now + hours(10));
    EXPECT_GE(count("org"), 10U);
    EXPECT_LE(count("org"), 12U);
    EXPECT_GE(announced.size(), 10U);
    EXPECT_LE(announced.size(), 12U);
}

TEST_F(AnnouncerTest, PresenceIsAnnouncedForTheOrganizationAndEachServedAccount) {
    give(Announcer::Tick{});
    ASSERT_EQ(announced.size(), 1U);
    EXPECT_EQ(announced.front().second, sample.organization.id());
    give(Announcer::Serves{{sample.delegation(sample.alice, sample.node)}});
    ASSERT_EQ(announced.size(), 2U);
    EXPECT_EQ(announced.back().second, sample.alice.id());
    give(Announcer::Serves{});
    announced.clear();
    run_until(now + hours(2));
    for (const auto& [at, target] : announced) EXPECT_EQ(target, sample.organization.id());
}

TEST_F(AnnouncerTest, WhatFailsIsTriedAgainMoreAndMoreRarely) {
    give(manifest(), OrderOutcome::failed);
    run_until(now + hours(1), OrderOutcome::failed);
    std::vector<Instant> at;
    for (const auto& [when, item] : published) at.push_back(when);
    ASSERT_GE(at.size(), 6U);
    EXPECT_EQ(at[1] - at[0], seconds(20));
    EXPECT_EQ(at[2] - at[1], seconds(40));
    EXPECT_EQ(at[at.size() - 1] - at[at.size() - 2], minutes(10));
}

TEST_F(AnnouncerTest, AnOrderWithoutAnswerCountsAsFailed) {
    const auto effects = announcer.step(manifest(), now);
    ASSERT_EQ(effects.publish.size(), 1U);
    const AnnouncerOptions options;
    now += options.order_timeout;
    EXPECT_TRUE(announcer.step(Announcer::Tick{}, now).publish.empty());
    now += options.retry_min;
    EXPECT_EQ(announcer.step(Announcer::Tick{}, now).publish.size(), 1U);
    // The late answer to the first order changes nothing.
    announcer.step(Announcer::Carried{effects.publish.front().order, OrderOutcome::stored}, now);
    EXPECT_LE(*announcer.next_deadline(), now + options.order_timeout);
}

TEST_F(AnnouncerTest, ANewLinePublishesItselfAndTheHeadAlone) {
    const auto lines = [](std::uint8_t from, std::uint8_t to) {
        Announcer::ChatIs chat;
        for (std::uint8_t i = from; i < to; ++i) {
            Id target;
            target[0] = i;
            chat.lines.push_back({i});
            chat.head.lines.push_back({target, Hash{}});
        }
        return chat;
    };
    give(Announcer::Tick{});
    give(lines(0, 16));
    run_until(now + minutes(1));
    EXPECT_EQ(published.size(), 17U);
    published.clear();
    give(lines(1, 17));
    run_until(now + minutes(1));
    ASSERT_EQ(published.size(), 2U);
    EXPECT_EQ(published[0].second, Publication(ImmutableItem{{16}}));
    EXPECT_EQ(count("chat"), 1U);
}

TEST_F(AnnouncerTest, ALivelyConversationNeitherFloodsTheDhtNorWaitsForItsEnd) {
    give(Announcer::Tick{});
    for (std::uint8_t i = 0; i < 60; ++i) {
        Announcer::ChatIs chat;
        Id target;
        target[0] = i;
        chat.lines.push_back({i});
        chat.head.lines.push_back({target, Hash{}});
        run_until(now + seconds(1));
        give(std::move(chat));
    }
    EXPECT_GE(count("chat"), 5U);
    EXPECT_LE(count("chat"), 6U);
}

TEST_F(AnnouncerTest, SequencesRiseOverARestartWithAClockThatStoodStill) {
    start();
    run_until(now + minutes(1));
    const auto last = records().back().second.record.validity.issued_ms;
    announcer = make();
    ASSERT_TRUE(announcer.load(disk).has_value());
    now = kSampleNow;
    start();
    run_until(now + minutes(1));
    EXPECT_GT(records().back().second.record.validity.issued_ms, last);
}

TEST_F(AnnouncerTest, WhatOthersMayComeForIsAnnouncedInBoundsAndUntilItIsGone) {
    start();
    run_until(now + std::chrono::minutes(2));
    announced.clear();
    std::vector<Id> targets;
    for (std::size_t i = 0; i <= kOffersMax; ++i) {
        targets.push_back(testing::key_named("target " + std::to_string(i)).id());
    }
    give(Announcer::Offers{targets});
    ASSERT_EQ(announced.size(), kOffersMax);
    for (const auto& [at, target] : announced) EXPECT_NE(target, targets.back());
    announced.clear();
    give(Announcer::Offers{{targets[0], targets[1]}});
    EXPECT_TRUE(announced.empty());  // they are announced already
    run_until(now + std::chrono::hours(1));
    std::size_t again = 0;
    for (const auto& [at, target] : announced) {
        if (target == sample.organization.id()) continue;
        EXPECT_TRUE(target == targets[0] || target == targets[1]);
        ++again;
    }
    EXPECT_EQ(again, 2u);
    announced.clear();
    give(Announcer::Offers{});
    run_until(now + std::chrono::hours(1));
    for (const auto& [at, target] : announced) EXPECT_EQ(target, sample.organization.id());
}

}  // namespace
}  // namespace leither::org
