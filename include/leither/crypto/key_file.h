// A key on disk: one line of JSON-free text, "leither-key-1 <hex seed>\n", mode 0600, written by
// rename so that a crash leaves either no file or a whole one.
#pragma once

#include <cstdint>
#include <string>

#include "leither/base/result.h"
#include "leither/crypto/sign.h"

namespace leither::crypto {

enum class KeyFileError : std::uint8_t {
    not_found,
    exists,  // `save_key` never replaces a key
    bad_format,
    too_permissive,  // others may read it: chmod 600 it
    io,              // the directory cannot be read or written
};
const char* to_string(KeyFileError error);

Result<KeyPair, KeyFileError> load_key(const std::string& path);
Result<void, KeyFileError> save_key(const std::string& path, const KeyPair& key);

}  // namespace leither::crypto
