#include "leither/crypto/key_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leither/base/check.h"

namespace leither::crypto {

namespace {

constexpr std::string_view kHeading = "leither-key-1 ";
constexpr std::size_t kFileSize = kHeading.size() + 2 * KeyPair::kSeedSize + 1;

// A file descriptor closed at the end of its scope.
class File {
 public:
    File(const std::string& path, int flags, mode_t mode = 0)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool ok() const { return fd_ >= 0; }
    int get() const { return fd_; }
    bool sync() const { return ::fsync(fd_) == 0; }

 private:
    int fd_;
};

// The text of a key file; zeroised on every way out.
struct SecretText {
    // One byte more than a key file has, so that a longer file is noticed.
    std::array<char, kFileSize + 1> bytes{};
    std::size_t size = 0;

    SecretText() = default;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { sodium_memzero(bytes.data(), bytes.size()); }
    std::string_view view() const { return {bytes.data(), size}; }
};

Result<void, KeyFileError> read_whole(const File& file, SecretText& text) {
    while (text.size < text.bytes.size()) {
        const ssize_t got =
            ::read(file.get(), text.bytes.data() + text.size, text.bytes.size() - text.size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(KeyFileError::io);
        if (got == 0) break;
        text.size += static_cast<std::size_t>(got);
    }
    return {};
}

bool write_whole(const File& file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(file.get(), text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
}

Result<KeyPair, KeyFileError> parse(std::string_view text) {
    if (text.size() != kFileSize || !text.starts_with(kHeading) || !text.ends_with('\n')) {
        return fail(KeyFileError::bad_format);
    }
    KeyPair::Seed seed{};
    if (!from_hex(text.substr(kHeading.size(), 2 * KeyPair::kSeedSize), seed)) {
        return fail(KeyFileError::bad_format);
    }
    KeyPair pair = KeyPair::from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return pair;
}

void format(const KeyPair& key, SecretText& text) {
    KeyPair::Seed seed = key.seed();
    char* at = std::copy(kHeading.begin(), kHeading.end(), text.bytes.data());
    // Writes a terminating zero where the line's end goes.
    sodium_bin2hex(at, 2 * seed.size() + 1, seed.data(), seed.size());
    at[2 * seed.size()] = '\n';
    text.size = kFileSize;
    sodium_memzero(seed.data(), seed.size());
}

bool write_new_file(const std::string& path, std::string_view text) {
    ::unlink(path.c_str());  // what a crash left of an earlier attempt
    const File file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    return file.ok() && write_whole(file, text) && file.sync();
}

bool sync_directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    const File file(directory, O_RDONLY | O_DIRECTORY);
    return file.ok() && file.sync();
}

}  // namespace

const char* to_string(KeyFileError error) {
    switch (error) {
        case KeyFileError::not_found: return "not_found";
        case KeyFileError::exists: return "exists";
        case KeyFileError::bad_format: return "bad_format";
        case KeyFileError::too_permissive: return "too_permissive";
        case KeyFileError::io: return "io";
    }
    UNREACHABLE();
}

Result<KeyPair, KeyFileError> load_key(const std::string& path) {
    const File file(path, O_RDONLY);
    if (!file.ok()) return fail(errno == ENOENT ? KeyFileError::not_found : KeyFileError::io);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail(KeyFileError::io);
    if (!S_ISREG(status.st_mode)) return fail(KeyFileError::bad_format);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(KeyFileError::too_permissive);
    SecretText text;
    TRY(read_whole(file, text));
    return parse(text.view());
}

Result<void, KeyFileError> save_key(const std::string& path, const KeyPair& key) {
    // Early, so that refusing leaves no trace; the rename below decides for certain.
    if (::access(path.c_str(), F_OK) == 0) return fail(KeyFileError::exists);
    SecretText text;
    format(key, text);
    const std::string fresh = path + ".new";
    if (!write_new_file(fresh, text.view())) {
        ::unlink(fresh.c_str());
        return fail(KeyFileError::io);
    }
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
        const KeyFileError error = errno == EEXIST ? KeyFileError::exists : KeyFileError::io;
        ::unlink(fresh.c_str());
        return fail(error);
    }
    if (!sync_directory_of(path)) return fail(KeyFileError::io);
    return {};
}

}  // namespace leither::crypto
