// A file of the user's that must be small: whatever it names is read no further than that.
#pragma once

#include <cstddef>
#include <string>

namespace leither::app {

// The file's first `bytes_max` + 1 bytes, of which the last tells that it is too long. Throws
// CliError.
std::string read_small_file(const std::string& path, std::size_t bytes_max);

}  // namespace leither::app
