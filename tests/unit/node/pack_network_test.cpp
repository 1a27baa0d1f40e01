// Packs, tags and contributions among whole nodes: published at one, found and fetched at others,
// through crashes and from a provider that lies.
#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/node/community.h"
#include "support/node/network_world.h"
#include "support/org/org_sample.h"

namespace leither::node {
namespace {

using protocol::kContentPieceMax;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Community;
using testing::NetworkWorld;
using testing::SamplePack;

constexpr std::size_t kKeeper = 0;

crypto::KeyPair node_key(std::uint64_t n) {
    return crypto::derive_key({}, 100 + n);
}

// A keeper with a published organization; other nodes serve members, or nobody.
class PackNetwork : public ::testing::Test {
 protected:
    PackNetwork() : world_({}, community_.start_of(Pulse(1))) {
        crypto::initialise();
        world_.add(community_.node_key());
        world_.step(kKeeper, Found{1'000'000, community_.encoded_genesis()});
        world_.advance(seconds(2));
        const auto answer =
            world_.ask(kKeeper, community_.manifest(world_.queries(kKeeper), world_.now()));
        EXPECT_TRUE(answer && *answer);
    }

    std::size_t add_guest() {
        keys_.push_back(node_key(keys_.size()));
        const std::size_t host = world_.add(keys_.back());
        const auto answer =
            world_.ask(host, FollowOrganization{community_.organization().treasury});
        EXPECT_TRUE(answer && *answer);
        EXPECT_TRUE(
            world_.wait([&] { return world_.queries(host).manifest().has_value(); }, minutes(2)));
        return host;
    }
    // A node that serves member `n` and has been welcomed.
    std::size_t add_member(std::size_t n) {
        const std::size_t host = add_guest();
        const auto order =
            community_.delegate(community_.member(n), keys_[host - 1].public_key(), world_.now());
        const auto answer = world_.ask(host, order);
        EXPECT_TRUE(answer && *answer);
        EXPECT_TRUE(world_.wait(
            [&] { return world_.queries(host).network(world_.now())->community->can_read_records; },
            minutes(2)));
        return host;
    }
    SamplePack make(std::size_t member, const std::string& name,
                    const std::vector<std::size_t>& files, std::uint64_t seed = 1) const {
        return testing::make_pack(community_.chain(), community_.member(member), name, files,
                                  world_.now(), seed);
    }
    void publish(std::size_t host, const SamplePack& pack) {
        const auto begun = world_.ask(host, PublishPack{pack.pack, pack.contents});
        ASSERT_TRUE(begun && *begun) << (begun ? (*begun).error().detail : "no answer");
        for (const Bytes& piece : pack.pieces) {
            const auto put = world_.ask(host, PutPiece{pack.id, piece});
            ASSERT_TRUE(put && *put) << (put ? (*put).error().detail : "no answer");
        }
        EXPECT_TRUE(is_complete(host, pack));
    }
    bool knows(std::size_t host, const SamplePack& pack) {
        return world_.queries(host).pack(pack.id).has_value();
    }
    void begin_to_fetch(std::size_t host, const SamplePack& pack) {
        ASSERT_TRUE(world_.wait([&] { return knows(host, pack); }, minutes(20)));
        const auto answer = world_.ask(host, FetchPack{pack.id});
        ASSERT_TRUE(answer && *answer) << (answer ? (*answer).error().detail : "no answer");
    }
    std::optional<org::ContentProgress> progress(std::size_t host, const SamplePack& pack) {
        const auto item = world_.queries(host).pack(pack.id);
        return item ? item->progress : std::nullopt;
    }
    bool is_complete(std::size_t host, const SamplePack& pack) {
        const auto now = progress(host, pack);
        return now && now->state == org::HoldState::complete;
    }
    bool comes_whole(std::size_t host, const SamplePack& pack) {
        if (!world_.wait([&] { return is_complete(host, pack); }, minutes(10))) return false;
        world_.advance(seconds(1));  // until all of it is durable
        return std::ranges::all_of(pack.pieces, [&](const Bytes& piece) {
            return world_.queries(host).piece(crypto::blake2b_256(piece)) == piece;
        });
    }
    // Every piece that the host keeps is another one from now on.
    void falsify(std::size_t host, const SamplePack& pack) {
        world_.stop(host);
        auto image = world_.disk(host).image();
        auto& store = image[static_cast<std::size_t>(sim::Disk::Part::network)];
        store::WriteBatch batch;
        const auto cursor = store.cursor();
        for (cursor->seek({}); cursor->valid(); cursor->next()) {
            const ByteView value = cursor->value();
            for (const Bytes& piece : pack.pieces) {
                if (!std::ranges::equal(value, piece)) continue;
                Bytes other = piece;
                other[0] ^= 1;
                const ByteView key = cursor->key();
                batch.put(Bytes(key.begin(), key.end()), std::move(other));
            }
        }
        EXPECT_EQ(batch.puts().size(), pack.pieces.size());
        EXPECT_TRUE(store.write(batch));
        world_.disk(host).restore(image, sim::Disk::KeyFile::stays);
        world_.restart(host);
    }

