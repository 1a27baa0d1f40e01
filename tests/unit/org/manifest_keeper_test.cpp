#include "leither/org/manifest_keeper.h"

#include <gtest/gtest.h>

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::RecordError;
using std::chrono::hours;
using std::chrono::seconds;
using testing::kSampleNow;

class ManifestKeeperTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    ManifestKeeper make() const {
        return ManifestKeeper(sample.organization.id(), format,
                              testing::shelf(ShelfKind::manifest));
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
    ManifestKeeper reader = make();
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

TEST_F(ManifestKeeperTest, ComesBackFromItsStore) {
    store::MemoryStore disk;
    testing::write(disk, reader.step(ManifestKeeper::Offered{item(kSampleNow)}, kSampleNow).writes);
    ManifestKeeper again = make();
    ASSERT_TRUE(again.load(disk).has_value());
    EXPECT_EQ(again.item(), reader.item());
}

}  // namespace
}  // namespace leither::org
