#include "app/pack_folder.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "app/cli_error.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;
using protocol::PackContents;
using protocol::PackFile;

[[noreturn]] void refuse(const std::string& name, const std::string& message,
                         const std::string& next_step) {
    throw CliError(CliExit::local, name, message, next_step);
}

std::ifstream open(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        refuse("bad_file", fmt::format("{} cannot be read.", path.string()),
               "Check its permissions.");
    }
    return in;
}

// The next piece of a file, empty at its end.
Bytes read_piece(std::ifstream& in, const fs::path& path) {
    Bytes piece(protocol::kContentPieceMax);
    in.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    if (in.bad()) {
        refuse("bad_file", fmt::format("{} cannot be read.", path.string()), "Check the disk.");
    }
    piece.resize(static_cast<std::size_t>(in.gcount()));
    return piece;
}

// The paths of all files, relative, in order.
std::vector<std::string> paths_below(const fs::path& folder) {
    std::vector<std::string> paths;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        const std::string path = at->path().lexically_relative(folder).generic_string();
        if (at->is_directory() && !at->is_symlink()) continue;
        if (at->is_symlink() || !at->is_regular_file()) {
            refuse("not_a_file", fmt::format("\"{}\" is no plain file.", path),
                   "Remove it, or put a copy of the file there.");
        }
        const bool fits = path.size() <= decltype(PackFile::path)::kMax;
        if (!fits || !protocol::is_safe_path(path) || !bcs::is_utf8(as_bytes(path))) {
            refuse(
                "bad_path", fmt::format("\"{}\" cannot be part of a pack.", path),
                "Paths have at most 200 bytes; names are not hidden (\".\" first), neither begin "
                "nor end with a blank or dot, and hold none of \\ : * ? \" < > |. Rename it, or "
                "move it out of the folder.");
        }
        if (paths.size() == protocol::kPackFilesMax) {
            refuse("too_many_files",
                   fmt::format("A pack has at most {} files.", protocol::kPackFilesMax),
                   "Pack some of them together, or publish several packs.");
        }
        paths.push_back(path);
    }
    if (error) {
        refuse("bad_folder",
               fmt::format("{} cannot be read: {}.", folder.string(), error.message()),
               "Name a folder of yours.");
    }
    std::ranges::sort(paths);
    return paths;
}

PackFile read_file(const fs::path& folder, const std::string& path) {
    PackFile file;
    file.path = decltype(file.path)(path);
    std::ifstream in = open(folder / path);
    for (Bytes piece = read_piece(in, folder / path); !piece.empty();
         piece = read_piece(in, folder / path)) {
        file.bytes += piece.size();
        if (file.bytes > protocol::kPackBytesMax) break;
        file.pieces.push_back(crypto::blake2b_256(piece));
    }
    return file;
}

bool holds_exactly(const fs::path& path, ByteView content) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != content.size()) {
        return false;
    }
    std::ifstream in(path, std::ios::binary);
    const Bytes there{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return std::ranges::equal(there, content);
}

}  // namespace

PackContents read_folder(const fs::path& folder) {
    if (!fs::is_directory(folder)) {
        refuse("bad_folder", fmt::format("{} is no folder.", folder.string()),
               "Put what is to be published into a folder of its own and name that.");
    }
    PackContents contents;
    std::uint64_t bytes = 0;
    for (const std::string& path : paths_below(folder)) {
        contents.files.push_back(read_file(folder, path));
        bytes += contents.files.back().bytes;
        if (bytes > protocol::kPackBytesMax) {
            refuse("too_large",
                   fmt::format("A pack has at most {} MiB.", protocol::kPackBytesMax >> 20),
                   "Make the files smaller, or publish several packs.");
        }
    }
    if (bytes == 0) {
        refuse("empty_folder", fmt::format("{} holds nothing to publish.", folder.string()),
               "Put at least one file with content into it.");
    }
    if (bcs::encode(contents).size() > protocol::kContentPieceMax) {
        refuse("too_many_files",
               fmt::format("The list of files takes more than {} KiB.",
                           protocol::kContentPieceMax >> 10),
               "Use shorter paths or fewer files, or publish several packs.");
    }
    return contents;
}

void each_piece(const fs::path& folder, const PackContents& contents,
                const std::function<void(Bytes&&)>& each) {
    for (const PackFile& file : contents.files) {
        std::ifstream in = open(folder / std::string(file.path));
        for (std::size_t i = 0; i < file.pieces.size(); ++i) {
            each(read_piece(in, folder / std::string(file.path)));
        }
    }
}

void write_below(const fs::path& folder, const std::string& path, ByteView content) {
    const fs::path target = folder / path;
    if (fs::exists(fs::symlink_status(target))) {
        if (holds_exactly(target, content)) return;
        refuse("exists", fmt::format("{} is there already, with other content.", target.string()),
               "Choose another folder with --out, or remove the file.");
    }
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    const fs::path part = target.string() + ".part";
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(content.data()),
              static_cast<std::streamsize>(content.size()));
    out.close();
    if (out) fs::rename(part, target, error);
    if (!out || error) {
        refuse("bad_file", fmt::format("{} cannot be written.", target.string()),
               "Check the folder's permissions and the room on the disk.");
    }
}

}  // namespace leither::app
