#include "leither/io/file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace leither::io {

File::File(const std::string& path, int flags)
    : descriptor_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)) {}

File::~File() {
    if (is_open()) ::close(descriptor_);
}

bool File::write(ByteView content) const {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor_, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content = content.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

bool File::sync() const {
    return ::fsync(descriptor_) == 0;
}

std::string system_text(const std::string& path) {
    return fmt::format("{}: {}", path, std::generic_category().message(errno));
}

}  // namespace leither::io
