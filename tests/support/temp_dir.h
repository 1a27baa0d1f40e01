// A fresh directory for one test, removed with everything in it at the end of its scope.
#pragma once

#include <filesystem>

namespace leither::testing {

class TempDir {
 public:
    TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
    std::filesystem::path path_;
};

}  // namespace leither::testing
