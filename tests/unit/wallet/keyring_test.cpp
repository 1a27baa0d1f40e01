#include "leither/wallet/keyring.h"

#include <fstream>

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace leither::wallet {
namespace {

using crypto::KeyFileError;

TEST(Keyring, NamesAreShortPlainAndNotHidden) {
    for (const char* name : {"alice", "a", "0", "my-key_2.old"}) {
        EXPECT_TRUE(Keyring::is_valid_name(name)) << name;
    }
    for (const char* name : {"", ".", "..", ".hidden", "-rf", "a/b", "../x", "Alice", "a b", "ä"}) {
        EXPECT_FALSE(Keyring::is_valid_name(name)) << name;
    }
    EXPECT_TRUE(Keyring::is_valid_name(std::string(64, 'a')));
    EXPECT_FALSE(Keyring::is_valid_name(std::string(65, 'a')));
}

TEST(Keyring, KeepsWhatIsAddedAndReplacesNothing) {
    testing::TempDir dir;
    Keyring keyring((dir / "keys").string());
    const auto alice = crypto::derive_key({}, 1);
    const auto bob = crypto::derive_key({}, 2);
    ASSERT_TRUE(keyring.add("bob", bob));
    ASSERT_TRUE(keyring.add("alice", alice));
    EXPECT_EQ(keyring.add("alice", bob).error(), KeyFileError::exists);
    EXPECT_EQ(keyring.load("alice")->id(), alice.id());

    const auto listed = keyring.list();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].name, "alice");
    EXPECT_EQ(listed[0].id, alice.id());
    EXPECT_EQ(listed[1].name, "bob");
    EXPECT_EQ(listed[1].key, bob.public_key());
}

TEST(Keyring, ItsDirectoryIsTheOwnersAlone) {
    testing::TempDir dir;
    Keyring keyring((dir / "keys").string());
    ASSERT_TRUE(keyring.add("alice", crypto::derive_key({}, 1)));
    const auto permissions = std::filesystem::status(dir / "keys").permissions();
    EXPECT_EQ(permissions, std::filesystem::perms::owner_all);
}

TEST(Keyring, UnknownAndImpossibleNamesAreNotFound) {
    testing::TempDir dir;
    const Keyring keyring(dir.path().string());
    EXPECT_EQ(keyring.load("nobody").error(), KeyFileError::not_found);
    EXPECT_EQ(keyring.load("../escape").error(), KeyFileError::not_found);
    EXPECT_EQ(Keyring(dir.path().string()).add("a/b", crypto::derive_key({}, 1)).error(),
              KeyFileError::io);
}

TEST(Keyring, ListsOnlyReadableKeyFiles) {
    testing::TempDir dir;
    Keyring keyring(dir.path().string());
    ASSERT_TRUE(keyring.add("alice", crypto::derive_key({}, 1)));
    std::ofstream(dir / "broken.key") << "no key";
    std::ofstream(dir / "notes.txt") << "text";
    EXPECT_EQ(keyring.list().size(), 1U);
    EXPECT_TRUE(Keyring((dir / "absent").string()).list().empty());
}

}  // namespace
}  // namespace leither::wallet
