#include "leither/org/manifest_keeper.h"

#include <gtest/gtest.h>

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::RecordError;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::kSampleNow;

class ManifestKeeperTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    ManifestKeeper keeper(bool with_key) {
        ManifestKeeper::Setup setup{sample.organization.id(), std::nullopt};
        if (with_key) setup.key = sample.organization;
        return ManifestKeeper({}, setup, format, testing::shelf(ShelfKind::manifest), Log());
    }
    protocol::ManifestItem item(Instant issued) {
        protocol::Manifest manifest = sample.manifest();
        manifest.validity = protocol::Validity::from(issued, hours(24));
        protocol::ManifestItem item{sign(manifest, sample.organization), {}};
        item.item_signature = sample.organization.sign(
            format.signed_bytes("org", manifest.validity.issued_ms, bcs::encode(item.content)));
        return item;
    }

    testing::OrgSample sample;
    testing::PlainItemFormat format;
    ManifestKeeper reader = keeper(/*with_key=*/false);
    ManifestKeeper founder = keeper(/*with_key=*/true);
};

TEST_F(ManifestKeeperTest, TheOneIssuedLastIsKept) {
    EXPECT_TRUE(reader.step(ManifestKeeper::Offered{item(kSampleNow)}, kSampleNow).changed);
    EXPECT_FALSE(
        reader.step(ManifestKeeper::Offered{item(kSampleNow - seconds(1))}, kSampleNow).changed);
    EXPECT_FALSE(reader.step(ManifestKeeper::Offered{item(kSampleNow)}, kSampleNow).changed);
    EXPECT_TRUE(
        reader.step(ManifestKeeper::Offered{item(kSampleNow + seconds(1))}, kSampleNow).changed);
    EXPECT_EQ(*reader.item(), item(kSampleNow + seconds(1)));
    reader.check_invariants();
}

TEST_F(ManifestKeeperTest, EitherSignatureAlteredIsRefused) {
    auto altered = item(kSampleNow);
    altered.item_signature[5] ^= 1;
    EXPECT_EQ(reader.step(ManifestKeeper::Offered{altered}, kSampleNow).refused,
              RecordError::bad_signature);
    altered = item(kSampleNow);
    altered.content.manifest.decimals ^= 1;
    EXPECT_EQ(reader.step(ManifestKeeper::Offered{altered}, kSampleNow).refused,
              RecordError::bad_signature);
    EXPECT_FALSE(reader.item().has_value());
}

TEST_F(ManifestKeeperTest, AnotherOrganizationsIsRefused) {
    testing::OrgSample other;
    other.organization = testing::key_named("other organization");
    protocol::ManifestItem foreign{sign(other.manifest(), other.organization), {}};
    EXPECT_EQ(reader.step(ManifestKeeper::Offered{foreign}, kSampleNow).refused,
              RecordError::wrong_key);
}

TEST_F(ManifestKeeperTest, TheDhtsSequenceMustBeTheManifestsOwn) {
    const auto good = item(kSampleNow);
    const Bytes content = bcs::encode(good.content);
    const std::uint64_t sequence = good.content.manifest.validity.issued_ms;
    using Found = ManifestKeeper::Found;
    EXPECT_EQ(reader.step(Found{sequence + 1, content, good.item_signature}, kSampleNow).refused,
              RecordError::bad_content);
    EXPECT_TRUE(reader.step(Found{sequence, content, good.item_signature}, kSampleNow).changed);
    const MutableItem publication = reader.publication();
    EXPECT_EQ(publication.content, content);
    EXPECT_EQ(publication.signature, good.item_signature);
    EXPECT_EQ(publication.sequence, sequence);
}

TEST_F(ManifestKeeperTest, AnExpiredOneStaysButDoesNotHold) {
    ASSERT_TRUE(reader.step(ManifestKeeper::Offered{item(kSampleNow)}, kSampleNow).changed);
    EXPECT_NE(reader.current(kSampleNow + hours(23)), nullptr);
    EXPECT_EQ(reader.current(kSampleNow + hours(24)), nullptr);
    EXPECT_TRUE(reader.item().has_value());
}

TEST_F(ManifestKeeperTest, WithoutTheKeyADraftIsOfNoEffect) {
    EXPECT_FALSE(reader.step(ManifestKeeper::Drafted{sample.manifest()}, kSampleNow).changed);
    EXPECT_FALSE(reader.next_deadline().has_value());
}

TEST_F(ManifestKeeperTest, TheKeyHolderSignsWhatOthersAccept) {
    ASSERT_TRUE(founder.step(ManifestKeeper::Drafted{sample.manifest()}, kSampleNow).changed);
    EXPECT_TRUE(reader.step(ManifestKeeper::Offered{*founder.item()}, kSampleNow).changed);
    EXPECT_EQ(reader.current(kSampleNow)->read_key,
              protocol::read_key_of(sample.organization).public_key());
}

TEST_F(ManifestKeeperTest, AChangeIsSignedAtOnceACheckpointOnceADay) {
    const ManifestOptions options;
    protocol::Manifest draft = sample.manifest();
    ASSERT_TRUE(founder.step(ManifestKeeper::Drafted{draft}, kSampleNow).changed);
    EXPECT_FALSE(founder.step(ManifestKeeper::Drafted{draft}, kSampleNow).changed);
    EXPECT_EQ(founder.next_deadline(), kSampleNow + options.lifetime - options.renew_before);

    draft.checkpoint.sequence = Sequence(8);
    EXPECT_FALSE(founder.step(ManifestKeeper::Drafted{draft}, kSampleNow).changed);
    EXPECT_EQ(founder.next_deadline(), kSampleNow + options.checkpoint_interval);

    draft.keepers.clear();
    EXPECT_FALSE(founder.step(ManifestKeeper::Drafted{draft}, kSampleNow).changed);
    EXPECT_EQ(founder.next_deadline(), kSampleNow + options.renew_interval);
    EXPECT_TRUE(founder.step(ManifestKeeper::Tick{}, kSampleNow + options.renew_interval).changed);
    EXPECT_EQ(founder.current(kSampleNow)->checkpoint.sequence, Sequence(8));
}

TEST_F(ManifestKeeperTest, ItIsRenewedBeforeItExpires) {
    ASSERT_TRUE(founder.step(ManifestKeeper::Drafted{sample.manifest()}, kSampleNow).changed);
    const Instant due = *founder.next_deadline();
    EXPECT_FALSE(founder.step(ManifestKeeper::Tick{}, due - seconds(1)).changed);
    EXPECT_TRUE(founder.step(ManifestKeeper::Tick{}, due).changed);
    EXPECT_NE(founder.current(due + ManifestOptions{}.lifetime - seconds(1)), nullptr);
}

TEST_F(ManifestKeeperTest, TheSequenceRisesThoughTheClockStepsBack) {
    store::MemoryStore disk;
    const auto first = founder.step(ManifestKeeper::Drafted{sample.manifest()}, kSampleNow);
    testing::write(disk, first.writes);
    const std::uint64_t before = founder.publication().sequence;

    ManifestKeeper again = keeper(/*with_key=*/true);
    ASSERT_TRUE(again.load(disk).has_value());
    protocol::Manifest draft = sample.manifest();
    draft.keepers.clear();
    const Instant past = kSampleNow - minutes(5);
    again.step(ManifestKeeper::Drafted{draft}, past);
    again.step(ManifestKeeper::Tick{}, *again.next_deadline());
    EXPECT_GT(again.publication().sequence, before);
}

}  // namespace
}  // namespace leither::org
