#include "leither/io/secret_file.h"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace leither::io {
namespace {

Bytes bytes_of(std::size_t size, std::uint8_t value) {
    return Bytes(size, value);
}

TEST(SecretFile, IsReplacedWholeAndForItsOwnerAlone) {
    const testing::TempDir dir;
    const std::string path = dir / "keys";
    EXPECT_FALSE(read_secret_file(path, 100)->has_value());
    for (const std::size_t size : {40U, 100U, 3U, 0U}) {
        ASSERT_TRUE(replace_secret_file(path, bytes_of(size, 7)));
        EXPECT_EQ(*read_secret_file(path, 100), bytes_of(size, 7));
        struct stat status {};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600u);
        EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0);
    }
}

TEST(SecretFile, WhatItHeldIsOverwrittenInItsPlace) {
    const testing::TempDir dir;
    const std::string path = dir / "keys";
    ASSERT_TRUE(replace_secret_file(path, bytes_of(600, 7)));
    // Another name for the same place on the disk, to see what becomes of it.
    ASSERT_EQ(::link(path.c_str(), (dir / "place").c_str()), 0);
    ASSERT_TRUE(replace_secret_file(path, bytes_of(600, 8)));
    EXPECT_EQ(*read_secret_file(dir / "place", 1000), bytes_of(600, 0));
    EXPECT_EQ(*read_secret_file(path, 1000), bytes_of(600, 8));
}

TEST(SecretFile, WhatACrashHasLeftIsInNobodysWay) {
    const testing::TempDir dir;
    const std::string path = dir / "keys";
    std::ofstream(path + ".new") << "half a fi";
    ASSERT_TRUE(replace_secret_file(path, bytes_of(5, 1)));
    EXPECT_EQ(*read_secret_file(path, 10), bytes_of(5, 1));
}

TEST(SecretFile, WhatOthersMayReadOrIsTooLongIsRefused) {
    const testing::TempDir dir;
    const std::string path = dir / "keys";
    ASSERT_TRUE(replace_secret_file(path, bytes_of(11, 1)));
    EXPECT_TRUE(read_secret_file(path, 11));
    EXPECT_FALSE(read_secret_file(path, 10));
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    const auto read = read_secret_file(path, 11);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().find("chmod 600"), std::string::npos);
}

TEST(SecretFile, AMissingDirectoryIsAFault) {
    const testing::TempDir dir;
    const auto written = replace_secret_file(dir / "absent/keys", bytes_of(1, 1));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, store::Fault::Kind::io);
}

}  // namespace
}  // namespace leither::io
