#include "leither/io/data_dir.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leither/base/bytes.h"

namespace leither::io {
namespace {

constexpr std::size_t kCookieBytes = 32;

std::string system_message() {
    return std::generic_category().message(errno);
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// The pid that the holder wrote; nothing while it is still writing it.
std::optional<int> holder_of(int descriptor) {
    std::array<char, 32> text{};
    const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
    int pid = 0;
    if (size <= 0) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + size, pid);
    return error == std::errc{} ? std::optional(pid) : std::nullopt;
}

DataDirLock::Busy busy(int descriptor, const std::string& path) {
    if (errno != EWOULDBLOCK) return {fmt::format("{}: {}", path, system_message()), std::nullopt};
    const auto pid = holder_of(descriptor);
    return {pid ? fmt::format("{}: held by process {}", path, *pid)
                : fmt::format("{}: held by another process", path),
            pid};
}

}  // namespace

Result<DataDirLock, DataDirLock::Busy> DataDirLock::acquire(const std::string& dir) {
    const std::string path = dir + "/lock";
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return fail(Busy{fmt::format("{}: {}", path, system_message()), std::nullopt});
    }
    DataDirLock lock(descriptor);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) return fail(busy(descriptor, path));
    const std::string pid = std::to_string(getpid()) + "\n";
    if (ftruncate(descriptor, 0) != 0 || !write_all(descriptor, pid)) {
        return fail(Busy{fmt::format("{}: {}", path, system_message()), std::nullopt});
    }
    return lock;
}

DataDirLock::DataDirLock(DataDirLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DataDirLock::~DataDirLock() {
    if (descriptor_ >= 0) close(descriptor_);
}

std::string make_cookie(Entropy& entropy) {
    std::array<std::uint8_t, kCookieBytes> bytes{};
    entropy.fill(bytes);
    return to_hex(bytes);
}

Result<void, std::string> write_private_file(const std::string& path, std::string_view content) {
    const std::string draft = path + ".new";
    const int descriptor = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(fmt::format("{}: {}", draft, system_message()));
    // A draft left by an earlier crash may have other permissions.
    const bool written = fchmod(descriptor, 0600) == 0 && write_all(descriptor, content) &&
                         write_all(descriptor, "\n");
    const bool closed = close(descriptor) == 0;
    if (!written || !closed || rename(draft.c_str(), path.c_str()) != 0) {
        return fail(fmt::format("{}: {}", path, system_message()));
    }
    return {};
}

Result<std::string, std::string> read_private_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(file)), {});
    if (!file) return fail(fmt::format("{}: {}", path, system_message()));
    if (!content.empty() && content.back() == '\n') content.pop_back();
    return content;
}

}  // namespace leither::io
