// A file of the user's that must be small: whatever it names is read no further than that. "-" is
// standard input.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "leither/base/bytes.h"

namespace leither::app {

// The file's first `bytes_max` + 1 bytes, of which the last tells that it is too long. Throws
// CliError.
std::string read_small_file(const std::string& path, std::size_t bytes_max);
// In the place of what the file held. Throws CliError.
void write_file(const std::string& path, const std::string& text);

// The bytes behind a hexadecimal field; nothing if it is absent or something else. REQUIRES: file
// is an object.
std::optional<Bytes> hex_field(const nlohmann::ordered_json& file, const char* name);

}  // namespace leither::app
