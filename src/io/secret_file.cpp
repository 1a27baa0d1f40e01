#include "leither/io/secret_file.h"

#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leither/io/file.h"

namespace leither::io {
namespace {

using store::Fault;

Fault fault(const std::string& path) {
    const bool is_full = errno == ENOSPC || errno == EDQUOT;
    return {is_full ? Fault::Kind::full : Fault::Kind::io, system_text(path)};
}

// Through a descriptor from before the name was given away.
void overwrite(const File& former) {
    struct stat status {};
    if (!former.is_open() || ::fstat(former.get(), &status) != 0) return;
    static constexpr std::array<std::uint8_t, 512> kZeros{};
    for (auto left = static_cast<std::size_t>(status.st_size); left > 0;) {
        const std::size_t part = std::min(left, kZeros.size());
        if (!former.write(ByteView(kZeros).first(part))) return;
        left -= part;
    }
    (void)former.sync();
}

}  // namespace

Result<std::optional<Bytes>, std::string> read_secret_file(const std::string& path,
                                                           std::size_t bytes_max) {
    const File file(path, O_RDONLY);
    if (!file.is_open() && errno == ENOENT) return std::nullopt;
    struct stat status {};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0) return fail(system_text(path));
    if (!S_ISREG(status.st_mode)) return fail(path + ": it is no file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(fmt::format("{}: others may read it; run: chmod 600 {}", path, path));
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > bytes_max) return fail(path + ": it is too long");
    Bytes content(size);
    for (std::size_t at = 0; at < size;) {
        const ssize_t got = ::read(file.get(), content.data() + at, size - at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail(system_text(path));
        at += static_cast<std::size_t>(got);
    }
    return content;
}

Result<void, Fault> replace_secret_file(const std::string& path, ByteView content) {
    const std::string draft = path + ".new";
    ::unlink(draft.c_str());  // what a crash has left
    {
        const File fresh(draft, O_WRONLY | O_CREAT | O_EXCL);
        if (!fresh.is_open() || !fresh.write(content) || !fresh.sync()) return fail(fault(draft));
    }
    const File former(path, O_WRONLY);
    if (::rename(draft.c_str(), path.c_str()) != 0) return fail(fault(path));
    const auto parent = std::filesystem::path(path).parent_path().string();
    const File directory(parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
    if (!directory.is_open() || !directory.sync()) return fail(fault(parent));
    overwrite(former);
    return {};
}

}  // namespace leither::io
