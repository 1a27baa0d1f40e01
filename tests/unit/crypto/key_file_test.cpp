#include "leither/crypto/key_file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "leither/base/prng.h"

#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace leither::crypto {
namespace {

using leither::testing::TempDir;

class KeyFile : public ::testing::Test {
 protected:
    KeyFile() { initialise(); }
    // A file with this text, readable by its owner alone.
    void write(const std::string& text) {
        std::ofstream(path_) << text;
        ::chmod(path_.c_str(), 0600);
    }
    KeyFileError load_error() { return load_key(path_).error(); }

    TempDir dir_;
    std::string path_ = dir_ / "node.key";
    KeyPair pair_ = KeyPair::from_seed({1, 2, 3});
};

TEST_F(KeyFile, SavedKeyLoads) {
    ASSERT_TRUE(save_key(path_, pair_));
    const auto loaded = load_key(path_);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->seed(), pair_.seed());
}

TEST_F(KeyFile, IsOneLineForItsOwnerAlone) {
    ASSERT_TRUE(save_key(path_, pair_));
    EXPECT_EQ(leither::testing::load_text(path_), "leither-key-1 " + to_hex(pair_.seed()) + "\n");
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(KeyFile, LeavesNothingElseInTheDirectory) {
    ASSERT_TRUE(save_key(path_, pair_));
    const auto entries = std::filesystem::directory_iterator(dir_.path());
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(KeyFile, NeverReplacesAKey) {
    ASSERT_TRUE(save_key(path_, pair_));
    EXPECT_EQ(save_key(path_, KeyPair::from_seed({9})).error(), KeyFileError::exists);
    EXPECT_EQ(load_key(path_)->seed(), pair_.seed());
}

TEST_F(KeyFile, ReplacesWhatACrashLeftOfAnEarlierAttempt) {
    std::ofstream(path_ + ".new") << "leither-key-1 12";
    ASSERT_TRUE(save_key(path_, pair_));
    EXPECT_EQ(load_key(path_)->seed(), pair_.seed());
}

TEST_F(KeyFile, RefusesWhatOthersMayRead) {
    ASSERT_TRUE(save_key(path_, pair_));
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        ::chmod(path_.c_str(), mode);
        EXPECT_EQ(load_error(), KeyFileError::too_permissive) << std::oct << mode;
    }
    ::chmod(path_.c_str(), 0400);
    EXPECT_TRUE(load_key(path_));
}

TEST_F(KeyFile, SaysWhenThereIsNone) {
    EXPECT_EQ(load_error(), KeyFileError::not_found);
}

TEST_F(KeyFile, RefusesEveryOtherForm) {
    const std::string hex = to_hex(pair_.seed());
    for (const std::string& text : {
             std::string(),
             hex + "\n",
             "leither-key-1 " + hex,                    // no end of line
             "leither-key-1 " + hex + "\n\n",           // more than one line
             "leither-key-2 " + hex + "\n",             // a later version
             "leither-key-1 " + hex.substr(2) + "\n",   // too short
             "leither-key-1 g" + hex.substr(1) + "\n",  // not hexadecimal
             std::string(100000, 'a'),
         }) {
        write(text);
        EXPECT_EQ(load_error(), KeyFileError::bad_format) << text.substr(0, 100);
    }
}

TEST_F(KeyFile, SaysWhenTheDirectoryIsMissing) {
    EXPECT_EQ(save_key(dir_ / "absent/node.key", pair_).error(), KeyFileError::io);
}

// ---- Sealed under a passphrase -----------------------------------------------------------------

class SealedKeyFile : public KeyFile {
 protected:
    static PassphraseKey derive(const Protection& protection, std::string_view passphrase) {
        return PassphraseKey::derive(protection, passphrase).value();
    }
    std::string sealed_text() {
        EXPECT_TRUE(save_key(path_, pair_, &sealing_));
        return leither::testing::load_text(path_);
    }

    Prng entropy_{5};
    Protection protection_ = new_protection(entropy_, {1, PassphraseCost::kMemoryKibMin});
    PassphraseKey opener_ = derive(protection_, "open sesame");
    Sealing sealing_{opener_, entropy_};
};

TEST_F(SealedKeyFile, OpensWithItsPassphraseAndTellsThePublicKeyWithoutIt) {
    const std::string text = sealed_text();
    EXPECT_TRUE(text.starts_with("leither-key-2 " + pair_.public_key().hex() + " " +
                                 protection_.salt.hex() + " 1 8 "));
    EXPECT_EQ(text.find(to_hex(pair_.seed())), text.npos);
    const auto info = inspect_key(path_);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->key, pair_.public_key());
    EXPECT_EQ(info->protection, protection_);
    EXPECT_EQ(load_error(), KeyFileError::locked);
    EXPECT_EQ(load_key(path_, &opener_)->seed(), pair_.seed());
}

