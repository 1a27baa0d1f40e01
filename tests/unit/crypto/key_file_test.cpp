#include "leither/crypto/key_file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace leither::crypto {
namespace {

using leither::testing::TempDir;

class KeyFile : public ::testing::Test {
 protected:
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

}  // namespace
}  // namespace leither::crypto
