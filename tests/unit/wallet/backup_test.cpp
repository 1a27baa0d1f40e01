#include "leither/wallet/backup.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/sign.h"

#include "support/worked_bytes.h"

namespace leither::wallet {
namespace {

constexpr const char* kWords =
    "legal winner thank year wave sausage worth useful legal winner thank yellow";

class BackupTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    static BackupFile file(const char* name, Bytes content) {
        BackupFile one;
        one.name = decltype(one.name)(name);
        one.content.assign(content.begin(), content.end());
        return one;
    }
    static Backup sample() {
        Backup backup;
        backup.created_ms = 1'800'000'000'000;
        backup.files = {file("anna.key", {1, 2}), file("policy.json", {3})};
        BackupOrganization organization;
        organization.name = decltype(organization.name)("Mill");
        organization.checkpoint = decltype(organization.checkpoint)("7:00");
        organization.peers.push_back(BoundedText<64>("192.0.2.1:7400"));
        backup.organizations.push_back(organization);
        backup.receipts.push_back({9, 9, 9});
        return backup;
    }
    static crypto::RecoverySecret words() { return crypto::read_recovery_words(kWords).value(); }

    Prng entropy{6};
};

TEST_F(BackupTest, OpensWithItsWordsOnly) {
    const Bytes file = seal_backup(sample(), words(), entropy);
    const auto opened = open_backup(file, words());
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, sample());
    EXPECT_EQ(open_backup(file, crypto::RecoverySecret()).error(), BackupError::does_not_open);
    EXPECT_EQ(as_text(ByteView(file)).find("anna"), std::string_view::npos);
}

TEST_F(BackupTest, TwoFilesOfTheSameWordsShareNothing) {
    const Bytes one = seal_backup(sample(), words(), entropy);
    const Bytes two = seal_backup(sample(), words(), entropy);
    ASSERT_EQ(one.size(), two.size());
    std::size_t alike = 0;
    for (std::size_t i = 17; i < one.size(); ++i) alike += one[i] == two[i] ? 1 : 0;
    EXPECT_LT(alike, one.size() / 16);
}

TEST_F(BackupTest, NoByteCanBeChangedAddedOrTakenAway) {
    const Bytes file = seal_backup(sample(), words(), entropy);
    for (std::size_t i = 0; i < file.size(); ++i) {
        Bytes other = file;
        other[i] ^= 1;
        const auto opened = open_backup(other, words());
        ASSERT_FALSE(opened) << i;
        EXPECT_EQ(opened.error(), i < 17 ? BackupError::not_a_backup : BackupError::does_not_open);
    }
    for (std::size_t size = 0; size < file.size(); ++size) {
        EXPECT_FALSE(open_backup(ByteView(file).first(size), words())) << size;
    }
    Bytes longer = file;
    longer.push_back(0);
    EXPECT_EQ(open_backup(longer, words()).error(), BackupError::does_not_open);
    EXPECT_EQ(open_backup(Bytes(kBackupBytesMax + 1), words()).error(), BackupError::not_a_backup);
}

TEST_F(BackupTest, NamesThatLeadElsewhereAndRepeatedOnesAreRefused) {
    for (const char* name : {"", ".", "..", ".hidden", "a/b", "../x", "a b", "a\\b"}) {
        EXPECT_FALSE(file(name, {}).is_canonical()) << name;
        EXPECT_FALSE(bcs::decode<BackupFile>(bcs::encode(file(name, {})))) << name;
    }
    EXPECT_TRUE(file("anna.key", {}).is_canonical());
    Backup twice;
    twice.files = {file("a.key", {}), file("a.key", {})};
    EXPECT_FALSE(bcs::decode<Backup>(bcs::encode(twice)));
}

TEST_F(BackupTest, IsSealedAsShown) {
    Backup small;
    small.created_ms = 1'800'000'000'000;
    small.files = {file("a.key", {1})};
    struct Salt final : Entropy {
        void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, 0x5a); }
    } salt;
    EXPECT_EQ(seal_backup(small, words(), salt),
              testing::worked_bytes("protocol/backup.md", "backup"));
}

}  // namespace
}  // namespace leither::wallet