TEST_F(SealedKeyFile, AnotherPassphraseOrSaltDoesNotOpenIt) {
    sealed_text();
    const auto guess = derive(protection_, "open barley");
    EXPECT_EQ(load_key(path_, &guess).error(), KeyFileError::wrong_passphrase);
    const auto elsewhere = derive(new_protection(entropy_, protection_.cost), "open sesame");
    EXPECT_EQ(load_key(path_, &elsewhere).error(), KeyFileError::wrong_passphrase);
}

TEST_F(SealedKeyFile, APlainFileOpensWhateverOpenerIsAtHand) {
    ASSERT_TRUE(save_key(path_, pair_));
    EXPECT_EQ(load_key(path_, &opener_)->seed(), pair_.seed());
    EXPECT_EQ(inspect_key(path_)->protection, std::nullopt);
}

TEST_F(SealedKeyFile, NoAlteredDigitPasses) {
    const std::string text = sealed_text();
    for (std::size_t at = std::string("leither-key-2 ").size(); at + 1 < text.size(); ++at) {
        std::string altered = text;
        altered[at] = altered[at] == '1' ? '2' : '1';
        if (text[at] == ' ') altered[at] = '_';
        write(altered);
        const auto loaded = load_key(path_, &opener_);
        ASSERT_FALSE(loaded) << at;
        EXPECT_TRUE(loaded.error() == KeyFileError::wrong_passphrase ||
                    loaded.error() == KeyFileError::bad_format)
            << at;
    }
}

TEST_F(SealedKeyFile, RefusesEveryOtherForm) {
    const std::string text = sealed_text();
    const std::string begin =
        "leither-key-2 " + pair_.public_key().hex() + " " + protection_.salt.hex() + " ";
    const std::string end = text.substr(text.rfind(' '));
    ASSERT_EQ(begin + "1 8" + end, text);
    for (const std::string& other : {
             begin + "0 8" + end,        // no pass
             begin + "17 8" + end,       // more passes than allowed
             begin + "1 7" + end,        // too little memory
             begin + "1 1048577" + end,  // more than allowed
             begin + "1 99999999999" + end,
             begin + "01 8" + end,        // another form of the number
             begin + "1 8 " + end,        // a field too many
             begin + "1" + end,           // one too few
             begin + "1 8" + end + "\n",  // two lines
             text.substr(0, text.size() - 3) + "\n",
             text.substr(0, text.size() - 1),
         }) {
        write(other);
        EXPECT_EQ(load_key(path_, &opener_).error(), KeyFileError::bad_format) << other;
        EXPECT_EQ(inspect_key(path_).error(), KeyFileError::bad_format) << other;
    }
}

TEST_F(SealedKeyFile, TheDearestCostsAllowedAreRead) {
    const std::string begin =
        "leither-key-2 " + pair_.public_key().hex() + " " + protection_.salt.hex() + " ";
    const std::string text = sealed_text();
    write(begin + "16 1048576" + text.substr(text.rfind(' ')));
    const auto info = inspect_key(path_);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->protection->cost, (PassphraseCost{16, 1'048'576}));
}

TEST_F(SealedKeyFile, RewritingKeepsTheKeyAndErasesTheOldText) {
    ASSERT_TRUE(save_key(path_, pair_));
    std::ifstream former(path_);  // holds the file that the rename displaces
    ASSERT_TRUE(rewrite_key(path_, pair_, &sealing_));
    EXPECT_EQ(load_error(), KeyFileError::locked);
    std::string left;
    std::getline(former, left);
    EXPECT_EQ(left.find(to_hex(pair_.seed())), left.npos);
    ASSERT_TRUE(rewrite_key(path_, pair_, nullptr));
    EXPECT_EQ(load_key(path_)->seed(), pair_.seed());
    EXPECT_EQ(rewrite_key(dir_ / "absent.key", pair_, nullptr).error(), KeyFileError::not_found);
}

// Frozen, so that files of today open for ever. The key under it, 9c87c068..., is also what another
// implementation of Argon2id gives (OpenSSL's, of 2 passes over 64 KiB in one lane).
TEST(Passphrase, WhatWasSealedLongAgoOpens) {
    initialise();
    const Protection protection{Salt::parse("000102030405060708090a0b0c0d0e0f").value(), {2, 64}};
    const auto key = PassphraseKey::derive(protection, "correct horse").value();
    const Bytes sealed =
        from_hex(
            "000000000000000000000000000000000000000000000000627b6f1ee0beceff3be53fcb855f0b91"
            "f039fadfcc")
            .value();
    std::array<std::uint8_t, 5> plain{};
    ASSERT_TRUE(key.open(sealed, as_bytes("context"), plain));
    EXPECT_EQ(as_text(plain), "hello");
    EXPECT_FALSE(key.open(sealed, as_bytes("another"), plain));
}

}  // namespace
}  // namespace leither::crypto
