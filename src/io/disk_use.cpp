#include "disk_use.h"

#include <filesystem>

namespace leither::io {
namespace {

namespace fs = std::filesystem;

// Files come and go while we count (the store compacts): what has gone counts nothing.
std::uint64_t bytes_below(const std::string& dir, std::size_t files_max) {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    std::error_code error;
    fs::recursive_directory_iterator at(dir, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        if (++files > files_max) break;
        std::error_code gone;
        if (!at->is_regular_file(gone) || gone) continue;
        const auto size = at->file_size(gone);
        if (!gone) bytes += size;
    }
    return bytes;
}

}  // namespace

std::optional<rpc::DiskUse> DiskMeter::read(Instant now) {
    if (dir_.empty()) return std::nullopt;
    if (last_read_ && now - *last_read_ < kValid) return last_;
    last_read_ = now;
    std::error_code error;
    const auto space = fs::space(dir_, error);
    last_ = std::nullopt;
    if (!error) last_ = rpc::DiskUse{bytes_below(dir_, kFilesMax), space.available, space.capacity};
    return last_;
}

}  // namespace leither::io
