// One node's part in an organization, without connections or a DHT.
#include "../../../src/node/community.h"

#include <set>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "support/org/org_world.h"

namespace leither::node {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;

class CommunityTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    CommunityTest() {
        ledger.accounts.insert(sample.alice.id());
        community.begin(now, fx);
    }

    PublishManifest order(Instant issued, Duration lifetime = hours(24)) const {
        const auto read_key = protocol::read_key_of(sample.organization);
        protocol::Manifest manifest = sample.manifest();
        manifest.read_key = read_key.public_key();
        manifest.validity = protocol::Validity::from(issued, lifetime);
        PublishManifest order;
        order.item.content = protocol::sign(manifest, sample.organization);
        const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt));
        const auto sequence = static_cast<std::int64_t>(manifest.validity.issued_ms);
        const Bytes value = dht::value_of(bcs::encode(order.item.content));
        order.item.item_signature =
            sample.organization.sign(dht::signed_bytes(salt, sequence, value));
        order.read_secret = read_key.secret();
        return order;
    }
    Result<void, NetworkFailure> publish(const PublishManifest& order) {
        fx = {};
        return community.publish(PublishManifest(order), now, fx);
    }
    // A node that serves alice.
    void meet(const crypto::KeyPair& node) {
        community.on_peer_up(node.public_key(), protocol::kOwnFeatures, now, fx);
        hear(node, protocol::Credentials{{sample.delegation(sample.alice, node)}, {}});
    }
    void hear(const crypto::KeyPair& from, protocol::PeerMessage message) {
        fx = {};
        community.on_message(from.id(), std::move(message), now, fx);
        community.check_invariants();
    }
    protocol::SignedRoutingRecord record(const crypto::KeyPair& node) const {
        protocol::RoutingRecord body;
        body.node = node.public_key();
        body.validity = protocol::Validity::from(now, hours(4));
        return protocol::sign(sample.chain, body, node);
    }
    // The nodes whose records have been offered to `to`, in each message.
    std::vector<std::vector<Id>> offers(const crypto::KeyPair& to) const {
        std::vector<std::vector<Id>> all;
        for (const auto& send : fx.sends) {
            const auto* offer = std::get_if<protocol::RecordOffer>(&send.message);
            if (offer == nullptr || send.to != to.id()) continue;
            all.emplace_back();
            for (const auto& notice : offer->records) all.back().push_back(notice.node);
        }
        return all;
    }

    testing::OrgSample sample;
    testing::ListedMembers ledger;
    Prng entropy{5};
    Instant now = kSampleNow;
    crypto::KeyPair own = key_named("own node");
    crypto::KeyPair first = key_named("first node");
    crypto::KeyPair second = key_named("second node");
    Community community{
        {}, {sample.organization.id(), own, protocol::StaticKey{}, Log()}, ledger, entropy};
    Community::Effects fx;
};

TEST_F(CommunityTest, AManifestThatIsNotNewerIsRefused) {
    const auto latest = order(now);
    ASSERT_TRUE(publish(latest));
    const auto done = publish(order(now - minutes(1)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().rule, "not_newer");
    EXPECT_EQ(community.manifest(), latest.item);
    EXPECT_TRUE(publish(latest));  // once more does no harm
}

TEST_F(CommunityTest, AManifestThatDoesNotHoldBringsNoReadKey) {
    const auto done = publish(order(now - hours(48)));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().rule, "expired");
    EXPECT_FALSE(community.read_key());
    EXPECT_TRUE(fx.writes.empty());
}

TEST_F(CommunityTest, AForgedDelegationIsHeldAgainstWhoShowsIt) {
    ASSERT_TRUE(publish(order(now)));
    const auto node = key_named("villain");
    community.on_peer_up(node.public_key(), protocol::kOwnFeatures, now, fx);
    auto forged = sample.delegation(sample.alice, node);
    forged.signature[3] ^= 1;
    hear(node, protocol::Credentials{{forged}, {}});
    ASSERT_EQ(fx.judged.size(), 1u);
    EXPECT_EQ(fx.judged[0].points, kForged);
    EXPECT_FALSE(community.neighbours().contains(node.id()));
}

