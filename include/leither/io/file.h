// A file of ours by its descriptor, closed with the object.
#pragma once

#include <string>
#include <utility>

#include "leither/base/bytes.h"

namespace leither::io {

class File {
 public:
    // `flags` as of open(2); a new file is mode 0600, and no link is followed.
    File(const std::string& path, int flags);
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    bool is_open() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }
    int release() { return std::exchange(descriptor_, -1); }
    // False, with errno: not all of it is written, or on the disk.
    bool write(ByteView content) const;
    bool sync() const;

 private:
    int descriptor_;
};
// What errno says of the file.
std::string system_text(const std::string& path);

}  // namespace leither::io
