// A small file that nobody else may read, replaced as a whole.
#pragma once

#include <optional>
#include <string>

#include "leither/base/bytes.h"
#include "leither/base/result.h"
#include "leither/store/kv.h"

namespace leither::io {

// Nothing: there is no such file. Otherwise what the operator reads: it cannot be read, others
// may read it, or it holds more than `bytes_max`.
Result<std::optional<Bytes>, std::string> read_secret_file(const std::string& path,
                                                           std::size_t bytes_max);

// Synced when it returns, mode 0600; a crash leaves the file of before or the new one. What the
// file held before is overwritten in its place: best effort, since file systems that journal or
// copy on write, and flash memory, keep old blocks elsewhere.
Result<void, store::Fault> replace_secret_file(const std::string& path, ByteView content);

}  // namespace leither::io
