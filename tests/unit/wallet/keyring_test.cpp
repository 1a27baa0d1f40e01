#include "leither/wallet/keyring.h"

#include <fstream>

#include <gtest/gtest.h>

#include "leither/base/prng.h"

#include "support/temp_dir.h"

namespace leither::wallet {
namespace {

using crypto::KeyFileError;

// Cheap guesses, for tests alone.
constexpr crypto::PassphraseCost kCheap{1, crypto::PassphraseCost::kMemoryKibMin};

class KeyringTest : public ::testing::Test {
 protected:
    KeyringTest() { crypto::initialise(); }
    Prng entropy{7};
    testing::TempDir dir;
};

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

TEST_F(KeyringTest, KeepsWhatIsAddedAndReplacesNothing) {
    Keyring keyring((dir / "keys").string());
    const auto alice = crypto::derive_key({}, 1);
    const auto bob = crypto::derive_key({}, 2);
    ASSERT_TRUE(keyring.add("bob", bob, entropy));
    ASSERT_TRUE(keyring.add("alice", alice, entropy));
    EXPECT_EQ(keyring.add("alice", bob, entropy).error(), KeyFileError::exists);
    EXPECT_EQ(keyring.load("alice")->id(), alice.id());

    const auto listed = keyring.list();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].name, "alice");
    EXPECT_EQ(listed[0].id, alice.id());
    EXPECT_EQ(listed[1].name, "bob");
    EXPECT_EQ(listed[1].key, bob.public_key());
}

TEST_F(KeyringTest, ItsDirectoryIsTheOwnersAlone) {
    Keyring keyring((dir / "keys").string());
    ASSERT_TRUE(keyring.add("alice", crypto::derive_key({}, 1), entropy));
    const auto permissions = std::filesystem::status(dir / "keys").permissions();
    EXPECT_EQ(permissions, std::filesystem::perms::owner_all);
}

TEST_F(KeyringTest, UnknownAndImpossibleNamesAreNotFound) {
    const Keyring keyring(dir.path().string());
    EXPECT_EQ(keyring.load("nobody").error(), KeyFileError::not_found);
    EXPECT_EQ(keyring.load("../escape").error(), KeyFileError::not_found);
    EXPECT_EQ(Keyring(dir.path().string()).add("a/b", crypto::derive_key({}, 1), entropy).error(),
              KeyFileError::io);
}

TEST_F(KeyringTest, ListsOnlyReadableKeyFiles) {
    Keyring keyring(dir.path().string());
    ASSERT_TRUE(keyring.add("alice", crypto::derive_key({}, 1), entropy));
    std::ofstream(dir / "broken.key") << "no key";
    std::ofstream(dir / "notes.txt") << "text";
    EXPECT_EQ(keyring.list().size(), 1U);
    EXPECT_TRUE(Keyring((dir / "absent").string()).list().empty());
}

// ---- The passphrase ----------------------------------------------------------------------------

class ProtectedKeyring : public KeyringTest {
 protected:
    ProtectedKeyring() {
        EXPECT_TRUE(keyring.add("alice", alice, entropy));
        EXPECT_TRUE(keyring.add("bob", bob, entropy));
    }
    // The directory as another run finds it.
    Keyring reopened() const { return Keyring(keyring.directory()); }
    void protect() { ASSERT_TRUE(keyring.protect("open sesame", entropy, kCheap)); }

    Keyring keyring{(dir / "keys").string()};
    crypto::KeyPair alice = crypto::derive_key({}, 1);
    crypto::KeyPair bob = crypto::derive_key({}, 2);
};

TEST_F(ProtectedKeyring, NamesAndPublicKeysAreReadableWithoutThePassphrase) {
    const auto before = keyring.list();
    EXPECT_FALSE(keyring.is_protected());
    protect();
    const Keyring later = reopened();
    EXPECT_TRUE(later.is_protected());
    EXPECT_FALSE(later.is_unlocked());
    const auto after = later.list();
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(after[i].name, before[i].name);
        EXPECT_EQ(after[i].key, before[i].key);
    }
    EXPECT_EQ(later.load("alice").error(), KeyFileError::locked);
}

TEST_F(ProtectedKeyring, OnePassphraseOpensAllKeysUntilItIsLocked) {
    protect();
    Keyring later = reopened();
    EXPECT_EQ(later.unlock("open barley").error(), KeyringError::wrong_passphrase);
    EXPECT_FALSE(later.is_unlocked());
    ASSERT_TRUE(later.unlock("open sesame"));
    EXPECT_EQ(later.load("alice")->seed(), alice.seed());
    EXPECT_EQ(later.load("bob")->seed(), bob.seed());
    later.lock();
    EXPECT_EQ(later.load("bob").error(), KeyFileError::locked);
}

TEST_F(ProtectedKeyring, ANewKeyIsSealedLikeTheOthers) {
    protect();
    Keyring later = reopened();
    const auto cleo = crypto::derive_key({}, 3);
    EXPECT_EQ(later.add("cleo", cleo, entropy).error(), KeyFileError::locked);
    ASSERT_TRUE(later.unlock("open sesame"));
    ASSERT_TRUE(later.add("cleo", cleo, entropy));
    EXPECT_EQ(reopened().load("cleo").error(), KeyFileError::locked);
    EXPECT_EQ(later.load("cleo")->seed(), cleo.seed());
}

TEST_F(ProtectedKeyring, UnprotectingMakesPlainFilesAgain) {
    EXPECT_EQ(keyring.unprotect().error(), KeyringError::not_protected);
    EXPECT_EQ(keyring.unlock("open sesame").error(), KeyringError::not_protected);
    protect();
    Keyring later = reopened();
    EXPECT_EQ(later.unprotect().error(), KeyringError::locked);
    ASSERT_TRUE(later.unlock("open sesame"));
    ASSERT_TRUE(later.unprotect());
    EXPECT_FALSE(reopened().is_protected());
    EXPECT_EQ(reopened().load("alice")->seed(), alice.seed());
}

TEST_F(ProtectedKeyring, WhatACrashLeftHalfSealedIsFinishedByTheSamePassphrase) {
    protect();
    ASSERT_TRUE(crypto::rewrite_key(dir / "keys/bob.key", bob, nullptr));  // as before the crash
    Keyring later = reopened();
    EXPECT_TRUE(later.is_protected());
    EXPECT_TRUE(later.load("bob"));
    EXPECT_EQ(later.protect("open barley", entropy, kCheap).error(),
              KeyringError::wrong_passphrase);
    ASSERT_TRUE(later.protect("open sesame", entropy, kCheap));
    EXPECT_EQ(reopened().load("bob").error(), KeyFileError::locked);
    EXPECT_EQ(later.protect("open sesame", entropy, kCheap).error(),
              KeyringError::already_protected);
}

TEST_F(KeyringTest, NothingIsProtectedWithoutKeysOrPassphrase) {
    Keyring keyring((dir / "keys").string());
    EXPECT_EQ(keyring.protect("open sesame", entropy, kCheap).error(), KeyringError::empty);
    ASSERT_TRUE(keyring.add("alice", crypto::derive_key({}, 1), entropy));
    EXPECT_EQ(keyring.protect("", entropy, kCheap).error(), KeyringError::bad_passphrase);
    const std::string longest(crypto::kPassphraseBytesMax, 'x');
    EXPECT_EQ(keyring.protect(longest + "x", entropy, kCheap).error(),
              KeyringError::bad_passphrase);
    EXPECT_TRUE(keyring.protect(longest, entropy, kCheap));
}

}  // namespace
}  // namespace leither::wallet
