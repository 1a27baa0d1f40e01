// What a running daemon keeps beside its store: the lock, and the files by which clients find it.
#pragma once

#include <optional>
#include <string>

#include "leither/base/entropy.h"
#include "leither/base/result.h"

namespace leither::io {

// Held for as long as the object lives; the kernel drops it with the process, so a crash leaves
// nothing to clean up.
class DataDirLock {
 public:
    struct Busy {
        std::string detail;      // for the operator
        std::optional<int> pid;  // of the holder, if another process holds the lock
    };
    // Locks `<dir>/lock` and writes our pid into it. The directory must exist.
    static Result<DataDirLock, Busy> acquire(const std::string& dir);

    DataDirLock(DataDirLock&& other) noexcept;
    DataDirLock& operator=(DataDirLock&&) = delete;
    ~DataDirLock();

 private:
    explicit DataDirLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

// 32 random bytes as hex: what a client must show to be served.
std::string make_cookie(Entropy& entropy);
// Writes `content` and a newline to `path`, mode 0600, by rename: a reader sees a whole file or
// none. Otherwise what the operator reads.
Result<void, std::string> write_private_file(const std::string& path, std::string_view content);
// The content without its last newline.
Result<std::string, std::string> read_private_file(const std::string& path);

}  // namespace leither::io