    Community community_{{}};
    NetworkWorld world_;
    std::vector<crypto::KeyPair> keys_;
};

TEST_F(PackNetwork, WhatOneNodePublishesOthersFindFetchAndProvide) {
    const std::size_t anna = add_member(0);
    const std::size_t bert = add_member(1);
    const auto pack = make(0, "Prices", {2 * kContentPieceMax + 7, 30});
    publish(anna, pack);
    begin_to_fetch(bert, pack);
    EXPECT_TRUE(comes_whole(bert, pack));
    // The publisher is gone; whoever has fetched it is announced in the DHT, and gives it on.
    world_.advance(minutes(1));
    world_.crash(anna);
    const std::size_t carla = add_member(2);
    const auto found = world_.ask(carla, dht::GetPeers{protocol::announce_id(pack.id)});
    ASSERT_TRUE(found && *found);
    EXPECT_GE(std::get<dht::Outcome>(**found).peers.size(), 1u);
    begin_to_fetch(carla, pack);
    EXPECT_TRUE(comes_whole(carla, pack));
}

TEST_F(PackNetwork, AFetchGoesOnAfterACrashWithWhatHadCome) {
    const std::size_t anna = add_member(0);
    const std::size_t bert = add_member(1);
    const auto pack = make(0, "Film", {60 * kContentPieceMax});
    publish(anna, pack);
    begin_to_fetch(bert, pack);
    ASSERT_TRUE(world_.wait(
        [&] { return progress(bert, pack)->done_bytes > 10 * kContentPieceMax; }, minutes(2)));
    ASSERT_FALSE(is_complete(bert, pack));
    world_.crash(bert);
    world_.advance(seconds(5));
    world_.restart(bert);
    const auto kept = progress(bert, pack);
    ASSERT_TRUE(kept);
    EXPECT_GT(kept->done_bytes, 5 * kContentPieceMax);
    EXPECT_TRUE(comes_whole(bert, pack));  // nobody has asked again
}

TEST_F(PackNetwork, AProviderThatLiesIsBlamedAndThePackComesFromAnother) {
    const std::size_t anna = add_member(0);
    const std::size_t liar = add_member(1);
    const auto pack = make(0, "Prices", {8 * kContentPieceMax});
    publish(anna, pack);
    begin_to_fetch(liar, pack);
    ASSERT_TRUE(comes_whole(liar, pack));
    falsify(liar, pack);
    world_.advance(minutes(1));
    const std::size_t carla = add_member(2);
    const Id accused = keys_[liar - 1].id();
    const auto is_connected = [&] {
        return std::ranges::any_of(world_.queries(carla).peers(world_.now()),
                                   [&](const auto& one) { return one.peer.node == accused; });
    };
    ASSERT_TRUE(world_.wait(is_connected, minutes(5)));
    begin_to_fetch(carla, pack);
    EXPECT_TRUE(comes_whole(carla, pack));
    std::int32_t score = 0;
    for (const auto& one : world_.queries(carla).peers(world_.now())) {
        if (one.peer.node == accused) score = one.score;
    }
    EXPECT_LT(score, 0);
}

TEST_F(PackNetwork, AGuestSeesTheCatalogueButIsGivenNoFiles) {
    const std::size_t anna = add_member(0);
    const std::size_t guest = add_guest();
    const auto pack = make(0, "Prices", {10});
    publish(anna, pack);
    protocol::TagEntry entry;
    entry.author = community_.member(0).public_key();
    entry.tag = decltype(entry.tag)("bread");
    entry.target = protocol::PackTarget{pack.id};
    entry.validity = protocol::Validity::from(world_.now(), hours(24));
    const auto tag = protocol::sign(community_.chain(), entry, community_.member(0));
    const auto added = world_.ask(anna, AddEntry{tag});
    ASSERT_TRUE(added && *added);
    ASSERT_TRUE(world_.wait([&] { return !world_.queries(guest).tags().empty(); }, minutes(20)));
    EXPECT_EQ(world_.queries(guest).tags()[0], tag);
    begin_to_fetch(guest, pack);
    world_.advance(minutes(2));
    EXPECT_EQ(progress(guest, pack)->done_bytes, 0u);
    // Found by the tag alone, too.
    const auto sought = world_.ask(guest, SeekTag{"bread"});
    EXPECT_TRUE(sought && *sought);
    const auto holders =
        world_.ask(guest, dht::GetPeers{protocol::tag_id(community_.chain(), "bread")});
    ASSERT_TRUE(holders && *holders);
    EXPECT_GE(std::get<dht::Outcome>(**holders).peers.size(), 1u);
}

TEST_F(PackNetwork, AWithdrawnTagIsGoneEverywhereAlsoWhereItsNodeWasAway) {
    const std::size_t anna = add_member(0);
    const std::size_t bert = add_member(1);
    testing::OrgSample sample;
    sample.chain = community_.chain();
    const auto author = community_.member(0);
    const protocol::TagTarget target = protocol::AccountTarget{author.id()};
    const auto tag = sample.tag(author, "bread", target, world_.now());
    const auto added = world_.ask(anna, AddEntry{tag});
    ASSERT_TRUE(added && *added);
    ASSERT_TRUE(world_.wait([&] { return world_.queries(bert).tags().size() == 1; }, minutes(20)));
    world_.advance(seconds(5));  // until it is durable
    world_.crash(bert);
    const auto gone =
        world_.ask(anna, AddEntry{sample.withdrawal(author, "bread", target, world_.now())});
    ASSERT_TRUE(gone && *gone);
    EXPECT_TRUE(world_.queries(anna).tags().empty());
    world_.restart(bert);
    ASSERT_EQ(world_.queries(bert).tags().size(), 1u);
    EXPECT_TRUE(world_.wait([&] { return world_.queries(bert).tags().empty(); }, minutes(20)));
    world_.advance(minutes(30));
    EXPECT_TRUE(world_.queries(anna).tags().empty());
    EXPECT_TRUE(world_.queries(kKeeper).tags().empty());
}

TEST_F(PackNetwork, ContributionsComeToAllAndAGuestCanCheckThem) {
    const std::size_t anna = add_member(0);
    const std::size_t bert = add_member(1);
    const std::size_t guest = add_guest();
    testing::OrgSample sample;
    sample.chain = community_.chain();
    const auto made = sample.contribution(community_.member(0), "200 recipes", {}, world_.now());
    const auto added = world_.ask(anna, AddEntry{made});
    ASSERT_TRUE(added && *added);
    const auto strange = sample.contribution(node_key(99), "x", {}, world_.now());
    const auto refused = world_.ask(anna, AddEntry{strange});
    ASSERT_TRUE(refused && !*refused);
    EXPECT_EQ((*refused).error().rule, "not_a_member");
    for (const std::size_t host : {kKeeper, bert, guest}) {
        EXPECT_TRUE(world_.wait(
            [&] { return world_.queries(host).contribution(std::get<Hash>(**added)).has_value(); },
            minutes(20)))
            << host;
    }
    const auto seen = world_.queries(guest).contributions();
    ASSERT_EQ(seen.size(), 1u);
    EXPECT_EQ(seen[0], made);
    EXPECT_TRUE(protocol::check(seen[0], community_.chain(), world_.now()).has_value());
}

TEST_F(PackNetwork, WhatBreaksARuleIsRefusedByName) {
    const std::size_t anna = add_member(0);
    const auto rule_of = [&](NetworkRequest request) {
        const auto answer = world_.ask(anna, std::move(request));
        if (!answer || *answer) return std::string("none");
        return std::string((*answer).error().rule.empty() ? to_string((*answer).error().error)
                                                          : (*answer).error().rule);
    };
    const auto pack = make(0, "P", {10});
    const auto strange =
        testing::make_pack(community_.chain(), node_key(99), "P", {10}, world_.now());
    EXPECT_EQ(rule_of(PublishPack{strange.pack, strange.contents}), "not_a_member");
    EXPECT_EQ(rule_of(PublishPack{pack.pack, Bytes{1}}), "bad_contents");
    EXPECT_EQ(rule_of(PutPiece{pack.id, Bytes{1}}), "not_found");
    EXPECT_EQ(rule_of(FetchPack{pack.id}), "not_found");
    EXPECT_EQ(rule_of(DropPack{pack.id}), "not_found");
    auto forged = pack.pack;
    forged.signature[0] ^= 1;
    EXPECT_EQ(rule_of(PublishPack{forged, pack.contents}), "bad_entry");
    publish(anna, pack);
    const auto older = testing::make_pack(community_.chain(), community_.member(0), "P", {11},
                                          world_.now() - hours(1));
    EXPECT_EQ(rule_of(PublishPack{older.pack, older.contents}), "older");
    const auto again = world_.ask(anna, PublishPack{pack.pack, pack.contents});
    EXPECT_TRUE(again && *again);
    EXPECT_EQ(rule_of(DropPack{pack.id}), "none");
}

}  // namespace
}  // namespace leither::node
