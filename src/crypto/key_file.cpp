#include "leither/crypto/key_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leither/base/check.h"

namespace leither::crypto {

namespace {

constexpr std::string_view kPlainHeading = "leither-key-1 ";
constexpr std::string_view kSealedHeading = "leither-key-2 ";
constexpr std::size_t kPlainFileSize = kPlainHeading.size() + 2 * KeyPair::kSeedSize + 1;
constexpr std::size_t kSealedSeedSize = KeyPair::kSeedSize + PassphraseKey::kOverhead;
// Two numbers of at most ten digits.
constexpr std::size_t kFileSizeMax = kSealedHeading.size() + 2 * PublicKey::kSize +
                                     2 * Salt::kSize + 2 * 10 + 2 * kSealedSeedSize + 4 + 1;
static_assert(kPlainFileSize <= kFileSizeMax);

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
    // One byte more than a key file has at most, so that a longer file is noticed.
    std::array<char, kFileSizeMax + 1> bytes{};
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

// A line's fields behind its heading, without the newline.
std::vector<std::string_view> fields_of(std::string_view text, std::string_view heading) {
    text.remove_prefix(heading.size());
    text.remove_suffix(1);
    std::vector<std::string_view> fields;
    for (std::size_t end = 0; (end = text.find(' ')) != text.npos; text.remove_prefix(end + 1)) {
        fields.push_back(text.substr(0, end));
    }
    fields.push_back(text);
    return fields;
}

// As we write them: no sign, no leading zero.
std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (text.front() == '0') return std::nullopt;
    return value;
}

struct SealedFile {
    KeyFileInfo info;
    std::string_view associated;
    std::array<std::uint8_t, kSealedSeedSize> sealed{};
};

Result<SealedFile, KeyFileError> parse_sealed(std::string_view text) {
    const auto fields = fields_of(text, kSealedHeading);
    if (fields.size() != 5) return fail(KeyFileError::bad_format);
    const auto key = PublicKey::parse(fields[0]);
    const auto salt = Salt::parse(fields[1]);
    const auto passes = parse_number(fields[2]);
    const auto memory = parse_number(fields[3]);
    SealedFile file;
    if (!key || !salt || !passes || !memory || !from_hex(fields[4], file.sealed)) {
        return fail(KeyFileError::bad_format);
    }
    const PassphraseCost cost{*passes, *memory};
    if (!cost.is_valid()) return fail(KeyFileError::bad_format);
    file.info = {*key, Protection{*salt, cost}};
    file.associated = text.substr(0, text.size() - 1 - fields[4].size());
    return file;
}

Result<KeyPair, KeyFileError> parse_plain(std::string_view text) {
    KeyPair::Seed seed{};
    if (text.size() != kPlainFileSize ||
        !from_hex(text.substr(kPlainHeading.size(), 2 * KeyPair::kSeedSize), seed)) {
        return fail(KeyFileError::bad_format);
    }
    KeyPair pair = KeyPair::from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    return pair;
}

enum class Form : std::uint8_t { plain, sealed };
Result<Form, KeyFileError> form_of(std::string_view text) {
    if (text.size() <= kFileSizeMax && text.ends_with('\n')) {
        if (text.starts_with(kPlainHeading)) return Form::plain;
        if (text.starts_with(kSealedHeading)) return Form::sealed;
    }
    return fail(KeyFileError::bad_format);
}

Result<KeyPair, KeyFileError> open_sealed(const SealedFile& file, const PassphraseKey* opener) {
    if (opener == nullptr) return fail(KeyFileError::locked);
    if (opener->protection() != file.info.protection) return fail(KeyFileError::wrong_passphrase);
    KeyPair::Seed seed{};
    if (!opener->open(file.sealed, as_bytes(file.associated), seed)) {
        return fail(KeyFileError::wrong_passphrase);
    }
    KeyPair pair = KeyPair::from_seed(seed);
    sodium_memzero(seed.data(), seed.size());
    if (pair.public_key() != file.info.key) return fail(KeyFileError::bad_format);
    return pair;
}

void append(SecretText& text, std::string_view part) {
    CHECK(text.size + part.size() < text.bytes.size());
    std::copy(part.begin(), part.end(), text.bytes.data() + text.size);
    text.size += part.size();
}

void format_plain(const KeyPair& key, SecretText& text) {
    KeyPair::Seed seed = key.seed();
    append(text, kPlainHeading);
    // Writes a terminating zero where the line's end goes.
    sodium_bin2hex(text.bytes.data() + text.size, 2 * seed.size() + 1, seed.data(), seed.size());
    text.size += 2 * seed.size();
    append(text, "\n");
    sodium_memzero(seed.data(), seed.size());
}

void format_sealed(const KeyPair& key, const Sealing& sealing, SecretText& text) {
    const Protection& protection = sealing.key.protection();
    append(text, kSealedHeading);
    append(text, key.public_key().hex() + " " + protection.salt.hex() + " " +
                     std::to_string(protection.cost.passes) + " " +
                     std::to_string(protection.cost.memory_kib) + " ");
    KeyPair::Seed seed = key.seed();
    append(text, to_hex(sealing.key.seal(seed, as_bytes(text.view()), sealing.entropy)) + "\n");
    sodium_memzero(seed.data(), seed.size());
}

void format(const KeyPair& key, const Sealing* sealing, SecretText& text) {
    if (sealing == nullptr) return format_plain(key, text);
    format_sealed(key, *sealing, text);
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

// Through a descriptor from before the name was given away.
void overwrite(const File& former) {
    struct stat status {};
    if (!former.ok() || ::fstat(former.get(), &status) != 0) return;
    const std::string zeros(static_cast<std::size_t>(status.st_size), '0');
    if (write_whole(former, zeros)) (void)former.sync();
}

Result<void, KeyFileError> read_checked(const std::string& path, SecretText& text) {
    const File file(path, O_RDONLY);
    if (!file.ok()) return fail(errno == ENOENT ? KeyFileError::not_found : KeyFileError::io);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return fail(KeyFileError::io);
    if (!S_ISREG(status.st_mode)) return fail(KeyFileError::bad_format);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(KeyFileError::too_permissive);
    return read_whole(file, text);
}

}  // namespace

const char* to_string(KeyFileError error) {
    switch (error) {
        case KeyFileError::not_found: return "not_found";
        case KeyFileError::exists: return "exists";
        case KeyFileError::bad_format: return "bad_format";
        case KeyFileError::too_permissive: return "too_permissive";
        case KeyFileError::io: return "io";
        case KeyFileError::locked: return "locked";
        case KeyFileError::wrong_passphrase: return "wrong_passphrase";
    }
    UNREACHABLE();
}

Result<KeyFileInfo, KeyFileError> inspect_key(const std::string& path) {
    SecretText text;
    TRY(read_checked(path, text));
    const Form form = TRY(form_of(text.view()));
    if (form == Form::sealed) return TRY(parse_sealed(text.view())).info;
    const KeyPair pair = TRY(parse_plain(text.view()));
    return KeyFileInfo{pair.public_key(), std::nullopt};
}

Result<KeyPair, KeyFileError> load_key(const std::string& path, const PassphraseKey* opener) {
    SecretText text;
    TRY(read_checked(path, text));
    const Form form = TRY(form_of(text.view()));
    if (form == Form::plain) return parse_plain(text.view());
    const SealedFile file = TRY(parse_sealed(text.view()));
    return open_sealed(file, opener);
}

Result<void, KeyFileError> save_key(const std::string& path, const KeyPair& key,
                                    const Sealing* sealing) {
    // Early, so that refusing leaves no trace; the rename below decides for certain.
    if (::access(path.c_str(), F_OK) == 0) return fail(KeyFileError::exists);
    SecretText text;
    format(key, sealing, text);
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

Result<void, KeyFileError> rewrite_key(const std::string& path, const KeyPair& key,
                                       const Sealing* sealing) {
    SecretText text;
    format(key, sealing, text);
    const std::string fresh = path + ".new";
    const File former(path, O_WRONLY | O_NOFOLLOW);
    if (!former.ok()) return fail(errno == ENOENT ? KeyFileError::not_found : KeyFileError::io);
    if (!write_new_file(fresh, text.view()) || ::rename(fresh.c_str(), path.c_str()) != 0) {
        ::unlink(fresh.c_str());
        return fail(KeyFileError::io);
    }
    if (!sync_directory_of(path)) return fail(KeyFileError::io);
    overwrite(former);
    return {};
}

}  // namespace leither::crypto
