// A folder of the user's and the files of a pack: one becomes the other.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "leither/protocol/pack.h"

namespace leither::app {

// The list of all files below a folder, as a pack carries it. Throws CliError: what cannot be part
// of a pack is named, never left out.
protocol::PackContents read_folder(const std::filesystem::path& folder);

// Calls `each` with the bytes of every piece, in the order of the list. Throws CliError if a file
// cannot be read any more.
void each_piece(const std::filesystem::path& folder, const protocol::PackContents& contents,
                const std::function<void(Bytes&&)>& each);

// Writes a file below a folder, whole or not at all; a file of other content that is there already
// is left alone. Throws CliError. REQUIRES: is_safe_path(path).
void write_below(const std::filesystem::path& folder, const std::string& path, ByteView content);

}  // namespace leither::app
