// Folders become packs and packs folders; what cannot be part of one is named.
#include "app/pack_folder.h"

#include <fstream>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "app/cli_error.h"
#include "support/temp_dir.h"

namespace leither::app {
namespace {

namespace fs = std::filesystem;
using protocol::kContentPieceMax;

class PackFolder : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    void write(const std::string& path, const std::string& content) const {
        const fs::path target = dir_.path() / path;
        fs::create_directories(target.parent_path());
        std::ofstream(target, std::ios::binary) << content;
    }
    std::string read(const std::string& path) const {
        std::ifstream in(dir_.path() / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    template <class Act>
    static std::string error_of(const Act& act) {
        try {
            act();
        } catch (const CliError& error) {
            return error.name();
        }
        return "none";
    }
    std::string error_of_reading() const {
        return error_of([this] { read_folder(dir_.path()); });
    }

    testing::TempDir dir_;
};

TEST_F(PackFolder, FilesAreListedInOrderWithTheirPieces) {
    write("b.txt", std::string(kContentPieceMax + 3, 'x'));
    write("a/z.txt", "hello");
    write("empty", "");
    const auto contents = read_folder(dir_.path());
    EXPECT_TRUE(contents.is_canonical());
    ASSERT_EQ(contents.files.size(), 3u);
    EXPECT_EQ(contents.files[0].path, "a/z.txt");
    EXPECT_EQ(contents.files[1].path, "b.txt");
    ASSERT_EQ(contents.files[1].pieces.size(), 2u);
    EXPECT_EQ(contents.files[1].pieces[1], crypto::blake2b_256(as_bytes("xxx")));
    EXPECT_EQ(contents.files[2].bytes, 0u);
    std::vector<std::size_t> sizes;
    each_piece(dir_.path(), contents, [&](Bytes&& piece) { sizes.push_back(piece.size()); });
    EXPECT_EQ(sizes, (std::vector<std::size_t>{5, kContentPieceMax, 3}));
}

TEST_F(PackFolder, WhatCannotBePartOfAPackIsNamed) {
    EXPECT_EQ(error_of_reading(), "empty_folder");
    EXPECT_EQ(error_of([this] { read_folder(dir_.path() / "nowhere"); }), "bad_folder");
    write("good", "x");
    EXPECT_EQ(error_of_reading(), "none");
    write("a\\b", "x");
    EXPECT_EQ(error_of_reading(), "bad_path");
    fs::remove(dir_.path() / "a\\b");
    fs::create_symlink("/etc", dir_.path() / "link");
    EXPECT_EQ(error_of_reading(), "not_a_file");
    fs::remove(dir_.path() / "link");
    for (std::size_t i = 0; i < protocol::kPackFilesMax; ++i) write("f" + std::to_string(i), "");
    EXPECT_EQ(error_of_reading(), "too_many_files");
    fs::remove(dir_.path() / "f0");
    EXPECT_EQ(error_of_reading(), "none");
}

TEST_F(PackFolder, AListThatDoesNotFitAPieceIsRefused) {
    const std::string folder(90, 'd');
    for (std::size_t i = 0; i < protocol::kPackFilesMax; ++i) {
        write(folder + "/" + std::string(90, 'f') + std::to_string(i), "x");
    }
    EXPECT_EQ(error_of_reading(), "too_many_files");
}

TEST_F(PackFolder, WritesWholeFilesAndNeverOverAnother) {
    const Bytes content{1, 2, 3};
    write_below(dir_.path() / "out", "a/b", content);
    EXPECT_EQ(read("out/a/b"), "\x01\x02\x03");
    write_below(dir_.path() / "out", "a/b", content);  // the same once more
    EXPECT_EQ(error_of([&] { write_below(dir_.path() / "out", "a/b", Bytes{9}); }), "exists");
    EXPECT_EQ(read("out/a/b"), "\x01\x02\x03");
    EXPECT_FALSE(fs::exists(dir_.path() / "out/a/b.part"));
    fs::create_symlink(dir_.path() / "elsewhere", dir_.path() / "out/link");
    EXPECT_EQ(error_of([&] { write_below(dir_.path() / "out", "link", content); }), "exists");
    EXPECT_FALSE(fs::exists(dir_.path() / "elsewhere"));
}

}  // namespace
}  // namespace leither::app