TEST_F(CommunityTest, OfIntroductionsWithoutEndFewAreHeardAMinute) {
    ASSERT_TRUE(publish(order(now)));
    const auto node = key_named("villain");
    community.on_peer_up(node.public_key(), protocol::kOwnFeatures, now, fx);
    auto forged = sample.delegation(sample.alice, node);
    forged.signature[3] ^= 1;
    std::size_t heard = 0;
    for (int n = 0; n < 1000; ++n) {
        hear(node, protocol::Credentials{{forged}, {}});
        heard += fx.judged.size();
    }
    EXPECT_EQ(heard, 32u);
    now += minutes(1);
    hear(node, protocol::Credentials{{forged}, {}});
    EXPECT_EQ(fx.judged.size(), 1u);
}

TEST_F(CommunityTest, AllRecordsAreOfferedToWhoeverIsMet) {
    constexpr std::size_t kRecords = 3 * protocol::kRecordNoticesMax - 5;
    ASSERT_TRUE(publish(order(now)));
    meet(first);
    std::set<Id> known;
    for (std::size_t n = 0; n < kRecords; ++n) {
        const auto node = key_named("node " + std::to_string(n));
        known.insert(node.id());
        hear(first, protocol::RecordReply{{record(node)}});
    }
    meet(second);
    std::set<Id> offered;
    std::size_t notices = 0;
    for (const auto& offer : offers(second)) {
        offered.insert(offer.begin(), offer.end());
        notices += offer.size();
    }
    EXPECT_EQ(offered, known);
    EXPECT_EQ(notices, known.size());
}

TEST_F(CommunityTest, ANewRecordOfItsOwnIsOfferedHoweverManyThereAre) {
    ASSERT_TRUE(publish(order(now)));
    meet(first);
    for (std::size_t n = 0; n < 4 * protocol::kRecordNoticesMax; ++n) {
        const auto node = key_named("node " + std::to_string(n));
        hear(first, protocol::RecordReply{{record(node)}});
    }
    community.set_endpoints({{IpAddress::v4({192, 0, 2, 1}), 7400}}, now, fx);
    now += minutes(1);
    fx = {};
    community.on_tick(now, fx);
    std::set<Id> offered;
    for (const auto& offer : offers(first)) offered.insert(offer.begin(), offer.end());
    EXPECT_TRUE(offered.contains(own.id()));
    EXPECT_EQ(offered.size(), 4 * protocol::kRecordNoticesMax + 1);
}

TEST_F(CommunityTest, WhoHandsOnWhatIsForgedIsJudged) {
    ASSERT_TRUE(publish(order(now)));
    meet(first);
    auto forged_record = record(second);
    forged_record.signature[0] ^= 1;
    hear(first, protocol::RecordReply{{forged_record}});
    ASSERT_EQ(fx.judged.size(), 1u);
    EXPECT_EQ(fx.judged[0].node, first.id());
    EXPECT_LT(fx.judged[0].points, 0);

    auto line = sample.line(1, Hash{}, "hello");
    line.signature[0] ^= 1;
    hear(first, protocol::ChatPost{line, std::nullopt});
    EXPECT_EQ(fx.judged.size(), 1u);

    auto envelope = sample.envelope("hello");
    envelope.signature[0] ^= 1;
    hear(first, protocol::EnvelopePost{envelope});
    EXPECT_EQ(fx.judged.size(), 1u);

    auto manifest = order(now + seconds(1)).item;
    manifest.item_signature[0] ^= 1;
    hear(first, protocol::ManifestReply{manifest});
    EXPECT_EQ(fx.judged.size(), 1u);
}

TEST_F(CommunityTest, WhatIsOnlyOutOfDateIsNobodysFault) {
    ASSERT_TRUE(publish(order(now)));
    meet(first);
    const auto old = record(second);
    now += hours(5);
    hear(first, protocol::RecordReply{{old}});
    EXPECT_TRUE(fx.judged.empty());
}

}  // namespace
}  // namespace leither::node
